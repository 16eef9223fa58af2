"""`segmentation data`, `backup` and `restore` on a shop whose months are made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

JUNE, JULY, AUGUST = MONTHS
KEY = "gold/customer_segments"
FAST = {"source/delivery", "source/decisions", "raw/order_lines", "raw/customers", "raw/products",
        "raw/engagement_events", "raw/quarantine", "silver/order_lines", "silver/snapshot_input",
        "silver/customer_history", "silver/customer_features", "gold/rfm_segments"}  # fmt: skip
RFM = "gold/rfm_segments"


@pytest.fixture
def settings_file(shop, write_settings, monkeypatch, tmp_path):
    """Write the settings of the shop, with two versions kept, into the folder the commands run in."""
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings(retention__versions=2))
    return shop


def listed(segmentation, *arguments):
    return json.loads(segmentation("data", "list", "--json", *arguments).out)


def hash_of(shop, key, month):
    return Platform(shop.settings()).store.manifest(key, month).content_hash


def test_a_version_is_listed_restored_and_the_next_run_is_foretold(settings_file, segmentation, run, write_settings):
    shop = settings_file
    before = hash_of(shop, RFM, AUGUST)
    other = {"retention__versions": 2, "rfm__map": "grid_25"}
    run(shop.settings(**other), keys={RFM})
    entries = listed(segmentation, "--key", RFM, "--month", "2025-08")
    assert [entry["state"] for entry in entries] == ["current", "earlier"]
    assert entries[1]["content_hash"] == before

    told = segmentation("data", "restore", before[:8], "--to", "out")
    assert (told.code, "1 file and its manifest written to out" in told.out) == (0, True), told.err
    assert (Path("out") / AUGUST / "part-0.parquet").is_file()
    write_settings(shop.settings(**other))
    told = segmentation("data", "restore", before[:8])
    assert "does not keep it but computes it anew: its settings or code changed" in told.out
    assert hash_of(shop, RFM, AUGUST) == before
    own = shop.settings(retention__versions=2, rfm__map="cells_125")
    write_settings(own)
    for month in (JUNE, JULY):
        earlier = next(e for e in listed(segmentation, "--key", RFM, "--month", month[:7]) if e["state"] == "earlier")
        told = segmentation("data", "restore", earlier["content_hash"][:8])
    assert "'segmentation run' keeps it, and has nothing to make again because of it." in told.out
    assert run(own) == set()
    assert "is in force already" in segmentation("data", "restore", before[:8]).out


def test_the_alias_follows_the_champion_that_is_restored(settings_file, segmentation):
    shop = settings_file
    platform = Platform(shop.settings(retention__versions=2))
    stored = platform.store.manifest("gold/champion", AUGUST)
    first = platform.models.aliases()["champion"]
    second = platform.models.save("champion", None, {"month": "2025-08"}, state={"algorithm": "none"})
    platform.models.set_alias("champion", second)
    (content,) = {file.path.split("/")[-2] for file in stored.own_files}
    folder = platform.store.table_folder("gold/champion", AUGUST)
    (folder / ("f" * 16)).mkdir()
    (folder / ("f" * 16) / "part-0.parquet").write_bytes((folder / content / "part-0.parquet").read_bytes())
    files = platform.store.describe_files([folder / ("f" * 16) / "part-0.parquet"])
    from dataclasses import replace

    platform.store.publish(replace(stored, content_hash="f" * 32, files=files))
    told = segmentation("data", "restore", stored.content_hash[:8], "--month", "2025-08")
    assert f"The alias champion points at champion@{first.content_hash[:12]}." in told.out, told.err
    assert platform.models.aliases()["champion"] == first


def test_a_closed_month_is_not_changed_by_restoring(settings_file, segmentation, run, write_settings):
    shop = settings_file
    before = hash_of(shop, RFM, JUNE)
    run(shop.settings(retention__versions=2, rfm__map="grid_25"), keys={RFM})
    now = hash_of(shop, RFM, JUNE)
    write_settings(shop.settings(retention__versions=2, calendar__closed_through="2025-06"))
    told = segmentation("data", "restore", before[:8])
    assert (told.code, "belongs to a closed month: what was delivered of it stays" in told.err) == (1, True)
    assert "'segmentation run --rebuild-from 2025-06'" in told.err
    assert hash_of(shop, RFM, JUNE) == now


def test_an_erasure_forgets_earlier_versions(settings_file, segmentation, run):
    shop = settings_file
    settings = shop.settings(retention__versions=2)
    run(shop.settings(retention__versions=2, rfm__map="grid_25"), keys={RFM})
    run(settings, keys={RFM})
    assert any(entry["state"] == "earlier" for entry in listed(segmentation))
    someone = Platform(settings).engine
    with someone.connect() as connection:
        from segmentation_assets.storage.engine import parquet_scan

        paths = Platform(settings).store.table_paths(KEY, AUGUST)
        (customer,) = connection.execute(f"SELECT min(customer_id) FROM {parquet_scan(paths)}").fetchone()
    assert segmentation("erase", customer).code == 0
    told = segmentation("data", "restore", "abcdef")
    assert "a customer was erased: all versions from before are forgotten." in told.err
    assert not any(entry["state"] == "earlier" for entry in listed(segmentation))
    told = segmentation("run")
    assert told.code == 0, told.err
    assert "removed all earlier versions, as a customer was erased" in told.out
    assert not any(entry["state"] == "earlier" for entry in listed(segmentation))
    run(shop.settings(retention__versions=2, rfm__map="grid_25"), keys={RFM})
    assert segmentation("run").code == 0
    assert any(entry["state"] == "earlier" for entry in listed(segmentation)), "later versions are kept again"


def test_months_beyond_retention_go_and_are_not_made_again(settings_file, segmentation, run, write_settings):
    shop = settings_file
    settings = shop.settings(retention__months=1, retention__runs=1)
    write_settings(settings)
    august = hash_of(shop, KEY, AUGUST)
    told = segmentation("data", "prune", "--dry-run")
    assert "note: no month goes while something is not up to date" in told.out, "the warehouse still has all months"

    told = segmentation("run")
    assert told.code == 0, told.err
    assert "removed 2025-06: " in told.out
    assert "[serving/warehouse" not in told.out
    store = Platform(settings).store
    assert not (shop.data_dir / "reports" / "2025-06").exists()
    assert not store.table_folder(KEY, JUNE).exists()
    assert store.table_paths(KEY, JULY), "August is made from it"
    record = json.loads(next((shop.data_dir / "runs").glob("*.json")).read_text(encoding="utf-8"))
    assert any(line.startswith("2025-06: ") for line in record["pruned"])

    again = segmentation("run")
    assert "everything is up to date; nothing was computed" in again.out
    assert len(list((shop.data_dir / "runs").glob("*.json"))) == 1
    assert segmentation("status", "--exit-code").code == 0
    assert segmentation("data", "prune").out == "0.0 kB became free.\n"
    assert " beyond retention.months removed." in segmentation("data", "list").out
    refused = segmentation("report", "--month", "2025-06")
    assert (
        refused.code,
        "2025-06 lies beyond retention.months\nHint: run 'segmentation run' without retention.months" in refused.err,
    ) == (1, True)

    assert run(settings, month=AUGUST, force=True, keys={KEY}) == {(KEY, AUGUST)}
    assert {month for _, month in run(settings, force=True, keys=FAST)} <= {AUGUST, "all"}
    more = shop.settings(retention__months=3)
    assert run(more) <= {("serving/warehouse", "all")}, "a higher number keeps more from now on"
    assert run(more) == set()
    computed = run(shop.settings(retention__months=None), keys=FAST | {"silver/imputed_features"})
    assert {month for _, month in computed} >= {JUNE, JULY}, "without the setting, what was removed is missing"
    assert hash_of(shop, KEY, AUGUST) == august


def test_closed_months_stay_whatever_retention_says(settings_file, segmentation, write_settings, run):
    shop = settings_file
    settings = shop.settings(retention__months=1, calendar__closed_through="2025-07")
    write_settings(settings)
    assert run(settings) == set()
    told = segmentation("data", "prune")
    assert "note: 2025-06 to 2025-07 stay: they are closed (calendar.closed_through)" in told.out
    assert "0.0 kB became free." in told.out


def test_without_retention_settings_nothing_is_pruned(settings_file, segmentation):
    told = segmentation("data", "prune")
    assert told.out == "retention.months, models and runs are not set: everything is kept.\n"


def test_an_unknown_asset_is_answered_with_the_closest(settings_file, segmentation):
    told = segmentation("data", "list", "--key", "gold/champio")
    assert (told.code, told.err) == (
        1,
        "error: there is no asset 'gold/champio'\nHint: did you mean 'gold/champion'?\n",
    )


def test_a_restored_data_folder_has_nothing_to_do_in_its_new_place(
    settings_file, segmentation, write_settings, tmp_path
):
    shop = settings_file
    told = segmentation("backup", "shop.tar.zst")
    assert told.code == 0, told.err
    assert "not taken: cache, locks, staging, dagster" in told.out
    elsewhere = Shop(tmp_path / "elsewhere")
    told = segmentation("restore", "shop.tar.zst", "--to", str(elsewhere.data_dir))
    assert told.code == 0, told.err
    assert (elsewhere.data_dir / "settings_of_backup.yaml").read_text() == Path("segmentation.yaml").read_text()
    (shop.data_dir).rename(tmp_path / "gone")
    write_settings(elsewhere.settings())
    assert segmentation("status", "--exit-code").code == 0
    ran = segmentation("run")
    assert "everything is up to date; nothing was computed" in ran.out
    assert "0 steps computed, 0 kept" in ran.out
    assert segmentation("status", "--verify", "--exit-code").code == 0


def test_a_backup_goes_into_a_folder_under_a_name_of_its_own(settings_file, segmentation, tmp_path):
    (tmp_path / "backups").mkdir()
    told = segmentation("backup", "backups", "--without", "delivery", "--without", "reports")
    assert told.code == 0, told.err
    assert "not taken: cache, locks, staging, dagster, deliveries, reports" in told.out
    (made,) = (tmp_path / "backups").iterdir()
    assert made.name.startswith("data-")
    restored = segmentation("restore", "backups", "--to", "copy")
    assert "the backup was made without deliveries, reports" in restored.out
    refused = segmentation("restore", "backups")
    assert (refused.code, "is not empty\nHint: restore into a folder that does not exist" in refused.err) == (1, True)
