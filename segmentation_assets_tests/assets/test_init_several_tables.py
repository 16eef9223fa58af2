"""`segmentation init` on workbooks and databases: sheets and tables are told apart, and what it writes can be run."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine
from segmentation_assets_tests.assets.conftest import Printed

Segmentation = Callable[..., Printed]
HEADER = ("Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID")
EXCEL_LINES = [
    (536365, 22423, 6, dt.datetime(2010, 12, 1, 8, 26), 2.55, 13085.0),
    ("C536366", "71053A", -1, dt.datetime(2010, 12, 13, 9, 0), 3.39, None),
    (536367, "71053A", 2, dt.datetime(2010, 12, 13, 9, 1), 3.39, 13086.0),
]
PEOPLE = [("Customer ID", "Country"), (13085, "United Kingdom"), (13086, "France")]


def ingest(segmentation: Segmentation) -> dict[str, int]:
    """Take the delivery in by ``segmentation.yaml`` and count the rows of each raw table."""
    ran = segmentation("run", "--only", "source", "--only", "raw")
    assert (ran.code, ran.err) == (0, "")
    platform = Platform(load_settings(config=Path("segmentation.yaml")).settings)
    found = (platform.store.manifest(node.key) for node in platform.graph.nodes if node.layer == "raw")
    return {manifest.key: manifest.row_count for manifest in found if manifest}


def write_workbook(path: str, sheets: dict[str, Sequence[Sequence[object]]]) -> None:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)


def test_sheets_of_a_workbook_are_told_apart_and_a_remark_is_left_out(segmentation: Segmentation) -> None:
    older = [(f"5{line[0]}", *line[1:]) for line in EXCEL_LINES]
    sheets = {"Read me": [("Exported on Monday",)], "2010": [HEADER, *EXCEL_LINES], "2011": [HEADER, *older]}
    write_workbook("shop.xlsx", {**sheets, "People": PEOPLE, "empty": []})

    printed = segmentation("init", "shop.xlsx")

    assert (printed.code, printed.err) == (0, "")
    assert "shop.xlsx[2010]: order lines; 6 columns, all 3 rows looked at" in printed.out
    assert "certain  sheets: 2010, 2011" in printed.out
    assert "shop.xlsx[Read me]: not read; none of order lines" in printed.out
    source = load_settings(config=Path("segmentation.yaml")).settings.source
    assert source.order_lines.sheets == ("2010", "2011")
    assert source.customers.sheets == ("People",)
    assert source.cancellations.prefix == "C"
    assert ingest(segmentation) == {"raw/order_lines": 6, "raw/customers": 2, "raw/quarantine": 0}


def test_all_sheets_need_no_names_and_texts_decide_the_date_format(segmentation: Segmentation) -> None:
    days = [line[3].replace(hour=0, minute=0) for line in EXCEL_LINES]
    lines = [[*line[:3], day, *line[4:]] for line, day in zip(EXCEL_LINES, days, strict=True)]
    lines.append([536368, "71053A", 1, "30.12.2010", 1.0, 13086.0])
    write_workbook("orders.xlsx", {"2010": [HEADER, *lines], "2011": [HEADER]})

    printed = segmentation("init", "orders.xlsx")

    assert "certain  date_format: %d.%m.%Y" in printed.out
    assert "sheets:" not in Path("segmentation.yaml").read_text(encoding="utf-8")
    assert ingest(segmentation) == {"raw/order_lines": 4, "raw/quarantine": 0}


def hide(path: str, sheet: str) -> None:
    workbook = load_workbook(path)
    workbook[sheet].sheet_state = "hidden"
    workbook.save(path)


def test_a_hidden_sheet_among_those_named_is_a_guess(segmentation: Segmentation) -> None:
    older = [(f"5{line[0]}", *line[1:]) for line in EXCEL_LINES]
    write_workbook("shop.xlsx", {"2010": [HEADER, *EXCEL_LINES], "2011": [HEADER, *older], "People": PEOPLE})
    hide("shop.xlsx", "2011")

    printed = segmentation("init", "shop.xlsx")

    doubt = "'2011' is hidden and read like the others; leave it out if no delivery"
    assert f"  guess    sheets: 2010, 2011 ({doubt})\n" in printed.out
    text = Path("segmentation.yaml").read_text(encoding="utf-8")
    assert f'    sheets: ["2010", "2011"]  # confirm: {doubt}\n' in text
    assert "    sheets: [People]  # of each workbook\n" in text
    assert ingest(segmentation)["raw/order_lines"] == 6


def test_a_hidden_sheet_where_all_are_read_is_a_guess(segmentation: Segmentation) -> None:
    older = [(f"5{line[0]}", *line[1:]) for line in EXCEL_LINES]
    write_workbook("orders.xlsx", {"2010": [HEADER, *EXCEL_LINES], "2011": [HEADER, *older]})
    hide("orders.xlsx", "2011")

    printed = segmentation("init", "orders.xlsx")

    assert "  guess    sheets: all ('2011' is hidden and read like the others" in printed.out
    assert "    # sheets:  # confirm: '2011' is hidden" in Path("segmentation.yaml").read_text(encoding="utf-8")
    assert ingest(segmentation)["raw/order_lines"] == 6


def test_names_of_columns_further_down_in_a_sheet_are_told(segmentation: Segmentation) -> None:
    write_workbook("orders.xlsx", {"May": [("Sales in May",), (), HEADER, *EXCEL_LINES]})

    printed = segmentation("init", "orders.xlsx")

    assert printed.err == (
        "error: orders.xlsx[May]: the names of the columns ('Invoice', 'StockCode', 'Quantity') stand further down "
        "than in the first line\nHint: remove what stands above them, or export it again without.\n"
    )


def make_duckdb(path: Path, *, extra: bool) -> None:
    with Engine(EngineSettings(), path.parent / "spill").connect() as connection:
        connection.execute(f"ATTACH '{path}' AS made")
        connection.execute(
            "CREATE TABLE made.sales AS SELECT range AS order_id, TIMESTAMP '2024-01-05 10:00:00' "
            "+ to_days(CAST(range AS INTEGER)) AS order_date, 'K' || range % 9 AS customer_id, 'P1' AS sku, "
            "1 AS quantity, 2.5 AS unit_price "
            "FROM range(40)"
        )
        connection.execute("CREATE TABLE made.people AS SELECT 'K' || range AS customer_id, 'NL' AS land FROM range(9)")
        connection.execute("CREATE TABLE made.migrations AS SELECT 1 AS version")
        if extra:
            connection.execute("CREATE TABLE made.sales_old AS FROM made.sales")
        connection.execute("DETACH made")


def make_sqlite(path: Path, *, extra: bool) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE sales (order_id, order_date, customer_id, sku, quantity, unit_price)")
        rows = [(n, f"2024-01-{1 + n % 31:02d} 10:00:00", f"K{n % 9}", "P1", 1, 2.5) for n in range(40)]
        database.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.execute("CREATE TABLE people (customer_id, country)")
        database.executemany("INSERT INTO people VALUES (?, 'NL')", [(f"K{n}",) for n in range(9)])
        database.execute("CREATE TABLE migrations AS SELECT 1 AS version")
        if extra:
            database.execute("CREATE TABLE sales_old AS SELECT * FROM sales")
    database.close()


@pytest.mark.parametrize(("name", "make"), [("shop.duckdb", make_duckdb), ("shop.sqlite", make_sqlite)])
def test_tables_of_a_database_are_told_apart(segmentation: Segmentation, name: str, make) -> None:
    make(Path(name).absolute(), extra=False)

    printed = segmentation("init", name)

    assert (printed.code, printed.err) == (0, "")
    assert f"{name}[sales]: order lines; 6 columns, all 40 rows looked at" in printed.out
    assert "certain  table: sales" in printed.out
    assert f"{name}[migrations]: not read" in printed.out
    assert ingest(segmentation) == {"raw/order_lines": 40, "raw/customers": 9, "raw/quarantine": 0}


def test_two_tables_that_would_do_are_a_marked_guess(segmentation: Segmentation) -> None:
    make_duckdb(Path("shop.duckdb").absolute(), extra=True)

    printed = segmentation("init", "shop.duckdb")

    assert "guess    table: sales ('sales_old' would fit too)" in printed.out
    assert "shop.duckdb[sales_old]: not read; order lines like shop.duckdb[sales], but in another table" in printed.out
    assert "table: sales  # confirm: 'sales_old' would fit too" in Path("segmentation.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", ["postgresql://reader:s3cret@db.example.org/shop", "host=db password=s3cret"])
def test_a_server_is_refused_with_a_way_out_and_no_password(segmentation: Segmentation, named: str) -> None:
    printed = segmentation("init", named)

    assert printed.code == 1
    assert "looks at files, and a connection of a server was named\nHint: export some lines" in printed.err
    assert "s3cret" not in printed.out + printed.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", "error: a.xlsx is not a readable workbook"),
        ("a.duckdb", "error: a.duckdb is neither a DuckDB nor a SQLite file"),
    ],
)
def test_garbage_is_one_error_and_nothing_is_written(segmentation: Segmentation, name: str, message: str) -> None:
    Path(name).write_bytes(b"no such thing" * 99)
    printed = segmentation("init", name)
    assert (printed.code, printed.out) == (1, "")
    assert printed.err.startswith(message)
    assert not Path("segmentation.yaml").exists()


def test_a_workbook_without_rows_is_told(segmentation: Segmentation) -> None:
    write_workbook("a.xlsx", {"2010": [HEADER]})
    assert (
        segmentation("init", "a.xlsx").err
        == "error: a.xlsx: no sheet has a row\nHint: export it again, with its rows.\n"
    )
