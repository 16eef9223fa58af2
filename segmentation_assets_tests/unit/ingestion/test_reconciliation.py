from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from segmentation_assets.config.source import SourceSettings
from segmentation_assets.ingestion.accounts import Holding, PartAccount
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.ingest import IngestedTable
from segmentation_assets.ingestion.reconciliation import (
    LayerTotals,
    compare_layers,
    reconcile_delivery,
    reconcile_layers,
)
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.ingestion.test_classification import make_lines

MARCH = "2025-03-01"
INGESTED = IngestedTable(
    key="raw/order_lines",
    delivered_rows=10,
    stored_rows=7,
    quarantined_rows=1,
    redelivered_rows=2,
    months=("2025-03-01",),
    first_at=None,
    last_at=None,
    delivered_amount=Decimal("10.0001"),
    stored_amount=Decimal("8.0001"),
    quarantined_amount=Decimal("-1"),
    redelivered_amount=Decimal("3"),
    quarantine_counts={"missing_value": 1},
    part_rows={"a.csv": 10},
)
NO_MONEY = dict.fromkeys(("delivered_amount", "stored_amount", "quarantined_amount", "redelivered_amount"))


def test_a_delivery_adds_up_in_rows_and_money() -> None:
    result = reconcile_delivery(INGESTED)

    assert result.passed
    assert result.figures["delivered_rows"] == 10
    assert result.figures["stored_amount"] == 8.0001
    assert result.sentence == (
        "raw/order_lines: 10 delivered rows, of which 7 stored, 1 set aside, 2 delivered again in another file; "
        "amount 10.0001, of which 8.0001 stored, -1.0000 set aside, 3.0000 delivered again: adds up exactly."
    )


@pytest.mark.parametrize("change", [{"stored_rows": 6}, {"stored_amount": Decimal("8.0002")}])
def test_a_lost_row_or_a_hundredth_of_a_cent_fails(change: dict[str, object]) -> None:
    result = reconcile_delivery(replace(INGESTED, **change))
    assert not result.passed
    assert result.sentence.endswith("does not add up.")


def test_tables_without_money_compare_rows_only() -> None:
    result = reconcile_delivery(replace(INGESTED, key="raw/customers", **NO_MONEY))
    assert result.passed
    assert set(result.figures) == {"delivered_rows", "stored_rows", "quarantined_rows", "redelivered_rows"}


def test_layers_are_compared_by_type(connection: Connection) -> None:
    raw = make_lines(("O1", "P1", 2, "1.5"), ("O2", "P1", -1, "1.5"), ("O3", "POST", 1, "4"))
    silver = f"({classified_lines_sql(raw, SourceSettings(non_product_codes=('POST',)))})"

    result = reconcile_layers(connection, raw, silver)

    assert result.passed
    assert result.figures == {
        "raw_rows": 3,
        "classified_rows": 3,
        "raw_amount": 5.5,
        "classified_amount": 5.5,
        "raw_customers": 1,
        "classified_customers": 1,
        "sale_rows": 1,
        "sale_amount": 3.0,
        "return_rows": 1,
        "return_amount": -1.5,
        "adjustment_rows": 0,
        "adjustment_amount": 0.0,
        "non_product_rows": 1,
        "non_product_amount": 4.0,
        "excluded_rows": 0,
        "excluded_amount": 0.0,
    }


@pytest.mark.parametrize(
    ("sales", "customers"),
    [
        (LayerTotals(2, Decimal(5), 2), 2),
        (LayerTotals(3, Decimal("5.0001"), 2), 2),
        (LayerTotals(3, Decimal(5), 2), 1),
    ],
)
def test_a_difference_in_rows_money_or_customers_fails(sales: LayerTotals, customers: int) -> None:
    result = compare_layers(LayerTotals(3, Decimal(5), 2), {"sale": sales}, customers)
    assert not result.passed
    assert "does not add up" in result.sentence


def test_a_part_that_does_not_add_up_fails_although_everything_does() -> None:
    euros = {"EUR": Decimal(5)}
    lost = PartAccount("a.csv", Holding(2, euros), {MARCH: Holding(1, euros)}, {})
    twice = PartAccount("b.csv", Holding(1), {MARCH: Holding(2)}, {})

    result = reconcile_delivery(replace(INGESTED, parts=(lost, twice)))

    assert not result.passed
    assert "; of a.csv were found 1 of 2 rows; of b.csv were found 2 of 1 row: does not" in result.sentence


def test_money_that_changes_its_currency_fails_although_its_sum_stays() -> None:
    mixed = {"EUR": Decimal(5), "GBP": Decimal(5)}
    changed = {"EUR": Decimal(4), "GBP": Decimal(6)}
    part = PartAccount("a.csv", Holding(10, mixed), {MARCH: Holding(10, changed)}, {})

    result = reconcile_delivery(replace(INGESTED, parts=(part,)))

    assert not result.passed
    assert "of 10 rows, amount in EUR 4.0000 of 5.0000, amount in GBP 6.0000 of 5.0000: does not" in result.sentence
    assert result.comparison[2:] == (("amount in EUR", 5.0, 4.0), ("amount in GBP", 5.0, 6.0))
