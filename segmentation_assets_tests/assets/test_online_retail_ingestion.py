"""The real Online Retail file through ingestion, classification and the published conventions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import CalendarSettings, EngineSettings, ReferenceSettings, Settings
from segmentation_assets.config.source import CancellationSettings, OrderLinesTable, SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.features.reference import compute_reference
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.delivery import list_delivery
from segmentation_assets.ingestion.ingest import IngestedTable, ingest_table
from segmentation_assets.ingestion.reconciliation import reconcile_delivery, reconcile_layers
from segmentation_assets.storage.engine import Connection, Engine, content_hash, parquet_scan, quote_text
from segmentation_assets.tables.raw import RAW_ORDER_LINES

COLUMNS = {
    "order_id": "InvoiceNo",
    "order_at": "InvoiceDate",
    "customer_id": "CustomerID",
    "product_id": "StockCode",
    "product_name": "Description",
    "quantity": "Quantity",
    "unit_price": "UnitPrice",
    "country": "Country",
}


@dataclass(frozen=True)
class Ingested:
    """An ingested delivery on disk."""

    table: IngestedTable
    staging: Path

    @property
    def relation(self) -> str:
        """All months."""
        return parquet_scan(sorted(self.staging.glob("*/part-0.parquet")))


def make_settings(folder: Path, pattern: str, **mapping: Any) -> Settings:
    source = SourceSettings(
        kind="files",
        folder=str(folder),
        order_lines=OrderLinesTable(**{"files": (pattern,), "columns": COLUMNS} | mapping),
        cancellations=CancellationSettings(rule="prefix", prefix="C"),
        adjustment_prefixes=("A",),
    )
    return Settings(
        calendar=CalendarSettings(first_snapshot="2011-10"),
        source=source,
        reference=ReferenceSettings(name="published"),
    )


def ingest(connection: Connection, settings: Settings, staging: Path) -> Ingested:
    staging.mkdir()
    folder = Path(settings.source.folder)
    files = list_delivery(folder, settings.source)
    mapping = settings.source.order_lines
    table = ingest_table(connection, RAW_ORDER_LINES, mapping, files, folder, staging, source=settings.source)
    return Ingested(table, staging)


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "expected.json").read_text(encoding="utf-8"))["online_retail"]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with Engine(EngineSettings(), tmp_path_factory.mktemp("spill")).connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def settings(shared_data: Path) -> Settings:
    return make_settings(shared_data / "online-retail", "online_retail.parquet")


@pytest.fixture(scope="module")
def ingested(connection: Connection, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    return ingest(connection, settings, tmp_path_factory.mktemp("ingested") / "staging")


def test_every_delivered_line_and_all_money_is_stored(ingested: Ingested, published: dict[str, Any]) -> None:
    table = ingested.table

    assert (table.delivered_rows, table.stored_rows) == (published["rows"], published["rows"])
    assert float(table.stored_amount) == published["net_value"]
    assert (table.months[0], table.months[-1], len(table.months)) == ("2010-12-01", "2011-12-01", 13)
    assert reconcile_delivery(table).passed


def test_csv_and_parquet_give_the_same_rows(
    connection: Connection, ingested: Ingested, shared_data: Path, tmp_path: Path
) -> None:
    delivered = shared_data / "online-retail" / "online_retail.parquet"
    csv = tmp_path / "online_retail.csv"
    connection.execute(
        f"COPY (SELECT * FROM {parquet_scan([delivered])}) TO {quote_text(str(csv))} (FORMAT csv, HEADER)"
    )

    from_csv = ingest(connection, make_settings(tmp_path, "online_retail.csv"), tmp_path / "staging")

    same_columns = "(SELECT * EXCLUDE (source_file, repairs) FROM {})"
    assert content_hash(connection, same_columns.format(from_csv.relation)) == content_hash(
        connection, same_columns.format(ingested.relation)
    )


def test_two_halves_that_overlap_give_the_rows_of_the_whole(
    connection: Connection, ingested: Ingested, shared_data: Path, tmp_path: Path
) -> None:
    delivered = parquet_scan([shared_data / "online-retail" / "online_retail.parquet"])
    for name, condition in (("a", "InvoiceNo < '565000'"), ("b", "InvoiceNo >= '560000'")):
        target = quote_text(str(tmp_path / f"{name}.parquet"))
        connection.execute(f"COPY (SELECT * FROM {delivered} WHERE {condition}) TO {target} (FORMAT parquet)")

    overlapping = ingest(connection, make_settings(tmp_path, "*.parquet"), tmp_path / "staging")

    same_columns = "(SELECT * EXCLUDE (source_file, source_row, repairs) FROM {})"
    assert overlapping.table.redelivered_rows > 0
    assert reconcile_delivery(overlapping.table).passed
    assert content_hash(connection, same_columns.format(overlapping.relation)) == content_hash(
        connection, same_columns.format(ingested.relation)
    )


def test_two_sheets_that_overlap_give_the_rows_of_parquet(
    connection: Connection, shared_data: Path, tmp_path: Path
) -> None:
    from openpyxl import Workbook

    delivered = parquet_scan([shared_data / "online-retail" / "online_retail.parquet"])
    extract = f"(SELECT * FROM {delivered} WHERE InvoiceNo BETWEEN '536365' AND '536600' OR InvoiceNo LIKE 'C5365%')"
    target = quote_text(str(tmp_path / "extract.parquet"))
    connection.execute(f"COPY {extract} TO {target} (FORMAT parquet)")
    workbook = Workbook()
    workbook.remove(workbook.active)
    for title, condition in (("first", "InvoiceNo <= '536500'"), ("second", "InvoiceNo >= '536450'")):
        found = connection.execute(f"SELECT * FROM {extract} WHERE {condition}")
        sheet = workbook.create_sheet(title)
        sheet.append([column[0] for column in found.description])
        for row in found.fetchall():
            sheet.append([int(value) if isinstance(value, str) and value.isdecimal() else value for value in row])
    workbook.save(tmp_path / "extract.xlsx")

    whole = ingest(connection, make_settings(tmp_path, "extract.parquet"), tmp_path / "whole")
    sheets = ingest(connection, make_settings(tmp_path, "extract.xlsx"), tmp_path / "sheets")

    same_columns = "(SELECT * EXCLUDE (source_file, source_row, repairs) FROM {})"
    assert whole.table.stored_rows > 3_000
    assert sheets.table.redelivered_rows > 0
    assert content_hash(connection, same_columns.format(sheets.relation)) == content_hash(
        connection, same_columns.format(whole.relation)
    )


def test_classification_reconciles_and_finds_the_known_kinds(
    connection: Connection, ingested: Ingested, settings: Settings, published: dict[str, Any]
) -> None:
    sql = f"({classified_lines_sql(ingested.relation, settings.source)})"

    result = reconcile_layers(connection, ingested.relation, sql)
    reasons = dict(connection.execute(f"SELECT line_reason, count(*) FROM {sql} GROUP BY line_reason").fetchall())
    duplicates = connection.execute(f"SELECT count(*) FROM {sql} WHERE is_exact_duplicate").fetchone()

    assert result.passed
    assert result.figures["raw_customers"] == published["distinct"]["customer"]
    assert reasons["return"] == published["c_rows"]
    assert reasons["write_off"] == published["qty_negative_not_c"]
    assert reasons["adjustment_order"] == published["a_rows"]
    assert duplicates == (published["exact_duplicate_surplus"],)


def test_equal_lines_are_left_out_where_the_settings_say_so(
    connection: Connection, ingested: Ingested, settings: Settings, published: dict[str, Any]
) -> None:
    source = settings.source.model_copy(update={"duplicate_lines": "leave_out"})
    sql = f"({classified_lines_sql(ingested.relation, source)})"

    assert reconcile_layers(connection, ingested.relation, sql).passed
    distinct = published["ladder"][3]
    assert connection.execute(
        f"SELECT count(*), count(DISTINCT customer_id), CAST(sum(amount) AS DOUBLE) FROM {sql} "
        "WHERE line_type = 'sale' AND customer_id IS NOT NULL"
    ).fetchone() == (distinct["rows"], distinct["customers"], distinct["value"])
    switched = settings.model_copy(update={"source": source})
    assert compute_reference(connection, ingested.relation, switched) == compute_reference(
        connection, ingested.relation, settings
    )


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("customer_id IS NULL", 135_080),
        ("unit_price = 0 AND customer_id IS NOT NULL", 40),
        ("unit_price > 0 AND unit_price < 0.01", 4),
        ("unit_price < 0", 2),
        ("product_name IS NULL", 1_454),
        ("product_name <> trim(product_name)", 0),
        ("product_id <> upper(product_id)", 1_977),
        ("regexp_full_match(product_id, '[0-9]+')", 487_036),
        ("country = 'Unspecified'", 446),
        ("contains(product_name, 'Â£')", 32),
        ("abs(quantity) >= 74215", 4),
    ],
)
def test_oddities_of_the_file_are_stored_as_often_as_delivered(
    connection: Connection, ingested: Ingested, condition: str, count: int
) -> None:
    found = connection.execute(f"SELECT count(*) FROM {ingested.relation} WHERE {condition}").fetchone()
    assert found == (count,)


def test_fees_and_postage_are_known_by_the_list_of_the_example(
    connection: Connection, ingested: Ingested, settings: Settings
) -> None:
    example = load_settings(config=Path(__file__).parents[2] / "examples" / "online_retail.yaml").settings
    source = settings.source.model_copy(update={"non_product_codes": example.source.non_product_codes})
    sql = f"({classified_lines_sql(ingested.relation, source)})"

    counts = dict(
        connection.execute(
            f"SELECT product_id, count(*) FROM {sql} WHERE line_reason = 'non_product_code' GROUP BY product_id"
        ).fetchall()
    )
    left = connection.execute(
        f"SELECT count(*) FROM {sql} WHERE line_type <> 'non_product' AND starts_with(product_id, 'DCGS')"
    ).fetchone()

    assert (counts["POST"], counts["DOT"], counts["M"] + counts["m"], counts["C2"], counts["D"]) == (
        1_256, 710, 572, 144, 77
    )  # fmt: skip
    assert sum(count for code, count in counts.items() if code.lower().startswith("gift")) == 34
    assert left == (45,)
    assert sum(counts.values()) + 45 == 2_995


def test_an_order_of_several_instants_is_one_order(connection: Connection, ingested: Ingested) -> None:
    several = connection.execute(
        f"SELECT count(*) FROM (SELECT order_id FROM {ingested.relation} GROUP BY order_id "
        "HAVING count(DISTINCT order_at) > 1)"
    ).fetchone()
    assert several == (43,)


@pytest.fixture(scope="module")
def winter(connection: Connection, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The first two months of the file, and the hash of what is stored of them."""
    folder = tmp_path_factory.mktemp("winter")
    delivered = parquet_scan([shared_data / "online-retail" / "online_retail.parquet"])
    target = folder / "winter.parquet"
    write_form(connection, f"SELECT * FROM {delivered} WHERE InvoiceDate < DATE '2011-02-01'", target, "FORMAT parquet")
    return target, hash_of(connection, ingest(connection, make_settings(folder, target.name), folder / "staging"))


