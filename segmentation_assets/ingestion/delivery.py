"""What lies in the delivery folder: the files of each mapped table with size and SHA-256."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from segmentation_assets.config.source import DeliveredTable, SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.storage.file_hashes import file_sha256
from segmentation_assets.tables.raw import DELIVERED_TABLES

CSV_EXTENSIONS = tuple(kind + packed for kind in (".csv", ".tsv", ".txt") for packed in ("", ".gz", ".zst"))
PARQUET_EXTENSIONS = (".parquet",)
WORKBOOK_EXTENSIONS = (".xlsx", ".xlsm")
DATABASE_EXTENSIONS = (".duckdb", ".sqlite", ".sqlite3", ".db")

_LOCK_PREFIX = "~$"
"""Start of the name of the file that Excel keeps beside a workbook that somebody has open."""

Kind = Literal["csv", "parquet", "workbook", "database"]

_EXTENSIONS: dict[Kind, tuple[str, ...]] = {
    "csv": CSV_EXTENSIONS,
    "parquet": PARQUET_EXTENSIONS,
    "workbook": WORKBOOK_EXTENSIONS,
    "database": DATABASE_EXTENSIONS,
}


@dataclass(frozen=True)
class DeliveredFile:
    """One delivered file.

    Parameters
    ----------
    table_name : str
        Delivered table it belongs to, such as ``order_lines``.
    file_name : str
        Path below the delivery folder, with ``/`` between its parts.
    file_index : int
        Place in delivery order within the table, from 0: by the pattern that first matches the file, then by name, in
        which numbers count as numbers. Files of the same bytes stand together where the original does: the one that
        was there before the others, or else the first of them.
    size_bytes : int
    sha256 : str
        64 hex digits of the file's bytes.
    """

    table_name: str
    file_name: str
    file_index: int
    size_bytes: int
    sha256: str


def list_delivery(
    folder: Path,
    source: SourceSettings,
    only: Collection[str] | None = None,
    *,
    data_dir: Path | None = None,
    hash_of: Callable[[Path], str] = file_sha256,
    before: Sequence[DeliveredFile] = (),
) -> tuple[DeliveredFile, ...]:
    """List the delivered files of every mapped table.

    Parameters
    ----------
    folder : Path
        Delivery folder.
    source : SourceSettings
        Its tables name the file patterns.
    only : collection of str, optional
        Paths below the delivery folder; files that are not among them count as absent.
    data_dir : Path, optional
        Data folder; where it lies below the delivery folder, what it holds is no delivery.
    hash_of : callable, optional
        Gives the SHA-256 of a file, perhaps from memory; by default every file is read.
    before : sequence of DeliveredFile
        The listing of last time; it tells an original from its copies.

    Returns
    -------
    tuple of DeliveredFile
        Table by table, and in delivery order within a table.

    Raises
    ------
    DataError
        The folder is missing, a pattern matches nothing, a file is empty, has an extension that cannot be read, or
        is matched by two tables that do not name sheets or database tables of their own.
    """
    if not folder.is_dir():
        raise DataError(
            f"the delivery folder {folder} does not exist",
            "make it and put the files there, or set source.folder to where they lie.",
        )
    owners: defaultdict[str, list[str]] = defaultdict(list)
    listed: dict[str, dict[str, None]] = {table: {} for table in DELIVERED_TABLES}
    for table, names in listed.items():
        mapping = getattr(source, table)
        for pattern in mapping.files if mapping is not None else ():
            found = matching_files(folder, pattern, data_dir)
            found = [name for name in found if only is None or name in only]
            if not found:
                raise _nothing_matches(folder, table, pattern)
            for name in sorted(found, key=_natural_order):
                _claim(owners[name], source, table, pattern, name)
                names[name] = None
    return tuple(
        file
        for table, names in listed.items()
        for file in _copies_after_originals(
            [_describe(folder, table, name, hash_of) for name in names],
            {file.file_name: file for file in before if file.table_name == table},
        )
    )


def matching_files(folder: Path, pattern: str, data_dir: Path | None = None) -> list[str]:
    """List what a file pattern of the settings matches, whether it can be read or not.

    Parameters
    ----------
    folder : Path
        Delivery folder; there may be none.
    pattern : str
    data_dir : Path, optional
        Data folder; what the platform keeps in it is no delivery. A delivery folder within it is.

    Returns
    -------
    list of str
        Paths below the delivery folder, with ``/`` between their parts; without what Excel keeps beside an open
        workbook, and without hidden files and folders unless the pattern names them.
    """
    base, own = folder.resolve(), data_dir.resolve() if data_dir else None
    below = own.relative_to(base).parts if own and own.is_relative_to(base) else None
    names = (path.relative_to(folder) for path in folder.glob(pattern) if path.is_file())
    return [
        name.as_posix()
        for name in names
        if not name.name.startswith(_LOCK_PREFIX)
        and not any(part.startswith(".") and part not in pattern.split("/") for part in name.parts)
        and (below is None or len(name.parts) == 1 or name.parts[: len(below)] != below)
    ]


def mapped_patterns(source: SourceSettings) -> tuple[str, ...]:
    """List the file patterns of every mapped table."""
    mapped = (getattr(source, table) for table in DELIVERED_TABLES)
    return tuple(dict.fromkeys(pattern for mapping in mapped if mapping is not None for pattern in mapping.files))


def mapped_files(folder: Path, source: SourceSettings, data_dir: Path | None = None) -> set[str]:
    """Collect what the patterns of every mapped table match, as `matching_files` lists it."""
    return {name for pattern in mapped_patterns(source) for name in matching_files(folder, pattern, data_dir)}


def kind_of(file_name: str) -> Kind | None:
    """Tell how a delivered file is read, by the end of its name; ``None`` for one that cannot be."""
    lower = file_name.lower()
    return next((kind for kind, extensions in _EXTENSIONS.items() if lower.endswith(extensions)), None)


def split_ending(file_name: str) -> tuple[str, str]:
    """Split the end that tells how a file is read from its name; it is empty where there is none.

    Examples
    --------
    >>> split_ending("2025/orders.CSV.gz"), split_ending("orders.v2")
    (('2025/orders', '.CSV.gz'), ('orders.v2', ''))
    """
    lower = file_name.lower()
    ending = next((end for end in chain(*_EXTENSIONS.values()) if lower.endswith(end)), "")
    cut = len(file_name) - len(ending)
    return file_name[:cut], file_name[cut:]


def _natural_order(file_name: str) -> tuple[list[list[str | int]], str]:
    """Key that sorts paths folder by folder, numbers as numbers, and ``orders`` before ``orders-corrected``."""
    parts = (re.split("([0-9]+)", part) for part in split_ending(file_name)[0].split("/"))
    return [[int(text) if place % 2 else text for place, text in enumerate(part)] for part in parts], file_name


def _nothing_matches(folder: Path, table: str, pattern: str) -> DataError:
    present = sorted(path.name for path in folder.iterdir())
    listed = ", ".join(present[:10]) + (", …" if len(present) > 10 else "") if present else "nothing"
    return DataError(
        f"source.{table}.files: no file in {folder} matches '{pattern}'; the folder holds {listed}",
        "deliver the file, or correct the pattern.",
    )


def _claim(owners: list[str], source: SourceSettings, table: str, pattern: str, name: str) -> None:
    """Note that a file belongs to a table; to several only where each reads parts of its own."""
    for owner in owners:
        if owner != table and not _has_own_parts(kind_of(name), getattr(source, owner), getattr(source, table)):
            raise DataError(
                f"{name} is matched by source.{owner}.files and by '{pattern}' of source.{table}.files",
                "narrow the patterns so that a file belongs to one table; of a workbook or database name for each its "
                "own sheets, or its table.",
            )
    if table not in owners:
        owners.append(table)


def _has_own_parts(kind: Kind | None, one: DeliveredTable, other: DeliveredTable) -> bool:
    """Whether two tables read different sheets of a workbook, or different tables of a database."""
    if kind == "workbook":
        return bool(one.sheets and other.sheets) and set(one.sheets or ()).isdisjoint(other.sheets or ())
    return kind == "database" and None not in (one.table, other.table) and one.table != other.table


def _copies_after_originals(files: Sequence[DeliveredFile], before: Mapping[str, DeliveredFile]) -> list[DeliveredFile]:
    """Put copies right after their original, so that they replace none of its rows and undo no correction of them.

    Of files with the same bytes the original is the one that had them before, then one whose name was there before,
    then the first.
    """

    def seniority(index: int) -> tuple[bool, int, int]:
        known = before.get(files[index].file_name)
        is_new = known is None or known.sha256 != files[index].sha256
        return is_new, known.file_index if known else len(before), index

    originals: dict[str, int] = {}
    by_seniority = sorted(range(len(files)), key=seniority)
    for index in by_seniority:
        originals.setdefault(files[index].sha256, index)
    ordered = sorted(by_seniority, key=lambda index: originals[files[index].sha256])
    return [replace(files[index], file_index=place) for place, index in enumerate(ordered)]


def _describe(folder: Path, table: str, name: str, hash_of: Callable[[Path], str]) -> DeliveredFile:
    path = folder / name
    if kind_of(name) is None:
        raise DataError(
            f"{name} of source.{table} is of a kind that cannot be read",
            f"deliver one of {', '.join(chain(*_EXTENSIONS.values()))}.",
        )
    size = path.stat().st_size
    if size == 0:
        raise DataError(f"{name} of source.{table} is empty (0 bytes)", "deliver it again, or remove it.")
    return DeliveredFile(table, name, 0, size, hash_of(path))
