"""Bodies of the models that foretell what customers do."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.inputs import as_of
from segmentation_assets.graph.predictions import CUTOFFS_DOCUMENT, TRAINING_FEATURES
from segmentation_assets.orchestration.assets.model_records import (
    last_record,
    store_model,
    write_record,
)
from segmentation_assets.orchestration.assets.purchase_days import first_order_day, histories, repeat_order_days
from segmentation_assets.orchestration.assets.training import reason_not_trained
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.cutoffs import Cutoffs, newest_cutoff
from segmentation_assets.prediction.model_record import ModelRecord
from segmentation_assets.serving.feature_inputs import declared_features
from segmentation_assets.serving.scoring_models import load_in_force
from segmentation_assets.tables.prediction import CHURN_SCORES, LIFETIME_SCORES

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.prediction.churn_model import ChurnModel


def churn(step: Step) -> None:
    """Train a model of churn where one is due, and put it in force if nothing speaks against it."""
    from segmentation_assets.prediction.churn_training import reason_not_trainable

    frame, record = last_record(step, CHURN_SCORES)
    cutoffs, reason = cutoffs_of(step)
    if cutoffs is not None:
        snapshots = step.frame(TRAINING_FEATURES)
        reason = reason_not_trainable(snapshots, cutoffs, step.platform.settings.prediction.churn.eligible_days)
        if not reason:
            frame, record = _train_churn(step, record, snapshots, cutoffs)
    write_record(step, CHURN_SCORES, frame, record.left_as_it_is(reason))


def cutoffs_of(step: Step) -> tuple[Cutoffs | None, str]:
    """Dates of this month's training, or why there is none."""
    plain: dict[str, Any] = json.loads(step.document(TRAINING_FEATURES, CUTOFFS_DOCUMENT))
    return (None, plain["reason"]) if "reason" in plain else (Cutoffs.from_plain(plain), "")


def _train_churn(
    step: Step, record: ModelRecord, snapshots: pd.DataFrame, cutoffs: Cutoffs
) -> tuple[pd.DataFrame, ModelRecord]:
    from segmentation_assets.prediction.churn_record import churn_scores, judge_churn
    from segmentation_assets.prediction.churn_training import train_churn

    settings = step.platform.settings
    training = train_churn(
        snapshots,
        feature_columns(declared_features(step)),
        cutoffs,
        settings.prediction,
        ceiling=settings.prediction.plausible_auc(settings.source.kind),
        in_force=_model_before(step, record, cutoffs),
    )
    verdict = judge_churn(training, cutoffs)
    model_hash = store_model(step, training.model.estimator, training.model.to_state(), verdict)
    month, (until, _) = step.partition[:7], as_of(step.platform, step.partition)
    return churn_scores(training, cutoffs, month), record.after(verdict, month, str(until), model_hash)


def _model_before(step: Step, record: ModelRecord, cutoffs: Cutoffs) -> ChurnModel | None:
    """The model in force, if it was fitted before any outcome of this test was known."""
    from segmentation_assets.prediction.churn_model import ChurnModel

    if record.known_until is None or record.known_until > str(cutoffs.test):
        return None
    stored = load_in_force(step, record)
    return None if stored is None else ChurnModel.from_state(stored.estimator, stored.state)


def lifetime_value(step: Step) -> None:
    """Fit lifetime value where it is due, and put it in force if nothing speaks against it."""
    frame, record = last_record(step, LIFETIME_SCORES)
    settings = step.platform.settings.prediction
    reason = reason_not_trained(step)
    if not reason:
        until, _ = as_of(step.platform, step.partition)
        day = newest_cutoff(until, settings.horizon_days)
        earliest = first_order_day(step) + dt.timedelta(days=settings.min_history_days)
        reason = f"the history is too short: a holdout would begin at {day}" if day < earliest else ""
        if not reason:
            frame, record, reason = _train_lifetime_value(step, frame, record, day)
    write_record(step, LIFETIME_SCORES, frame, record.left_as_it_is(reason))


def _train_lifetime_value(
    step: Step, frame: pd.DataFrame, record: ModelRecord, day: dt.date
) -> tuple[pd.DataFrame, ModelRecord, str]:
    from segmentation_assets.prediction.lifetime_record import judge_lifetime_value, lifetime_scores
    from segmentation_assets.prediction.lifetime_training import reason_not_fitted, train_lifetime_value

    settings = step.platform.settings.prediction
    until, _ = as_of(step.platform, step.partition)
    history, earlier = histories(step), histories(step, day, settings.horizon_days)
    reason = reason_not_fitted(history, f"until {until}") or reason_not_fitted(earlier, f"until {day}")
    if reason:
        return frame, record, reason
    times = repeat_order_days(step, day, until)
    training = train_lifetime_value(history, earlier, times, settings.horizon_days, settings.lifetime_value)
    verdict = judge_lifetime_value(training, day, settings.horizon_days)
    model_hash = store_model(step, None, training.model.to_state(), verdict)
    month = step.partition[:7]
    return lifetime_scores(training, day, until, month), record.after(verdict, month, str(until), model_hash), ""