def write_form(connection: Connection, sql: str, target: Path, form: str) -> None:
    connection.execute(f"COPY ({sql}) TO {quote_text(str(target))} ({form})")


def hash_of(connection: Connection, found: Ingested) -> str:
    return content_hash(connection, f"(SELECT * EXCLUDE (source_file, source_row, repairs) FROM {found.relation})")


def test_semicolons_decimal_commas_and_german_dates_give_the_same_rows(
    connection: Connection, winter: tuple[Path, str], tmp_path: Path
) -> None:
    whole, wanted = winter
    rows = (
        "SELECT * REPLACE (strftime(InvoiceDate, '%d.%m.%Y %H:%M') AS InvoiceDate, CustomerID || ',0' AS CustomerID, "
        "replace(CAST(CAST(UnitPrice AS DECIMAL(18,4)) AS VARCHAR), '.', ',') AS UnitPrice) "
        f"FROM {parquet_scan([whole])}"
    )
    write_form(connection, rows, tmp_path / "utf8", "FORMAT csv, HEADER, DELIMITER ';'")
    text = (tmp_path / "utf8").read_text(encoding="utf-8")
    (tmp_path / "german.csv.gz").write_bytes(gzip.compress(text.encode("cp1252"), 1))
    mapping = {"encoding": "cp1252", "separator": ";", "decimal": ",", "date_format": "%d.%m.%Y %H:%M"}

    found = ingest(connection, make_settings(tmp_path, "german.csv.gz", **mapping), tmp_path / "staging")

    assert hash_of(connection, found) == wanted


