"""What lies in the delivery folder: the files of each mapped table with size and SHA-256."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.storage.file_hashes import file_sha256
from segmentation_assets.tables.raw import DELIVERED_TABLES

CSV_EXTENSIONS = (".csv", ".csv.gz", ".csv.zst")
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
        which numbers count as numbers.
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
    hash_of: Callable[[Path], str] = file_sha256,
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
    hash_of : callable, optional
        Gives the SHA-256 of a file, perhaps from memory; by default every file is read.

    Returns
    -------
    tuple of DeliveredFile
        Table by table, and in delivery order within a table.

    Raises
    ------
    DataError
        The folder is missing, a pattern matches nothing, a file is empty, has an extension that cannot be read, or
        is matched by two tables.
    """
    if not folder.is_dir():
        raise DataError(
            f"the delivery folder {folder} does not exist",
            "make it and put the files there, or set source.folder to where they lie.",
        )
    owners: dict[str, str] = {}
    listed: dict[str, dict[str, None]] = {table: {} for table in DELIVERED_TABLES}
    for table, names in listed.items():
        mapping = getattr(source, table)
        for pattern in mapping.files if mapping is not None else ():
            found = sorted(_matching_files(folder, table, pattern, only), key=_natural_order)
            _claim(owners, table, pattern, found)
            names.update(dict.fromkeys(found))
    return tuple(
        _describe(folder, table, name, index, hash_of)
        for table, names in listed.items()
        for index, name in enumerate(names)
    )


def kind_of(file_name: str) -> Kind | None:
    """Tell how a delivered file is read, by the end of its name; ``None`` for one that cannot be."""
    lower = file_name.lower()
    return next((kind for kind, extensions in _EXTENSIONS.items() if lower.endswith(extensions)), None)


def _natural_order(file_name: str) -> tuple[list[list[str | int]], str]:
    """Key that sorts paths folder by folder, numbers as numbers, and ``orders`` before ``orders-corrected``."""
    lower = file_name.lower()
    ending = next((end for end in chain(*_EXTENSIONS.values()) if lower.endswith(end)), "")
    parts = (
        re.split("([0-9]+)", part) for part in file_name.removesuffix(file_name[len(lower) - len(ending) :]).split("/")
    )
    return [[int(text) if place % 2 else text for place, text in enumerate(part)] for part in parts], file_name


def _matching_files(folder: Path, table: str, pattern: str, only: Collection[str] | None) -> list[str]:
    files = (path for path in folder.glob(pattern) if path.is_file() and not path.name.startswith(_LOCK_PREFIX))
    matching = [path.relative_to(folder).as_posix() for path in files]
    found = [name for name in matching if only is None or name in only]
    if not found:
        present = sorted(path.name for path in folder.iterdir())
        listed = ", ".join(present[:10]) + (", …" if len(present) > 10 else "") if present else "nothing"
        raise DataError(
            f"source.{table}.files: no file in {folder} matches '{pattern}'; the folder holds {listed}",
            "deliver the file, or correct the pattern.",
        )
    return found


def _claim(owners: dict[str, str], table: str, pattern: str, names: Iterable[str]) -> None:
    """Note which table each file belongs to."""
    for name in names:
        owner = owners.setdefault(name, table)
        if owner != table:
            raise DataError(
                f"{name} is matched by source.{owner}.files and by '{pattern}' of source.{table}.files",
                "narrow the patterns so that a file belongs to one table.",
            )


def _describe(folder: Path, table: str, name: str, index: int, hash_of: Callable[[Path], str]) -> DeliveredFile:
    path = folder / name
    if kind_of(name) is None:
        raise DataError(
            f"{name} of source.{table} is of a kind that cannot be read",
            f"deliver one of {', '.join(chain(*_EXTENSIONS.values()))}.",
        )
    size = path.stat().st_size
    if size == 0:
        raise DataError(f"{name} of source.{table} is empty (0 bytes)", "deliver it again, or remove it.")
    return DeliveredFile(table, name, index, size, hash_of(path))
