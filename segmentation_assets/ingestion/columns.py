"""Which column of a delivered file is which of ours."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.tables.declaration import Table


def mapped_columns(table: Table, mapping: DeliveredTable) -> tuple[str, ...]:
    """List our names of the columns that the mapping names, in declared order."""
    return tuple(name for name in table.column_names if name in mapping.columns)


def find_columns(table: Table, mapping: DeliveredTable, name: str, found: Sequence[str]) -> tuple[str, ...]:
    """Find the mapped columns in a file.

    Parameters
    ----------
    table : Table
        Declaration of the raw table.
    mapping : DeliveredTable
    name : str
        Name of the file, used in errors.
    found : sequence of str
        Columns of the file.

    Returns
    -------
    tuple of str
        Name in the file of each mapped column, in the order of `mapped_columns`.

    Raises
    ------
    DataError
        A column is missing, stands twice, or stands under two of its names.
    """
    setting = f"source.{table.key.split('/')[1]}.columns"
    return tuple(
        _find(f"{setting}.{column}", mapping, mapping.names_of(column), name, found)
        for column in mapped_columns(table, mapping)
    )


def _find(setting: str, mapping: DeliveredTable, wanted: Sequence[str], file_name: str, found: Sequence[str]) -> str:
    present = [name for name in dict.fromkeys(wanted) if name in found]
    if not present:
        listed = ", ".join(f"'{column}'" for column in sorted(found) if column.strip())
        raise DataError(
            f"{file_name} has no column {_alternatives(wanted)}, which {setting} names; it has "
            f"{listed or 'no named column at all'}",
            _hint(wanted, found, mapping),
        )
    if len(present) > 1:
        raise DataError(
            f"{file_name} has the columns {' and '.join(repr(name) for name in present)}, which {setting} names as one",
            "leave in the list only names of which each file has exactly one.",
        )
    (name,) = present
    if found.count(name) > 1:
        raise DataError(
            f"{file_name} has {found.count(name)} columns called '{name}', which {setting} names",
            "rename them in the delivery so that each name stands once.",
        )
    return name


def _alternatives(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


def _hint(wanted: Sequence[str], found: Sequence[str], mapping: DeliveredTable) -> str:
    if not any(column.strip() for column in found):
        return "deliver it again, with the names of its columns in the first line."
    if len(found) == 1 and any(name in found[0] for name in wanted):
        return f"the header was split at '{mapping.separator}'; set the separator of this table to that of the file."
    mapped = {name for column in mapping.columns for name in mapping.names_of(column)}
    if not mapped & set(found) and not any(get_close_matches(name, found, n=1) for name in mapped):
        return "the first line does not look like a header; deliver the file without a title or 'sep=' above it."
    return closest_hint(wanted[-1], found)
