from __future__ import annotations

import pytest
from pydantic import ValidationError

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import HEADER, ORDER_LINE_COLUMNS, Counter, order_lines_mapping

SOURCES = {"store1": "*store1-*", "store2": "*store2-*"}


def test_orders_of_different_sources_never_replace_each_other(counter: Counter) -> None:
    counter.hand_in("store1-a.csv", "C01,2025-03-05 10:00:00,,P1,2,1.50")
    counter.hand_in("store1-b.csv", "C01,2025-03-05 10:00:00,,P1,3,1.50")
    counter.hand_in("store2-a.csv", "C01,2025-03-05 10:00:00,,P1,4,1.50")

    outcome = counter.ingest(order_lines_mapping(order_id_sources=SOURCES))

    assert outcome.rows("order_id", "quantity") == [("C01@store1", 3), ("C01@store2", 4)]
    assert outcome.quarantine() == [("store1-a.csv", 1, "redelivered", "order", "C01@store1")]
    assert reconcile_delivery(outcome.ingested).passed


def test_sheets_belong_to_the_source_of_their_workbook(counter: Counter) -> None:
    rows = [HEADER.split(","), ["O1", "2025-03-05 10:00:00", "C1", "P1", 2, 1.5]]
    counter.hand_in_workbook("store1-a.xlsx", {"x": rows})
    counter.hand_in_workbook("store2-a.xlsx", {"x": rows})
    outcome = counter.ingest(order_lines_mapping(files=("*.xlsx",), order_id_sources=SOURCES))
    assert outcome.rows("order_id") == [("O1@store1",), ("O1@store2",)]


def test_order_ids_are_unique_within_a_column_where_the_settings_say_so(counter: Counter) -> None:
    line = "1,2025-03-05 10:00:00,,P1,2,1.50"
    counter.hand_in("a.csv", f"{line},S1", f"{line},S2", f"{line},", header=f"{HEADER},shop")
    counter.hand_in("b.csv", f"{line.replace(',2,', ',3,')},S2", header=f"{HEADER},shop")
    mapping = order_lines_mapping(columns=ORDER_LINE_COLUMNS | {"store_id": "shop"}, order_id_within="store_id")

    outcome = counter.ingest(mapping)

    assert outcome.rows("order_id", "source_file") == [("1@S1", "a.csv"), ("1", "a.csv"), ("1@S2", "b.csv")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "shop.csv",
            r"shop\.csv belongs to none of source\.order_lines\.order_id_sources\nHint: give each file .* one source",
        ),
        ("store1-store2-.csv", r"store1-store2-\.csv belongs to both 'store1' and 'store2' of source\.order_lines"),
    ],
)
def test_a_file_belongs_to_one_source(counter: Counter, name: str, message: str) -> None:
    counter.hand_in(name, "1,2025-03-05 10:00:00,,P1,2,1.50")
    with pytest.raises(DataError, match=message):
        counter.ingest(order_lines_mapping(order_id_sources=SOURCES))


def test_a_column_that_order_ids_are_unique_in_has_to_be_mapped() -> None:
    with pytest.raises(ValidationError, match="order_id_within is store_id, which columns does not map"):
        order_lines_mapping(order_id_within="store_id")
