"""What is computed again after a change, counted; everything else has to stay as it lies on disk."""

import os
import shutil

import pytest

from segmentation_assets.graph import build
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import every_file_of, rewrite
from segmentation_assets_tests.keys import REPORTS

RAW = {"source/delivery", "raw/order_lines", "raw/quarantine"}


def change_one_line(shop, month):
    rewrite(
        shop.lines(month),
        "SELECT * REPLACE (CASE WHEN row_number() OVER () = 1 THEN quantity + 1 ELSE quantity END AS quantity) FROM t",
    )


def changed_slices(shop, before):
    """Slices of a stored result that are new or others than before."""
    slices = Platform(shop.settings()).store.manifest(before.key).slices
    return {name for name in slices if slices[name] != before.slices.get(name)}


def test_second_run_computes_nothing_and_rewrites_no_file(shop, run):
    before = every_file_of(shop.data_dir)
    assert run(shop.settings()) == set()
    assert every_file_of(shop.data_dir) == before


def test_every_month_is_complete(shop):
    store = Platform(shop.settings()).store
    assert store.partitions("gold/customer_segments") == MONTHS
    for month in MONTHS:
        for name in ("dashboard.html", "business_report.md"):
            assert (shop.data_dir / "reports" / month[:7] / name).stat().st_size > 1000


def test_changed_line_of_the_newest_month_recomputes_that_month_and_what_follows(shop, run):
    change_one_line(shop, MONTHS[-1])
    computed = run(shop.settings())
    monthly = {(key, partition) for key, partition in computed if partition != "all"}
    assert {partition for _, partition in monthly} == {MONTHS[-1]}
    assert ("silver/customer_features", MONTHS[-1]) in monthly
    whole = {key for key, partition in computed if partition == "all"}
    assert whole == {"source/delivery", "raw/order_lines", "silver/order_lines", "serving/warehouse"}
    silver = Platform(shop.settings()).store.manifest("silver/order_lines")
    assert silver.metadata["months_classified"] == [MONTHS[-1]]


def test_late_line_of_an_old_month_recomputes_every_snapshot_that_reads_it(shop, run):
    change_one_line(shop, "2025-01-01")
    computed = run(shop.settings())
    assert {partition for key, partition in computed if key == "silver/customer_features"} == set(MONTHS)
    silver = Platform(shop.settings()).store.manifest("silver/order_lines")
    assert silver.metadata["months_classified"] == ["2025-01-01"]


def test_delivery_with_the_same_lines_in_another_file_order_stops_at_the_raw_layer(shop, run):
    newest = shop.lines(MONTHS[-1])
    rewrite(newest, "SELECT * FROM t")
    assert {key for key, _ in run(shop.settings())} <= {"source/delivery", "raw/order_lines"}


@pytest.mark.parametrize("name", ["-copy", "-0-copy"])
@pytest.mark.parametrize("table", ["order_lines", "customers", "products", "engagement_events"])
def test_copy_of_a_file_changes_no_table_but_the_quarantine(shop, run, table, name):
    delivered = min(shop.deliveries.glob(f"{table}-*.parquet"))
    shutil.copy(delivered, delivered.with_name(f"{table}{name}.parquet"))
    stored = Platform(shop.settings()).store.manifest(f"raw/{table}")
    computed = {key for key, _ in run(shop.settings())}
    again = {"silver/order_lines"} if table == "order_lines" else set()
    assert computed == {"source/delivery", f"raw/{table}", "raw/quarantine", "serving/warehouse", *again}
    assert changed_slices(shop, stored) == {"quarantine"}
    if again:
        silver = Platform(shop.settings()).store.manifest("silver/order_lines")
        assert silver.metadata["months_classified"] == []


