"""Bodies of the models that foretell what customers do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.declarations import MODEL_USABLE
from segmentation_assets.graph.inputs import as_of, stored_months
from segmentation_assets.graph.months import previous_month
from segmentation_assets.graph.predictions import CUTOFFS_DOCUMENT
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.assets.feature_inputs import declared_features
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.churn_model import ChurnModel
from segmentation_assets.prediction.churn_record import ChurnRecord, record_churn, scores_table
from segmentation_assets.prediction.churn_training import reason_not_trainable, train_churn
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.prediction import CHURN_SCORES

if TYPE_CHECKING:
    import pandas as pd

CHURN = "churn"
"""Name of churn models in the model store, and of the document that says which one is in force."""

RECORD_DOCUMENT = "record.json"
"""Beside the scores of a model: which one is in force, what came of the last training, and its curves."""

_PACKAGES = ("scikit-learn", "numpy", "scipy", "skops")


def churn(step: Step) -> None:
    """Train a model of churn where one is due, and put it in force if nothing speaks against it."""
    frame, record = _last_churn(step)
    cutoffs, reason = _cutoffs(step)
    if cutoffs is not None:
        settings = step.platform.settings.prediction
        snapshots = step.frame("silver/training_features")
        reason = reason_not_trainable(snapshots, cutoffs, settings.churn.eligible_days)
        if not reason:
            former = _model_before(step, record, cutoffs)
            columns = feature_columns(declared_features(step))
            ceiling = settings.plausible_auc(step.platform.settings.source.kind)
            training = train_churn(snapshots, columns, cutoffs, settings, ceiling=ceiling, in_force=former)
            in_force = record.in_force if training.problems else _store_churn(step, training.model)
            record = record_churn(
                training, cutoffs, as_of(step.platform, step.partition)[0], step.partition[:7], in_force, record
            )
            frame = scores_table(training, cutoffs, step.partition[:7])
    if reason:
        record = record.left_as_it_is(reason)
    _finish(step, frame, record)


def _last_churn(step: Step) -> tuple[pd.DataFrame, ChurnRecord]:
    """Scores and record of the month before, or empty ones."""
    import pandas as pd

    if step.partition == step.platform.first_month:
        return pd.DataFrame(columns=list(CHURN_SCORES.column_names)), ChurnRecord()
    month = previous_month(step.partition)
    record = ChurnRecord.from_plain(json.loads(step.document(step.node.key, RECORD_DOCUMENT, month)))
    return step.frame(step.node.key, partition=month), record


def _cutoffs(step: Step) -> tuple[Cutoffs | None, str]:
    """Dates of this month's training, or why there is none."""
    plain: dict[str, Any] = json.loads(step.document("silver/training_features", CUTOFFS_DOCUMENT))
    return (None, plain["reason"]) if "reason" in plain else (Cutoffs.from_plain(plain), "")


def load_churn_model(step: Step, record: ChurnRecord) -> ChurnModel | None:
    """Load the model of churn in force, if there is one."""
    if record.in_force is None:
        return None
    stored = step.platform.models.load(ModelReference(CHURN, record.in_force))
    return ChurnModel.from_state(stored.estimator, stored.state)


def _model_before(step: Step, record: ChurnRecord, cutoffs: Cutoffs) -> ChurnModel | None:
    """The model in force, if it was fitted before any outcome of this test was known."""
    is_older = record.known_until is not None and record.known_until <= str(cutoffs.test)
    return load_churn_model(step, record) if is_older else None


def _store_churn(step: Step, model: ChurnModel) -> str:
    """Put the model into the store; return its hash."""
    description = {
        "month": step.partition[:7],
        "seed": step.platform.settings.prediction.seed,
        "packages": package_versions(_PACKAGES),
    }
    return step.platform.models.save(CHURN, model.estimator, description, state=model.to_state()).content_hash


def _finish(step: Step, frame: pd.DataFrame, record: ChurnRecord) -> None:
    """Write scores and record; say whether there is a model to use."""
    step.write_frame(frame, CHURN_SCORES)
    step.write_document(RECORD_DOCUMENT, json.dumps(asdict(record)))
    if record.in_force is not None:
        reference = ModelReference(CHURN, record.in_force)
        step.rest_on(step.platform.models.folder(reference))
        if step.partition >= max(stored_months(step.platform, step.node.key), default=""):
            step.platform.models.set_alias("churn_champion", reference)
    step.add_check(MODEL_USABLE, record.sentence, passed=not record.problems, **record.figures)
    step.metadata |= {"model_hash": record.in_force, "not_trained": record.not_trained or None, **record.figures}
