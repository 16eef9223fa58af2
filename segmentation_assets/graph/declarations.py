"""Which declared table and which checks belong to which asset."""

from __future__ import annotations

from segmentation_assets.features.imputation import imputed_features_table
from segmentation_assets.features.registry import features_table
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.sources import delivered_tables
from segmentation_assets.tables import clusters, gold, raw, silver
from segmentation_assets.tables.declaration import Column, Table

_STATIC = {table.key: table for table in (*raw.TABLES, *silver.TABLES, *clusters.TABLES, *gold.TABLES)}

_RECONCILED = ("silver/order_lines", "silver/customer_features", "gold/customer_segments")


def declared_table(platform: Platform, node: Node) -> Table | None:
    """Return the declaration of an asset's table; ``None`` for files."""
    if node.storage == "files":
        return None
    if node.key in _STATIC:
        return _STATIC[node.key]
    if node.layer == "clusters":
        return clusters.assignments_table(node.noun)
    features = features_table(platform.settings.features, delivered_tables(platform.settings)[1:])
    if node.key == "silver/customer_features":
        return features
    return imputed_features_table(features) if node.key == "silver/imputed_features" else _matrix_table()


def _matrix_table() -> Table:
    """Declare the part of the model matrix that does not depend on the data."""
    column = Column(name="customer_id", dtype="VARCHAR", meaning="Customer as the shop writes it.")
    return Table(
        key="silver/model_matrix",
        row="a customer; selected, transformed and scaled columns follow",
        columns=(column,),
        primary_key=("customer_id",),
    )


def check_names(node: Node) -> tuple[str, ...]:
    """Names of the checks that an asset's step reports."""
    if node.storage == "files":
        return ()
    is_read = node.layer == "raw" and node.noun != "quarantine"
    return ("contract", "reconciliation") if is_read or node.key in _RECONCILED else ("contract",)
