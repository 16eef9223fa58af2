"""Rows of erased customers: set aside without a value, whatever else is wrong with them."""

from __future__ import annotations

import hashlib

import pytest

from segmentation_assets.config.source import CustomersTable, EngagementEventsTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import LINE, Counter

ERASED = {hashlib.sha256(b"C1").hexdigest()}
OTHER = "O2,2025-03-06 10:00:00,C2,P1,3,1.00"


def aside(counter: Counter, *columns: str) -> list[tuple]:
    listed = ", ".join(columns)
    path = counter.staging / "quarantine.parquet"
    return counter.connection.execute(f"SELECT {listed} FROM '{path}' ORDER BY source_row").fetchall()


def test_nothing_but_the_place_of_a_row_is_kept(counter: Counter) -> None:
    counter.hand_in(
        "a.csv", LINE, OTHER, "O3,5 March,C1,P1,2,many", "O4,2025-03-05 10:00:00,C1,P1,2,1.50,C1 wrote", OTHER[:-1]
    )

    outcome = counter.ingest(erased=ERASED)

    assert outcome.ingested.quarantine_counts == {"erased": 3}
    assert outcome.rows("customer_id") == [("C2",), ("C2",)]
    assert aside(counter, "source_row", "reason", "column_name", "value") == [
        (row, "erased", None, None) for row in (1, 3, 4)
    ]
    assert reconcile_delivery(outcome.ingested).passed
    for path in outcome.staging.rglob("*.parquet"):
        assert b"C1" not in path.read_bytes()


def test_they_do_not_count_as_rows_that_cannot_be_used(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, OTHER)

    assert counter.ingest(erased=ERASED, max_quarantine_share=0.1).ingested.stored_rows == 1


def test_a_delivery_of_nobody_else_is_refused(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE)

    with pytest.raises(DataError, match=r"1 of 1 delivered rows cannot be used \(1 erased\).*\n?.*of other customers"):
        counter.ingest(erased=ERASED)


@pytest.mark.parametrize(
    ("mapping", "rows"),
    [
        (CustomersTable(files=("*.csv",), columns={"customer_id": "id"}), ("id", "C1", "C2", "C1")),
        (
            EngagementEventsTable(
                files=("*.csv",), columns={"customer_id": "id", "event_at": "at"}, date_format="%Y-%m-%d"
            ),
            ("id,at", "C1,2025-03-05", "C2,2025-03-05", "C1,2025-03-06"),
        ),
    ],
)
def test_customers_and_events_are_set_aside_too(counter: Counter, mapping, rows: tuple[str, ...]) -> None:
    (counter.folder / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    outcome = counter.ingest(mapping, erased=ERASED)

    assert (outcome.ingested.stored_rows, outcome.ingested.quarantine_counts) == (1, {"erased": 2})
    assert {value for (value,) in aside(counter, "value")} == {None}
