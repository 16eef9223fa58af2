"""Small deliveries for tests: write files, ingest them, look at what came out."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segmentation_assets.config.contract import Rules
from segmentation_assets.config.source import (
    CustomersTable,
    DeliveredTable,
    EngagementEventsTable,
    OrderLinesTable,
    ProductsTable,
    SourceSettings,
)
from segmentation_assets.ingestion.delivery import list_delivery
from segmentation_assets.ingestion.ingest import IngestedTable, ingest_table
from segmentation_assets.storage.engine import Connection, open_connection, parquet_scan, quote_text
from segmentation_assets.tables.raw import RAW_CUSTOMERS, RAW_ENGAGEMENT_EVENTS, RAW_ORDER_LINES, RAW_PRODUCTS

HEADER = "order,at,customer,product,units,price"
ORDER_LINE_COLUMNS = {
    "order_id": "order",
    "order_at": "at",
    "customer_id": "customer",
    "product_id": "product",
    "quantity": "units",
    "unit_price": "price",
}
LINE = "O1,2025-03-05 10:00:00,C1,P1,2,1.50"

_DECLARED = {
    "order_lines": RAW_ORDER_LINES,
    "customers": RAW_CUSTOMERS,
    "products": RAW_PRODUCTS,
    "engagement_events": RAW_ENGAGEMENT_EVENTS,
}


def order_lines_mapping(**changes: Any) -> OrderLinesTable:
    """Mapping of the order lines of these tests."""
    return OrderLinesTable(**{"files": ("*.csv",), "columns": ORDER_LINE_COLUMNS} | changes)


@dataclass(frozen=True)
class Outcome:
    """What ingestion wrote."""

    connection: Connection
    ingested: IngestedTable
    staging: Path

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Stored rows in order of month, file and row."""
        paths = sorted(self.staging.glob("**/part-0.parquet"))
        sql = f"SELECT {', '.join(columns)} FROM {parquet_scan(paths)} ORDER BY source_file, source_row"
        return self.connection.execute(sql).fetchall()

    def stored_bytes(self) -> dict[str, str]:
        """Hash of every stored file but the quarantine."""
        return {
            path.relative_to(self.staging).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.staging.glob("**/part-0.parquet")
        }

    def quarantine(self) -> list[tuple[Any, ...]]:
        """File, row, reason, column and value of the rows set aside."""
        path = self.staging / "quarantine.parquet"
        if not path.exists():
            return []
        columns = "source_file, source_row, reason, column_name, value"
        return self.connection.execute(f"SELECT {columns} FROM {parquet_scan([path])}").fetchall()


@dataclass(frozen=True)
class Counter:
    """Takes files in and ingests them."""

    connection: Connection
    folder: Path
    staging: Path

    def hand_in(self, name: str, *lines: str, header: str = HEADER, encoding: str = "utf-8") -> None:
        """Write a CSV file."""
        (self.folder / name).write_bytes("".join(f"{line}\n" for line in (header, *lines)).encode(encoding))

    def hand_in_workbook(
        self, name: str, sheets: Mapping[str, Sequence[Sequence[object]]], hidden: Collection[str] = ()
    ) -> None:
        """Write an Excel workbook with a list of rows per sheet, the header among them."""
        from openpyxl import Workbook

        workbook = Workbook()
        workbook.remove(workbook.active)
        for title, rows in sheets.items():
            sheet = workbook.create_sheet(title)
            sheet.sheet_state = "hidden" if title in hidden else "visible"
            for row in rows:
                sheet.append(list(row))
        workbook.save(self.folder / name)

    def hand_in_sqlite(self, name: str, *statements: str) -> None:
        """Make a SQLite file by some statements."""
        with closing(sqlite3.connect(self.folder / name)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def hand_in_duckdb(self, name: str, *statements: str) -> None:
        """Make a DuckDB file by some statements, in which ``made`` stands for it."""
        with open_connection(":memory:", {"temp_directory": str(self.folder.parent / "spill")}) as connection:
            connection.execute(f"ATTACH {quote_text(str(self.folder / name))} AS made")
            for statement in statements:
                connection.execute(statement)

    def hand_in_parquet(self, name: str, sql: str) -> None:
        """Write the result of a query as a Parquet file."""
        self.connection.execute(f"COPY ({sql}) TO {quote_text(str(self.folder / name))} (FORMAT parquet)")

    def again(self) -> Counter:
        """Make a counter for the same files with another staging folder."""
        return replace(self, staging=self.staging.with_name("again"))

    def ingest(
        self,
        mapping: DeliveredTable | None = None,
        latest: dt.date | None = None,
        rules: Rules = (),
        erased: Collection[str] = (),
        **settings: Any,
    ) -> Outcome:
        """Ingest the table that the mapping is for, by default order lines; anything may be set aside."""
        mapping = mapping or order_lines_mapping()
        names = {
            OrderLinesTable: "order_lines",
            CustomersTable: "customers",
            ProductsTable: "products",
            EngagementEventsTable: "engagement_events",
        }
        name = names[type(mapping)]
        source = SourceSettings(**{name: mapping, "max_quarantine_share": 1, **settings})
        files = list_delivery(self.folder, source)
        self.staging.mkdir()
        table = _DECLARED[name]
        ingested = ingest_table(
            self.connection,
            table,
            mapping,
            files,
            self.folder,
            self.staging,
            source=source,
            rules=rules,
            latest=latest,
            erased=erased,
        )
        return Outcome(self.connection, ingested, self.staging)
