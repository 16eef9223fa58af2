from __future__ import annotations

from decimal import Decimal

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import LINE, Counter, order_lines_mapping


def test_the_later_file_holds_an_order_that_stands_in_two(counter: Counter) -> None:
    counter.hand_in("2025-03.csv", "O1,2025-03-05 10:00:00,C1,P1,2,1.00", "O1,2025-03-05 10:00:00,C1,P2,5,1.00",
                    "O2,2025-03-06 10:00:00,C1,P1,7,1.00")  # fmt: skip
    counter.hand_in("2025-04.csv", "O1,2025-04-05 10:00:00,C1,P1,3,1.00", "O1,2025-04-05 10:00:00,C1,P1,3,1.00")

    outcome = counter.ingest()

    assert outcome.rows("order_id", "quantity", "source_file") == [
        ("O2", 7, "2025-03.csv"),
        ("O1", 3, "2025-04.csv"),
        ("O1", 3, "2025-04.csv"),
    ]
    assert (outcome.ingested.redelivered_rows, outcome.ingested.redelivered_amount) == (2, Decimal(7))
    assert reconcile_delivery(outcome.ingested).passed


def test_every_line_that_a_later_file_delivers_again_is_in_quarantine(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE, "O2,2025-03-06 10:00:00,C1,P1,7,1.00", "O3,bad,C1,P1,1,2.00", LINE)
    counter.hand_in("2.csv", LINE)

    outcome = counter.ingest()

    assert outcome.quarantine() == [
        ("1.csv", 1, "redelivered", "order", "O1"),
        ("1.csv", 3, "unparseable_date", "at", "bad"),
        ("1.csv", 4, "redelivered", "order", "O1"),
    ]
    ingested = outcome.ingested
    assert (ingested.delivered_rows, ingested.stored_rows) == (5, 2)
    assert (ingested.quarantined_rows, ingested.redelivered_rows) == (1, 2)
    assert ingested.quarantine_counts == {"redelivered": 2, "unparseable_date": 1}
    assert (ingested.quarantined_amount, ingested.redelivered_amount) == (Decimal(2), Decimal(6))
    assert reconcile_delivery(ingested).passed


def test_lines_delivered_again_do_not_count_against_the_allowed_share(counter: Counter) -> None:
    for name in ("1.csv", "2.csv"):
        counter.hand_in(name, LINE)
    assert counter.ingest(max_quarantine_share=0).ingested.quarantine_counts == {"redelivered": 1}


def test_order_ids_that_restart_in_each_file_stop_the_run(counter: Counter) -> None:
    counter.hand_in("2025-03.csv", "1,2025-03-05 10:00:00,C1,P1,2,1.50", "2,2025-03-06 10:00:00,C2,P1,2,1.50")
    counter.hand_in("2025-04.csv", "1,2025-04-02 10:00:00,C1,P1,2,1.50", "2,2025-04-03 10:00:00,C9,P1,2,1.50")
    with pytest.raises(
        DataError,
        match=r"order 2 of 2025-03\.csv \(2025-03-06, customer C2\) is another one in 2025-04\.csv \(2025-04-03, "
        r"customer C9\); so are 1 of 2 orders that stand in more than one file\nHint: order ids seem to restart in "
        r"each file; make them unique, .* or set source\.redelivery to refuse",
    ):
        counter.ingest()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param("2025-01-31 23:00:00,C1", "2025-03-04 01:00:00,C1", id="32 days apart"),
        pytest.param("2025-03-05 10:00:00,C1", "2025-03-05 10:00:00,C2", id="other customer"),
        pytest.param("2025-03-05 10:00:00,", "2025-03-06 10:00:00,", id="guests on other days"),
        pytest.param("2025-03-05 10:00:00,", "2025-03-06 10:00:00,C1", id="guest and customer on other days"),
        pytest.param("2025-03-04 01:00:00,C1", "2025-01-31 23:00:00,C1", id="32 days before"),
    ],
)
def test_an_order_that_cannot_be_the_same_counts_as_another(counter: Counter, earlier: str, later: str) -> None:
    counter.hand_in("1.csv", f"1,{earlier},P1,2,1.50")
    counter.hand_in("2.csv", f"1,{later},P1,2,1.50")
    with pytest.raises(DataError, match=r"order ids seem to restart"):
        counter.ingest()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param("2025-02-01 23:00:00,C1", "2025-03-04 01:00:00,C1", id="31 days apart"),
        pytest.param("2025-03-05 10:00:00,", "2025-03-05 11:00:00,C1", id="guest identified afterwards"),
        pytest.param("2025-03-05 10:00:00,", "2025-03-05 10:00:00,", id="guest on the same day"),
    ],
)
def test_an_order_that_may_be_the_same_is_replaced(counter: Counter, earlier: str, later: str) -> None:
    counter.hand_in("1.csv", f"1,{earlier},P1,2,1.50")
    counter.hand_in("2.csv", f"1,{later},P1,2,1.50")
    assert counter.ingest().ingested.redelivered_rows == 1


