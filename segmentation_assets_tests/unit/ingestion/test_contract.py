"""Rules of the settings over delivered rows: what breaks them is set aside, counted, and judged by its own share."""

import datetime as dt
from decimal import Decimal

import pytest

from segmentation_assets.config.contract import ColumnRule
from segmentation_assets.config.source import CustomersTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.contract import RuleFinding
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import (
    HEADER,
    LINE,
    ORDER_LINE_COLUMNS,
    Counter,
    order_lines_mapping,
)

CUSTOMERS = CustomersTable(files=("*.csv",), columns={"customer_id": "id", "birth_year": "born", "gender": "sex"})
CUSTOMERS_HEADER = "id,born,sex"


def test_rows_that_break_a_rule_are_set_aside_with_reason_column_and_value(counter: Counter) -> None:
    counter.hand_in(
        "a.csv",
        LINE + ",NL",
        "O2,2025-03-05 10:00:00,,P1,2,1.50,NL",
        "O3,2025-03-05 10:00:00,C1,P1,-6,1.50,NL",
        "O4,2025-03-05 10:00:00,C1,P1,7,1.50,NL",
        "O5,2025-03-05 10:00:00,C1,P1,2,1.50,nl",
        "O6,2025-03-05 10:00:00,C1,P1,2,1.50,",
        "O7,2025-01-31 23:59:59,C1,P1,2,1.50,NL",
        "O8,2025-04-01 00:00:00,C1,P1,2,1.50,NL",
        "O9,2025-03-31 23:59:59,C1,P1,6,1.50,BE",
        header=f"{HEADER},country",
    )
    rules = (
        ColumnRule(column="country", allowed_values=("NL", "BE")),
        ColumnRule(column="customer_id", required=True),
        ColumnRule(column="quantity", minimum=-5, maximum=6),
        ColumnRule(column="order_at", minimum=dt.date(2025, 2, 1), maximum=dt.date(2025, 3, 31)),
    )

    outcome = counter.ingest(order_lines_mapping(columns={**ORDER_LINE_COLUMNS, "country": "country"}), rules=rules)

    assert outcome.quarantine() == [
        ("a.csv", 2, "required", "customer", None),
        ("a.csv", 3, "below_minimum", "units", "-6"),
        ("a.csv", 4, "above_maximum", "units", "7"),
        ("a.csv", 5, "not_allowed", "country", "nl"),
        ("a.csv", 7, "below_minimum", "at", "2025-01-31 23:59:59"),
        ("a.csv", 8, "above_maximum", "at", "2025-04-01 00:00:00"),
    ]
    assert outcome.rows("order_id") == [("O1",), ("O6",), ("O9",)]
    assert outcome.ingested.months == ("2025-03-01",)
    assert reconcile_delivery(outcome.ingested).passed
    assert outcome.ingested.quarantined_amount == Decimal("13.50")
    assert [(f.column, f.row_count) for f in outcome.ingested.rules] == [
        ("country", 1), ("customer_id", 1), ("quantity", 2), ("order_at", 2),
    ]  # fmt: skip


def test_what_cannot_be_typed_is_told_before_what_breaks_a_rule(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, "O2,2025-03-05 10:00:00,,P1,many,1.50")
    outcome = counter.ingest(rules=(ColumnRule(column="customer_id", required=True),))
    assert outcome.quarantine() == [("a.csv", 2, "not_a_number", "units", "many")]


def test_of_rows_that_share_a_value_that_must_be_unique_the_first_stays(counter: Counter) -> None:
    counter.hand_in(
        "a.csv", "C1,1980,f", "C2,1980,m", "C1,1990,x", "C3,1990,x", "C4,,x", "C5,,", header=CUSTOMERS_HEADER
    )
    counter.hand_in("b.csv", "C6,1990,z", "C7,1995,m", header=CUSTOMERS_HEADER)
    rules = (ColumnRule(column="birth_year", unique=True), ColumnRule(column="gender", unique=True))

    outcome = counter.ingest(CUSTOMERS, rules=rules)

    assert outcome.rows("customer_id", "birth_year") == [("C1", 1980), ("C3", 1990), ("C5", None), ("C7", 1995)]
    assert outcome.quarantine() == [
        ("a.csv", 2, "not_unique", "born", "1980"),
        ("a.csv", 3, "duplicate_key", "id", "C1"),
        ("a.csv", 5, "not_unique", "sex", "x"),
        ("b.csv", 1, "not_unique", "born", "1990"),
    ]
    assert reconcile_delivery(outcome.ingested).passed


def test_rule_with_a_share_of_its_own_is_judged_apart(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 7, *["O2,2025-03-05 10:00:00,,P1,2,1.50"] * 3)
    rule = ColumnRule(column="customer_id", required=True, max_share=0.3)

    (finding,) = counter.ingest(rules=(rule,), max_quarantine_share=0).ingested.rules

    assert finding.passed
    assert finding.reasons == {"required": 3}
    assert finding.samples == ("O2 (a.csv, row 8)", "O2 (a.csv, row 9)", "O2 (a.csv, row 10)")


