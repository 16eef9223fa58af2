"""`segmentation init` on files: what it writes can be run, and what it cannot read is told in one sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.graph.inputs import order_line_months
from segmentation_assets.graph.platform import Platform
from segmentation_assets.ingestion.classification import cancelled_sql
from segmentation_assets.storage.engine import Connection, Engine, fetch_row, parquet_scan, quote_text
from segmentation_assets.tables.raw import DELIVERED_TABLES
from segmentation_assets_tests.assets.conftest import Printed, Shop

GERMAN = """\
Bestellnr;Bestelldatum;Kundennr;Artikelnr;Menge;Einzelpreis;Bezeichnung
1001;30.01.2024 08:05;5;A1;2;2,55;Müller-Tasse
1002;01.02.2024 09:00;6;A2;-1;10,00;Straßenkarte
1003;02.02.2024 10:30;;A1;1;4,90;Größentabelle
"""
US = """\
Invoice, Invoice Date ,Customer ID,StockCode,Quantity,Price
536365,12/1/10 8:26,13085.0,85123A,6,2.55
536366,12/13/10 9:00,13086.0,71053,1,3.39
"""
CUSTOMERS = "Kundennr,Registriert am,Land\n5,2020-01-01,DE\n6,2021-05-05,DE\n"


def ingest(segmentation: Callable[..., Printed], *arguments: str) -> Platform:
    """Take the delivery in by ``segmentation.yaml`` and return the platform."""
    ran = segmentation("run", "--only", "source", "--only", "raw", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return Platform(load_settings(config=Path("segmentation.yaml")).settings)


def raw_lines(platform: Platform) -> str:
    months = order_line_months(platform)
    return parquet_scan([path for month in months for path in platform.store.slice_paths("raw/order_lines", month)])


def test_german_file_and_its_customers_are_taken_in_as_proposed(segmentation: Callable[..., Printed]) -> None:
    Path("orders.csv").write_bytes(GERMAN.encode("cp1252"))
    Path("customers.csv.gz").write_bytes(gzip.compress(CUSTOMERS.encode("utf-8-sig")))

    printed = segmentation("init", "orders.csv", "customers.csv.gz")

    assert (printed.code, printed.err) == (0, "")
    assert "orders.csv: order lines; 7 columns, all 3 rows looked at" in printed.out
    assert "customers.csv.gz: customers; 3 columns, all 2 rows looked at" in printed.out
    place = f"byte {GERMAN.index('ü')} is not UTF-8"
    assert (
        f"guess    encoding: cp1252 ({place}; it reads 'Müller', 'Straßenkarte', 'Größentabelle'; else" in printed.out
    )
    assert "certain  date_format: %d.%m.%Y %H:%M" in printed.out
    platform = ingest(segmentation)
    with platform.engine.connect() as connection:
        rows = connection.execute(
            "SELECT order_id, strftime(order_at, '%Y-%m-%d %H:%M'), customer_id, quantity, CAST(unit_price AS DOUBLE), "
            f"product_name FROM {raw_lines(platform)} ORDER BY 1"
        ).fetchall()
    assert rows == [
        ("1001", "2024-01-30 08:05", "5", 2, 2.55, "Müller-Tasse"),
        ("1002", "2024-02-01 09:00", "6", -1, 10.0, "Straßenkarte"),
        ("1003", "2024-02-02 10:30", None, 1, 4.9, "Größentabelle"),
    ]
    assert platform.store.manifest("raw/customers").row_count == 2


def test_us_dates_ids_as_floats_and_a_header_with_blanks_are_taken_in(segmentation: Callable[..., Printed]) -> None:
    Path("orders.csv").write_text(US, encoding="utf-8-sig")

    printed = segmentation("init", "orders.csv")

    assert "'Customer ID' came as numbers with a fraction, such as '13085.0'; it is read as 13085" in printed.out
    platform = ingest(segmentation)
    with platform.engine.connect() as connection:
        rows = connection.execute(
            f"SELECT CAST(order_at AS VARCHAR), customer_id FROM {raw_lines(platform)} ORDER BY 1"
        ).fetchall()
    assert rows == [("2010-12-01 08:26:00", "13085"), ("2010-12-13 09:00:00", "13086")]


@pytest.mark.parametrize("name", ["orders.tsv", "orders.txt.gz"])
def test_tab_separated_text_is_taken_in(segmentation: Callable[..., Printed], name: str) -> None:
    text = US.replace(",", "\t").encode()
    Path(name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    assert "certain  separator: '\\t'" in segmentation("init", name).out

    assert ingest(segmentation).store.manifest("raw/order_lines").row_count == 2


def test_files_below_one_folder_are_named_by_pattern(segmentation: Callable[..., Printed]) -> None:
    Path("in").mkdir()
    for month in ("01", "02"):
        text = (
            US.replace("12/1/10", f"{month}/1/11").replace("12/13/10", f"{month}/13/11").replace("53636", f"5{month}6")
        )
        Path(f"in/orders-2011-{month}.csv").write_text(text, encoding="utf-8")

    assert segmentation("init", "in/orders-2011-01.csv", "in/orders-2011-02.csv").code == 0

    source = load_settings(config=Path("segmentation.yaml")).settings.source
    assert source.folder == str(Path("in").absolute())
    assert source.order_lines is not None
    assert source.order_lines.files == ("orders-*.csv",)
    assert ingest(segmentation).store.manifest("raw/order_lines").row_count == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "error: a.csv is empty (0 bytes)\nHint: export it again.\n"),
        ("a.csv", b"a\n1\n", "error: a.csv has one column, 'a'"),
        ("a.csv", b"a,b\0c\n", "error: a.csv is no text file (byte 0x00 at offset 3)\nHint: export it as CSV"),
        ("a.csv.gz", b"a,b\n1,2\n", "error: a.csv.gz is damaged and cannot be unpacked: Not a gzipped file"),
        ("a.csv.zst", b"a,b\n1,2\n", "error: a.csv.zst is damaged and cannot be unpacked: "),
        ("a.csv", zstandard.ZstdCompressor().compress(b"a,b\n1,2\n"), "error: a.csv is no text file (byte 0x00 at "),
        ("a.csv", f"Sales in May\n\n{US}".encode(), "error: a.csv: the names of the columns ('Invoice', ' Inv"),
        ("a.parquet", b"PAR1PAR1", "error: a.parquet is not a readable Parquet file: "),
        ("a.docx", b"abc", "error: a.docx is of a kind that cannot be read\nHint: export it as, or let"),
        ("a.csv", b"a,b\n", "error: a.csv: there is no row below the header\nHint: export it again, with its rows.\n"),
    ],
)  # fmt: skip
def test_file_that_cannot_be_read_is_one_error_and_nothing_is_written(
    segmentation: Callable[..., Printed], name: str, content: bytes, message: str
) -> None:
    Path(name).write_bytes(content)

    printed = segmentation("init", name)

    assert (printed.code, printed.out) == (1, "")
    assert printed.err.startswith(message)
    assert printed.err.count("Hint: ") == 1
    assert [path.name for path in Path().iterdir()] == [name]


def test_file_that_is_not_there_offers_one_that_is(segmentation: Callable[..., Printed]) -> None:
    Path("orders.csv").write_text(US)
    printed = segmentation("init", "order.csv")
    assert printed.err == f"error: there is no file {Path('order.csv').absolute()}\nHint: did you mean 'orders.csv'?\n"


def test_a_folder_stands_for_the_files_in_and_below_it(segmentation: Callable[..., Printed]) -> None:
    for name in ("in/2011/orders.csv", "in/2012/orders.csv", "data/tables/orders.csv", "in/.old/orders.csv"):
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(US.replace("53636", f"5{name[6:7]}36"), encoding="utf-8")
    Path("in/people.csv").write_text(CUSTOMERS, encoding="utf-8")
    Path("in/notes.txt").write_text("on Monday", encoding="utf-8")

    printed = segmentation("init", ".")

    assert (printed.code, printed.err) == (0, "")
    source = load_settings(config=Path("segmentation.yaml")).settings.source
    assert source.order_lines is not None
    assert source.order_lines.files == ("2011/orders.csv", "2012/orders.csv")
    assert source.customers is not None
    assert source.customers.files == ("people.csv",)
    Path("data/tables/orders.csv").unlink()
    assert ingest(segmentation).store.manifest("raw/order_lines").row_count == 4


def test_a_folder_without_a_file_to_read_is_told(segmentation: Callable[..., Printed]) -> None:
    Path("notes.txt").write_text("on Monday", encoding="utf-8")
    assert segmentation("init", ".").err == (
        f"error: {Path().absolute()} holds no file that can be read\n"
        "Hint: name a folder with CSV, Parquet, Excel or databases; notes.txt: name such texts one by one if they are "
        "tables and no notes.\n"
    )


def test_files_of_a_folder_that_cannot_be_read_are_told_once_for_each_kind(
    segmentation: Callable[..., Printed],
) -> None:
    Path("in").mkdir()
    Path("in/orders-2025.csv").write_text(US)
    for name in ("orders-2022.zip", "orders-2023.XLS", "orders-2024.xls", "notes.txt", "logo.png", "~$orders.xls"):
        Path("in", name).write_bytes(b"x")

    printed = segmentation("init", "in")

    assert (printed.code, printed.err) == (0, "")
    told = [line for line in printed.out.splitlines() if ": not read; " in line]
    assert told == [
        "notes.txt: not read; name such texts one by one if they are tables and no notes",
        "orders-2022.zip: not read; unpack .zip",
        "orders-2023.XLS and 1 more file of its kind: not read; save .xls as .xlsx",
    ]
    assert "# orders-2022.zip: unpack .zip" in Path("segmentation.yaml").read_text()


def test_file_of_which_more_will_come_is_a_guess_and_the_later_ones_are_named(
    segmentation: Callable[..., Printed],
) -> None:
    Path("in").mkdir()
    Path("in/sales.csv").write_text(US)
    printed = segmentation("init", "in")
    doubt = "no other file is read; where more will come, write a pattern such as 'sales*.csv'"
    assert f"guess    files: sales.csv ({doubt})" in printed.out
    assert f"files: [sales.csv]  # confirm: {doubt}" in Path("segmentation.yaml").read_text()

    for name in ("sales-2025-02.csv", "sales-2025-03.CSV"):
        Path("in", name).write_text(US)

    named = "2 files that no pattern of the settings matches: sales-2025-02.csv, sales-2025-03.CSV. Hint: name them in"
    assert f"not read           {named}" in segmentation("config", "check").out
    assert f"not read      {named}" in segmentation("status").out
    assert f"  not read   {named}" in segmentation("run", "--only", "source").out


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zstandard.ZstdCompressor().compress)])
def test_packed_file_is_taken_in_as_proposed(
    segmentation: Callable[..., Printed], ending: str, pack: Callable[[bytes], bytes]
) -> None:
    Path(f"orders.csv.{ending}").write_bytes(pack(US.encode()))

    printed = segmentation("init", f"orders.csv.{ending}")

    assert (printed.code, printed.err) == (0, "")
    assert ingest(segmentation).store.manifest("raw/order_lines").row_count == 2


def test_existing_settings_are_replaced_only_when_asked(segmentation: Callable[..., Printed]) -> None:
    Path("orders.csv").write_text(US)
    Path("mine.yaml").write_text("currency: SEK\n")

    refused = segmentation("init", "orders.csv", "--output", "mine.yaml")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        "error: mine.yaml exists already\nHint: name another file after --output, or replace it with --force.\n"
    )
    assert Path("mine.yaml").read_text() == "currency: SEK\n"
    replaced = segmentation("init", "orders.csv", "--output", "mine.yaml", "--force")
    assert replaced.code == 0
    assert "segmentation config check --config mine.yaml" in replaced.out
    assert segmentation("config", "check", "--config", "mine.yaml").code == 0
    assert {path.name for path in Path().iterdir()} == {"orders.csv", "mine.yaml"}


def test_output_without_a_folder_is_refused(segmentation: Callable[..., Printed]) -> None:
    Path("orders.csv").write_text(US)
    printed = segmentation("init", "orders.csv", "--output", "gone/a.yaml")
    assert printed.err == f"error: there is no folder {Path('gone').absolute()}\nHint: make it, or name another one.\n"


def test_missing_column_is_listed_and_the_settings_cannot_be_loaded_until_it_is_named(
    segmentation: Callable[..., Printed],
) -> None:
    Path("orders.csv").write_text(US.replace("Quantity", "Volumen pro Zeile"))

    printed = segmentation("init", "orders.csv")

    assert printed.code == 1
    assert "  missing  quantity (by its values it could be 'Volumen pro Zeile')" in printed.out
    assert printed.err == (
        "error: segmentation.yaml is not complete; what was not found stands there as ???:\n"
        "  order_lines.columns.quantity: by its values it could be 'Volumen pro Zeile'\n"
        "Hint: write the column of the file in its place, or name a file that has it.\n"
    )
    checked = segmentation("config", "check")
    assert checked.code == 1
    assert "source.order_lines.columns.quantity: ??? stands where segmentation init found nothing" in checked.err
    path = Path("segmentation.yaml")
    path.write_text(path.read_text().replace("???", "Volumen pro Zeile"))
    assert segmentation("config", "check").code == 0


def test_header_with_a_name_that_stands_twice_is_told(segmentation: Callable[..., Printed]) -> None:
    header, *rows = US.splitlines()
    Path("orders.csv").write_text("\n".join([f"{header},Price", *(f"{row},1.00" for row in rows)]))
    printed = segmentation("init", "orders.csv")
    assert (
        "order_lines.columns.unit_price: 'Price' stands 2 times in the header; let each name stand once" in printed.err
    )


def test_delivery_of_all_four_tables_is_read_as_its_own_mapping_reads_it(
    shop: Shop, segmentation: Callable[..., Printed]
) -> None:
    """The small shop's files, known by name only."""
    files = sorted(str(path) for path in shop.deliveries.iterdir())

    printed = segmentation("init", *files, "--output", "segmentation.yaml")

    assert (printed.code, printed.err) == (0, "")
    proposed, own = load_settings(config=Path("segmentation.yaml")).settings.source, shop.settings().source
    for table in DELIVERED_TABLES:
        found, wanted = getattr(proposed, table), getattr(own, table)
        assert found.columns == wanted.columns
        assert list_names(shop.deliveries, found) == list_names(shop.deliveries, wanted)
    assert (proposed.cancellations.rule, proposed.cancellations.prefix) == ("prefix", "R")


