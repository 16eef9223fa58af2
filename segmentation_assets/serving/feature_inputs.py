"""The inputs of features as of any date: order lines, profiles and events, and the query made from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager

from segmentation_assets.features.registry import computed_features, features_table
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.graph.inputs import lookback_months
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.ingestion.calendar import lookback_start
from segmentation_assets.ingestion.crosswalk import resolved_profiles_sql, resolved_sql
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.declaration import Table


def crosswalk_relation(tables: StoredTables) -> str | None:
    """SQL of the crosswalk, where there is one."""
    return tables.relation("source/crosswalk") if tables.platform.settings.population.crosswalk else None


def profiles_relation(tables: StoredTables, as_of_date: dt.date) -> str:
    """SQL of one profile per customer, by the ids that hold on the last day before a date."""
    customers, crosswalk = tables.slices_relation("raw/customers", [WHOLE]), crosswalk_relation(tables)
    day = f"DATE '{as_of_date - dt.timedelta(days=1)}'"
    return resolved_profiles_sql(customers, crosswalk, day) if crosswalk else customers


def event_months(tables: StoredTables, months: Sequence[str] | None = None) -> tuple[str, ...]:
    """List those of some months, by default of the lookback, that have engagement events."""
    wanted = lookback_months(tables.platform, tables.partition) if months is None else months
    manifest = tables.platform.store.manifest("raw/engagement_events")
    stored = manifest.slices if manifest else {}
    return tuple(month for month in wanted if month in stored)


def events_relation(tables: StoredTables, months: Sequence[str] | None = None) -> str:
    """SQL of the engagement events of some months, by default of the lookback."""
    found = event_months(tables, months)
    if found:
        events, crosswalk = tables.slices_relation("raw/engagement_events", found), crosswalk_relation(tables)
        return resolved_sql(events, crosswalk, "CAST(line.event_at AS DATE)") if crosswalk else events
    return "(SELECT NULL::VARCHAR AS customer_id, NULL::TIMESTAMP AS event_at, NULL::VARCHAR AS event_type WHERE false)"


def declared_features(tables: StoredTables) -> Table:
    """Declaration of the features that the settings ask for."""
    settings = tables.platform.settings
    return features_table(settings.features, optional_inputs(settings))


def bucket_relations(tables: StoredTables, months: Sequence[str]) -> list[str]:
    """SQL of the order lines of some months, one expression per customer bucket."""
    by_month = [tables.platform.store.slice_paths("silver/order_lines", month) for month in months]
    return [parquet_scan(list(paths)) for paths in zip(*by_month, strict=True)]


def features_as_of(
    tables: StoredTables, lines: str, history: str, as_of_date: dt.date, months: Sequence[str]
) -> AbstractContextManager[str]:
    """Compute features from some order lines, as known before a date.

    Parameters
    ----------
    tables : StoredTables
        On whose connection `prepare_connection` has been called.
    lines, history : str
        SQL table expressions with the columns of ``silver/order_lines`` and ``silver/customer_history``.
    as_of_date : date
    months : sequence of str
        Months of the lookback, of which events are read.
    """
    settings = tables.platform.settings
    available = optional_inputs(settings)
    relations = FeatureRelations(
        order_lines=lines,
        history=history,
        products=tables.slices_relation("raw/products", [WHOLE]) if "products" in available else None,
        customers=profiles_relation(tables, as_of_date) if "customers" in available else None,
        engagement_events=events_relation(tables, months) if "engagement_events" in available else None,
        columns=[name for name in available if "." in name],
    )
    start = lookback_start(as_of_date, settings.calendar.lookback_months)
    instant = dt.datetime.combine(as_of_date, dt.time())
    return computed_features(
        tables.connection, settings.features, relations, instant, start, min_orders=settings.population.min_orders
    )