def test_copy_takes_the_place_of_an_original_that_is_gone(shop, run):
    delivered = shop.lines(MONTHS[0])
    copy = delivered.with_name("order_lines-0-copy.parquet")
    shutil.copy(delivered, copy)
    run(shop.settings(), keys=RAW)
    delivered.unlink()
    run(shop.settings(), keys=RAW)

    platform = Platform(shop.settings())
    store = platform.store
    with platform.engine.connect() as connection:
        files = connection.execute(
            "SELECT DISTINCT source_file FROM " + parquet_scan(store.slice_paths("raw/order_lines", MONTHS[0]))
        ).fetchall()
    assert files == [(copy.name,)]
    assert store.manifest("raw/quarantine").row_count == 0
    shutil.copy(copy, delivered)
    stored = store.manifest("raw/order_lines")
    run(shop.settings(), keys=RAW)
    assert changed_slices(shop, stored) == {"quarantine"}, "the copy is the original now"


def test_changed_kmeans_setting_recomputes_no_feature(shop, run):
    computed = {key for key, _ in run(shop.settings(clustering__algorithms__kmeans__k_max=5))}
    assert "clusters/kmeans" in computed
    assert not {key for key in computed if key.startswith(("source/", "raw/", "silver/"))}
    assert "gold/rfm_segments" not in computed


def test_changed_report_template_recomputes_only_that_report(shop, run, monkeypatch):
    template = "reporting/templates/dashboard.html.j2"
    original = build._resource_hash
    monkeypatch.setattr(build, "_resource_hash", lambda path: "changed" if path == template else original(path))
    assert run(shop.settings()) == {("reports/dashboard", month) for month in MONTHS}


def test_changed_dashboard_title_recomputes_only_the_reports(shop, run):
    computed = {key for key, _ in run(shop.settings(reports__dashboard__title="Our customers"))}
    assert computed <= REPORTS
    assert "reports/dashboard" in computed


def test_engine_settings_change_no_result(shop, run):
    assert run(shop.settings(engine__threads=1, engine__memory_limit="1GB")) == set()


def test_forced_run_computes_everything_and_gives_the_same_tables(shop, run):
    store = Platform(shop.settings()).store
    before = {
        (key, partition): store.manifest(key, partition).content_hash
        for key in Platform(shop.settings()).graph.by_key
        for partition in store.partitions(key)
        if key != "serving/warehouse"
    }
    computed = run(shop.settings(engine__threads=1), force=True)
    assert {(key, partition) for key, partition in computed if key != "serving/warehouse"} == set(before)
    assert {name: store.manifest(*name).content_hash for name in before} == before


@pytest.mark.parametrize("damage", ["gone", "cut short", "same size", "same size and time"])
def test_damaged_file_is_made_again(shop, run, damage):
    assert run(shop.settings()) == set()
    store = Platform(shop.settings()).store
    (path,) = store.table_paths("gold/rfm_segments", MONTHS[1])
    content, stamp = path.read_bytes(), path.stat()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:100] + (b"\0" * (len(content) - 100) if damage.startswith("same size") else b""))
    if damage.endswith("time"):
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert ("gold/rfm_segments", MONTHS[1]) in run(shop.settings())
    assert store.table_paths("gold/rfm_segments", MONTHS[1])[0].read_bytes() == content


def test_seed_by_hand_stays_until_the_settings_change(shop, run):
    newest = MONTHS[-1]
    computed = run(shop.settings(), month=newest, keys={"clusters/kmeans"}, seed=99)
    assert computed == {("clusters/kmeans", newest)}
    manifest = Platform(shop.settings()).store.manifest("clusters/kmeans", newest)
    assert manifest.by_hand == {"clustering.seed": 99}
    assert ("clusters/kmeans", newest) not in run(shop.settings())
    again = run(shop.settings(clustering__seed=8))
    assert {month for key, month in again if key == "clusters/kmeans"} == set(MONTHS)
    assert Platform(shop.settings()).store.manifest("clusters/kmeans", newest).by_hand == {}


def test_built_in_shop_does_not_replace_what_was_made_from_own_files(shop, segmentation, monkeypatch):
    """The settings file was moved away, so the default profile holds, in the same data folder."""
    before = every_file_of(shop.data_dir / "tables")
    monkeypatch.chdir(shop.root)

    printed = segmentation("run", "--only", "source", "--only", "raw", "--force")

    assert printed.code == 1
    assert f"{shop.data_dir} holds the results of own files, and the settings name the built-in shop" in printed.err
    assert "name it by --config or SEGMENTATION_CONFIG" in printed.err
    assert every_file_of(shop.data_dir / "tables") == before
