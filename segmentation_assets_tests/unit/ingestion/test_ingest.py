from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from segmentation_assets.config.contract import ColumnRule
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.source import CustomersTable, EngagementEventsTable, ProductsTable, SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.delivery import list_delivery
from segmentation_assets.ingestion.ingest import ingest_table
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets.storage.engine import Connection, Engine, quote_text
from segmentation_assets.tables.raw import QUARANTINE, RAW_CUSTOMERS, RAW_ORDER_LINES
from segmentation_assets_tests.unit.ingestion.counter import LINE, Counter, order_lines_mapping

CUSTOMERS = CustomersTable(
    files=("*.csv",), columns={"customer_id": "id", "birth_year": "born", "registered_on": "since"},
    date_format="%d.%m.%Y",
)  # fmt: skip
PROFILES = CustomersTable(
    files=("*.csv",), date_format="%d.%m.%Y",
    columns={
        "customer_id": "id", "registered_on": "since", "household_size": "persons", "account_type": "kind",
    },
)  # fmt: skip
PRODUCTS = ProductsTable(files=("*.csv",), columns={"product_id": "code", "department": "dep", "class": "class"})


def test_lines_are_stored_by_month_with_declared_columns(counter: Counter, connection: Connection) -> None:
    counter.hand_in(
        "a.csv",
        "O2,2025-04-01 00:00:00,,P2,-1,3.25",
        "O1,2025-03-31 23:59:59,C1,p1,2,1.5",
    )

    outcome = counter.ingest()

    assert outcome.ingested.months == ("2025-03-01", "2025-04-01")
    assert sorted(path.name for path in outcome.staging.iterdir()) == ["2025-03-01", "2025-04-01"]
    assert outcome.rows("*") == [
        ("O2", dt.datetime(2025, 4, 1), None, "P2", None, -1, Decimal("3.2500"), *[None] * 8, "a.csv", 1, None),
        (
            "O1",
            dt.datetime(2025, 3, 31, 23, 59, 59),
            "C1",
            "p1",
            None,
            2,
            Decimal("1.5000"),
            *[None] * 8,
            "a.csv",
            2,
            None,
        ),
    ]
    march = quote_text(str(outcome.staging / "2025-03-01" / "part-0.parquet"))
    described = connection.execute(f"DESCRIBE SELECT * FROM {march}").fetchall()
    assert [(row[0], row[1]) for row in described] == [(c.name, c.dtype) for c in RAW_ORDER_LINES.columns]


def test_everything_delivered_is_counted(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, "O1,2025-03-05 10:00:00,C1,P1,2,many", "O3,2025-03-06 10:00:00,C1,,3,1.00")

    ingested = counter.ingest().ingested

    assert (ingested.delivered_rows, ingested.stored_rows, ingested.quarantined_rows) == (3, 1, 2)
    assert (ingested.delivered_amount, ingested.stored_amount) == (Decimal(6), Decimal(3))
    assert ingested.quarantined_amount == Decimal(3)
    assert ingested.quarantine_counts == {"missing_value": 1, "not_a_number": 1}
    assert ingested.first_at == ingested.last_at == dt.datetime(2025, 3, 5, 10)
    assert reconcile_delivery(ingested).passed


def test_price_with_more_than_four_decimals_counts_as_it_was_rounded(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE.replace("1.50", "32.327731"), LINE.replace("1.50", "1.00005"))
    counter.hand_in_parquet(
        "b.parquet",
        "SELECT 'O2' AS \"order\", TIMESTAMP '2025-03-05 10:00:00' AS at, 'C1' AS customer, 'P1' AS product, "
        "10 AS units, 38.47 / 1.19::DOUBLE AS price",
    )

    outcome = counter.ingest(order_lines_mapping(files=("*.csv", "*.parquet")))

    assert outcome.rows("unit_price") == [(Decimal("32.3277"),), (Decimal("1.0001"),), (Decimal("32.3277"),)]
    assert outcome.ingested.repair_counts == {"unit_price:four_decimals": 3}
    assert outcome.ingested.delivered_amount == outcome.ingested.stored_amount == Decimal("389.9326")
    assert reconcile_delivery(outcome.ingested).passed


def test_cost_with_more_than_four_decimals_does_not_cost_the_sale(counter: Counter) -> None:
    counter.hand_in("a.csv", f"{LINE},3.333333", f"{LINE},3.33", header="order,at,customer,product,units,price,cost")
    outcome = counter.ingest(order_lines_mapping(columns=order_lines_mapping().columns | {"cost_price": "cost"}))
    assert outcome.rows("cost_price", "repairs") == [
        (Decimal("3.3333"), "cost_price:four_decimals"),
        (Decimal("3.33"), None),
    ]


