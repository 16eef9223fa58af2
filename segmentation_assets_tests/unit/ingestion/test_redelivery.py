from __future__ import annotations

from decimal import Decimal

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import HEADER, LINE, Counter, order_lines_mapping


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


def test_a_correction_with_a_higher_number_is_the_later_file(counter: Counter) -> None:
    counter.hand_in("orders-9.csv", LINE)
    counter.hand_in("orders-10.csv", LINE.replace(",2,", ",1,"))
    assert counter.ingest().rows("source_file", "quantity") == [("orders-10.csv", 1)]


def test_every_line_that_gives_way_is_in_quarantine(counter: Counter) -> None:
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


def test_rows_delivered_again_do_not_count_against_the_allowed_share(counter: Counter) -> None:
    for name in ("1.csv", "2.csv"):
        counter.hand_in(name, LINE)
    assert counter.ingest(max_quarantine_share=0).ingested.quarantine_counts == {"redelivered": 1}


def test_the_same_file_twice_changes_only_the_counts(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE, LINE, LINE.replace("O1", "O2"))
    before = counter.ingest()
    counter.hand_in("2.csv", LINE.replace("O1", "O2"), LINE, LINE.replace("1.50", "1.5"))

    after = counter.again().ingest()

    assert after.stored_bytes() == before.stored_bytes()
    assert (after.ingested.delivered_rows, after.ingested.redelivered_rows) == (6, 3)
    assert after.quarantine() == [("2.csv", row, "redelivered", "order", f"O{id_}") for row, id_ in enumerate("211", 1)]
    assert reconcile_delivery(after.ingested).passed


def test_a_growing_export_leaves_the_months_before_as_they_are(counter: Counter) -> None:
    february = LINE.replace("O1", "O2").replace("-03-", "-04-")
    counter.hand_in("1.csv", LINE)
    before = counter.ingest()
    counter.hand_in("2.csv", LINE, february)
    counter.hand_in("3.csv", february, LINE)

    after = counter.again().ingest()

    assert after.stored_bytes()["2025-03-01/part-0.parquet"] == before.stored_bytes()["2025-03-01/part-0.parquet"]
    assert after.rows("order_id", "source_file") == [("O1", "1.csv"), ("O2", "2.csv")]


def test_a_corrected_order_delivered_again_keeps_the_file_of_its_correction(counter: Counter) -> None:
    for name, units in (("1.csv", 1), ("2.csv", 1), ("3.csv", 2), ("4.csv", 1), ("5.csv", 1)):
        counter.hand_in(name, f"{LINE},".replace(",2,", f",{units},"), header=f"{HEADER},{name}")
    outcome = counter.ingest()
    assert outcome.rows("source_file", "quantity") == [("4.csv", 1)]
    assert outcome.ingested.redelivered_rows == 4


def test_a_copy_of_a_file_undoes_no_correction_in_between(counter: Counter) -> None:
    for name, units in (("1.csv", 1), ("2.csv", 2), ("3.csv", 1)):
        counter.hand_in(name, LINE.replace(",2,", f",{units},"))
    outcome = counter.ingest()
    assert outcome.rows("source_file", "quantity") == [("2.csv", 2)]
    assert outcome.ingested.redelivered_rows == 2


def test_an_order_delivered_again_with_a_line_that_cannot_be_read_is_told_of(counter: Counter) -> None:
    other = LINE.replace("P1", "P2")
    counter.hand_in("1.csv", LINE, other, LINE.replace("O1", "O2"), LINE.replace("O1", "O3"))
    counter.hand_in("2.csv", LINE, other.replace("1.50", "1.5O"), LINE.replace("O1", "O3").replace("1.50", "1.5O"))

    outcome = counter.ingest()

    assert outcome.rows("order_id", "product_id", "source_file") == [
        ("O2", "P1", "1.csv"), ("O3", "P1", "1.csv"), ("O1", "P1", "2.csv"),
    ]  # fmt: skip
    assert outcome.quarantine() == [
        ("1.csv", 1, "redelivered_in_part", "order", "O1"),
        ("1.csv", 2, "redelivered_in_part", "order", "O1"),
        ("2.csv", 2, "not_a_number", "price", "1.5O"),
        ("2.csv", 3, "not_a_number", "price", "1.5O"),
    ]
    assert (outcome.ingested.redelivered_rows, outcome.ingested.quarantined_rows) == (2, 2)
    assert reconcile_delivery(outcome.ingested).passed


