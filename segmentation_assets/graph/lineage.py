"""Which columns a column is made from; the names themselves stand beside each column, as `Column.reads`.

A name is written ``table.column``. The table is the noun or the whole key of an asset that the node reads, itself a
month earlier included; where the node reads slices through ``silver/snapshot_input``, the asset that the slices belong
to. ``*`` stands for any letters, in a table among those that have the column, in a column among those outside the key.
``<matrix>`` stands for the features that the model matrix rests on.

A column is listed where other values in it can change a value of the column described: because they are summed,
counted or compared, or decide which rows are. Not listed are ``customer_id``, by which rows find each other nearly
everywhere, except as the source of itself; columns that only decide whether a row is there at all; settings, the as-of
date and fitted models, which are no columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from segmentation_assets.errors import SegmentationError, closest_hint
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.tables.declaration import Table

ColumnName = tuple[str, str]
"""An asset's key and one of its columns."""

MATRIX = "<matrix>"
"""Stands for the features that the model matrix rests on."""

_SLICES = "silver/snapshot_input"
_FEATURES = "silver/customer_features"
_MATRIX = "silver/model_matrix"


def column_lineage(platform: Platform, node: Node) -> dict[str, tuple[ColumnName, ...]]:
    """List the columns that each column of an asset's table is made from.

    Parameters
    ----------
    platform : Platform
    node : Node

    Returns
    -------
    dict of str to tuple of (str, str)
        Column to the pairs of asset key and column that its values are made from, one step back, each pair once, in
        declared order. Columns that are made from no column are left out: those of delivered tables and files, of
        ``silver/snapshot_input`` and ``monitoring/data_quality``, and dates and words that come from elsewhere.

    Raises
    ------
    SegmentationError
        A column is declared to read what the node does not.
    """
    reads = _reads(platform, node)
    tables = _readable_tables(platform, node) if reads else {}
    return {
        column: tuple(dict.fromkeys(pair for name in names for pair in _resolve(name, tables, f"{node.key}.{column}")))
        for column, names in reads.items()
    }


def _reads(platform: Platform, node: Node) -> dict[str, tuple[str, ...]]:
    """Names that each column reads."""
    names = {column.name: column.reads for column in declared_table(platform, node).columns if column.reads}
    if any(name.endswith(f".{MATRIX}") for reads in names.values() for name in reads):
        chosen = _matrix_features(platform)
        names = {column: tuple(_written_out(reads, chosen)) for column, reads in names.items()}
    return names


def _matrix_features(platform: Platform) -> list[str]:
    """Features clustered on, what they are filled from, and the core metrics, without which nobody is assigned."""
    features, matrix = (declared_table(platform, platform.graph.node(key)) for key in (_FEATURES, _MATRIX))
    read = {name for column in matrix.columns for name in column.reads}
    return [
        column.name
        for column in feature_columns(features)
        if column.imputation == "core" or f"{_noun(_FEATURES)}.{column.name}" in read
    ]


def _written_out(reads: Iterable[str], chosen: Iterable[str]) -> Iterator[str]:
    """Put the features that the model matrix rests on in place of the sign for them."""
    for name in reads:
        yield from (name.replace(MATRIX, feature) for feature in chosen) if name.endswith(MATRIX) else (name,)


def _readable_tables(platform: Platform, node: Node) -> dict[str, Table]:
    """Tables whose rows a node reads, by key; instead of the list of slices, what they belong to."""
    graph = platform.graph
    keys = [item.key for item in node.inputs if item.key != _SLICES]
    if any(item.key == _SLICES for item in node.inputs):
        keys += [item.key for item in graph.node(_SLICES).inputs]
    return {key: declared_table(platform, graph.node(key)) for key in keys}


def _resolve(name: str, tables: Mapping[str, Table], reader: str) -> list[ColumnName]:
    """Find the columns that a name stands for."""
    table_name, _, column_name = name.rpartition(".")
    chosen = [table for key, table in tables.items() if table_name in (key, _noun(key)) or fnmatchcase(key, table_name)]
    found = [(table.key, column) for table in chosen for column in _matching(table, column_name)]
    if found or "*" in table_name or (chosen and "*" in column_name):
        return found
    known = [f"{_noun(key)}.{column}" for key, table in tables.items() for column in table.column_names]
    raise SegmentationError(
        f"{reader} is declared to read '{name}', but none of the tables it is made from has that column",
        closest_hint(name, known),
    )


def _noun(key: str) -> str:
    return key.split("/", 1)[1]


def _matching(table: Table, pattern: str) -> list[str]:
    if "*" not in pattern:
        return [name for name in table.column_names if name == pattern]
    return [name for name in table.column_names if name not in table.primary_key and fnmatchcase(name, pattern)]
