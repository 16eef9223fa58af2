"""Every fault that the built-in shop plants is told under its own name, as often as it was planted; nothing else is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from segmentation_assets.config.settings import CalendarSettings
from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.ingestion.calendar import snapshot_as_of
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.delivery import list_delivery
from segmentation_assets.ingestion.findings import find_in_ids, find_in_lines, find_in_profiles
from segmentation_assets.ingestion.ingest import ingest_table
from segmentation_assets.storage.engine import Connection, parquet_scan
from segmentation_assets.synthetic.delivery import synthetic_source, write_delivery
from segmentation_assets.synthetic.shop import open_business
from segmentation_assets.tables.raw import RAW_TABLES

TOLD_AS = {
    "unmatched_returns": ["order_lines unmatched_return"],
    "return_only_customers": ["order_lines unmatched_return", "order_lines returns_only"],
    "refunded_customers": ["order_lines quick_cancellation"],
    "positive_cancellations": ["order_lines positive_cancellation"],
    "giant_orders": ["order_lines giant_cancellation"],
    "write_offs": ["order_lines write_off"],
    "free_lines": ["order_lines free_item"],
    "tiny_prices": ["order_lines tiny_price"],
    "adjustments": ["order_lines adjustment_order"],
    "guests": ["order_lines guest"],
    "duplicate_lines": ["order_lines exact_duplicate"],
    "redelivered": ["order_lines redelivered"],
    "non_product_lines": ["order_lines non_product_code"],
    "code_variants": ["order_lines code_spelling", "order_lines product_id:trimmed"],
    "mixed_ids": ["order_lines mixed_id", "customers mixed_id", "engagement_events mixed_id"],
    "decimal_ids": ["order_lines customer_id:number_id"],
    "odd_countries": ["order_lines unclear_country"],
    "split_times": ["order_lines several_instants"],
    "blank_fields": [
        f"customers blank_{name}" for name in ("birth_year", "gender", "household_size", "acquisition_channel")
    ],
    "missing_names": ["products blank_product_name"],
    "padded_names": ["products product_name:trimmed"],
    "broken_names": ["products misread_text"],
    "several_texts": ["order_lines several_texts", "order_lines shared_text"],
    "staff_notes": ["order_lines staff_note"],
    "blank_texts": ["order_lines blank_text"],
}
"""Planted fault → what is told of it; where that is more than one thing, each row planted is told once among them."""

ROWS_TOLD = {
    "order_lines giant_cancellation": 2,
    "order_lines returns_only": 0,
    "order_lines several_texts": 0,
    "order_lines shared_text": 0,
}
"""Planted rows that one count stands for, where it is not 1: an order and its cancellation; customers, of whom every
returned line is told besides; product codes and texts, whatever the number of their lines."""

NEEDED = {"decimal_ids": ("mixed_ids",), "staff_notes": ("write_offs",), "blank_texts": ("write_offs",)}
"""Fault → faults without which it cannot be."""

RATES = dict.fromkeys(TOLD_AS, 0.05) | {"adjustments": 1.0, "giant_orders": 1.0, "redelivered": 0.5} | {
    "mixed_ids": 0.3, "decimal_ids": 0.5, "missing_names": 0.2, "padded_names": 0.3, "broken_names": 0.7,
    "staff_notes": 0.3, "blank_texts": 0.4, "positive_cancellations": 0.3, "refunded_customers": 0.1,
    "return_only_customers": 0.1,
}  # fmt: skip


def planted_and_told(
    connection: Connection, folder: Path, rates: dict[str, float], **shop: object
) -> tuple[dict[str, int], dict[str, int]]:
    """Deliver a small shop with faults and take it in: what was planted, and what was told, where there is any."""
    size = {"customers": 80, "first_month": "2023-11", "months": 3}
    settings = SyntheticSettings.model_validate(size | {"faults": FaultSettings(**rates)} | shop)
    delivered = folder / "delivery"
    write_delivery(connection, open_business(settings), delivered, folder / "truth")
    told = Counter()
    for noun in RAW_TABLES:
        found = tell(connection, delivered, folder / noun, has_texts=settings.faults.has_texts)
        told.update({f"{noun} {name}": count for name, count in found.items()})
    truth = sorted((folder / "truth").glob("true_faults.parquet"))
    planted = (
        connection.execute(
            f"SELECT fault, sum(row_count) FROM {parquet_scan(truth)} GROUP BY fault HAVING sum(row_count) > 0"
        ).fetchall()
        if truth
        else []
    )
    return {str(fault): int(count) for fault, count in planted}, dict(told)


def tell(connection: Connection, delivered: Path, staging: Path, *, has_texts: bool) -> dict[str, int]:
    """Take one table in and count all that is told of it."""
    noun = staging.name
    staging.mkdir()
    source = synthetic_source(has_texts=has_texts).model_copy(update={"max_quarantine_share": 0.5})
    files = [file for file in list_delivery(delivered, source) if file.table_name == noun]
    table, mapping = RAW_TABLES[noun], getattr(source, noun)
    ingested = ingest_table(connection, table, mapping, files, delivered, staging, source=source)
    rows = parquet_scan(sorted(staging.glob("**/part-0.parquet")))
    if noun == "order_lines":
        products = parquet_scan(sorted(delivered.glob("products-*.parquet")))
        found = find_in_lines(connection, f"({classified_lines_sql(rows, source)})", products)
    elif noun == "engagement_events":
        found = find_in_ids(connection, rows)
    else:
        found = find_in_profiles(connection, rows, noun)
    return {each.measure: each.count for each in found} | ingested.quarantine_counts | ingested.repair_counts


def rows_told(told: dict[str, int], faults: set[str]) -> dict[frozenset[str], int]:
    """Add up the rows that are told by the faults that it may be told of."""
    found: Counter[frozenset[str]] = Counter()
    for name, count in told.items():
        of = frozenset(fault for fault in faults if name in TOLD_AS[fault])
        found[of or frozenset({f"not planted: {name}"})] += ROWS_TOLD.get(name, 1) * count
    return {of: count for of, count in found.items() if count}


def rows_planted(planted: dict[str, int]) -> dict[frozenset[str], int]:
    """Add up the planted rows by the faults that are told alike, where rows are told."""
    found: Counter[frozenset[str]] = Counter()
    for fault, count in planted.items():
        if any(ROWS_TOLD.get(name, 1) for name in TOLD_AS[fault]):
            found[frozenset(other for other in planted if TOLD_AS[other][0] == TOLD_AS[fault][0])] += count
    return dict(found)


def test_every_class_of_fault_is_tested() -> None:
    assert set(TOLD_AS) == set(FaultSettings.model_fields) - {"preset", "cut_last_month"}


def test_codes_with_several_texts_and_texts_of_several_codes_are_told(connection: Connection, tmp_path: Path) -> None:
    planted, told = planted_and_told(connection, tmp_path, {"several_texts": 0.1})
    lines = parquet_scan(sorted((tmp_path / "delivery").glob("order_lines-*.parquet")))
    several = [
        connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {lines} GROUP BY {one} HAVING count(DISTINCT {other}) > 1)"
        ).fetchall()[0][0]
        for one, other in (("product_id", "product_name"), ("product_name", "product_id"))
    ]
    capitals = connection.execute(f"SELECT count(*) FROM {lines} WHERE product_name = upper(product_name)").fetchall()
    assert several == [told["order_lines several_texts"], told["order_lines shared_text"]]
    assert planted == {"several_texts": capitals[0][0]}
    assert min(several) > 0


def test_a_month_that_is_cut_short_is_told_as_unfinished_and_nothing_else(
    connection: Connection, tmp_path: Path
) -> None:
    planted, told = planted_and_told(connection, tmp_path, {"cut_last_month": 0.71})
    lines = parquet_scan(sorted((tmp_path / "delivery").glob("order_lines-*.parquet")))
    newest = connection.execute(f"SELECT max(order_at)::DATE FROM {lines}").fetchall()[0][0]
    assert (list(planted), told) == (["cut_last_month"], {})
    assert snapshot_as_of("2024-01", newest, CalendarSettings(first_snapshot="2024-01").partial_grace_days)[1]


@pytest.mark.parametrize("shop", [{}, {"profile": "fashion", "customers": 1_000, "months": 10, "seed": 8}])
def test_nothing_is_told_where_nothing_was_planted(
    connection: Connection, tmp_path: Path, shop: dict[str, object]
) -> None:
    assert planted_and_told(connection, tmp_path, {}, **shop) == ({}, {})


@pytest.mark.parametrize("fault", RATES)
def test_each_fault_alone_is_told_under_its_own_name_only(connection: Connection, tmp_path: Path, fault: str) -> None:
    faults = {fault, *NEEDED.get(fault, ())}
    planted, told = planted_and_told(connection, tmp_path, {name: RATES[name] for name in faults})
    assert set(planted) == faults
    assert set(told) == {name for fault in faults for name in TOLD_AS[fault]}
    assert rows_told(told, faults) == rows_planted(planted)


@pytest.mark.parametrize(
    ("profile", "seed"), [("general", 1), ("general", 7), ("fashion", 2), ("grocery", 4), ("wholesale", 2)]
)
def test_all_faults_at_once_are_each_told_as_often_as_planted(
    connection: Connection, tmp_path: Path, profile: str, seed: int
) -> None:
    planted, told = planted_and_told(connection, tmp_path, RATES, profile=profile, seed=seed)
    assert set(planted) == set(TOLD_AS)
    assert set(told) == {name for names in TOLD_AS.values() for name in names}
    assert rows_told(told, set(TOLD_AS)) == rows_planted(planted)