def test_ids_that_are_too_long_for_their_type_stop_with_what_to_do(counter: Counter) -> None:
    counter.hand_in_parquet(
        "a.parquet",
        "SELECT i AS \"order\", TIMESTAMP '2025-03-05 10:00:00' AS at, 9e18::DOUBLE + i AS customer, 'P1' AS product, "
        "1 AS units, 2.5 AS price FROM range(9) AS t(i)",
    )
    with pytest.raises(
        DataError,
        match=r"9 of 9 delivered rows cannot be used \(9 fractional_id\).* The first is a\.parquet, row 1, column "
        r"'customer': '9e\+18', the id or code .*\nHint: have ids exported as text, correct the mapped column",
    ):
        counter.ingest(order_lines_mapping(files=("*.parquet",)))


def test_rows_set_aside_name_file_row_reason_column_and_value(counter: Counter, connection: Connection) -> None:
    counter.hand_in(
        "a.csv",
        LINE,
        ",2025-03-05 10:00:00,C1,P1,2,1.50",
        "O1,2025-02-30 10:00:00,C1,P1,2,1.50",
        "O1,2025-03-05 10:00:00,13085.5,P1,2,1.50",
        "O1,2025-03-05 10:00:00,C1, ,2,1.50",
        "O1,2025-03-05 10:00:00,C1,P1,2.5,1.50",
        "O1,2025-03-05 10:00:00,C1,P1,2, £1 ",
        "O1,2025-03-05 10:00:00,C1,P1,1000000001,1.50",
        "O1,0011-03-05 10:00:00,C1,P1,1,1.50",
        "O1,2025-03-05 10:00:00,C1,P1,2",
    )

    outcome = counter.ingest()

    assert outcome.quarantine() == [
        ("a.csv", 2, "missing_value", "order", None),
        ("a.csv", 3, "unparseable_date", "at", "2025-02-30 10:00:00"),
        ("a.csv", 4, "fractional_id", "customer", "13085.5"),
        ("a.csv", 5, "missing_value", "product", " "),
        ("a.csv", 6, "not_a_number", "units", "2.5"),
        ("a.csv", 7, "not_a_number", "price", " £1 "),
        ("a.csv", 8, "out_of_range", "units", "1000000001"),
        ("a.csv", 9, "out_of_range", "at", "0011-03-05 10:00:00"),
        ("a.csv", 10, "malformed_row", None, "O1,2025-03-05 10:00:00,C1,P1,2"),
    ]
    path = quote_text(str(outcome.staging / "quarantine.parquet"))
    described = connection.execute(f"DESCRIBE SELECT * FROM {path}").fetchall()
    assert [(row[0], row[1]) for row in described] == [(c.name, c.dtype) for c in QUARANTINE.columns]
    assert reconcile_delivery(outcome.ingested).passed


def test_a_row_with_many_faults_is_set_aside_once_for_the_first(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, "O1,never,1.5,,x,y")
    assert counter.ingest().quarantine() == [("a.csv", 2, "unparseable_date", "at", "never")]


def test_a_line_whose_money_is_out_of_range_is_set_aside(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, "O1,2025-03-05 10:00:00,C1,P1,1000000,1000000000")
    outcome = counter.ingest()
    assert outcome.quarantine() == [("a.csv", 2, "out_of_range", "price", "1000000000")]
    assert outcome.ingested.quarantined_amount == Decimal(10) ** 15


def test_too_many_rows_set_aside_stop_the_run_with_the_first_of_them(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 8, "O1,05/03/2025,C1,P1,2,1.50", "O1,2025-03-05 10:00:00,C1,P1,2,x")
    with pytest.raises(
        DataError,
        match=r"raw/order_lines: 2 of 10 delivered rows cannot be used \(1 not_a_number, 1 unparseable_date\); allowed "
        r"is a share of 0\.1\. The first is a\.csv, row 9, column 'at': '05/03/2025', the date does not follow .*\n"
        r"Hint: correct source\.order_lines .* or raise source\.max_quarantine_share\.",
    ):
        counter.ingest(max_quarantine_share=0.1)
    assert not list(counter.staging.glob("*/part-0.parquet"))


def test_rows_set_aside_up_to_the_allowed_share_are_accepted(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 9, "O1,05/03/2025,C1,P1,2,1.50")
    assert counter.ingest(max_quarantine_share=0.1).ingested.quarantined_rows == 1


