"""CSV files that people write beside the settings: exchange rates, decisions, the crosswalk."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from segmentation_assets.errors import DataError, plural


def read_header(path: Path) -> tuple[str, ...]:
    """Read the names in the first line, in small letters and without blanks around them; none of an empty file.

    Raises
    ------
    DataError
        The file is not UTF-8, or a name stands twice.
    """
    names = tuple(name.strip().lower() for name in next(_lines(path), []))
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path.name} has {names.count(name)} columns called '{name}'", "leave one of them.")
    return names


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows below the first line by its names.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with commas; empty lines do not count.

    Returns
    -------
    list of dict of str to str
        Texts as written, in the order of the file.

    Raises
    ------
    DataError
        The file is not UTF-8, or a row has more or fewer fields than the first line.
    """
    names = read_header(path)
    rows = [fields for fields in _lines(path) if fields][1:]
    for number, fields in enumerate(rows, start=1):
        if len(fields) != len(names):
            raise DataError(
                f"{path.name}, row {number}: {plural(len(fields), 'field')} where the first line has {len(names)}: "
                f"'{','.join(fields)}'",
                "write a comma between two fields, also empty ones, and quote values that hold a comma.",
            )
    return [dict(zip(names, fields, strict=True)) for fields in rows]


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from csv.reader(stream, strict=True)
    except UnicodeDecodeError as problem:
        raise DataError(f"{path.name} is not UTF-8: {problem}", "save it as CSV in UTF-8.") from problem
    except csv.Error as problem:
        raise DataError(f"{path.name} cannot be read: {problem}", "close every quote that opens.") from problem
