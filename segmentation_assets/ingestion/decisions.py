"""Reads the decisions from outside that lie as a CSV file in the data folder."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.settings_csv import read_header, read_rows
from segmentation_assets.tables.raw import DECISIONS

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = DECISIONS.column_names[1:]
_KINDS = next(column.allowed for column in DECISIONS.columns if column.name == "kind")


def read_decisions(path: Path) -> pd.DataFrame:
    """Read the decisions file.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with the columns decided_on, kind, segment_key, value, decided_by; it need not exist.

    Returns
    -------
    DataFrame
        One row per decision in the order of the file, with the columns of ``source/decisions``.

    Raises
    ------
    DataError
        A column is missing or unknown, a field is empty, a date is not YYYY-MM-DD, or a kind is unknown.
    """
    import pandas as pd

    rows = _read_rows(path) if path.is_file() else []
    decisions = [_checked(path, number, row) for number, row in enumerate(rows, start=1)]
    return pd.DataFrame(decisions, columns=list(DECISIONS.column_names))


def _read_rows(path: Path) -> list[dict[str, str]]:
    found = read_header(path)
    if sorted(found) != sorted(_COLUMNS):
        raise DataError(
            f"{path.name} has the columns {', '.join(found) or 'none'}",
            f"its first line has to be {','.join(_COLUMNS)}",
        )
    return read_rows(path)


def _checked(path: Path, number: int, row: dict[str, str]) -> dict[str, object]:
    for column in _COLUMNS:
        if not row[column].strip():
            raise DataError(f"{path.name}, row {number}: {column} is empty", "fill it in, or remove the row.")
    if row["kind"] not in _KINDS:
        raise DataError(
            f"{path.name}, row {number}: kind '{row['kind']}' is not known", f"known kinds: {', '.join(_KINDS)}."
        )
    values = {column: row[column].strip() for column in _COLUMNS}
    return {"decision_number": number, **values, "decided_on": _date(path, number, values["decided_on"])}


def _date(path: Path, number: int, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as problem:
        raise DataError(f"{path.name}, row {number}: decided_on '{text}' is no date", "write YYYY-MM-DD.") from problem
