"""The declared columns of an asset as Dagster shows them: types, meanings, and what each is made from."""

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any

import dagster as dg

from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.lineage import column_lineage
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.tables.declaration import Column

MOST_SOURCES_NAMED = 4
"""Columns of one asset that are named as sources in a description; more are counted."""

MOST_SOURCES_LINKED = 16
"""Columns that a column is linked to; of more, such as all features, only the description tells: nobody follows so many
arrows, and every event that holds them is written and read many times in a run."""

Sources = tuple[tuple[str, str], ...]


def column_schema(platform: Platform, node: Node) -> dict[str, Any]:
    """Return the declared columns as an entry of a definition's metadata; descriptions name what each is made from."""
    lineage = column_lineage(platform, node)
    table = declared_table(platform, node)
    columns = [_column(column, lineage.get(column.name, ())) for column in table.columns]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def lineage_metadata(platform: Platform, node: Node, stored: Collection[str] = ()) -> dict[str, Any]:
    """Return the column lineage as an entry of a materialisation's metadata; nothing where there is none.

    A column made from more than `MOST_SOURCES_LINKED` others has no links. A name with a ``*`` stands for the columns
    stored that it fits.
    """
    deps = {
        column: [_dep(*source) for source in sources]
        for name, sources in column_lineage(platform, node).items()
        if len(sources) <= MOST_SOURCES_LINKED
        for column in ([column for column in stored if fnmatchcase(column, name)] if "*" in name else [name])
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)} if deps else {}


def _dep(key: str, column: str) -> dg.TableColumnDep:
    return dg.TableColumnDep(asset_key=dg.AssetKey.from_user_string(key), column_name=column)


def _column(column: Column, sources: Sources) -> dg.TableColumn:
    unit = f" [{column.unit}]" if column.unit else ""
    made_from = f" Made from {_sources_in_words(sources)}." if sources else ""
    return dg.TableColumn(
        column.name,
        column.dtype,
        description=f"{column.meaning}{unit}{made_from}",
        constraints=dg.TableColumnConstraints(nullable=column.nullable),
    )


def _sources_in_words(sources: Sources) -> str:
    """Name the columns by asset; of many only their number."""
    by_key: dict[str, list[str]] = {}
    for key, name in sources:
        by_key.setdefault(key, []).append(name)
    return "; ".join(
        f"{key}: {', '.join(names)}" if len(names) <= MOST_SOURCES_NAMED else f"{len(names)} columns of {key}"
        for key, names in by_key.items()
    )
