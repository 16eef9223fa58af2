"""Dates are read here as the ingestion reads them from the files."""

from __future__ import annotations

import datetime as dt

import pytest

from segmentation_assets.ingestion.parsing import Notation, parse_column
from segmentation_assets.ingestion.proposal.dates import DAYS, TIMES, read_date
from segmentation_assets.storage.engine import Connection, fetch_row
from segmentation_assets.tables.raw import RAW_ORDER_LINES

ORDER_AT = next(column for column in RAW_ORDER_LINES.columns if column.name == "order_at")
INSTANT = dt.datetime(2024, 3, 9, 7, 5, 8, 120_000, dt.UTC)


@pytest.mark.parametrize("date_format", [*DAYS, *(f"%Y-%m-%d{time}" for time in TIMES)])
def test_ingestion_reads_every_format_alike(connection: Connection, date_format: str) -> None:
    text = INSTANT.strftime(date_format)
    notation = Notation(".", date_format, ("",), "UTC")
    item = parse_column(ORDER_AT, "VARCHAR", notation, ("raw", "cleaned", "parsed"))
    (read,) = fetch_row(
        connection, f"SELECT {item.parsed} FROM (SELECT {item.cleaned} AS cleaned FROM (SELECT ? AS raw))", [text]
    )
    assert read == read_date(text, date_format)
    assert read is not None