@pytest.mark.parametrize(("share", "rows", "faulty"), [(0.29, 100, 29), (0.57, 100, 57), (0.145, 200, 29)])
def test_exactly_the_allowed_share_is_accepted(counter: Counter, share: float, rows: int, faulty: int) -> None:
    counter.hand_in("a.csv", *[LINE] * (rows - faulty), *["O1,05/03/2025,C1,P1,2,1.50"] * faulty)
    assert counter.ingest(max_quarantine_share=share).ingested.quarantined_rows == faulty


def test_one_row_more_than_the_allowed_share_stops_the_run(counter: Counter) -> None:
    counter.hand_in("a.csv", *[LINE] * 70, *["O1,05/03/2025,C1,P1,2,1.50"] * 30)
    with pytest.raises(DataError, match=r"30 of 100 delivered rows .* allowed is a share of 0\.29\."):
        counter.ingest(max_quarantine_share=0.29)


def test_a_delivery_without_any_usable_row_stops_the_run(counter: Counter) -> None:
    counter.hand_in("a.csv", "O1,05/03/2025,C1,P1,2,1.50")
    with pytest.raises(DataError, match=r"1 of 1 delivered rows cannot be used"):
        counter.ingest(max_quarantine_share=1)


def test_a_delivery_of_headers_only_stops_the_run(counter: Counter) -> None:
    counter.hand_in("a.csv")
    with pytest.raises(DataError, match=r"a\.csv: there is no row below the header\nHint: deliver"):
        counter.ingest()


def test_a_header_only_file_beside_others_is_fine(counter: Counter) -> None:
    counter.hand_in("a.csv")
    counter.hand_in("b.csv", LINE)
    assert counter.ingest().rows("source_file", "source_row") == [("b.csv", 1)]


def test_rows_dated_after_the_delivery_are_set_aside(counter: Counter) -> None:
    counter.hand_in(
        "a.csv",
        "O1,2025-03-05 23:59:59,C1,P1,2,1.50",
        "O2,2025-03-06 00:00:00,C1,P1,2,1.50",
        "O3,2099-01-01 00:00:00,C1,P1,2,1.50",
        "O4,2100-01-01 00:00:00,C1,P1,2,1.50",
    )

    outcome = counter.ingest(latest=dt.date(2025, 3, 6))

    assert outcome.quarantine() == [
        ("a.csv", 2, "future_date", "at", "2025-03-06 00:00:00"),
        ("a.csv", 3, "future_date", "at", "2099-01-01 00:00:00"),
        ("a.csv", 4, "out_of_range", "at", "2100-01-01 00:00:00"),
    ]
    assert outcome.ingested.last_at == dt.datetime(2025, 3, 5, 23, 59, 59)
    assert outcome.ingested.first_ahead == dt.date(2025, 3, 6)
    assert reconcile_delivery(outcome.ingested).passed


def test_other_rows_set_aside_are_not_dated_ahead(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, ",2025-03-05 10:00:00,C1,P1,2,1.50", "O4,2100-01-01 00:00:00,C1,P1,2,1.50")
    assert counter.ingest(latest=dt.date(2025, 3, 6)).ingested.first_ahead is None


def test_without_a_latest_day_any_real_date_is_taken(counter: Counter) -> None:
    counter.hand_in("a.csv", "O3,2099-12-31 00:00:00,C1,P1,2,1.50")
    assert counter.ingest().ingested.stored_rows == 1


def test_days_of_registration_after_the_delivery_are_emptied(counter: Counter) -> None:
    counter.hand_in("a.csv", "1,1980,01.02.2025", "2,1980,02.02.2025", "3,,", header="id,born,since")
    outcome = counter.ingest(CUSTOMERS, latest=dt.date(2025, 2, 2))
    assert outcome.quarantine() == []
    assert outcome.rows("customer_id", "birth_year", "registered_on", "repairs") == [
        ("1", 1980, dt.date(2025, 2, 1), None),
        ("2", 1980, None, "registered_on:unreadable"),
        ("3", None, None, None),
    ]
    assert outcome.ingested.first_ahead == dt.date(2025, 2, 2)


def test_first_day_ahead_is_that_of_all_columns(counter: Counter) -> None:
    customers = CustomersTable(
        files=("*.csv",),
        columns={"customer_id": "id", "registered_on": "since", "newsletter_since": "news"},
        date_format="%Y-%m-%d",
    )
    counter.hand_in("a.csv", "1,2025-02-03,", "2,,2025-02-02", "3,2024-01-01,", header="id,since,news")
    assert counter.ingest(customers, latest=dt.date(2025, 2, 1)).ingested.first_ahead == dt.date(2025, 2, 2)


