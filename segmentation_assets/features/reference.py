"""A published analysis reproduced from the raw order lines, beside the platform's own snapshots.

Only the conventions differ (`settings.reference`); lines are classified and features computed by the same code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from segmentation_assets.config.settings import ReferenceSettings, Settings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import computed_features, prepare_connection
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.ingestion.classification import cancelled_sql, classified_lines_sql
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.storage.engine import Connection, fetch_row, quote_text

_LINES = "reference_lines"


@dataclass(frozen=True)
class LadderStep:
    """Order lines left after one step of cleaning.

    Parameters
    ----------
    step : str
        What the step demands, on top of the steps before it.
    row_count, customer_count, order_count : int
    amount : Decimal
        Exact sum of quantity times unit price.
    """

    step: str
    row_count: int
    customer_count: int
    order_count: int
    amount: Decimal


@dataclass(frozen=True)
class RfmSummary:
    """Recency, order count and money over all customers with a sale; amounts in the currency of the settings."""

    customer_count: int
    recency_days_mean: float
    recency_days_median: float
    order_count_mean: float
    order_count_median: float
    gross_revenue_amount_mean: float
    gross_revenue_amount_median: float
    gross_revenue_amount_max: float


@dataclass(frozen=True)
class ReferenceResult:
    """A reproduced analysis.

    Parameters
    ----------
    name : str
        What the settings call it.
    as_of : datetime
        Snapshot instant, in local time of the shop.
    ladder : tuple of LadderStep
        Steps of cleaning, each narrower than the one before.
    rfm : RfmSummary
        Of the sales of known customers, equal rows included: the third step of the ladder.
    """

    name: str
    as_of: dt.datetime
    ladder: tuple[LadderStep, ...]
    rfm: RfmSummary


def compute_reference(connection: Connection, raw_relation: str, settings: Settings) -> ReferenceResult:
    """Reproduce the cleaning ladder and the RFM summary of a published analysis.

    Parameters
    ----------
    connection : Connection
    raw_relation : str
        SQL table expression of all of ``raw/order_lines``.
    settings : Settings
        With a ``reference`` section.

    Returns
    -------
    ReferenceResult

    Raises
    ------
    SettingsError
        There is no ``reference`` section.
    DataError
        There is no order line.
    """
    reference = settings.reference
    if reference is None:
        raise SettingsError("there is no reference section in the settings", "add one, or do not ask for a reference.")
    kept = {"non_product_codes": reference.non_product_codes, "duplicate_lines": "keep"}
    source = effective_source(settings).model_copy(update=kept)
    with _classified(connection, raw_relation, source):
        first_at, last_at = connection.execute(f"SELECT min(order_at), max(order_at) FROM {_LINES}").fetchone() or (
            None,
            None,
        )
        if first_at is None or last_at is None:
            raise DataError("there is no order line to compute a reference from", "ingest a delivery first.")
        as_of = last_at + dt.timedelta(days=1)
        ladder = _climb(connection, reference, source)
        rfm = _summarise_rfm(connection, settings, reference, as_of, first_at.date())
    return ReferenceResult(reference.name, as_of, ladder, rfm)


@contextmanager
def _classified(connection: Connection, raw_relation: str, source: SourceSettings) -> Iterator[None]:
    """Classify the lines once, into a temporary table."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_LINES} AS {classified_lines_sql(raw_relation, source)}")
    try:
        yield
    finally:
        connection.execute(f"DROP TABLE {_LINES}")


def _climb(connection: Connection, reference: ReferenceSettings, source: SourceSettings) -> tuple[LadderStep, ...]:
    """Count what each step leaves, in one pass."""
    pattern = reference.product_code_pattern
    steps = {
        "customer not null": "customer_id IS NOT NULL",
        "and not cancelled": f"NOT {cancelled_sql(source)}",
        "and quantity > 0 and price > 0": "line_type = 'sale'",
        "and distinct rows": "NOT is_exact_duplicate",
        f"and product codes only ({pattern})": f"regexp_matches(product_id, {quote_text(pattern)})",
    }
    conditions = [" AND ".join(list(steps.values())[: place + 1]) for place in range(len(steps))]
    measured = ", ".join(
        f"count(*) FILTER (WHERE {condition}), count(DISTINCT customer_id) FILTER (WHERE {condition}), "
        f"count(DISTINCT order_id) FILTER (WHERE {condition}), sum(amount) FILTER (WHERE {condition})"
        for condition in conditions
    )
    values: tuple[Any, ...] = connection.execute(f"SELECT {measured} FROM {_LINES}").fetchone() or ()
    return tuple(
        LadderStep(step, rows, customers, orders, amount or Decimal(0))
        for step, (rows, customers, orders, amount) in zip(steps, zip(*[iter(values)] * 4, strict=True), strict=True)
    )


def _summarise_rfm(
    connection: Connection, settings: Settings, reference: ReferenceSettings, as_of: dt.datetime, first_day: dt.date
) -> RfmSummary:
    """Summarise the features of every customer with a sale, over all lines, as of the reference instant.

    Means are taken from exact sums, so that they do not depend on the order of rows.
    """
    features = settings.features.model_copy(update={"recency": reference.recency})
    relations = FeatureRelations(order_lines=_LINES, history=f"({customer_history_sql(_LINES, None, as_of.date())})")
    names = ("recency_days", "order_count", "gross_revenue_amount")
    measured = ", ".join(f"sum({name}), median(CAST({name} AS DOUBLE))" for name in names)
    prepare_connection(connection)
    with computed_features(connection, features, relations, as_of, first_day, min_orders=1) as sql:
        row = fetch_row(connection, f"SELECT count(*), max(gross_revenue_amount), {measured} FROM ({sql})")
    count, largest, *values = row
    if not count:
        raise DataError("no known customer has a sale", "check source.cancellations and the column customer_id.")
    means = {f"{name}_mean": float(Decimal(total) / count) for name, total in zip(names, values[::2], strict=True)}
    medians = {f"{name}_median": median for name, median in zip(names, values[1::2], strict=True)}
    return RfmSummary(customer_count=count, gross_revenue_amount_max=float(largest), **means, **medians)
