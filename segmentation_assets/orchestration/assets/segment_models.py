"""Bodies of the models that tell segments without the clustering: everybody's now, and newcomers' later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.inputs import as_of
from segmentation_assets.graph.predictions import TRAINING_FEATURES
from segmentation_assets.orchestration.assets.gold import model_in_force
from segmentation_assets.orchestration.assets.model_records import last_record, store_model, write_record
from segmentation_assets.orchestration.assets.models import cutoffs_of
from segmentation_assets.orchestration.assets.training import reason_not_trained
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.customer_sample import sample_customers
from segmentation_assets.prediction.model_record import ModelRecord
from segmentation_assets.prediction.newcomer_training import reason_no_newcomer_classifier, train_newcomer_classifier
from segmentation_assets.prediction.segment_classifier_training import reason_no_classifier, train_segment_classifier
from segmentation_assets.prediction.segment_comparison import ClassifierTraining
from segmentation_assets.prediction.segment_record import judge_segments, segment_scores
from segmentation_assets.segments.assignment import assign_by_model
from segmentation_assets.serving.feature_inputs import declared_features
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.prediction import NEWCOMER_CLASSIFIER_SCORES, SEGMENT_CLASSIFIER_SCORES

if TYPE_CHECKING:
    import pandas as pd

SEGMENTS_OF = "segments_of"
"""Entry of the details of a training: hash of the model in force whose segments were learned."""


def segment_classifier(step: Step) -> None:
    """Learn to tell segments where that is due, or another model has come into force."""
    frame, record = last_record(step, SEGMENT_CLASSIFIER_SCORES)
    reason = reason_not_trained(step)
    if reason and record.details.get(SEGMENTS_OF) != _segments_of(step):
        reason = ""
    if not reason:
        settings, columns = step.platform.settings.prediction, feature_columns(declared_features(step))
        own = settings.segment_classifier
        current = sample_customers(_with_segments(step), own.fit_sample, seed=settings.seed)
        reason = reason_no_classifier(current, columns, own)
        if not reason:
            training = train_segment_classifier(current, _earlier(step), columns, own, seed=settings.seed)
            frame, record = _keep(step, SEGMENT_CLASSIFIER_SCORES, training, record, training.model.estimator)
    write_record(step, SEGMENT_CLASSIFIER_SCORES, frame, record.left_as_it_is(reason))


def newcomer_classifier(step: Step) -> None:
    """Learn to tell the segment that newcomers reach, where that is due."""
    frame, record = last_record(step, NEWCOMER_CLASSIFIER_SCORES)
    cutoffs, reason = cutoffs_of(step)
    if cutoffs is not None:
        settings, columns = step.platform.settings.prediction, feature_columns(declared_features(step))
        own = settings.segment_classifier
        rows = _newcomers(step, max(own.newcomers.bands))
        rows = sample_customers(rows, own.fit_sample, seed=settings.seed)
        reason = reason_no_newcomer_classifier(rows, columns, own)
        if not reason:
            training = train_newcomer_classifier(
                rows, columns, own, horizon_days=settings.horizon_days, seed=settings.seed
            )
            estimator = training.model.classifier.estimator
            frame, record = _keep(step, NEWCOMER_CLASSIFIER_SCORES, training, record, estimator)
    write_record(step, NEWCOMER_CLASSIFIER_SCORES, frame, record.left_as_it_is(reason))


def _segments_of(step: Step) -> str:
    return str(step.frame("gold/champion", ["model_hash"])["model_hash"].iloc[0])


def _keys(step: Step) -> pd.Series:
    """Segment of each customer now."""
    segments = step.frame("gold/customer_segments", ["customer_id", "segment_key"])
    return segments.set_index("customer_id")["segment_key"]


def _with_segments(step: Step) -> pd.DataFrame:
    features = step.frame("silver/customer_features")
    return features.assign(segment_key=features["customer_id"].map(_keys(step)))


def _earlier(step: Step) -> pd.DataFrame | None:
    """Features of the newest date that models are judged at, with the segments of the model in force then."""
    from segmentation_assets.prediction.churn_training import rows_at

    cutoffs, _ = cutoffs_of(step)
    if cutoffs is None:
        return None
    settings = step.platform.settings.prediction
    rows = rows_at(step.frame(TRAINING_FEATURES), [cutoffs.test]).reset_index(drop=True)
    rows = sample_customers(rows, settings.segment_classifier.fit_sample, seed=settings.seed + 1)
    placed = assign_by_model(rows, model_in_force(step, step.frame("gold/champion"))).frame
    return rows.assign(segment_key=rows["customer_id"].map(placed.set_index("customer_id")["segment_key"]))


def _newcomers(step: Step, most_days: int) -> pd.DataFrame:
    """Customers who were newcomers at a date of the training, with the segment that they are in now."""
    rows = step.frame(TRAINING_FEATURES)
    if "tenure_days" not in rows:
        return rows.head(0).assign(tenure_days=None, segment_key=None)
    rows = rows[(rows["tenure_days"].astype("float64") <= most_days).fillna(value=False)].reset_index(drop=True)
    return rows.assign(segment_key=rows["customer_id"].map(_keys(step)))


def _keep(
    step: Step, table: Table, training: ClassifierTraining[Any], record: ModelRecord, estimator: Any
) -> tuple[pd.DataFrame, ModelRecord]:
    """Store the model unless something speaks against it; return scores and record."""
    until, _ = as_of(step.platform, step.partition)
    month = step.partition[:7]
    verdict = judge_segments(training, until, {SEGMENTS_OF: _segments_of(step)})
    model_hash = store_model(step, estimator, training.model.to_state(), verdict)
    return segment_scores(training, table, until, month), record.after(verdict, month, str(until), model_hash)
