"""Body of the features that models learn from: of earlier dates, with what followed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from segmentation_assets.clustering.refits import reason_not_due
from segmentation_assets.config.prediction import PredictionSettings
from segmentation_assets.features.registry import prepare_connection
from segmentation_assets.graph.inputs import as_of, order_line_months
from segmentation_assets.graph.predictions import CUTOFFS_DOCUMENT
from segmentation_assets.ingestion.calendar import lookback_start, shift_month
from segmentation_assets.ingestion.classification import bucket_sql
from segmentation_assets.orchestration.assets.purchase_days import first_order_day, history_as_of
from segmentation_assets.orchestration.step import PART, Step
from segmentation_assets.prediction.cutoffs import Cutoffs, plan_cutoffs
from segmentation_assets.prediction.outcomes import outcomes_sql
from segmentation_assets.serving.feature_inputs import (
    bucket_relations,
    declared_features,
    features_as_of,
)
from segmentation_assets.storage.engine import conformed_select, copy_to_parquet, fetch_row, quote_identifier
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.prediction import training_features_table

_PARTS = 1_000_000
"""Into how many parts customers fall by the hash of their id, of which a sample takes the first."""

_SNAPSHOT, _HISTORY = "training_snapshot", "training_history"


def training_features(step: Step) -> None:
    """Put features of earlier dates beside what followed, where models are trained this month."""
    table = training_features_table(declared_features(step))
    reason = reason_not_trained(step)
    cutoffs = None if reason else _plan(step)
    if not reason and cutoffs is None:
        reason = "the history is too short: models need two dates with a horizon after each"
    step.tables[""] = table
    prepare_connection(step.connection)
    parts = [] if cutoffs is None else sorted(cutoffs.dates)
    for number, day in enumerate(parts):
        _write_snapshot(step, table, day, step.stage / f"part-{number}.parquet")
    if not parts:
        empty = ", ".join(f"NULL AS {quote_identifier(name)}" for name in table.column_names)
        copy_to_parquet(step.connection, conformed_select(f"SELECT {empty} WHERE false", table), step.stage / PART)
    plain = {"reason": reason} if cutoffs is None else cutoffs.to_plain()
    step.write_document(CUTOFFS_DOCUMENT, json.dumps(plain))
    step.metadata |= {"not_trained": reason or None, "dates": [str(day) for day in parts]}


def reason_not_trained(step: Step) -> str:
    """Say why models are not trained this month; empty where they are due."""
    every = step.platform.settings.prediction.refit_every_months
    return reason_not_due(
        step.platform.first_month, step.partition, every, what="models", setting="prediction.refit_every_months"
    )


def _plan(step: Step) -> Cutoffs | None:
    settings = step.platform.settings.prediction
    until, _ = as_of(step.platform, step.partition)
    return plan_cutoffs(
        until,
        first_order_day(step),
        horizon_days=settings.horizon_days,
        gap_days=settings.gap_days,
        training_snapshots=settings.training_snapshots,
        min_history_days=settings.min_history_days,
        with_validation=settings.validation == "later_snapshot",
    )


def _write_snapshot(step: Step, table: Table, day: dt.date, path: Path) -> None:
    """Write the features of a sample of customers as of a date, and what followed it."""
    settings = step.platform.settings.prediction
    features = _stored_features(step, day) or _computed_features(step, day)
    start = day + dt.timedelta(days=settings.gap_days)
    end = start + dt.timedelta(days=settings.horizon_days)
    outcomes = outcomes_sql(_lines_between(step, start, end), start, end)
    chosen = f"(SELECT * FROM {features} WHERE {_is_in_sample(step, features, settings)})"
    sql = (
        f"SELECT DATE '{day}' AS cutoff_date, features.*, "
        + ", ".join(f"coalesce({name}, 0) AS {name}" for name in _OUTCOME_NAMES)
        + f" FROM {chosen} AS features LEFT JOIN ({outcomes}) AS outcomes USING (customer_id)"
    )
    copy_to_parquet(step.connection, conformed_select(sql, table), path)
    step.connection.execute(f"DROP TABLE IF EXISTS {_SNAPSHOT}")


_OUTCOME_NAMES = (
    "outcome_order_count", "outcome_order_day_count", "outcome_gross_revenue_amount", "outcome_net_revenue_amount",
)  # fmt: skip


def _is_in_sample(step: Step, features: str, settings: PredictionSettings) -> str:
    """Condition that chooses about as many customers as models learn from, by their ids."""
    (count,) = fetch_row(step.connection, f"SELECT count(recency_days) FROM {features}")
    if count <= settings.fit_sample:
        return "true"
    return f"{bucket_sql('customer_id', _PARTS)} < {round(_PARTS * settings.fit_sample / count)}"


def _stored_features(step: Step, day: dt.date) -> str | None:
    """SQL of the stored snapshot as of a date; none where its month comes before the first snapshot."""
    month = f"{shift_month(f'{day:%Y-%m}', -1)}-01"
    return step.relation("silver/customer_features", month) if month >= step.platform.first_month else None


def _computed_features(step: Step, day: dt.date) -> str:
    """Compute the features as of a date of which no snapshot is stored; they are what a snapshot would hold."""
    months = [month for month in order_line_months(step.platform) if month < f"{day}"]
    start = lookback_start(day, step.platform.settings.calendar.lookback_months).replace(day=1).isoformat()
    read = [month for month in months if month >= start]
    step.connection.execute(f"CREATE OR REPLACE TEMP TABLE {_HISTORY} AS FROM {history_as_of(step, day)}")
    step.connection.execute(f"DROP TABLE IF EXISTS {_SNAPSHOT}")
    for number, bucket in enumerate(bucket_relations(step, read)):
        with features_as_of(step, bucket, _HISTORY, day, read) as sql:
            verb = f"INSERT INTO {_SNAPSHOT}" if number else f"CREATE TEMP TABLE {_SNAPSHOT} AS"
            step.connection.execute(f"{verb} {conformed_select(sql, declared_features(step))}")
    step.connection.execute(f"DROP TABLE {_HISTORY}")
    return _SNAPSHOT


def _lines_between(step: Step, start: dt.date, end: dt.date) -> str:
    months = [m for m in order_line_months(step.platform) if f"{start:%Y-%m}-01" <= m < f"{end}"]
    if not months:
        return (
            "(SELECT * FROM "
            + step.slices_relation("silver/order_lines", order_line_months(step.platform)[:1])
            + (" WHERE false)")
        )
    return step.slices_relation("silver/order_lines", months)