def test_files_of_csv_and_parquet_are_read_together(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE)
    counter.hand_in_parquet(
        "b.parquet",
        "SELECT 7::BIGINT AS \"order\", DATE '2025-03-06' AS at, 13085.0::DOUBLE AS customer, "
        "22423.0::DOUBLE AS product, 3.0::DOUBLE AS units, 0.1::DOUBLE + 0.2::DOUBLE AS price",
    )
    outcome = counter.ingest(order_lines_mapping(files=("*.csv", "*.parquet")))
    columns = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price", "source_row")
    assert outcome.rows(*columns)[1] == (
        "7", dt.datetime(2025, 3, 6), "13085", "22423", 3, Decimal("0.3000"), 1
    )  # fmt: skip


def test_more_files_than_one_statement_takes_are_all_read(counter: Counter) -> None:
    for number in range(70):
        counter.hand_in(f"{number:02d}.csv", LINE.replace("O1", f"O{number}"))
    assert counter.ingest().ingested.stored_rows == 70


def test_output_is_byte_identical_for_any_number_of_threads(counter: Counter, tmp_path: Path) -> None:
    lines = [
        f"O{i % 977},2025-0{i % 3 + 1}-05 10:00:00,C{i % 89},P{i % 13},{i % 7 + 1},{i % 50}.25" for i in range(9000)
    ]
    counter.hand_in("a.csv", *lines, "O1,bad,C1,P1,1,1")
    counter.hand_in("b.csv", *lines[:100])
    mapping = order_lines_mapping()
    source = SourceSettings(order_lines=mapping)
    digests = set()
    for threads in (1, 2, 4):
        staging = tmp_path / f"threads-{threads}"
        staging.mkdir()
        with Engine(EngineSettings(threads=threads), tmp_path / "spill").connect() as connection:
            files = list_delivery(counter.folder, source)
            ingest_table(connection, RAW_ORDER_LINES, mapping, files, counter.folder, staging, source=source)
        content = b"".join(path.read_bytes() for path in sorted(staging.rglob("*.parquet")))
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == 1


def test_nothing_but_the_result_is_left_in_staging(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, "O1,2025-03-05 10:00:00,C1,P1,2,1.50,too many", encoding="utf-16")
    outcome = counter.ingest(order_lines_mapping(encoding="utf-16"))
    left = sorted(path.relative_to(outcome.staging).as_posix() for path in outcome.staging.rglob("*"))
    assert left == ["2025-03-01", "2025-03-01/part-0.parquet", "quarantine.parquet"]


def test_customers_are_stored_whole_and_the_first_of_an_id_in_a_file_holds(counter: Counter) -> None:
    counter.hand_in("a.csv", "2.0,1980,01.02.2020", "1,,", "2,1999,05.06.2021", header="id,born,since")
    counter.hand_in("b.csv", "1,1970,01.01.2021", "3,12,", "4,1980.5,", "5,1980,1.13.2020", header="id,born,since")

    outcome = counter.ingest(CUSTOMERS)

    assert outcome.rows("customer_id", "registered_on", "birth_year", "country", "source_file") == [
        ("2", dt.date(2020, 2, 1), 1980, None, "a.csv"),
        ("1", dt.date(2021, 1, 1), 1970, None, "b.csv"),
        ("3", None, None, None, "b.csv"),
        ("4", None, None, None, "b.csv"),
        ("5", None, 1980, None, "b.csv"),
    ]
    assert outcome.quarantine() == [
        ("a.csv", 2, "redelivered", "id", "1"),
        ("a.csv", 3, "duplicate_key", "id", "2"),
    ]
    assert outcome.ingested.delivered_amount is None
    assert (outcome.ingested.months, outcome.ingested.first_at) == ((), None)
    assert reconcile_delivery(outcome.ingested).passed


def test_unreadable_field_of_a_profile_is_emptied_and_the_rest_of_the_row_counts(counter: Counter) -> None:
    counter.hand_in("c.csv", "1,31.02.1980,5,staff", "2,1.1.2020,many,", "3,x,1,", header="id,since,persons,kind")
    outcome = counter.ingest(PROFILES)
    assert outcome.rows("customer_id", "registered_on", "household_size", "account_type", "repairs") == [
        ("1", None, 5, "staff", "registered_on:unreadable"),
        ("2", dt.date(2020, 1, 1), None, None, "household_size:unreadable"),
        ("3", None, 1, None, "registered_on:unreadable"),
    ]
    assert outcome.quarantine() == []
    assert outcome.ingested.repair_counts == {"household_size:unreadable": 1, "registered_on:unreadable": 2}


