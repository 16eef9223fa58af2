"""Which column of a delivered file is which of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.tables.declaration import Table


def mapped_columns(table: Table, mapping: DeliveredTable) -> tuple[str, ...]:
    """List our names of the columns that the mapping names, in declared order."""
    return tuple(name for name in table.column_names if name in mapping.columns)


def find_columns(table: Table, mapping: DeliveredTable, name: str, found: Sequence[str]) -> dict[str, str]:
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
    dict of str to str
        Our name and the name in the file of each mapped column, in the order of `mapped_columns`; without those that
        the file lacks and the mapping lets it lack.

    Raises
    ------
    DataError
        A column is missing, stands twice, or stands under two of its names.
    """
    return {
        column: _find(table, mapping, column, name, found)
        for column in mapped_columns(table, mapping)
        if not _is_lacking(mapping, column, found)
    }


def _is_lacking(mapping: DeliveredTable, column: str, found: Sequence[str]) -> bool:
    """Whether a file lacks a column that it may lack; one that is only written differently is a mistake."""
    is_there = bool(set(mapping.names_of(column)) & set(found))
    return column in mapping.may_lack and not is_there and _alike(mapping, column, found) is None


def _find(table: Table, mapping: DeliveredTable, column: str, file_name: str, found: Sequence[str]) -> str:
    wanted, setting = mapping.names_of(column), f"{_section(table)}.columns.{column}"
    present = [name for name in dict.fromkeys(wanted) if name in found]
    if not present:
        listed = ", ".join(f"'{header}'" for header in sorted(found) if header.strip())
        raise DataError(
            f"{file_name} has no column {_alternatives(wanted)}, which {setting} names; it has "
            f"{listed or 'no named column at all'}",
            _hint(table, mapping, column, found),
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


def _section(table: Table) -> str:
    return f"source.{table.key.split('/')[1]}"


def _mapped_names(mapping: DeliveredTable) -> set[str]:
    return {name for column in mapping.columns for name in mapping.names_of(column)}


def _alike(mapping: DeliveredTable, column: str, found: Sequence[str]) -> str | None:
    """Find a header, not mapped, that differs from the names of a column in letter case and punctuation alone."""
    letters = {_letters(name) for name in mapping.names_of(column)}
    others = (name for name in found if name not in _mapped_names(mapping))
    return next((name for name in others if _letters(name) in letters), None)


def _letters(name: str) -> str:
    """Leave letters and digits of a name, in small letters; all of it where it has none."""
    return re.sub(r"[\W_]+", "", name).casefold() or name


def _hint(table: Table, mapping: DeliveredTable, column: str, found: Sequence[str]) -> str:
    wanted = mapping.names_of(column)
    if not any(header.strip() for header in found):
        return "deliver it again, with the names of its columns in the first line."
    if len(found) == 1 and any(name in found[0] for name in wanted):
        return f"the header was split at '{mapping.separator}'; set the separator of this table to that of the file."
    alike = _alike(mapping, column, found)
    if alike is not None:
        names = [*wanted, alike]
        return f"did you mean '{alike}'? If files differ in it, set {_section(table)}.columns.{column} to {names}."
    mapped = _mapped_names(mapping)
    if not mapped & set(found) and not any(get_close_matches(name, found, n=1) for name in mapped):
        return "the first line does not look like a header; deliver the file without a title or 'sep=' above it."
    hint = closest_hint(wanted[-1], found)
    if column not in {declared.name for declared in table.columns if declared.nullable}:
        return hint
    return f"{hint} If some files do not have it, add {column} to {_section(table)}.may_lack."
