"""Every fault that the built-in shop plants into order lines is seen under its own name, as often as it was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from segmentation_assets.config.synthetic import FaultSettings, SyntheticSettings
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.delivery import list_delivery
from segmentation_assets.ingestion.ingest import ingest_table
from segmentation_assets.storage.engine import Connection, parquet_scan
from segmentation_assets.synthetic.delivery import synthetic_source, write_delivery
from segmentation_assets.synthetic.shop import open_business
from segmentation_assets.tables.raw import RAW_ORDER_LINES

SEEN_AS = {
    "write_offs": "line_reason = 'write_off'",
    "free_lines": "line_reason = 'free_item'",
    "adjustments": "line_reason = 'adjustment_order'",
    "non_product_lines": "line_reason = 'non_product_code'",
    "guests": "customer_id IS NULL AND line_reason IN ('sale', 'return', 'free_item')",
    "duplicate_lines": "is_exact_duplicate",
    "odd_countries": "country IN ('Unspecified', 'European Community', 'EIRE')",
}
"""Condition on a classified line under which each fault is seen; orders delivered again are in the quarantine."""

RATES = dict.fromkeys(SEEN_AS, 0.1) | {"adjustments": 1.0, "redelivered": 0.5}


def planted_and_seen(
    connection: Connection, folder: Path, rates: dict[str, float]
) -> tuple[dict[str, int], dict[str, int]]:
    """Deliver a small shop with faults and take it in: what was planted, and what was seen, where there is any."""
    settings = SyntheticSettings(customers=80, first_month="2023-11", months=3, faults=FaultSettings(**rates))
    delivered, staging = folder / "delivery", folder / "staging"
    staging.mkdir()
    write_delivery(connection, open_business(settings), delivered, folder / "truth")
    source = synthetic_source().model_copy(update={"max_quarantine_share": 0.5})
    files = [file for file in list_delivery(delivered, source) if file.table_name == "order_lines"]
    assert source.order_lines is not None
    ingested = ingest_table(connection, RAW_ORDER_LINES, source.order_lines, files, delivered, staging, source=source)
    lines = classified_lines_sql(parquet_scan(sorted(staging.glob("*/part-0.parquet"))), source)
    counts = ", ".join(f"count(*) FILTER ({condition})" for condition in SEEN_AS.values())
    (row,) = connection.execute(f"SELECT {counts} FROM ({lines})").fetchall()
    seen = {name: int(count) for name, count in zip(SEEN_AS, row, strict=True) if count} | ingested.quarantine_counts
    truth = sorted((folder / "truth").glob("true_faults.parquet"))
    planted = (
        connection.execute(
            f"SELECT fault, sum(row_count) FROM {parquet_scan(truth)} GROUP BY fault HAVING sum(row_count) > 0"
        ).fetchall()
        if truth
        else []
    )
    return {str(fault): int(count) for fault, count in planted}, seen


def test_nothing_is_seen_where_nothing_was_planted(connection: Connection, tmp_path: Path) -> None:
    assert planted_and_seen(connection, tmp_path, {}) == ({}, {})


@pytest.mark.parametrize("fault", RATES)
def test_each_fault_alone_is_seen_under_its_own_name_only(connection: Connection, tmp_path: Path, fault: str) -> None:
    planted, seen = planted_and_seen(connection, tmp_path, {fault: RATES[fault]})
    assert set(planted) == {fault}
    assert seen == planted


def test_all_faults_at_once_are_each_seen_as_often_as_planted(connection: Connection, tmp_path: Path) -> None:
    planted, seen = planted_and_seen(connection, tmp_path, RATES)
    assert set(planted) == set(RATES)
    assert seen == planted
