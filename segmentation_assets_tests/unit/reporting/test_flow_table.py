"""The way of rows and money is one table: a column per measure, sums apart from their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from segmentation_assets.config.settings import DashboardSettings
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets.reporting.dashboard_tables import data_view
from segmentation_assets.reporting.flow_table import FlowRow, flow_table, tell_flow
from segmentation_assets.reporting.snapshot import Snapshot

EUROS, ANALYSED = "amount in EUR", "analysed amount"


def flow(*rows: tuple[str, str, float, float | None]) -> pd.DataFrame:
    """Rows of line, measure, found and expected, as they lie in the data quality of a month."""
    frame = pd.DataFrame(rows, columns=["line", "measure", "found", "expected"])
    passed = (frame["found"] == frame["expected"]).astype("boolean").mask(frame["expected"].isna())
    return frame.assign(words=frame["line"].str.upper(), passed=passed)


PLAIN = flow(
    ("counted", ANALYSED, 40.5, 40.5),
    ("counted:assigned", ANALYSED, 40.5, None),
    ("delivered", EUROS, 60.5, 60.5),
    ("delivered", "rows", 1200, 1200),
    ("delivered:raw", EUROS, 60.5, None),
    ("delivered:raw", "rows", 1200, None),
    ("lines:counted", EUROS, 40.5, None),
    ("lines:counted", ANALYSED, 40.5, None),
    ("lines:counted", "rows", 7, None),
)


def test_delivered_and_analysed_money_share_a_column_where_they_never_differ(change: Callable[..., Snapshot]) -> None:
    table = flow_table(change(flow=PLAIN))
    assert table.columns == ("Rows", "EUR")
    assert table.rows == (
        FlowRow("delivered files", "DELIVERED", ("1,200", "60.50"), True),
        FlowRow("delivered files", "DELIVERED:RAW", ("1,200", "60.50"), None),
        FlowRow("silver/order_lines", "LINES:COUNTED", ("7", "40.50"), None),
        FlowRow("gold/customer_segments", "COUNTED", ("", "40.50"), True),
        FlowRow("gold/customer_segments", "COUNTED:ASSIGNED", ("", "40.50"), None),
    )
    assert table.passed


def test_each_delivered_currency_has_a_column_beside_the_analysed_money(change: Callable[..., Snapshot]) -> None:
    mixed = flow(
        ("lines:counted", "amount in GBP", -8, None),
        ("lines:counted", "amount without a currency", 1, None),
        ("lines:counted", ANALYSED, -9.36, None),
    )
    table = flow_table(change(flow=mixed))
    assert table.columns == ("Delivered, GBP", "Delivered, without a currency", "Analysed, EUR")
    assert table.rows[0].cells == ("−8.00", "1.00", "−9.36")


def test_money_net_of_vat_has_a_column_of_its_own(change: Callable[..., Snapshot]) -> None:
    net = flow(("lines:counted", EUROS, 119, None), ("lines:counted", ANALYSED, 100, None))
    assert flow_table(change(flow=net)).columns == ("Delivered, EUR", "Analysed, EUR")


def test_sum_that_is_broken_shows(change: Callable[..., Snapshot]) -> None:
    broken = change(flow=flow(("delivered", "rows", 3, 2), ("delivered", EUROS, 1, 1)))
    assert not flow_table(broken).passed
    assert not data_view(broken)["all_reconciled"]
    assert "does not add up" in render_dashboard(broken, DashboardSettings())
    assert tell_flow(broken) == [("delivered files", "DELIVERED: 3 rows; 1.00 EUR (does not add up)")]


def test_one_row_is_told_in_the_singular(change: Callable[..., Snapshot]) -> None:
    assert tell_flow(change(flow=flow(("delivered:raw", "rows", 1, None)))) == [
        ("delivered files", "– DELIVERED:RAW: 1 row")
    ]


def test_page_shows_the_table_where_there_is_one(change: Callable[..., Snapshot]) -> None:
    heading = "From the delivered files to the segments"
    assert heading in render_dashboard(change(flow=PLAIN), DashboardSettings())
    assert heading not in render_dashboard(change(flow=pd.DataFrame()), DashboardSettings())


def test_what_comes_from_data_is_escaped(change: Callable[..., Any]) -> None:
    hostile = change(flow=PLAIN.assign(words="<script>alert(1)</script>"))
    assert "<script>alert(1)" not in render_dashboard(hostile, DashboardSettings())
