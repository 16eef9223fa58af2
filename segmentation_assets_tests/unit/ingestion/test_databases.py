from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from segmentation_assets.config.source import OrderLinesTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets.storage.engine import quote_text
from segmentation_assets_tests.unit.ingestion.counter import LINE, Counter, order_lines_mapping

AT = dt.datetime(2025, 3, 5, 10)
SQLITE_TABLE = 'CREATE TABLE lines ("order", at, customer, product, units, price)'
SQLITE_LINE = "INSERT INTO lines VALUES ('O1', '2025-03-05 10:00:00', 'C1', 'P1', 2, 1.5)"
DUCKDB_TABLE = (
    "CREATE TABLE made.lines AS SELECT 'O1' AS \"order\", TIMESTAMP '2025-03-05 10:00:00' AS at, 'C1' AS customer, "
    "'P1' AS product, 2 AS units, 1.5 AS price"
)


def database_mapping(**changes: Any) -> OrderLinesTable:
    return order_lines_mapping(**{"files": ("shop.*",), "table": "lines"} | changes)


@pytest.fixture(params=["shop.sqlite", "shop.duckdb"])
def name(request: pytest.FixtureRequest, counter: Counter) -> str:
    """A database of each kind with one order line."""
    if request.param == "shop.sqlite":
        counter.hand_in_sqlite(request.param, SQLITE_TABLE, SQLITE_LINE)
    else:
        counter.hand_in_duckdb(request.param, DUCKDB_TABLE)
    return str(request.param)


def test_a_table_of_a_database_is_a_part(counter: Counter, name: str) -> None:
    before = (counter.folder / name).read_bytes()

    outcome = counter.ingest(database_mapping())

    columns = (
        "source_file",
        "source_row",
        "order_id",
        "order_at",
        "customer_id",
        "product_id",
        "quantity",
        "unit_price",
    )
    assert outcome.rows(*columns) == [(f"{name}[lines]", 1, "O1", AT, "C1", "P1", 2, Decimal("1.5"))]
    assert outcome.ingested.part_rows == {f"{name}[lines]": 1}
    assert (counter.folder / name).read_bytes() == before
    assert [path.name for path in counter.folder.iterdir()] == [name]


def test_a_database_beside_files_resolves_redelivered_orders(counter: Counter, name: str) -> None:
    counter.hand_in("zz.csv", LINE.replace(",2,", ",7,"))
    outcome = counter.ingest(database_mapping(files=("*",)))
    assert outcome.rows("source_file", "quantity") == [("zz.csv", 7)]
    assert outcome.quarantine() == [(f"{name}[lines]", 1, "redelivered", "order", "O1")]


def test_a_database_is_let_go_after_reading(counter: Counter, name: str) -> None:
    counter.ingest(database_mapping())
    shutil.rmtree(counter.staging)
    assert counter.ingest(database_mapping()).ingested.stored_rows == 1


def test_a_missing_table_is_refused_with_the_closest(counter: Counter, name: str) -> None:
    message = rf"{name} has no table 'line', which source\.order_lines\.table names\nHint: did you mean 'lines'\?"
    with pytest.raises(DataError, match=message):
        counter.ingest(database_mapping(table="line"))


def test_a_database_without_a_named_table_is_refused_with_its_tables(counter: Counter, name: str) -> None:
    message = rf"{name} is a database, and source\.order_lines\.table does not say .*\nHint: set it to .*: lines\."
    with pytest.raises(DataError, match=message):
        counter.ingest(database_mapping(table=None))


def test_a_table_without_a_mapped_column_is_refused(counter: Counter, name: str) -> None:
    columns = order_lines_mapping().columns | {"unit_price": "prices"}
    with pytest.raises(
        DataError, match=rf"{name}\[lines\] has no column 'prices', which .*\nHint: did you mean 'price'"
    ):
        counter.ingest(database_mapping(columns=columns))


@pytest.mark.parametrize(
    ("database", "beside"), [("shop.sqlite", "shop.sqlite-wal"), ("shop.sqlite", "shop.sqlite-journal"),
                             ("shop.duckdb", "shop.duckdb.wal")],
)  # fmt: skip
def test_changes_that_lie_beside_a_database_are_refused(counter: Counter, database: str, beside: str) -> None:
    counter.hand_in_sqlite("shop.sqlite", SQLITE_TABLE, SQLITE_LINE)
    counter.hand_in_duckdb("shop.duckdb", DUCKDB_TABLE)
    (counter.folder / beside).write_bytes(bytes(4) + b"\1")
    with pytest.raises(DataError, match=rf"{database} has changes that lie in {beside} and not in it yet\nHint: close"):
        counter.ingest(database_mapping(files=(database,)))


