"""Reads a bounded sample of a file, whatever its format; one function per format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.ingestion.delivery import (
    CSV_EXTENSIONS,
    DATABASE_EXTENSIONS,
    PARQUET_EXTENSIONS,
    WORKBOOK_EXTENSIONS,
)
from segmentation_assets.ingestion.proposal.containers import sample_database, sample_workbook
from segmentation_assets.ingestion.proposal.pieces import Pieces, read_pieces
from segmentation_assets.ingestion.proposal.rows import (
    HEAD_ROWS,
    HEADER_ROWS,
    LATER_ROWS,
    Record,
    make_columns,
    refuse_late_header,
    sample_relation,
)
from segmentation_assets.ingestion.proposal.sample import FileSample, shown
from segmentation_assets.ingestion.proposal.synonyms import count_known
from segmentation_assets.ingestion.proposal.text_form import (
    SEPARATORS,
    decode_pieces,
    find_encoding,
    find_separator,
    read_records,
)
from segmentation_assets.storage.engine import Engine, EngineError, quote_text

T = TypeVar("T")
Sampler = Callable[[Path, Path], list[FileSample]]


def sample_file(path: Path, scratch: Path) -> list[FileSample]:
    """Read the first 1,000 rows of a file and up to 2,000 from further down and from its end.

    Parameters
    ----------
    path : Path
    scratch : Path
        Folder that an engine may spill to.

    Returns
    -------
    list of FileSample
        One for each sheet of a workbook or table of a database that has rows, else one.

    Raises
    ------
    DataError
        The file is missing, empty, damaged, of a kind that cannot be read, or has no rows.
    """
    if not path.is_file():
        beside = [item.name for item in path.parent.iterdir() if item.is_file()] if path.parent.is_dir() else []
        nothing = f"there is no file in {path.parent} either; name files that exist."
        raise DataError(f"there is no file {path}", closest_hint(path.name, beside[:20], nothing))
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty (0 bytes)", "export it again.")
    for endings, sampler in _SAMPLERS.items():
        if path.name.lower().endswith(endings):
            return _sampled(sampler, path, scratch)
    known = ", ".join(ending for endings in _SAMPLERS for ending in endings)
    raise DataError(
        f"{path.name} is of a kind that cannot be read", f"export it as, or let its name end in, one of {known}."
    )


def sample_text(pieces: Pieces, name: str) -> FileSample:
    """Make the sample of a delimited text file from the pieces that were read of it.

    Parameters
    ----------
    pieces : Pieces
    name : str
        Name used in messages.

    Returns
    -------
    FileSample

    Raises
    ------
    DataError
        It is no text, has one column, no column names or no rows.
    """
    encoding = find_encoding(pieces, name)
    head, later = decode_pieces(pieces, encoding.value)
    beginning = "\n".join(head.split("\n", HEADER_ROWS)[:HEADER_ROWS])
    for mark in SEPARATORS:
        refuse_late_header(read_records(beginning, mark), name)
    separator = find_separator(head, name, count_known)
    header, *records = read_records(head, separator.value)
    _check_header(header, records, name)
    width = len(header)
    numbered: list[Record] = [(number, _fitted(record, width)) for number, record in enumerate(records, start=1)]
    chosen = [*numbered[:HEAD_ROWS], *_spread(numbered[HEAD_ROWS:], LATER_ROWS)]
    for text in later:
        fitting = [record for record in read_records(text, separator.value) if len(record) == width]
        chosen += [(None, record) for record in _spread(fitting, LATER_ROWS // len(later))]
    is_whole = pieces.is_whole and len(chosen) == len(records)
    columns = make_columns(header, ["VARCHAR"] * width, [row for row in chosen if len(row[1]) == width])
    return FileSample(name, columns, len(columns[0].values), is_whole, encoding, separator)


def _sampled(sampler: Sampler, path: Path, scratch: Path) -> list[FileSample]:
    try:
        return sampler(path, scratch)
    except OSError as problem:
        raise DataError(
            f"{path.name} cannot be read: {problem.strerror or problem}", "name a readable file."
        ) from problem


def _sample_csv(path: Path, scratch: Path) -> list[FileSample]:
    return [sample_text(read_pieces(path, path.name), path.name)]


def _sample_parquet(path: Path, scratch: Path) -> list[FileSample]:
    relation = f"read_parquet({quote_text(str(path))}, file_row_number = true, binary_as_string = true)"
    with Engine(EngineSettings(), scratch).connect() as connection:
        try:
            sample = sample_relation(connection, path.name, relation)
        except EngineError as problem:
            first_line = str(problem).splitlines()[0]
            raise DataError(
                f"{path.name} is not a readable Parquet file: {first_line}", "export it again."
            ) from problem
    if sample is None:
        raise DataError(f"{path.name}: there is no row in it", "export it again, with its rows.")
    return [replace(sample, kind="parquet")]


def _check_header(header: Sequence[str], records: Sequence[Sequence[str]], name: str) -> None:
    numbers = [field for field in header if _is_value(field)]
    if len(numbers) * 2 >= len(header):
        listed = ", ".join(shown(field) for field in header[:4])
        raise DataError(
            f"{name}: the first line holds values ({listed}) and not the names of columns",
            "put the names of the columns in the first line.",
        )
    if not records:
        raise DataError(f"{name}: there is no row below the header", "export it again, with its rows.")


def _is_value(field: str) -> bool:
    """Whether a field of the first line is a number or a date."""
    digits = sum(character.isdigit() for character in field)
    return digits > 0 and not any(character.isalpha() for character in field)


def _fitted(record: Sequence[str], width: int) -> Sequence[str]:
    """Drop the empty field that a separator at the end of a record makes."""
    return record[:width] if len(record) == width + 1 and not record[-1] else record


def _spread(rows: Sequence[T], most: int) -> list[T]:
    """Choose rows evenly, the last among them."""
    count = len(rows)
    if count <= most:
        return list(rows)
    return [rows[(number + 1) * count // most - 1] for number in range(most)]


_SAMPLERS: dict[tuple[str, ...], Sampler] = {
    CSV_EXTENSIONS: _sample_csv,
    PARQUET_EXTENSIONS: _sample_parquet,
    WORKBOOK_EXTENSIONS: sample_workbook,
    DATABASE_EXTENSIONS: sample_database,
}
"""Endings of file names → the function that samples such files; another format is one function and one line here."""