def test_order_ids_that_restart_in_each_file_stop_the_run(counter: Counter) -> None:
    march = [f"{i},2025-03-06 10:00:00,C{i},P1,2,1.50" for i in range(1, 5)]
    april = [f"{i},2025-04-03 10:00:00,{'C1' if i == 1 else 'C9'},P1,2,1.50" for i in range(1, 5)]
    counter.hand_in("2025-03.csv", *march)
    counter.hand_in("2025-04.csv", *april)
    with pytest.raises(
        DataError,
        match=r"order 2 of 2025-03\.csv \(2025-03-06, customer C2, product P1\) is another one in 2025-04\.csv "
        r"\(2025-04-03, customer C9, product P1\); so are 3 of 4 orders that stand in more than one file\nHint: order "
        r"ids seem to restart in each file; name .* by source\.order_lines\.order_id_sources or order_id_within, or",
    ):
        counter.ingest()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param("2025-01-31 23:00:00,C1,P1", "2025-03-04 01:00:00,C1,P1", id="32 days apart"),
        pytest.param("2025-03-05 10:00:00,C1,P1", "2025-03-05 10:00:00,C2,P1", id="other customer"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-06 10:00:00,,P1", id="guests on other days"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-06 10:00:00,C1,P1", id="guest and customer on other days"),
        pytest.param("2025-03-04 01:00:00,C1,P1", "2025-01-31 23:00:00,C1,P1", id="32 days before"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-05 10:00:00,,P2", id="guests with other goods"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-05 10:00:00,C1,P2", id="guest and customer, other goods"),
    ],
)
def test_an_order_that_cannot_be_the_same_counts_as_another(counter: Counter, earlier: str, later: str) -> None:
    counter.hand_in("1.csv", f"1,{earlier},2,1.50")
    counter.hand_in("2.csv", f"1,{later},2,1.50")
    outcome = counter.ingest()
    assert outcome.quarantine() == [("1.csv", 1, "order_id_reused", "order", "1")]
    assert outcome.ingested.quarantined_rows == 1


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param("2025-02-01 23:00:00,C1,P1", "2025-03-04 01:00:00,C1,P1", id="31 days apart"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-05 11:00:00,C1,P1", id="guest identified afterwards"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-05 11:00:00,,P1", id="guest on the same day"),
        pytest.param("2025-03-05 10:00:00,,P1", "2025-03-05 10:00:00,,p1", id="guest with a code in lower case"),
    ],
)
def test_an_order_that_may_be_the_same_is_replaced(counter: Counter, earlier: str, later: str) -> None:
    counter.hand_in("1.csv", f"1,{earlier},2,1.50")
    counter.hand_in("2.csv", f"1,{later},2,1.50")
    outcome = counter.ingest()
    assert outcome.quarantine() == [("1.csv", 1, "redelivered", "order", "1")]
    assert outcome.ingested.redelivered_rows == 1


def test_lines_of_products_that_the_other_version_lacks_are_told_apart(counter: Counter) -> None:
    """An order that was split over two extracts, or a correction that names the corrected line alone."""
    counter.hand_in("1.csv", *(f"1,2025-04-30 23:58:00,C1,{product},2,1.50" for product in ("P1", "P2", "P3")))
    counter.hand_in("2.csv", "1,2025-05-01 00:01:00,C1,p2,3,1.50", "1,2025-05-01 00:01:00,C1,P4,3,1.50")

    replaced = counter.ingest()
    ignored = counter.again().ingest(redelivery="ignore")

    assert replaced.quarantine() == [
        ("1.csv", 1, "dropped_line", "order", "1"),
        ("1.csv", 2, "redelivered", "order", "1"),
        ("1.csv", 3, "dropped_line", "order", "1"),
    ]
    assert ignored.quarantine() == [
        ("2.csv", 1, "redelivered", "order", "1"),
        ("2.csv", 2, "dropped_line", "order", "1"),
    ]
    for outcome in (replaced, ignored):
        assert outcome.ingested.quarantined_rows == 0
        assert reconcile_delivery(outcome.ingested).passed


def test_lines_are_dropped_where_the_version_that_counts_lacks_them(counter: Counter) -> None:
    """Not those that a version in between lacked."""
    first, last = ("1,2025-04-30 23:58:00,C1,P1,2,1.50", "1,2025-04-30 23:58:00,C1,P1,3,1.50")
    counter.hand_in("1.csv", first)
    counter.hand_in("2.csv", first.replace("P1", "P2"))
    counter.hand_in("3.csv", last)
    assert counter.ingest().quarantine() == [
        ("1.csv", 1, "redelivered", "order", "1"),
        ("2.csv", 1, "dropped_line", "order", "1"),
    ]


def test_a_few_order_ids_used_again_are_set_aside_under_their_own_reason(counter: Counter) -> None:
    lines = [f"O{i},2025-03-05 10:00:00,C{i},P1,2,1.50" for i in range(10)]
    counter.hand_in("1.csv", *lines)
    counter.hand_in("2.csv", *lines[:9], lines[9].replace("C9", "X9"))

    ingested = counter.ingest(max_quarantine_share=0.05).ingested

    assert ingested.quarantine_counts == {"order_id_reused": 1, "redelivered": 9}
    assert (ingested.redelivered_rows, ingested.quarantined_rows, ingested.quarantined_amount) == (9, 1, Decimal(3))
    assert reconcile_delivery(ingested).passed
    with pytest.raises(
        DataError, match=r"1 of 20 .*\(1 order_id_reused\).*'O9', another file .*\nHint: .*order_id_within"
    ):
        counter.again().ingest(max_quarantine_share=0.04)