def test_an_emptied_journal_is_no_change(counter: Counter) -> None:
    counter.hand_in_sqlite("shop.sqlite", SQLITE_TABLE, SQLITE_LINE)
    (counter.folder / "shop.sqlite-journal").write_bytes(bytes(512))
    assert counter.ingest(database_mapping(files=("*.sqlite",))).ingested.stored_rows == 1


def test_a_file_that_is_no_database_is_refused(counter: Counter) -> None:
    (counter.folder / "shop.db").write_bytes(b"no database at all")
    with pytest.raises(DataError, match=r"shop\.db is neither a DuckDB nor a SQLite file\nHint: deliver it again"):
        counter.ingest(database_mapping())


def test_a_truncated_database_is_refused(counter: Counter) -> None:
    counter.hand_in_sqlite("shop.sqlite", SQLITE_TABLE, *[SQLITE_LINE] * 500)
    counter.hand_in_duckdb("shop.duckdb", DUCKDB_TABLE)
    for name, kept in (("shop.sqlite", 8192), ("shop.duckdb", 5000)):
        content = (counter.folder / name).read_bytes()
        (counter.folder / name).write_bytes(content[:kept])
        with pytest.raises(DataError, match=rf"{name} cannot be read as a database: .*\nHint: deliver it again"):
            counter.ingest(database_mapping(files=(name,)))
        shutil.rmtree(counter.staging)


