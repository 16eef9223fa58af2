"""The first rows of a stored table, as Dagster shows them: few columns, short cells, nothing personal."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg

from segmentation_assets.orchestration.incremental import QUARANTINE_SLICE
from segmentation_assets.reporting.formatting import strip_control
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.preview import read_head
from segmentation_assets.storage.store import TableStore
from segmentation_assets.tables.declaration import Table

ROWS = 5
COLUMNS = 8
CELL_CHARACTERS = 40

PERSONAL_TABLES = frozenset({"raw/customers"})
"""Tables of which no row is shown."""

PERSONAL_COLUMNS = {"raw/quarantine": frozenset({"value"}), "source/decisions": frozenset({"decided_by"})}
"""Columns that can hold what was typed by or of a person."""

Cell = str | int | float | bool | None

_TYPES = {"BIGINT": "int", "INTEGER": "int", "DOUBLE": "float", "BOOLEAN": "bool"}


def table_preview(store: TableStore, manifest: Manifest, table: Table) -> dict[str, Any]:
    """Show the number of columns and the first rows of a stored table; of one stored by months, those of the newest.

    Parameters
    ----------
    store : TableStore
    manifest : Manifest
        What is stored.
    table : Table
        Its declaration; other columns are never shown.

    Returns
    -------
    dict
        `column_count` where files can be read, `preview` where there are rows that may be shown.
    """
    hidden = PERSONAL_COLUMNS.get(manifest.key, frozenset())
    shown = [] if manifest.key in PERSONAL_TABLES else [name for name in table.column_names if name not in hidden]
    head = read_head(_paths(store, manifest), shown, rows=ROWS, columns=COLUMNS)
    count = {"column_count": len(head.columns)} if head.columns else {}
    if not head.rows:
        return count
    declared = {column.name: column.dtype for column in table.columns}
    return count | {"preview": as_table({name: _type_of(declared[name]) for name in head.rows[0]}, head.rows)}


def as_table(
    types: Mapping[str, str], rows: Iterable[Mapping[str, Any]], *, characters: int = CELL_CHARACTERS
) -> dg.TableMetadataValue:
    """Make a table for the UI from the types of its columns and its rows; texts are cut at so many characters."""
    return dg.MetadataValue.table(
        records=[dg.TableRecord({name: shown_cell(row.get(name), characters) for name in types}) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name, kind) for name, kind in types.items()]),
    )


def shown_cell(value: Any, characters: int = CELL_CHARACTERS) -> Cell:
    r"""Make a value short: texts in one line, numbers with six digits after the point at most.

    Example
    -------
    >>> shown_cell("a\nb"), shown_cell(1 / 3), shown_cell(1234567.89)
    ('a b', 0.333333, 1234567.89)
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return round(float(value), 6) if math.isfinite(value) else str(value)
    text = value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
    line = " ".join(strip_control(text).split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def _paths(store: TableStore, manifest: Manifest) -> list[Path]:
    """Files to look into."""
    if not manifest.slices:
        return store.paths(manifest)
    names = sorted(name for name in manifest.slices if name != QUARANTINE_SLICE)
    months = [name for name in names if name[:1].isdigit()]
    slices = [store.slice_manifest(manifest.key, name) for name in months[-1:] or names]
    return [path for stored in slices if stored is not None for path in store.paths(stored)]


def _type_of(dtype: str) -> str:
    return _TYPES.get(dtype, "float" if dtype.startswith("DECIMAL") else "string")