def test_order_id_used_again_keeps_its_reason_where_lines_of_the_other_order_cannot_be_used(counter: Counter) -> None:
    lines = [f"O{i},2025-03-05 10:00:00,C{i},P1,2,1.50" for i in range(10)]
    other = lines[9].replace("C9", "X9")
    counter.hand_in("1.csv", *lines)
    counter.hand_in("2.csv", *lines[:9], other, other.replace(",2,", ",two,"))
    counts = counter.ingest().ingested.quarantine_counts
    assert counts == {"not_a_number": 1, "order_id_reused": 1, "redelivered": 9}


def test_days_between_two_versions_of_an_order_are_counted_from_the_last_of_the_earlier(counter: Counter) -> None:
    first = LINE.replace("2025-03-05", "2025-03-01")
    counter.hand_in("1.csv", first, first.replace("03-01", "03-31"))
    counter.hand_in("2.csv", first.replace("03-01", "04-30"))
    assert counter.ingest().rows("source_file") == [("2.csv",)]


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
    lines = [LINE.replace("O1", f"O{i}") for i in range(3)]
    counter.hand_in("1.csv", *lines)
    counter.hand_in("2.csv", *(line.replace("C1", "C2") for line in lines))
    with pytest.raises(DataError, match=r"order ids seem to restart"):
        counter.ingest(redelivery="ignore")


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


def test_what_reading_repaired_is_no_other_content(counter: Counter) -> None:
    counter.hand_in("1.csv", LINE)
    counter.hand_in("2.csv", LINE.replace(",P1,", ', "P1 ",').replace("C1", "C1 "))
    outcome = counter.ingest()
    assert outcome.rows("source_file", "product_id", "repairs") == [("1.csv", "P1", None)]


@pytest.mark.parametrize(
    ("rule", "counts", "rows", "amounts"),
    [
        (
            "replace",
            {"order_id_reused": 1, "redelivered": 11, "redelivered_in_part": 2},
            (14, 2, 13),
            ("45", "3", "39"),
        ),
        ("ignore", {"order_id_reused": 1, "redelivered": 12}, (15, 2, 12), ("45", "1.5", "40.5")),
    ],
)
def test_rows_and_money_of_every_kind_of_redelivery_add_up(
    counter: Counter,
    rule: str,
    counts: dict[str, int],
    rows: tuple[int, int, int],
    amounts: tuple[str, str, str],
) -> None:
    lines = [f"O{i},2025-03-05 10:00:00,C{i},P1,2,1.50" for i in range(14)]
    another, corrected = lines[0].replace("C0,P1,2", "X0,P1,1"), lines[12].replace(",2,", ",5,")
    second = lines[1].replace("P1", "P2")
    counter.hand_in("1.csv", *lines, second)
    counter.hand_in("2.csv", another, lines[1], second.replace("1.50", "1.5O"), *lines[2:12], corrected)

    ingested = counter.ingest(redelivery=rule).ingested

    assert ingested.quarantine_counts == {"not_a_number": 1, **counts}
    assert (ingested.stored_rows, ingested.quarantined_rows, ingested.redelivered_rows) == rows
    money = (ingested.stored_amount, ingested.quarantined_amount, ingested.redelivered_amount)
    assert money == tuple(Decimal(amount) for amount in amounts)
    assert reconcile_delivery(ingested).passed


@pytest.mark.parametrize("redelivery", ["replace", "refuse"])
def test_nothing_of_the_comparison_stays_in_the_connection(counter: Counter, redelivery: str) -> None:
    tables = "SELECT table_name FROM duckdb_tables() WHERE temporary ORDER BY ALL"
    before = counter.connection.execute(tables).fetchall()
    for name in ("1.csv", "2.csv"):
        counter.hand_in(name, LINE)
    if redelivery == "refuse":
        with pytest.raises(DataError, match="order O1 stands in"):
            counter.ingest(redelivery=redelivery)
    else:
        counter.ingest(redelivery=redelivery)
    assert counter.connection.execute(tables).fetchall() == before


def test_an_order_that_is_ignored_for_one_with_a_line_that_cannot_be_read_is_told_of(counter: Counter) -> None:
    other = LINE.replace("P1", "P2")
    counter.hand_in("1.csv", LINE, other.replace("1.50", "1.5O"))
    counter.hand_in("2.csv", LINE, other)

    outcome = counter.ingest(redelivery="ignore")

    assert outcome.rows("source_file", "product_id") == [("1.csv", "P1")]
    assert [row[:3] for row in outcome.quarantine()] == [
        ("1.csv", 2, "not_a_number"),
        ("2.csv", 1, "redelivered_in_part"),
        ("2.csv", 2, "redelivered_in_part"),
    ]
    assert reconcile_delivery(outcome.ingested).passed