def test_american_dates_are_read_by_their_format_only(
    connection: Connection, winter: tuple[Path, str], tmp_path: Path
) -> None:
    whole, wanted = winter
    rows = f"SELECT * REPLACE (strftime(InvoiceDate, '%-m/%-d/%y %-H:%M') AS InvoiceDate) FROM {parquet_scan([whole])}"
    write_form(connection, rows, tmp_path / "american.csv", "FORMAT csv, HEADER")
    after, lines = connection.execute(
        f"SELECT count(*) FILTER (day(InvoiceDate) > 12), count(*) FROM {parquet_scan([whole])}"
    ).fetchone() or (0, 0)

    right = make_settings(tmp_path, "american.csv", date_format="%m/%d/%y %H:%M")
    wrong = make_settings(tmp_path, "american.csv", date_format="%d/%m/%y %H:%M")

    assert hash_of(connection, ingest(connection, right, tmp_path / "right")) == wanted
    counts = rf"{after} of {lines} delivered rows cannot be used \({after} unparseable_date\)"
    with pytest.raises(DataError, match=rf"{counts}; .*\nHint: .*date_format"):
        ingest(connection, wrong, tmp_path / "wrong")


def test_deliveries_with_other_names_float_ids_and_null_texts_give_the_same_rows(
    connection: Connection, winter: tuple[Path, str], tmp_path: Path
) -> None:
    whole, wanted = winter
    old = f"SELECT * FROM {parquet_scan([whole])} WHERE InvoiceDate < DATE '2011-01-10'"
    new = (
        "SELECT InvoiceNo AS Invoice, StockCode || '  ' AS StockCode, coalesce(Description, 'Unknown') AS Description, "
        "Quantity, InvoiceDate, UnitPrice AS Price, coalesce(CAST(CAST(CustomerID AS DOUBLE) AS VARCHAR), 'nan') "
        f"AS \"Customer ID\", Country FROM {parquet_scan([whole])} WHERE InvoiceDate >= DATE '2011-01-05'"
    )
    write_form(connection, old, tmp_path / "1.parquet", "FORMAT parquet")
    write_form(connection, new, tmp_path / "2.csv", "FORMAT csv, HEADER")
    renamed = {"order_id": ("InvoiceNo", "Invoice"), "unit_price": ("UnitPrice", "Price")}
    columns = COLUMNS | renamed | {"customer_id": ("CustomerID", "Customer ID")}

    found = ingest(
        connection,
        make_settings(tmp_path, "[12].*", columns=columns, null_values=("nan", "Unknown")),
        tmp_path / "staging",
    )

    assert found.table.redelivered_rows > 0
    assert reconcile_delivery(found.table).passed
    assert hash_of(connection, found) == wanted


