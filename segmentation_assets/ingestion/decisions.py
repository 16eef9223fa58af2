"""Decisions from outside, which lie as a CSV file in the data folder: read whole, and only ever added to."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.settings_csv import read_header, read_rows
from segmentation_assets.storage.text_files import write_text_whole
from segmentation_assets.tables.raw import DECISIONS

if TYPE_CHECKING:
    import pandas as pd

DECISIONS_FILE = "decisions.csv"
"""Name of the decisions in the data folder."""

SUPPRESSIONS = "suppressions"
"""Figure of the decisions: what `hash_suppressions` says of them."""

ERASURES = "erasures"
"""Figure of the decisions: what `hash_erasures` says of them."""

_COLUMNS = DECISIONS.column_names[1:]
_MONTH = r"\d{4}-(0[1-9]|1[0-2])"
_ERASED = "sha256:"
_SUBJECT_OF_ERASURE = rf"{_ERASED}[0-9a-f]{{64}}"
_KINDS = next(column.allowed for column in DECISIONS.columns if column.name == "kind")


@dataclass(frozen=True)
class Decision:
    """One decision, as it is written down.

    Parameters
    ----------
    decided_on : str
        Day, YYYY-MM-DD.
    kind : str
        ``promote``, ``rename``, ``suppress``, ``erase`` or ``restate``.
    from_month : str
        Snapshot month, YYYY-MM.
    subject : str
        What it is about.
    value : str
        A name, or why it was decided.
    decided_by : str
    """

    decided_on: str
    kind: str
    from_month: str
    subject: str
    value: str
    decided_by: str


def append_decision(path: Path, decision: Decision) -> int:
    """Add a decision at the end of the file, whole or not at all.

    Parameters
    ----------
    path : Path
        Made with its first line where it does not exist.
    decision : Decision

    Returns
    -------
    int
        Its number.

    Raises
    ------
    DataError
        The decision, or one that is there already, cannot be read.
    OSError
        The file cannot be written; what was there stays.
    """
    number = len(read_decisions(path)) + 1
    row = asdict(decision)
    _checked(path, number, row)
    text = path.read_text(encoding="utf-8-sig") if path.is_file() else f"{','.join(_COLUMNS)}\n"
    names = read_header(path) if path.is_file() else _COLUMNS
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([row[name] for name in names])
    write_text_whole(path, f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line.getvalue()}")
    return number


def hash_suppressions(decisions: pd.DataFrame) -> str:
    """Return a hash of who is suppressed from when on; other decisions do not change it."""
    due = decisions.loc[decisions["kind"] == "suppress", ["from_month", "subject"]]
    return hashlib.sha256(due.to_csv(index=False).encode()).hexdigest()[:32]


def erasure_subject(customer_id: str) -> str:
    """Return what a decision says instead of the id of a customer who is erased.

    Examples
    --------
    >>> erasure_subject("c1")[:15]
    'sha256:d0f631ca'
    """
    return f"{_ERASED}{hashlib.sha256(customer_id.encode()).hexdigest()}"


def erased_hashes(decisions: pd.DataFrame) -> frozenset[str]:
    """Return the SHA-256 of the ids of customers of whom nothing is kept, in hexadecimal digits."""
    subjects = decisions.loc[decisions["kind"] == "erase", "subject"]
    return frozenset(subject.removeprefix(_ERASED) for subject in subjects)


def hash_erasures(decisions: pd.DataFrame) -> str:
    """Return a hash of who is erased; other decisions and the order do not change it."""
    return hashlib.sha256(",".join(sorted(erased_hashes(decisions))).encode()).hexdigest()[:32]


def suppressed_customers(decisions: pd.DataFrame, month: str) -> frozenset[str]:
    """Return the customers whom decisions say not to address.

    Parameters
    ----------
    decisions : DataFrame
        ``source/decisions``.
    month : str
        Snapshot month, YYYY-MM or YYYY-MM-01; decisions from it or an earlier one on count.
    """
    due = decisions[(decisions["kind"] == "suppress") & (decisions["from_month"] <= month[:7])]
    return frozenset(due["subject"])


def read_decisions(path: Path) -> pd.DataFrame:
    """Read the decisions file.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with the columns decided_on, kind, from_month, subject, value, decided_by; it need not exist.

    Returns
    -------
    DataFrame
        One row per decision in the order of the file, with the columns of ``source/decisions``.

    Raises
    ------
    DataError
        A column is missing or unknown, a field is empty, a date is not YYYY-MM-DD, a month is not YYYY-MM, a
        kind is unknown, or an erasure names a customer by something else than a hash.
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
    if not re.fullmatch(_MONTH, row["from_month"].strip()):
        raise DataError(
            f"{path.name}, row {number}: from_month '{row['from_month']}' is no month",
            "write YYYY-MM.",
        )
    values = {column: row[column].strip() for column in _COLUMNS}
    if row["kind"] == "erase" and not re.fullmatch(_SUBJECT_OF_ERASURE, values["subject"]):
        raise DataError(
            f"{path.name}, row {number}: subject '{values['subject']}' of an erasure is no SHA-256",
            "remove the row, and write it by 'segmentation erase CUSTOMER_ID'.",
        )
    return {"decision_number": number, **values, "decided_on": _date(path, number, values["decided_on"])}


def _date(path: Path, number: int, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as problem:
        raise DataError(f"{path.name}, row {number}: decided_on '{text}' is no date", "write YYYY-MM-DD.") from problem
