"""What is kept on record of a step, and the parameters that a stored result was made with."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.build import code_version
from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.differences import flatten
from segmentation_assets.monitoring.run_records import StepRecord
from segmentation_assets.monitoring.tracked_steps import is_tracked, metrics_of
from segmentation_assets.storage.manifest import Manifest


def record_of_step(platform: Platform, node: Node, partition: str, outcome: Any) -> StepRecord:
    """Take down what became of a step; of a model or a clustering also its parameters and data.

    Parameters
    ----------
    platform : Platform
    node : Node
    partition : str
        Month as YYYY-MM-01, or ``all``.
    outcome : StepOutcome
        As `orchestration.incremental.keep_or_compute` returns it.
    """
    if not is_tracked(node.key):
        return StepRecord.of(node.key, partition, outcome, {})
    manifest = outcome.manifest
    parameters, customers = parameters_of(platform, node, manifest), customers_of(platform, node, manifest)
    return StepRecord.of(node.key, partition, outcome, parameters, customers)


def customers_of(platform: Platform, node: Node, manifest: Manifest) -> int | None:
    """Return how many customers a model or a clustering was made of, as far as its table or its figures say."""
    if declared_table(platform, node).primary_key == ("customer_id",):
        return manifest.row_count
    counts = [int(value) for name, value in metrics_of(manifest.metadata).items() if "customers" in name.split("_")]
    return max(counts, default=None)


def parameters_of(platform: Platform, node: Node, manifest: Manifest) -> dict[str, Any]:
    """Return the settings that a stored result was made with, by dotted path.

    Parameters
    ----------
    platform : Platform
    node : Node
    manifest : Manifest
        Of the stored result.

    Returns
    -------
    dict
        The settings that the asset declares, with what a person changed for the run that made the result. Empty where
        they are not known any more, as of a closed month that was made with other settings.
    """
    settings = platform.settings.altered(manifest.by_hand) if manifest.by_hand else platform.settings
    if code_version(node, settings) != manifest.code_version:
        return {}
    return flatten({path: _plain(settings, path) for path in node.settings})


def _plain(settings: Settings, path: str) -> Any:
    value = settings.section(path)
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.loads(json.dumps(plain, default=str))
