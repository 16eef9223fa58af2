"""The model in force of a kind, carried from month to month in a document beside its scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from segmentation_assets.graph.declarations import MODEL_USABLE, declared_checks
from segmentation_assets.graph.inputs import stored_months
from segmentation_assets.graph.months import previous_month
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.model_record import (
    CALIBRATION,
    MINIMUM_QUALITY,
    NO_LEAK,
    ModelCheck,
    ModelRecord,
    Verdict,
)
from segmentation_assets.serving.scoring_models import RECORD_DOCUMENT, aliases_of, record_of
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


def store_model(step: Step, estimator: Any, state: Mapping[str, Any], verdict: Verdict) -> str:
    """Put a model into the store under the name of its asset; return its hash."""
    description = {
        "month": step.partition[:7],
        "seed": step.platform.settings.prediction.seed,
        "packages": package_versions(_PACKAGES),
        "told": verdict.told,
        "figures": dict(verdict.figures),
    }
    return step.platform.models.save(step.node.noun, estimator, description, state=state).content_hash


def write_record(step: Step, table: Table, frame: pd.DataFrame, record: ModelRecord) -> None:
    """Write scores and record, point the aliases at the models, and say whether anything speaks against the newest."""
    step.write_frame(frame, table)
    step.write_document(RECORD_DOCUMENT, json.dumps(asdict(record)))
    for alias, reference in aliases_of(record).items():
        point_alias(step, alias, reference)
    step.add_check(MODEL_USABLE, record.sentence, passed=not record.problems, **record.figures)
    found = {check.name: check for check in record.checks}
    for declared in declared_checks(step.node):
        if declared.name in (NO_LEAK, CALIBRATION, MINIMUM_QUALITY):
            nothing = ModelCheck(declared.name, passed=True, sentence="no model was trained yet")
            check = found.get(declared.name, nothing)
            step.add_check(check.name, f"{step.node.key}: {check.sentence}.", passed=check.passed)
    step.metadata |= {"model_hash": record.in_force, "not_trained": record.not_trained or None, **record.figures}


def point_alias(step: Step, alias: str, reference: ModelReference | None) -> None:
    """Count a model to the result, and point an alias at it if no later month does; without a model there is none."""
    if reference is not None:
        step.rest_on(step.platform.models.folder(reference))
    if step.partition >= max(stored_months(step.platform, step.node.key), default=""):
        step.platform.models.set_alias(alias, reference)
