"""Rows and money of a month can be followed from the delivered files to the segments, in the table and on the page."""

from __future__ import annotations

import shutil
from html import escape

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.assets import monitoring
from segmentation_assets.storage.engine import Engine, fetch_row, parquet_scan, quote_text
from segmentation_assets_tests.assets.conftest import MONTHS, Shop
from segmentation_assets_tests.assets.stored import rewrite

NEWEST = MONTHS[-1]


def flow_of(shop: Shop, month: str) -> dict[tuple[str, str], tuple[float, float | None, bool | None]]:
    """Line and measure → found, expected and whether they are equal."""
    platform = Platform(shop.settings())
    paths = platform.store.table_paths("monitoring/data_quality", month)
    with Engine(platform.settings.engine, shop.root).connect() as connection:
        rows = connection.execute(
            f"SELECT subject, measure, found, expected, is_equal FROM {parquet_scan(paths)} WHERE kind = 'flow'"
        ).fetchall()
    return {(code, measure): tuple(figures) for code, measure, *figures in rows}


def delivered(shop: Shop, pattern: str) -> tuple[int, float]:
    """Rows and money of some delivered files, counted in the files themselves."""
    files = quote_text(str(shop.deliveries / pattern))
    with Engine(shop.settings().engine, shop.root).connect() as connection:
        rows, money = fetch_row(
            connection, f"SELECT count(*), sum(CAST(quantity * unit_price AS DECIMAL(18,4))) FROM read_parquet({files})"
        )
    return int(rows), float(money)


def test_what_was_delivered_is_found_again_down_to_the_segments(shop, run, segmentation, write_settings):
    rewrite(
        shop.lines(NEWEST), "SELECT * REPLACE (CASE WHEN row_number() OVER () > 2 THEN quantity END AS quantity) FROM t"
    )
    overlap = shop.deliveries / "order_lines-2026-again.parquet"
    shutil.copy(shop.lines(MONTHS[0]), overlap)
    newest = f"read_parquet('{shop.lines(NEWEST)}')"
    one_more = f"(SELECT * REPLACE ('ONE-MORE' AS order_id) FROM {newest} WHERE quantity IS NOT NULL LIMIT 1)"
    rewrite(overlap, f"SELECT * FROM t UNION ALL SELECT * FROM {one_more}")

    settings = shop.settings(calendar__first_snapshot=NEWEST[:7])
    run(settings)

    flow = flow_of(shop, NEWEST)
    rows, money = delivered(shop, "order_lines-*.parquet")
    repeated_rows, repeated_money = delivered(shop, shop.lines(MONTHS[0]).name)
    assert flow["delivered", "rows"] == (rows, rows, True)
    assert flow["delivered", "amount in EUR"][0] == pytest.approx(money, abs=0.005)
    assert flow["delivered:missing_value", "rows"][0] == 2
    assert flow["delivered:redelivered", "rows"][0] == repeated_rows
    assert flow["delivered:redelivered", "amount in EUR"][0] == pytest.approx(repeated_money, abs=0.005)
    assert flow["lines", "rows"][0] == rows - repeated_rows - 2
    assert {passed for _, expected, passed in flow.values() if expected is not None} == {True}
    assert flow["counted", "analysed amount"][0] > 0
    page = (shop.data_dir / "reports" / NEWEST[:7] / "dashboard.html").read_text(encoding="utf-8")
    assert "From the delivered files to the segments" in page
    assert escape("another file holds the order, customer, product or event as well, and its rows count") in page
    again = f"{repeated_rows:,} rows delivered again"
    assert f"2 rows set aside, {again} in another file:" in page
    write_settings(settings)
    assert f"quarantine    2 rows set aside: missing_value 2; {again}: redelivered" in segmentation("status").out
    check = Platform(shop.settings()).store.manifest("monitoring/data_quality", NEWEST).checks[-1]
    assert (check.name, check.passed) == ("reconciliation", True)


def test_sum_that_is_broken_fails_the_check_and_leaves_the_month_as_it_was(shop, run, monkeypatch):
    original = monitoring.hold_lines
    monkeypatch.setattr(
        monitoring, "hold_lines", lambda connection, lines: original(connection, f"(FROM {lines} OFFSET 1)")
    )
    with pytest.raises(DataError, match=r"sums do not add up: Of these in raw/order_lines \(rows"):
        run(shop.settings(), keys={"monitoring/data_quality"}, force=True)
    assert flow_of(shop, NEWEST)["lines", "rows"][2]
