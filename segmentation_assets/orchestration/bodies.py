"""Which body computes which asset."""

from __future__ import annotations

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.graph.node import Node
from segmentation_assets.orchestration.assets import (
    clusterings,
    clusters,
    gold,
    model_reports,
    models,
    monitoring,
    outputs,
    raw,
    scores,
    segment_models,
    silver,
    source,
    training,
)
from segmentation_assets.orchestration.incremental import Body

_MODULES = {
    "source": source,
    "silver": silver,
    "clusters": clusters,
    "gold": gold,
    "models": models,
    "monitoring": monitoring,
    "exports": outputs,
    "reports": outputs,
    "serving": outputs,
}

_ELSEWHERE: dict[str, Body] = {
    "silver/training_features": training.training_features,
    "gold/customer_scores": scores.customer_scores,
    "models/segment_classifier": segment_models.segment_classifier,
    "models/newcomer_classifier": segment_models.newcomer_classifier,
    "reports/models": model_reports.models,
    clusterings.REPORT: clusterings.clusterings,
}
"""Assets whose body lies in another module than that of their layer."""


def body_of(node: Node) -> Body:
    """Return the body of an asset: by name in the module of its layer, or made for its table or algorithm."""
    if node.layer == "raw":
        return raw.quarantine if node.noun == "quarantine" else raw.raw_table(node.noun)
    if node.layer == "clusters" and node.noun in ALGORITHMS:
        return clusters.algorithm(node.noun)
    if node.key in _ELSEWHERE:
        return _ELSEWHERE[node.key]
    body: Body = getattr(_MODULES[node.layer], node.noun)
    return body