def list_names(folder: Path, table: DeliveredTable) -> list[str]:
    return sorted({path.name for pattern in table.files for path in folder.glob(pattern)})


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "expected.json").read_text(encoding="utf-8"))["online_retail"]


@pytest.fixture
def connection(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Engine(EngineSettings(), tmp_path_factory.mktemp("spill")).connect() as opened:
        yield opened


def check_published(platform: Platform, published: dict[str, Any]) -> None:
    """Compare what was taken in with the published counts that need no list of codes."""
    source = platform.settings.source
    with platform.engine.connect() as connection:
        found = fetch_row(
            connection,
            "SELECT count(*), count(*) FILTER (customer_id IS NULL), count(DISTINCT customer_id), "
            "count(DISTINCT order_id), count(DISTINCT product_id), count(DISTINCT country), "
            f"count(*) FILTER ({cancelled_sql(source)}), count(*) FILTER (quantity < 0), "
            f"CAST(sum(quantity * unit_price) AS DOUBLE) FROM {raw_lines(platform)}",
        )
    distinct = published["distinct"]
    assert found[:-1] == (
        published["rows"],
        published["null_customer"],
        distinct["customer"],
        distinct["invoice"],
        distinct["stockcode"],
        distinct["country"],
        published["c_rows"],
        published["qty_negative"],
    )
    assert found[-1] == pytest.approx(published["net_value"], abs=0.001)
    assert platform.store.manifest("raw/quarantine").row_count == 0


def test_online_retail_is_taken_in_as_proposed(
    segmentation: Callable[..., Printed], shared_data: Path, published: dict[str, Any]
) -> None:
    printed = segmentation("init", str(shared_data / "online-retail" / "online_retail.parquet"))

    assert (printed.code, printed.err) == (0, "")
    settings = load_settings(config=Path("segmentation.yaml")).settings
    assert settings.currency == "GBP"
    assert settings.calendar.first_snapshot == "2011-10"
    assert (settings.source.cancellations.rule, settings.source.cancellations.prefix) == ("prefix", "C")
    assert {"POST", "DOT", "M"} <= set(settings.source.non_product_codes)
    check_published(ingest(segmentation), published)


def test_online_retail_as_a_spreadsheet_writes_it_is_taken_in_as_proposed(
    segmentation: Callable[..., Printed], shared_data: Path, published: dict[str, Any], connection: Connection
) -> None:
    write_csv(connection, shared_data / "online-retail" / "online_retail.parquet", Path("online_retail.csv"))

    printed = segmentation("init", "online_retail.csv")

    assert (printed.code, printed.err) == (0, "")
    assert "certain  date_format: %m/%d/%y %H:%M" in printed.out
    platform = ingest(segmentation)
    assert platform.settings.source.cancellations.prefix == "C"
    check_published(platform, published)


def write_csv(connection: Connection, parquet: Path, target: Path) -> None:
    """Write the file with dates such as 12/1/10 8:26 and ids such as 17850.0."""
    connection.execute(
        "COPY (SELECT * REPLACE (strftime(InvoiceDate, '%-m/%-d/%y %-H:%M') AS InvoiceDate, CustomerID || '.0' AS "
        f"CustomerID) FROM {parquet_scan([parquet])}) TO {quote_text(str(target))} (FORMAT csv, HEADER)"
    )
