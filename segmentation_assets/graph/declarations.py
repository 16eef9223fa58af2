"""Which declared table and which checks belong to which asset."""

from __future__ import annotations

from dataclasses import dataclass

from segmentation_assets.features.imputed_table import imputed_features_table
from segmentation_assets.features.matrix_table import possible_matrix_table
from segmentation_assets.features.registry import features_table
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.prediction.model_record import CALIBRATION, MINIMUM_QUALITY, NO_LEAK
from segmentation_assets.tables import clusters, gold, monitoring, prediction, raw, segment_descriptions, silver
from segmentation_assets.tables.declaration import Column, Table

_STATIC = {
    table.key: table
    for table in (
        *raw.TABLES,
        *silver.TABLES,
        *clusters.TABLES,
        *gold.TABLES,
        *segment_descriptions.TABLES,
        *monitoring.TABLES,
        *prediction.TABLES,
    )
}

_RECONCILED = (
    "silver/order_lines",
    "silver/customer_features",
    "gold/customer_segments",
    "gold/segment_flows",
    "monitoring/data_quality",
    "exports/customer_segments",
)

FITTED = "fitted"
"""Check of an algorithm's clusters: whether there is a model behind them."""

RULES = "delivery_contract"
"""Check of a delivered table: the rules that the settings set for it."""

FILES_READ = "files_read"
"""Check of a delivered table: whether every file has a row that can be used."""

NOTHING_LOST = "nothing_lost"
"""Check of a delivered table: whether every row of an earlier delivery is still delivered."""

SMALLEST_SEGMENT, COVERAGE = "smallest_segment", "coverage"
"""Checks of the customers' segments against the gates of the leaderboard."""

SIZE_CHANGES = "size_changes"
"""Check of the migration: whether a segment is much larger or smaller than a month earlier."""

RECONCILIATION = "reconciliation"
"""Check that rows, customers and money add up with what they were made from."""

MODEL_USABLE = "model_usable"
"""Check of a model: whether anything speaks against the one that was trained last."""

SCORE_DRIFT = "score_drift"
"""Check of the scores: whether they are spread as those of the month before."""

_WARNINGS = {
    "models/churn": (MODEL_USABLE, NO_LEAK, CALIBRATION, MINIMUM_QUALITY),
    **dict.fromkeys(
        ("models/lifetime_value", "models/segment_classifier", "models/newcomer_classifier"),
        (MODEL_USABLE, CALIBRATION, MINIMUM_QUALITY),
    ),
    "gold/customer_scores": (MODEL_USABLE, SCORE_DRIFT),
    "raw/quarantine": (NOTHING_LOST,),
    "gold/customer_segments": (SMALLEST_SEGMENT, COVERAGE),
    "gold/segment_migration": (SIZE_CHANGES,),
}


def declared_table(platform: Platform, node: Node) -> Table:
    """Return the declaration of an asset's table; of files it is their list."""
    if node.key not in platform.declared:
        platform.declared[node.key] = _declare(platform, node)
    return platform.declared[node.key]


def _declare(platform: Platform, node: Node) -> Table:
    if node.storage == "files":
        return files_table(node.key)
    if node.key in _STATIC:
        return _STATIC[node.key]
    if node.layer == "clusters":
        return clusters.assignments_table(node.noun)
    features = features_table(platform.settings.features, optional_inputs(platform.settings))
    if node.key == "silver/customer_features":
        return features
    if node.key == "silver/training_features":
        return prediction.training_features_table(features)
    if node.key == "silver/imputed_features":
        return imputed_features_table(features, platform.settings.imputation)
    return possible_matrix_table(features, platform.settings.imputation, platform.settings.matrix)


def files_table(key: str) -> Table:
    """Declare what is known of an asset that consists of files: a row per file."""
    return Table(
        key=key,
        row="a file",
        primary_key=("path",),
        columns=(
            Column(name="path", dtype="VARCHAR", meaning="Path below the data folder."),
            Column(name="size_bytes", dtype="BIGINT", unit="bytes", minimum=1, meaning="Size of the file."),
            Column(name="sha256", dtype="VARCHAR", meaning="SHA-256 of the file's bytes."),
        ),
    )


@dataclass(frozen=True)
class DeclaredCheck:
    """A check that an asset's step reports; one that is not blocking warns, and the result is stored all the same."""

    name: str
    is_blocking: bool = True

    @property
    def description(self) -> str:
        """What the check looks at."""
        return _LOOKS_AT[self.name]


_LOOKS_AT = {
    "contract": "Columns and types, unique keys, nulls, ranges and allowed values are as declared.",
    "delivery_contract": "No rule of `contract` in the settings is broken by a larger share of rows than it allows.",
    "files_read": "Every file, sheet or database table has a row that can be used.",
    "nothing_lost": "No file of an earlier delivery is gone or shorter, unless other files hold its rows.",
    "reconciliation": "Rows or customers, and money, equal those of what it was made from.",
    "fitted": "The algorithm could be fitted; if not, it is left out of the ranking.",
    "smallest_segment": "The smallest segment is as large as the leaderboard's gates ask of a candidate.",
    "size_changes": "No segment lost or gained a larger share of its customers than `champion.max_size_change`.",
    "model_usable": "Nothing speaks against the model trained last.",
    NO_LEAK: "The model is no better than is plausible; no feature tells the outcome alone, shuffled outcomes nothing.",
    CALIBRATION: "What the model foretells is found, in the mean of groups or over the holdout.",
    MINIMUM_QUALITY: "The model is better than a plain rule, than the settings ask for and than the one in force.",
    "score_drift": "Scores are spread as those of the month before.",
    "coverage": "As many customers with a purchase have a segment as the leaderboard's gate asks of a candidate.",
}


def declared_checks(node: Node) -> tuple[DeclaredCheck, ...]:
    """List the checks that an asset's step reports."""
    contract = (DeclaredCheck("contract"),) if node.storage != "files" else ()
    is_read = node.layer == "raw" and node.noun != "quarantine"
    is_fitted = node.layer == "clusters" and node.key not in _STATIC
    is_reconciled = is_read or is_fitted or node.key in _RECONCILED
    reconciliation = (DeclaredCheck(RECONCILIATION),) if is_reconciled else ()
    rules = (DeclaredCheck(RULES),) if node.has_rules else ()
    warnings = (FITTED,) if is_fitted else (FILES_READ,) if is_read else _WARNINGS.get(node.key, ())
    return (*contract, *reconciliation, *rules, *(DeclaredCheck(name, is_blocking=False) for name in warnings))
