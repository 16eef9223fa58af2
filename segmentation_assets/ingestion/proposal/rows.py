"""Which rows of a table are looked at, and their values as texts under the names of the columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.proposal.sample import FileSample, SampledColumn, shown
from segmentation_assets.ingestion.proposal.synonyms import count_known
from segmentation_assets.storage.engine import Connection, fetch_row, quote_identifier

HEAD_ROWS = 1_000
LATER_ROWS = 1_000
HEADER_ROWS = 20
"""Rows among which the names of the columns are looked for."""

_SLICES = 20
_LEAST_NAMES = 3
_WHITE_SPACE = " \t\n\r\xa0"

Record = tuple[int | None, Sequence[str | None]]
"""Number of a row, from 1, and its values."""


def row_runs(count: int) -> list[range]:
    """Choose the first rows, and short runs of rows evenly spread over the rest up to the end; numbered from 0."""
    size = LATER_ROWS // _SLICES
    rest = max(count - HEAD_ROWS, 0)
    ends = [HEAD_ROWS + rest * number // _SLICES for number in range(_SLICES + 1)]
    later = [range(max(end - size, before), end) for before, end in pairwise(ends) if end > before]
    return [range(HEAD_ROWS), *later]


def sample_relation(connection: Connection, name: str, relation: str) -> FileSample | None:
    """Sample a relation with the column file_row_number, from 0; none where it has no row."""
    (count,) = fetch_row(connection, f"SELECT count(*) FROM {relation}")
    described = connection.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {relation}").fetchall()
    texts = ", ".join(f"CAST({quote_identifier(str(row[0]))} AS VARCHAR)" for row in described)
    chosen = " OR ".join(f"file_row_number BETWEEN {run.start} AND {run.stop - 1}" for run in row_runs(int(count)))
    rows = connection.execute(
        f"SELECT file_row_number + 1, {texts} FROM {relation} WHERE {chosen} ORDER BY 1"
    ).fetchall()
    if not rows:
        return None
    records = [(int(row[0]), row[1:]) for row in rows]
    columns = make_columns([str(row[0]) for row in described], [str(row[1]) for row in described], records)
    return FileSample(name, columns, len(rows), len(rows) == int(count))


def refuse_late_header(rows: Sequence[Sequence[str]], name: str) -> None:
    """Refuse a table whose columns are named further down than in its first row.

    Parameters
    ----------
    rows : sequence of sequences of str
        Fields of the first rows, the header among them.
    name : str
        Name used in the error.

    Raises
    ------
    DataError
        A later row holds at least three names of columns that are known, and the first one does not.

    Examples
    --------
    >>> refuse_late_header([["Sales"], ["order_id", "order_date", "customer_id"]], "a.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    segmentation_assets.errors.DataError: a.csv: the names of the columns ('order_id', 'order_date', 'customer_id') ...
    """
    header = next((row for row in rows if count_known(row) >= _LEAST_NAMES), None)
    if header is not None and header is not rows[0]:
        listed = ", ".join(shown(field) for field in header[:_LEAST_NAMES])
        raise DataError(
            f"{name}: the names of the columns ({listed}) stand further down than in the first line",
            "remove what stands above them, or export it again without.",
        )


def make_columns(header: Sequence[str], types: Sequence[str], rows: Sequence[Record]) -> tuple[SampledColumn, ...]:
    """Put the values of numbered rows under the names of their columns."""
    numbers = tuple(row for row, _ in rows)
    by_column = list(zip(*(values for _, values in rows), strict=True)) or [()] * len(header)
    return tuple(
        SampledColumn(name, dtype, tuple(_trimmed(value) for value in values), numbers)
        for name, dtype, values in zip(header, types, by_column, strict=True)
    )


def _trimmed(value: str | None) -> str | None:
    return None if value is None else value.strip(_WHITE_SPACE) or None