def test_a_tenth_of_the_orders_may_change_their_customer(counter: Counter) -> None:
    lines = [f"O{i},2025-03-05 10:00:00,C{i},P1,2,1.50" for i in range(10)]
    counter.hand_in("1.csv", *lines)
    counter.hand_in("2.csv", *lines[:9], lines[9].replace("C9", "X9"))
    assert counter.ingest().ingested.redelivered_rows == 10


def test_versions_of_an_order_are_compared_with_the_one_before(counter: Counter) -> None:
    for name, month in (("1.csv", "03"), ("2.csv", "04"), ("3.csv", "05")):
        counter.hand_in(name, LINE.replace("2025-03", f"2025-{month}"))
    assert counter.ingest().rows("source_file") == [("3.csv",)]


def test_a_month_that_a_later_file_moves_away_is_not_written(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE)
    counter.hand_in("2.csv", LINE.replace("2025-03", "2025-04"))
    outcome = counter.ingest()
    assert outcome.ingested.months == ("2025-04-01",)
    assert sorted(path.name for path in outcome.staging.iterdir()) == ["2025-04-01", "quarantine.parquet"]


def test_the_same_file_twice_changes_only_the_counts(counter: Counter) -> None:
    for name in ("1.csv", "2.csv", "3.csv"):
        counter.hand_in(name, LINE, LINE)
    outcome = counter.ingest()
    assert outcome.rows("order_id", "source_file", "source_row") == [("O1", "1.csv", 1), ("O1", "1.csv", 2)]
    assert outcome.ingested.redelivered_rows == 4
    assert outcome.quarantine()[0] == ("2.csv", 1, "redelivered", "order", "O1")


def test_lines_in_another_order_are_the_same_delivery(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE, LINE.replace("P1", "P2"))
    counter.hand_in("2.csv", LINE.replace("P1", "P2"), LINE)
    assert counter.ingest().rows("product_id", "source_file") == [("P1", "1.csv"), ("P2", "1.csv")]


@pytest.mark.parametrize(("redelivery", "units", "file"), [("replace", 9, "2.csv"), ("ignore", 2, "1.csv")])
def test_a_corrected_order_holds_or_is_ignored_by_the_stated_rule(
    counter: Counter, redelivery: str, units: int, file: str
) -> None:
    counter.hand_in("1.csv", LINE)
    for name in ("2.csv", "3.csv"):
        counter.hand_in(name, LINE.replace(",2,", ",9,"))

    outcome = counter.ingest(redelivery=redelivery)

    assert outcome.rows("quantity", "source_file") == [(units, file)]
    assert outcome.ingested.redelivered_rows == 2
    assert reconcile_delivery(outcome.ingested).passed


def test_ids_that_restart_stop_the_run_under_the_rule_to_ignore_too(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE)
    counter.hand_in("2.csv", LINE.replace("C1", "C2"))
    with pytest.raises(DataError, match=r"order ids seem to restart"):
        counter.ingest(redelivery="ignore")


def test_redelivery_can_be_refused(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE)
    counter.hand_in("2.csv", LINE)
    with pytest.raises(
        DataError, match=r"order O1 stands in 1\.csv and again in 2\.csv; 1 orders .*\nHint: .*source\.redelivery"
    ):
        counter.ingest(redelivery="refuse")


def test_an_order_is_known_again_whatever_tool_wrote_its_id(counter: Counter) -> None:
    counter.hand_in_parquet(
        "a.parquet",
        "SELECT 536365::BIGINT AS \"order\", TIMESTAMP '2025-03-05 10:00:00' AS at, 13085 AS customer, "
        "'P1' AS product, 1 AS units, 2.5 AS price",
    )
    counter.hand_in("b.csv", "536365.0,2025-03-05 10:00:00,13085.0,P1,2,2.50")
    outcome = counter.ingest(order_lines_mapping(files=("*",)))
    assert outcome.rows("order_id", "customer_id", "quantity") == [("536365", "13085", 2)]
    assert outcome.quarantine() == [("a.parquet", 1, "redelivered", "order", "536365")]


def test_a_correction_with_a_higher_number_is_the_later_file(counter: Counter) -> None:
    counter.hand_in("orders-9.csv", LINE)
    counter.hand_in("orders-10.csv", LINE.replace(",2,", ",1,"))
    assert counter.ingest().rows("source_file", "quantity") == [("orders-10.csv", 1)]
