"""What became of each delivered part adds up, and a line that gets lost anywhere shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from segmentation_assets.ingestion import scratch
from segmentation_assets.ingestion.accounts import Holding, PartAccount
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import (
    HEADER,
    LINE,
    ORDER_LINE_COLUMNS,
    Counter,
    order_lines_mapping,
)

MARCH, APRIL = "2025-03-01", "2025-04-01"
MIXED = order_lines_mapping(columns={**ORDER_LINE_COLUMNS, "currency": "coin"})


def hand_in_mixed(counter: Counter) -> None:
    """Two files: the later one repeats an order of the first, corrected, and has a row that cannot be used."""
    header = f"{HEADER},coin"
    counter.hand_in("a.csv", f"{LINE},EUR", "O2,2025-04-05 10:00:00,C1,P1,1,4,GBP", header=header)
    counter.hand_in(
        "b.csv", "O1,2025-03-05 10:00:00,C1,P1,3,1.50,EUR", "O3,soon,C1,P1,2,5,GBP", "O4,soon,C1,P1,many,5,GBP",
        header=header,
    )  # fmt: skip


def test_rows_and_money_of_every_part_by_where_they_went(counter: Counter) -> None:
    hand_in_mixed(counter)

    first, second = counter.ingest(MIXED).ingested.parts

    three, four, ten = {"EUR": Decimal(3)}, {"GBP": Decimal(4)}, {"GBP": Decimal(10)}
    assert first == PartAccount(
        "a.csv",
        Holding(2, three | four),
        {APRIL: Holding(1, four)},
        {"redelivered": {MARCH: Holding(1, three)}},
    )
    assert second == PartAccount(
        "b.csv",
        Holding(3, {"EUR": Decimal("4.5")} | ten),
        {MARCH: Holding(1, {"EUR": Decimal("4.5")})},
        {"unparseable_date": {"": Holding(2, ten)}},
    )
    assert first.delivered == first.found
    assert PartAccount.from_json("b.csv", second.to_json()) == second


def test_currencies_are_compared_one_by_one(counter: Counter) -> None:
    hand_in_mixed(counter)
    result = reconcile_delivery(counter.ingest(MIXED).ingested)
    assert result.passed
    assert result.comparison[2:] == (("amount in EUR", 7.5, 7.5), ("amount in GBP", 14.0, 14.0))


@pytest.mark.parametrize("ending", ["", "O9,2025-03-05 10:00:00,C1,P1,2\n"])
def test_row_that_gets_lost_while_it_is_read_fails(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    whole = scratch._typed_sql
    monkeypatch.setattr(scratch, "_typed_sql", lambda *given: f"SELECT * FROM ({whole(*given)}) WHERE source_row <> 2")
    lines = f"{LINE}\n{LINE.replace('O1', 'O2')}\n{ending}"
    counter.hand_in("a.csv", *lines.splitlines())

    ingested = counter.ingest().ingested

    assert ingested.delivered_rows == len(lines.splitlines())
    result = reconcile_delivery(ingested)
    assert not result.passed
    assert f"of a.csv were found {len(lines.splitlines()) - 1} of {len(lines.splitlines())} rows" in result.sentence


def test_every_kind_of_file_says_how_many_rows_it_has(counter: Counter) -> None:
    columns = ", ".join(f'"{name}"' for name in HEADER.split(","))
    values = "('O1', TIMESTAMP '2025-03-05 10:00:00', 'C1', 'P1', 2, 1.5)"
    table = f"(SELECT * FROM (VALUES {values}, {values}, {values}) AS t({columns}))"
    counter.hand_in_parquet("a.parquet", f"SELECT * REPLACE ('A1' AS \"order\") FROM {table}")
    counter.hand_in_duckdb("b.duckdb", f"CREATE TABLE made.lines AS SELECT * FROM {table}")
    text = "('S1', '2025-03-05 10:00:00', 'C1', 'P1', 2, 1.5)"
    counter.hand_in_sqlite("c.sqlite", f"CREATE TABLE lines ({columns})", f"INSERT INTO lines VALUES {text}, {text}")
    row = ["X1", "2025-03-05 10:00:00", "C1", "P1", 2, 1.5]
    counter.hand_in_workbook("d.xlsx", {"x": [HEADER.split(","), row, [None] * 6, row]})

    ingested = counter.ingest(order_lines_mapping(files=("*.*",), table="lines")).ingested

    assert ingested.part_rows == {"a.parquet": 3, "b.duckdb[lines]": 3, "c.sqlite[lines]": 2, "d.xlsx[x]": 2}
    assert reconcile_delivery(ingested).passed


def test_a_table_without_money_is_accounted_for_in_rows(counter: Counter) -> None:
    from segmentation_assets.config.source import CustomersTable

    counter.hand_in("customers.csv", "C1", "C1", header="id")
    mapping = CustomersTable(files=("customers.csv",), columns={"customer_id": "id"})

    (part,) = counter.ingest(mapping).ingested.parts

    assert part == PartAccount(
        "customers.csv", Holding(2), {"whole": Holding(1)}, {"duplicate_key": {"whole": Holding(1)}}
    )
