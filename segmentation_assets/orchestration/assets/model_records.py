"""The model in force of a kind, carried from month to month in a document beside its scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from segmentation_assets.graph.declarations import MODEL_USABLE
from segmentation_assets.graph.inputs import stored_months
from segmentation_assets.graph.months import previous_month
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.model_record import ModelRecord, Verdict
from segmentation_assets.serving.scoring_models import RECORD_DOCUMENT, record_of
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.declaration import Table

if TYPE_CHECKING:
    import pandas as pd

_PACKAGES = ("scikit-learn", "numpy", "scipy", "skops")


def last_record(step: Step, table: Table) -> tuple[pd.DataFrame, ModelRecord]:
    """Scores and record of the month before, or empty ones in the first month."""
    import pandas as pd

    if step.partition == step.platform.first_month:
        return pd.DataFrame(columns=list(table.column_names)), ModelRecord(step.node.key)
    month = previous_month(step.partition)
    return step.frame(step.node.key, partition=month), record_of(step, step.node.key, month)


def store_model(step: Step, estimator: Any, state: Mapping[str, Any], verdict: Verdict) -> str | None:
    """Put a model into the store under the name of its asset, unless something speaks against it; return its hash."""
    if verdict.problems:
        return None
    description = {
        "month": step.partition[:7],
        "seed": step.platform.settings.prediction.seed,
        "packages": package_versions(_PACKAGES),
        "told": verdict.told,
        "figures": dict(verdict.figures),
    }
    return step.platform.models.save(step.node.noun, estimator, description, state=state).content_hash


def write_record(step: Step, table: Table, frame: pd.DataFrame, record: ModelRecord) -> None:
    """Write scores and record, point the alias at the model in force, and say whether anything speaks against it."""
    step.write_frame(frame, table)
    step.write_document(RECORD_DOCUMENT, json.dumps(asdict(record)))
    if record.in_force is not None:
        reference = ModelReference(step.node.noun, record.in_force)
        step.rest_on(step.platform.models.folder(reference))
        if step.partition >= max(stored_months(step.platform, step.node.key), default=""):
            step.platform.models.set_alias(f"{step.node.noun}_champion", reference)
    step.add_check(MODEL_USABLE, record.sentence, passed=not record.problems, **record.figures)
    step.metadata |= {"model_hash": record.in_force, "not_trained": record.not_trained or None, **record.figures}
