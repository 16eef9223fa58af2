"""The `segmentation` command on a finished shop: what its arguments make it do, and what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.file_hashes import _line
from segmentation_assets.storage.stamps import Stamp
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import files_of
from segmentation_assets_tests.keys import REPORTS


@pytest.fixture
def command(shop, segmentation, write_settings):
    """The command in a folder whose settings file is that of the finished shop."""
    write_settings(shop.settings())
    return segmentation


def made(printed):
    """Assets and months that a run made."""
    found = set()
    for line in printed.out.splitlines():
        text = line.partition("] ")[2]
        if " made in " in text:
            asset, *month = text.partition(" made in ")[0].split()
            found.add((asset, f"{month[0]}-01" if month else "all"))
    return found


def newest_record(shop):
    path = max((shop.data_dir / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(path.read_text(encoding="utf-8"))


def test_finished_shop_is_up_to_date(shop, command):
    before = files_of(shop.data_dir)
    printed = command("run")
    assert (printed.code, printed.err) == (0, "")
    assert "everything is up to date; nothing was computed" in printed.out
    assert "Segments of 2025-08" in printed.out
    assert str(shop.data_dir / "reports/2025-08/dashboard.html") in printed.out
    assert files_of(shop.data_dir) == before


def test_forced_month_computes_that_month_only(shop, command):
    printed = command("run", "--month", "2025-07", "--only", "gold", "--force")
    assert printed.code == 0
    assert {month for _, month in made(printed)} == {MONTHS[1]}
    assert {key.split("/")[0] for key, _ in made(printed)} == {"gold"}


def test_months_takes_the_newest(shop, command):
    printed = command("run", "--months", "1", "--only", "gold/rfm_segments", "--force")
    assert made(printed) == {("gold/rfm_segments", MONTHS[2])}


@pytest.mark.parametrize("arguments", [("--months", "1"), ("--month", "2025-08")])
def test_month_asked_for_comes_with_earlier_ones_it_lacks(shop, command, arguments):
    shutil.rmtree(shop.data_dir / "manifests" / "gold" / "customer_segments")
    printed = command("run", *arguments, "--only", "gold/customer_segments")
    assert printed.code == 0
    assert made(printed) == {("gold/customer_segments", month) for month in MONTHS}


@pytest.mark.parametrize("month", ["2025-05", "2025-09"])
def test_month_without_a_snapshot_is_refused(shop, command, month):
    for arguments in (("run", "--month", month), ("report", "--month", month)):
        printed = command(*arguments)
        assert printed.code == 1
        assert printed.err == (
            f"error: {month} is not a snapshot month\n"
            "Hint: snapshot months are 2025-06 to 2025-08; see calendar in the settings.\n"
        )


def test_unknown_layer_is_refused_with_the_closest_name(shop, command):
    printed = command("run", "--only", "golden")
    assert printed.code == 1
    assert printed.err == "error: there is no asset or layer 'golden'\nHint: did you mean 'gold'?\n"


def test_skipping_kmeans_puts_the_rfm_map_in_force_and_says_so(shop, command):
    printed = command("run", "--skip", "kmeans")
    assert printed.code == 0
    assert "Segments of 2025-08 (rfm_map, fitted on 2025-06)" in printed.out
    platform = Platform(shop.settings(clustering__algorithms__kmeans__enabled=False))
    champion = platform.store.manifest("gold/champion", MONTHS[0]).metadata
    assert champion["algorithm"] == "rfm_map"
    assert champion["reason"].startswith("No usable clustering; the RFM map is in force.")
    assert not {key for key, _ in made(printed) if key.startswith(("raw/", "silver/", "clusters/kmeans"))}
    dashboard = (shop.data_dir / "reports/2025-08/dashboard.html").read_text(encoding="utf-8")
    assert "RFM map" in dashboard


def test_customers_argument_is_refused_for_own_files(shop, command):
    printed = command("run", "--customers", "10")
    assert (printed.code, printed.err) == (
        1,
        "error: --customers shapes the synthetic shop, and source.kind is 'files'\nHint: leave it out.\n",
    )


def test_report_renders_the_newest_month_again_from_stored_tables(shop, command):
    before = files_of(shop.data_dir)
    printed = command("report")
    assert printed.code == 0
    assert made(printed) == {(key, MONTHS[2]) for key in {*REPORTS, "exports/segment_moves"}}
    after = files_of(shop.data_dir)
    changed = {name for name in before if before[name] != after[name]}
    assert changed
    assert {name for name in changed if "2025-08" not in name} == set()


def test_report_of_a_month_leaves_its_content_as_it_was(shop, command):
    path = shop.data_dir / "reports/2025-06/dashboard.html"
    before = path.read_bytes()
    path.write_text("damaged")
    printed = command("report", "--month", "2025-06")
    assert printed.code == 0
    assert path.read_bytes() == before
    assert (shop.data_dir / "reports/latest").readlink() == Path("2025-08")


def test_report_without_a_finished_month_is_refused(segmentation):
    printed = segmentation("report", "--profile", "demo")
    assert (printed.code, printed.err) == (
        1,
        "error: there is no finished month to report on\nHint: run 'segmentation run' first.\n",
    )


def test_status_of_a_finished_shop_lists_nothing(shop, command):
    printed = command("status")
    assert (printed.code, printed.err) == (0, "")
    lines = printed.out.splitlines()
    assert lines[0] == f"data folder   {shop.data_dir}"
    assert lines[1] == "months        2025-06, 2025-07, 2025-08"
    assert lines[2].endswith(" fresh, 0 stale, 0 missing")
    assert lines[3] == "quarantine    0 rows set aside"
    assert lines[4] == "findings      2025-08: none; 0 values changed in order to read them"
    assert lines[5] == "newest run    none yet"
    assert len(lines) == 6


def test_status_lists_all_when_asked(shop, command):
    printed = command("status", "--all")
    stored = len(Platform(shop.settings()).graph.nodes)
    assert len(printed.out.splitlines()) > stored
    assert "fresh   gold/champion" in printed.out


def test_status_says_what_is_stale_and_why(shop, command, write_settings):
    write_settings(shop.settings(clustering__algorithms__kmeans__k_max=5))
    printed = command("status")
    assert "  stale   clusters/kmeans              2025-06  its settings or code changed" in printed.out
    assert "  stale   clusters/leaderboard         2025-06  clusters/kmeans of 2025-06 is not up to date" in printed.out
    assert "silver/" not in printed.out


def test_status_names_a_changed_file(shop, command):
    (shop.deliveries / "extra.txt").write_text("not matched by any pattern")
    assert "source/delivery" not in command("status").out
    (shop.deliveries / "order_lines-2025-09.parquet").write_text("new")
    assert "order_lines/order_lines-2025-09.parquet is new" in command("status").out


def test_status_that_verifies_finds_damage_that_times_and_size_do_not_show(shop, command):
    store = Platform(shop.settings()).store
    (path,) = store.table_paths("gold/rfm_segments", MONTHS[0])
    (file,) = store.manifest("gold/rfm_segments", MONTHS[0]).files
    path.write_bytes(bytes(path.stat().st_size))
    line = _line(file.path, Stamp.of(path), file.sha256)
    (shop.data_dir / "cache").mkdir(exist_ok=True)
    with (shop.data_dir / "cache" / "file_hashes.log").open("a", encoding="utf-8") as memory:
        memory.write(line)
    assert "gold/rfm_segments" not in command("status").out
    assert "stale   gold/rfm_segments            2025-06  a stored file is missing" in command("status", "--verify").out


def test_status_before_the_first_run_says_that_nothing_was_read(segmentation):
    printed = segmentation("status", "--profile", "demo")
    assert printed.code == 0
    assert "months        none yet" in printed.out
    assert "quarantine    nothing read yet" in printed.out
    assert not Path("data").exists()


def test_environment_file_sets_what_the_settings_leave_open(shop, command):
    Path("shop.env").write_text("SEGMENTATION__REPORTS__DASHBOARD__TITLE=From the environment\n")
    printed = command("run", "--env", "shop.env", "--month", "2025-08", "--only", "reports/dashboard")
    assert made(printed) == {("reports/dashboard", MONTHS[2])}
    assert "From the environment" in (shop.data_dir / "reports/2025-08/dashboard.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("level", "is_told"), [("info", True), ("warning", False)])
def test_log_level_decides_what_the_log_file_holds(shop, command, level, is_told):
    command("run", "--log-level", level, "--month", "2025-08", "--only", "gold/rfm_segments", "--force")
    log = (shop.data_dir / "logs" / f"{newest_record(shop)['run_id']}.jsonl").read_text(encoding="utf-8")
    assert ("gold/rfm_segments" in log) == is_told


def test_config_commands_show_the_settings_in_force(shop, command):
    assert command("config", "check").out.startswith("settings           ok\n")
    assert f"data_dir: {shop.data_dir}" in command("config", "show").out
    assert "calendar" in json.loads(command("config", "schema").out)["properties"]


@pytest.mark.parametrize(
    ("layer", "example"), [("raw", ("raw/customers", "all")), ("silver", ("silver/customer_features", MONTHS[0]))]
)
def test_forced_run_over_a_layer_rewrites_no_table_that_is_the_same(shop, command, layer, example):
    before = {name: value for name, value in files_of(shop.data_dir).items() if name.startswith("tables/")}
    printed = command("run", "--only", layer, "--force", "--month", "2025-06")
    assert example in made(printed)
    after = {name: value for name, value in files_of(shop.data_dir).items() if name.startswith("tables/")}
    assert after == before
