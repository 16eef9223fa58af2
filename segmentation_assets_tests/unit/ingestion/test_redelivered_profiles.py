from __future__ import annotations

import pytest

from segmentation_assets.config.contract import ColumnRule
from segmentation_assets.config.source import CustomersTable, EngagementEventsTable, ProductsTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import LINE, Counter

CUSTOMERS = CustomersTable(files=("*.csv",), columns={"customer_id": "id", "country": "land"})
PRODUCTS = ProductsTable(files=("*.csv",), columns={"product_id": "id", "department": "land"})
EVENTS = EngagementEventsTable(
    files=("*.csv",), columns={"customer_id": "id", "event_at": "at", "event_type": "type"}, date_format="%Y-%m-%d"
)
BY_ID = "id,land"
BY_DAY = "id,at,type"


@pytest.mark.parametrize("mapping", [CUSTOMERS, PRODUCTS], ids=["customers", "products"])
def test_the_same_profiles_again_change_only_the_counts(
    counter: Counter, mapping: CustomersTable | ProductsTable
) -> None:
    counter.hand_in("1.csv", "A,NL", "B,BE", "A,DE", header=BY_ID)
    before = counter.ingest(mapping)
    counter.hand_in("2.csv", "B,BE", "A,NL", header=BY_ID)

    after = counter.again().ingest(mapping, max_quarantine_share=0.2)

    assert after.stored_bytes() == before.stored_bytes()
    assert after.ingested.quarantine_counts == {"duplicate_key": 1, "redelivered": 2}
    assert reconcile_delivery(after.ingested).passed


def test_a_profile_of_a_later_file_replaces_the_one_before(counter: Counter) -> None:
    counter.hand_in("1.csv", "A,NL", "B,BE", header=BY_ID)
    counter.hand_in("2.csv", "A,DE", "A,FR", "B,BE", "C,LU", header=BY_ID)

    outcome = counter.ingest(CUSTOMERS)

    assert outcome.rows("customer_id", "country", "source_file") == [
        ("B", "BE", "1.csv"),
        ("A", "DE", "2.csv"),
        ("C", "LU", "2.csv"),
    ]
    assert outcome.quarantine() == [
        ("1.csv", 1, "redelivered", "id", "A"),
        ("2.csv", 2, "duplicate_key", "id", "A"),
        ("2.csv", 3, "redelivered", "id", "B"),
    ]
    assert reconcile_delivery(outcome.ingested).passed


def test_values_that_stand_once_are_looked_for_among_rows_that_count(counter: Counter) -> None:
    counter.hand_in("1.csv", "A,NL", "B,BE", header=BY_ID)
    counter.hand_in("2.csv", "A,DE", "B,NL", "C,NL", header=BY_ID)
    rules = (ColumnRule(column="country", unique=True),)
    outcome = counter.ingest(CUSTOMERS, rules=rules)
    assert outcome.rows("customer_id", "country") == [("A", "DE"), ("B", "NL")]
    assert outcome.ingested.quarantine_counts == {"not_unique": 1, "redelivered": 2}
    assert reconcile_delivery(outcome.ingested).passed


def test_the_same_events_again_change_only_the_counts(counter: Counter) -> None:
    events = ("A,2025-03-05,open", "A,2025-03-05,open", "B,2025-03-05,")
    counter.hand_in("1.csv", *events, header=BY_DAY)
    before = counter.ingest(EVENTS)
    counter.hand_in("2.csv", *reversed(events), header=BY_DAY)

    after = counter.again().ingest(EVENTS, max_quarantine_share=0)

    assert after.stored_bytes() == before.stored_bytes()
    assert after.quarantine() == [("2.csv", row, "redelivered", None, None) for row in (1, 2, 3)]
    assert reconcile_delivery(after.ingested).passed


@pytest.mark.parametrize("redelivery", ["replace", "ignore"])
def test_of_equal_events_as_many_stay_as_the_file_with_most_of_them_has(counter: Counter, redelivery: str) -> None:
    counter.hand_in("1.csv", "A,2025-03-05,open", "A,2025-03-06,open", header=BY_DAY)
    counter.hand_in("2.csv", *["A,2025-03-05,open"] * 3, "A,2025-03-05,click", header=BY_DAY)
    counter.hand_in("3.csv", *["A,2025-03-05,open"] * 2, header=BY_DAY)
    outcome = counter.ingest(EVENTS, redelivery=redelivery)
    assert outcome.rows("source_file", "source_row") == [
        ("1.csv", 1), ("1.csv", 2), ("2.csv", 2), ("2.csv", 3), ("2.csv", 4),
    ]  # fmt: skip
    assert outcome.ingested.redelivered_rows == 3
    assert reconcile_delivery(outcome.ingested).passed


@pytest.mark.parametrize(
    ("mapping", "line", "header", "told"),
    [
        (None, LINE, None, r"order O1 stands in 1\.csv and again in 2\.csv; 1 order stands"),
        (CUSTOMERS, "A,NL", BY_ID, r"customer A stands in 1\.csv and again in 2\.csv; 1 customer stands"),
        (PRODUCTS, "A,NL", BY_ID, r"product A stands in 1\.csv and again in 2\.csv; 1 product stands"),
        (EVENTS, "A,2025-03-05,open", BY_DAY, r"an event stands in 1\.csv and again in 2\.csv; 1 event stands"),
    ],
)
def test_redelivery_can_be_refused(
    counter: Counter,
    mapping: CustomersTable | ProductsTable | EngagementEventsTable | None,
    line: str,
    header: str | None,
    told: str,
) -> None:
    for name in ("1.csv", "2.csv"):
        counter.hand_in(name, line, **({"header": header} if header else {}))
    with pytest.raises(DataError, match=rf"{told} in more than one file\nHint: .*source\.redelivery to replace"):
        counter.ingest(mapping, redelivery="refuse")


def test_under_the_rule_to_ignore_the_first_profile_holds(counter: Counter) -> None:
    counter.hand_in("1.csv", "A,NL", header=BY_ID)
    counter.hand_in("2.csv", "A,DE", "B,BE", header=BY_ID)
    outcome = counter.ingest(CUSTOMERS, redelivery="ignore")
    assert outcome.rows("customer_id", "country") == [("A", "NL"), ("B", "BE")]
    assert outcome.quarantine() == [("2.csv", 1, "redelivered", "id", "A")]