def test_values_of_sqlite_are_typed_one_by_one(counter: Counter) -> None:
    counter.hand_in_sqlite(
        "shop.sqlite",
        SQLITE_TABLE,
        "INSERT INTO lines VALUES (536365, '2025-03-05 10:00:00', 13085.0, x'3433', 2, 0.1 + 0.2)",
        "INSERT INTO lines VALUES ('C7', '2025-03-05 10:00:00', NULL, '007', 3.0, '2.55')",
        "INSERT INTO lines VALUES (9007199254740993, 45721, 13085.5, 1, 2.5, 1)",
        "INSERT INTO lines VALUES (NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    outcome = counter.ingest(database_mapping())
    columns = ("order_id", "customer_id", "product_id", "quantity", "unit_price")
    assert outcome.rows(*columns) == [
        ("536365", "13085", "43", 2, Decimal("0.3")),
        ("C7", None, "007", 3, Decimal("2.55")),
    ]
    assert outcome.quarantine() == [
        ("shop.sqlite[lines]", 3, "unparseable_date", "at", "45721"),
    ]
    assert outcome.ingested.part_rows == {"shop.sqlite[lines]": 3}


def test_row_without_any_value_is_no_row_and_one_with_a_value_elsewhere_is(counter: Counter, name: str) -> None:
    rows = ["INSERT INTO {}lines (note) VALUES (NULL), ('')", "INSERT INTO {}lines (note) VALUES ('x')"]
    added = ["ALTER TABLE {}lines ADD COLUMN note VARCHAR", *rows]
    line = SQLITE_LINE.replace("lines VALUES ('O1'", "{}lines VALUES ('O2'").replace("1.5)", "1.5, NULL)")
    hand_in = counter.hand_in_sqlite if name.endswith("sqlite") else counter.hand_in_duckdb
    schema = "" if name.endswith("sqlite") else "made."
    hand_in(name, *(statement.format(schema) for statement in (*added, line)))

    outcome = counter.ingest(database_mapping())

    assert outcome.rows("source_row", "order_id") == [(1, "O1"), (5, "O2")]
    assert outcome.quarantine() == [(f"{name}[lines]", 4, "missing_value", "order", None)]
    assert outcome.ingested.part_rows == {f"{name}[lines]": 3}
    assert reconcile_delivery(outcome.ingested).passed


def test_rows_of_sqlite_keep_the_order_they_are_stored_in(counter: Counter) -> None:
    lines = [SQLITE_LINE.replace("O1", order) for order in ("O3", "O1", "O2")]
    index = 'CREATE INDEX covering ON lines ("order", at, customer, product, units, price)'
    counter.hand_in_sqlite("shop.sqlite", SQLITE_TABLE, *lines, index)
    assert counter.ingest(database_mapping()).rows("order_id") == [("O3",), ("O1",), ("O2",)]


def test_binary_ids_that_have_become_one_are_set_aside(counter: Counter) -> None:
    numbers = ("9007199254740991.0", "9000000000000000001.0", "9000000000000000002.0", "9000000000000000002")
    lines = [SQLITE_LINE.replace("'C1'", number) for number in numbers]
    counter.hand_in_sqlite("shop.sqlite", SQLITE_TABLE, SQLITE_LINE, *lines)

    outcome = counter.ingest(database_mapping())

    assert outcome.rows("customer_id") == [("C1",), ("9007199254740991",), ("9000000000000000002",)]
    assert outcome.quarantine() == [("shop.sqlite[lines]", row, "fractional_id", "customer", "9e+18") for row in (3, 4)]


def test_types_of_duckdb_are_kept_and_huge_numbers_exact(counter: Counter) -> None:
    counter.hand_in_duckdb(
        "shop.duckdb",
        "CREATE SCHEMA made.sales",
        'CREATE TABLE made.sales.lines AS SELECT 170141183460469231731687303715884105727::HUGEINT AS "order", '
        "DATE '2025-03-05' AS at, 13085.0::DOUBLE AS customer, 'x'::ENUM('x') AS product, 2::UTINYINT AS units, "
        "2.55::DECIMAL(9,2) AS price",
    )
    outcome = counter.ingest(database_mapping(table="sales.lines"))
    assert outcome.rows("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price") == [
        (str(2**127 - 1), dt.datetime(2025, 3, 5), "13085", "x", 2, Decimal("2.55"))
    ]


def test_views_are_no_tables(counter: Counter) -> None:
    counter.hand_in_sqlite("shop.sqlite", SQLITE_TABLE, "CREATE VIEW seen AS SELECT * FROM lines")
    counter.hand_in_duckdb("shop.duckdb", DUCKDB_TABLE, "CREATE VIEW made.seen AS SELECT * FROM made.lines")
    for name in ("shop.sqlite", "shop.duckdb"):
        with pytest.raises(DataError, match=rf"{name} has no table 'seen'"):
            counter.ingest(database_mapping(files=(name,), table="seen"))
        shutil.rmtree(counter.staging)


codes = st.integers(0, 2**63 - 1) | st.text("ABC0123456789-./'\"", min_size=1, max_size=8)
amounts = st.decimals(-(10**5), 10**5, places=4, allow_nan=False).map(lambda amount: amount + 0)
instants = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2099, 12, 30)).map(lambda at: at.replace(microsecond=0))
lines = st.tuples(codes, instants, st.integers(-(10**6), 10**6), amounts)


def write_sqlite(counter: Counter, rows: list[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(counter.folder / "shop.sqlite")) as database:
        database.execute(SQLITE_TABLE)
        values = [(order, str(at), "C1", code, units, float(price)) for order, code, at, units, price in rows]
        database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", values)
        database.commit()


def write_duckdb(counter: Counter, rows: list[tuple[Any, ...]]) -> None:
    columns = '"order" VARCHAR, "at" TIMESTAMP, customer VARCHAR, product VARCHAR, units BIGINT, price DECIMAL(18,4)'
    values = ", ".join(
        f"('{order}', TIMESTAMP '{at}', 'C1', {quote_text(str(code))}, {units}, {price})"
        for order, code, at, units, price in rows
    )
    created = f"CREATE TABLE made.lines ({columns})"
    counter.hand_in_duckdb("shop.duckdb", created, f"INSERT INTO made.lines VALUES {values}")


@settings(
    max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
@given(drawn=st.lists(lines, min_size=1, max_size=25))
def test_codes_money_and_dates_survive_a_database(
    counter: Counter, write: Callable[[Counter, list[Any]], None], drawn: list[Any]
) -> None:
    shutil.rmtree(counter.staging, ignore_errors=True)
    for path in counter.folder.iterdir():
        path.unlink()
    rows = [(f"O{place:02}", *values) for place, values in enumerate(drawn)]
    write(counter, rows)

    outcome = counter.ingest(database_mapping())

    assert outcome.rows("order_id", "product_id", "order_at", "quantity", "unit_price") == [
        (order, str(code), at, units, price) for order, code, at, units, price in rows
    ]
