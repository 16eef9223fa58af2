"""What was delivered of a closed month stays; only a restatement makes it again."""

from __future__ import annotations

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import bytes_of

JUNE, JULY, AUGUST = MONTHS
KEYS = {
    "source/delivery",
    "source/decisions",
    "raw/order_lines",
    "silver/order_lines",
    "silver/snapshot_input",
    "silver/customer_history",
    "silver/customer_features",
    "silver/imputed_features",
    "silver/model_matrix",
    "clusters/kmeans",
    "clusters/usefulness",
    "clusters/leaderboard",
    "gold/rfm_segments",
    "gold/champion",
    "gold/customer_segments",
    "gold/segment_migration",
    "gold/segment_flows",
    "reports/business_report",
}
DELIVERED = ("tables/clusters", "tables/gold", "reports")
OTHER = {"clustering__algorithms__kmeans__k_max": 3, "matrix__scaling": "robust"}


def delivered(shop, month):
    """Bytes of what was delivered of a month."""
    found = bytes_of(shop.data_dir, *DELIVERED)
    return {name: content for name, content in found.items() if month[:7] in name}


def made(computed, month, *layers):
    return {key for key, part in computed if part == month and key.split("/")[0] in layers}


def rows(shop, key, month):
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month))


def lose_lines(shop):
    """Deliver June again without the lines of some customers."""
    import duckdb

    path = shop.lines(JUNE)
    with duckdb.connect() as connection:
        lines = connection.execute(f"SELECT * FROM read_parquet('{path}')").df()
        kept = lines.iloc[len(lines) // 4 :]
        connection.register("kept", kept)
        connection.execute(f"COPY kept TO '{path}' (FORMAT parquet)")


def test_settings_act_from_the_first_open_month_on(shop, run):
    before = {month: delivered(shop, month) for month in MONTHS}
    computed = run(shop.settings(calendar__closed_through="2025-07", **OTHER), keys=KEYS)
    assert [delivered(shop, month) == before[month] for month in MONTHS] == [True, True, False]
    assert made(computed, JUNE, "silver", "clusters", "gold", "reports") == set()
    assert "clusters/kmeans" in made(computed, AUGUST, "clusters")
    assert run(shop.settings(calendar__closed_through="2025-07", **OTHER), keys=KEYS) == set()


def test_closing_months_alone_computes_nothing(shop, run):
    assert run(shop.settings(calendar__closed_through="2025-08")) == set()
    assert run(shop.settings()) == set()


def test_late_lines_change_the_features_of_a_closed_month_and_not_its_segments(shop, run):
    settings = shop.settings(calendar__closed_through="2025-07")
    before = {month: delivered(shop, month) for month in MONTHS}
    lose_lines(shop)
    computed = run(settings, keys=KEYS)
    assert "silver/customer_features" in made(computed, JUNE, "silver")
    assert (
        made(computed, JUNE, "clusters", "gold", "reports")
        == made(computed, JULY, "clusters", "gold", "reports")
        == set()
    )
    assert [delivered(shop, month) == before[month] for month in MONTHS] == [True, True, False]
    migration = rows(shop, "gold/segment_migration", AUGUST)
    assert migration["cause"].str.contains("restatement").any(), "July is known otherwise now than it was delivered"
    assert run(settings, keys=KEYS) == set()


def test_force_does_not_reopen(shop, run):
    before = delivered(shop, JUNE)
    computed = run(shop.settings(calendar__closed_through="2025-07", **OTHER), keys=KEYS, month=JUNE, force=True)
    assert made(computed, JUNE, "silver", "clusters", "gold", "reports") == set()
    assert delivered(shop, JUNE) == before


def test_a_restatement_makes_closed_months_again_once_and_is_on_record(
    shop, run, segmentation, write_settings, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    settings = shop.settings(calendar__closed_through="2025-07", **OTHER)
    write_settings(settings)
    before = {month: delivered(shop, month) for month in MONTHS}
    told = segmentation("run", "--rebuild-from", "2025-07", "--reason", "wrong prices in July")
    assert told.code == 0, told.err
    assert "2025-07 to 2025-07 are made again." in told.out
    assert [delivered(shop, month) == before[month] for month in MONTHS] == [True, False, False]
    decision = rows(shop, "source/decisions", "all").iloc[0]
    assert (decision["kind"], decision["from_month"], decision["value"]) == (
        "restate",
        "2025-07",
        "wrong prices in July",
    )
    restated = delivered(shop, JULY)
    computed = run(shop.settings(calendar__closed_through="2025-07", matrix__scaling="standard"), keys=KEYS)
    assert "clusters/kmeans" in made(computed, AUGUST, "clusters")
    assert delivered(shop, JULY) == restated, "it is closed again"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rebuild-from", "2025-08"), "2025-08 is not closed\nHint: leave --rebuild-from out"),
        (("--rebuild-from", "2025-03"), "2025-03 is not a snapshot month"),
    ],
)
def test_what_is_not_closed_cannot_be_reopened(
    shop, segmentation, write_settings, monkeypatch, tmp_path, arguments, message
):
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings(calendar__closed_through="2025-07"))
    told = segmentation("run", *arguments)
    assert (told.code, message in told.err) == (1, True)
    assert not (shop.data_dir / "decisions.csv").exists()
