"""Which rows of a table are looked at, and their values as texts under the names of the columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from segmentation_assets.ingestion.proposal.sample import FileSample, SampledColumn
from segmentation_assets.storage.engine import Connection, fetch_row, quote_identifier

HEAD_ROWS = 1_000
LATER_ROWS = 1_000
_SLICES = 20
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