def test_cleaning_ladder_equals_the_published_one(
    connection: Connection, ingested: Ingested, settings: Settings, published: dict[str, Any]
) -> None:
    result = compute_reference(connection, ingested.relation, settings)

    found = [(step.row_count, step.customer_count) for step in result.ladder]
    assert found == [(step["rows"], step["customers"]) for step in published["ladder"]]
    assert [step.order_count for step in result.ladder[1:]] == [s["invoices"] for s in published["ladder"][1:]]
    for step, wanted in zip(result.ladder[2:], published["ladder"][2:], strict=True):
        assert abs(step.amount - Decimal(str(wanted["value"]))) <= Decimal("0.01")


def test_rfm_summary_equals_the_published_one(
    connection: Connection, ingested: Ingested, settings: Settings, published: dict[str, Any]
) -> None:
    result = compute_reference(connection, ingested.relation, settings)

    wanted = published["rfm_after_step3_snapshot_max_plus_1d"]
    assert result.as_of.isoformat() == "2011-12-10T12:50:00"
    assert result.rfm.customer_count == 4338
    assert result.rfm.recency_days_mean == pytest.approx(wanted["recency_mean"], abs=0.0005)
    assert result.rfm.recency_days_median == wanted["recency_median"]
    assert result.rfm.order_count_mean == pytest.approx(wanted["frequency_mean"], abs=0.0005)
    assert result.rfm.order_count_median == wanted["frequency_median"]
    assert result.rfm.gross_revenue_amount_mean == pytest.approx(wanted["monetary_mean"], abs=0.0005)
    assert result.rfm.gross_revenue_amount_median == pytest.approx(wanted["monetary_median"], abs=0.0005)
    assert result.rfm.gross_revenue_amount_max == pytest.approx(wanted["monetary_max"], abs=0.0005)