def test_too_many_unreadable_fields_stop_and_name_the_first(counter: Counter) -> None:
    rows = [f"{number},02/01/2020,1," for number in range(3)]
    counter.hand_in("c.csv", "9,1.1.2020,1,", *rows, ",1.1.2020,1,", header="id,since,persons,kind")
    with pytest.raises(DataError) as stopped:
        counter.ingest(PROFILES, max_quarantine_share=0.7)
    assert str(stopped.value).startswith(
        "raw/customers: 4 of 5 delivered rows cannot be used (1 missing_value, 3 unparseable_date); allowed is a share "
        "of 0.7. The first is c.csv, row 2, column 'since': '02/01/2020', the date does not follow source date_format"
    )


def test_row_that_is_set_aside_and_has_an_unreadable_field_counts_once(counter: Counter) -> None:
    counter.hand_in("c.csv", "1,bad,1,", "1,bad,1,", "2,1.1.2020,1,", header="id,since,persons,kind")
    with pytest.raises(
        DataError, match=r"2 of 3 delivered rows cannot be used \(1 duplicate_key, 1 unparseable_date\)"
    ):
        counter.ingest(PROFILES, max_quarantine_share=0.6)


def test_unreadable_fields_within_the_allowed_share_set_no_row_aside(counter: Counter) -> None:
    counter.hand_in("c.csv", "1,bad,1,", "2,bad,1,", "3,1.1.2020,1,", ",1.1.2020,1,", header="id,since,persons,kind")
    assert counter.ingest(PROFILES, max_quarantine_share=0.75).ingested.quarantined_rows == 1


def test_field_with_a_rule_of_the_settings_sets_its_row_aside(counter: Counter) -> None:
    counter.hand_in("c.csv", "1,bad,5,staff", "2,1.1.2020,many,", header="id,since,persons,kind")
    rules = (ColumnRule(column="household_size", minimum=1),)
    outcome = counter.ingest(PROFILES, rules=rules)
    assert outcome.quarantine() == [("c.csv", 2, "not_a_number", "persons", "many")]


def test_products_keep_leading_zeros_and_letter_case(counter: Counter) -> None:
    counter.hand_in("p.csv", "007a,Shoes,Boots", "007A,Shoes,", "10.0,Hats,", "8,,", header="code,dep,class")
    outcome = counter.ingest(PRODUCTS)
    assert outcome.rows("product_id", "department", '"class"') == [
        ("007a", "Shoes", "Boots"),
        ("007A", "Shoes", None),
        ("10.0", "Hats", None),
    ]
    assert outcome.quarantine() == [("p.csv", 4, "missing_value", "dep", None)]


def test_events_are_stored_by_month(counter: Counter) -> None:
    events = EngagementEventsTable(
        files=("*.csv",), columns={"customer_id": "c", "event_at": "at", "event_type": "what"}, date_format="%Y-%m-%d"
    )
    counter.hand_in("e.csv", "C1,2025-03-05,visit", "C1,2025-04-05,visit", ",2025-04-05,visit", header="c,at,what")
    outcome = counter.ingest(events)
    assert outcome.ingested.months == ("2025-03-01", "2025-04-01")
    assert outcome.quarantine() == [("e.csv", 3, "missing_value", "c", None)]


def test_events_need_no_type(counter: Counter) -> None:
    events = EngagementEventsTable(
        files=("*.csv",), columns={"customer_id": "c", "event_at": "at"}, date_format="%Y-%m-%d"
    )
    counter.hand_in("e.csv", "C1,2025-03-05", header="c,at")
    assert counter.ingest(events).rows("customer_id", "event_type") == [("C1", None)]


def test_no_file_gives_an_empty_table(connection: Connection, tmp_path: Path) -> None:
    ingested = ingest_table(
        connection, RAW_CUSTOMERS, CUSTOMERS, (), tmp_path, tmp_path, source=SourceSettings(customers=CUSTOMERS)
    )
    path = quote_text(str(tmp_path / "part-0.parquet"))
    assert ingested.delivered_rows == ingested.stored_rows == 0
    assert [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {path}").fetchall()] == list(
        RAW_CUSTOMERS.column_names
    )