@pytest.mark.parametrize(("row_count", "passed"), [(29, True), (30, False)])
def test_rule_may_be_broken_by_exactly_its_share(row_count: int, passed: bool) -> None:
    assert RuleFinding("quantity", row_count, 100, 0.29, {}, (), "").passed is passed


def test_rule_broken_too_often_says_where_and_what_to_do(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 4, *["O2,2025-03-05 10:00:00,C1,P1,200,1.50"] * 6)
    rule = ColumnRule(column="quantity", maximum=100, max_share=0.5)

    (finding,) = counter.ingest(rules=(rule,)).ingested.rules

    assert not finding.passed
    assert len(finding.samples) == 5
    assert finding.sentence("order_lines") == (
        "6 of 10 delivered rows break the rule of contract.order_lines for quantity (6 above_maximum); allowed is a "
        "share of 0.5. The first is a.csv, row 5, column 'units': '200', the value is above the maximum of the "
        "contract. Correct the file, or raise max_share of the rule."
    )


def test_first_row_that_breaks_a_rule_is_that_of_the_first_file(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, LINE.replace(",2,", ",9,"))
    counter.hand_in("b.csv", LINE.replace("O1,", "O2,").replace(",2,", ",8,"))
    (finding,) = counter.ingest(rules=(ColumnRule(column="quantity", maximum=5, max_share=1),)).ingested.rules
    assert finding.samples == ("O1 (a.csv, row 2)", "O2 (b.csv, row 1)")
    assert finding.first.startswith("a.csv, row 2, column 'units': '9'")


def test_rule_shows_the_value_of_its_column_in_a_row_with_another_fault(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, "O2,no date,C1,P1,9,1.50")
    (finding,) = counter.ingest(rules=(ColumnRule(column="quantity", maximum=5, max_share=1),)).ingested.rules
    assert finding.first.startswith("a.csv, row 2, column 'units': '9'")


def test_rule_without_a_share_counts_with_all_that_is_set_aside(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 9, "O2,2025-03-05 10:00:00,,P1,2,1.50")
    with pytest.raises(
        DataError, match=r"1 of 10 delivered .* \(1 required\); .* 'customer': no value, the contract asks"
    ):
        counter.ingest(rules=(ColumnRule(column="customer_id", required=True),), max_quarantine_share=0.05)


def test_rule_counts_its_rows_whatever_else_is_wrong_with_them(counter: Counter) -> None:
    other_faults = ["O2,no date,,P1,200,1.50", "O3,2025-03-05 10:00:00,,P1,200,1.50", "O4,no date,C1,P1,many,1.50"]
    counter.hand_in("a.csv", *[LINE] * 6, *other_faults, "O5,2025-03-05 10:00:00", LINE)
    rules = (
        ColumnRule(column="customer_id", required=True, max_share=0.5),
        ColumnRule(column="quantity", required=True, maximum=100, max_share=0.1),
    )

    outcome = counter.ingest(rules=rules)

    assert [(reason, column) for _, _, reason, column, _ in outcome.quarantine()] == [
        ("unparseable_date", "at"), ("required", "customer"), ("unparseable_date", "at"), ("malformed_row", None),
    ]  # fmt: skip
    by_column = {finding.column: finding for finding in outcome.ingested.rules}
    assert by_column["customer_id"].reasons == {"required": 2}
    assert by_column["quantity"].reasons == {"above_maximum": 2, "required": 1}
    assert by_column["quantity"].samples == ("O2 (a.csv, row 7)", "O3 (a.csv, row 8)", "O4 (a.csv, row 9)")
    assert not by_column["quantity"].passed
    assert reconcile_delivery(outcome.ingested).passed


def test_row_that_breaks_two_rules_counts_for_the_share_of_the_table(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 8, *["O2,2025-03-05 10:00:00,,P1,200,1.50"] * 2)
    tolerant = ColumnRule(column="customer_id", required=True, max_share=1)
    strict = ColumnRule(column="quantity", maximum=100)
    with pytest.raises(DataError, match="2 of 10 delivered rows cannot be used .2 above_maximum."):
        counter.ingest(rules=(tolerant, strict), max_quarantine_share=0.1)


def test_unreadable_values_count_for_the_table_beside_a_rule_with_a_share_of_its_own(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, *["O2,2025-03-05 10:00:00,C1,P1,many,1.50"] * 3)
    rule = ColumnRule(column="quantity", maximum=9, max_share=1)
    with pytest.raises(DataError, match=r"3 of 4 delivered rows cannot be used \(3 not_a_number\)"):
        counter.ingest(rules=(rule,), max_quarantine_share=0.1)


def test_rule_that_leaves_nothing_stops_whatever_its_share(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE)
    rule = ColumnRule(column="quantity", maximum=1, max_share=1)
    with pytest.raises(DataError, match=r"1 of 1 delivered rows cannot be used .*\nHint: .*contract\.order_lines"):
        counter.ingest(rules=(rule,))
