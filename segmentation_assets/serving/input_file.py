"""The file that is to be scored: what its columns are called, and whether it holds order lines or features."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segmentation_assets.config.source import OrderLinesTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.proposal.sampling import sample_file
from segmentation_assets.tables.declaration import Table

Content = Literal["order_lines", "features"]


@dataclass(frozen=True)
class InputFile:
    """A file that is to be scored.

    Parameters
    ----------
    path : Path
    content : {"order_lines", "features"}
        What a row is.
    columns : tuple of str
        In file order.
    encoding, separator : str
        Of text files.
    sheets : tuple of str or None
        Sheets of a workbook to read; None for all.
    unread : tuple of str
        Columns of order lines that the mapping does not name.
    """

    path: Path
    content: Content
    columns: tuple[str, ...]
    encoding: str = "utf-8"
    separator: str = ","
    sheets: tuple[str, ...] | None = None
    unread: tuple[str, ...] = ()


def look_at_input(
    path: Path, scratch: Path, mapping: OrderLinesTable | None, features: Table, sheets: Sequence[str] = ()
) -> InputFile:
    """Find out what a file holds, by the names of its columns.

    Parameters
    ----------
    path : Path
        CSV, Parquet or Excel.
    scratch : Path
        Folder that an engine may spill to.
    mapping : OrderLinesTable or None
        How order lines are delivered.
    features : Table
        Declaration of the features.
    sheets : sequence of str
        Sheets of a workbook; all when empty.

    Returns
    -------
    InputFile

    Raises
    ------
    DataError
        The file cannot be read, has a column twice, or has the columns of neither.
    """
    samples = [sample for sample in sample_file(path, scratch) if not sheets or sample.part in sheets]
    if not samples:
        raise DataError(f"{path.name} has no sheet {' or '.join(sheets)} with rows", "name one of its sheets.")
    sample = samples[0]
    for other in samples[1:]:
        unlike = sorted({*other.header} ^ {*sample.header})
        if unlike:
            raise DataError(
                f"{other.name} and {sample.name} do not have the same columns: only one has '{unlike[0]}'",
                "name the sheet to read by --sheet.",
            )
    repeated = sorted({name for name in sample.header if sample.header.count(name) > 1})
    if repeated:
        raise DataError(f"{sample.name} has several columns called '{repeated[0]}'", "give each column its own name.")
    content = _content(path.name, sample.header, mapping, features)
    mapped = {} if mapping is None else {name for column in mapping.columns for name in mapping.names_of(column)}
    return InputFile(
        path=path,
        content=content,
        columns=sample.header,
        encoding=sample.encoding.value if sample.encoding else "utf-8",
        separator=sample.separator.value if sample.separator else ",",
        sheets=tuple(sheets) or None,
        unread=tuple(name for name in sample.header if content == "order_lines" and name not in mapped),
    )


def _content(name: str, header: Collection[str], mapping: OrderLinesTable | None, features: Table) -> Content:
    """Say what a row is: that of which more columns are there."""
    columns = {} if mapping is None else {column: mapping.names_of(column) for column in mapping.columns}
    delivered = {other for names in columns.values() for other in names}
    of_lines, of_features = len(delivered & {*header}), len({*features.column_names} & {*header})
    if max(of_lines, of_features) < 2:
        needed = ", ".join(names[0] for names in columns.values())
        raise DataError(
            f"{name} has neither the columns of order lines ({needed}) nor customer_id and features; "
            f"it has {', '.join(header)}",
            "map its columns under source.order_lines, or take features by the names of 'segmentation dictionary'.",
        )
    return "order_lines" if of_lines > of_features else "features"
