"""Raw order lines written by hand: what is not given is not delivered."""

from collections.abc import Mapping
from typing import Any

from segmentation_assets.storage.engine import quote_text
from segmentation_assets.tables.raw import RAW_ORDER_LINES


def raw_lines_relation(*lines: Mapping[str, Any]) -> str:
    """SQL table expression of lines with the declared columns; rows are numbered from 1 within one file."""
    rows = [{"source_file": "a.csv", "source_row": number, **line} for number, line in enumerate(lines, start=1)]
    selects = (
        "SELECT "
        + ", ".join(f'CAST({_literal(row.get(c.name))} AS {c.dtype}) AS "{c.name}"' for c in RAW_ORDER_LINES.columns)
        for row in rows
    )
    return f"({' UNION ALL '.join(selects)})"


def _literal(value: object) -> str:
    return "NULL" if value is None else quote_text(str(value))
