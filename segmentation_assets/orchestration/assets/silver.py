"""Bodies of the silver layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from segmentation_assets.errors import DataError, MonthNotDeliveredError
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.delivered import require_delivered, uncounted_events
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.imputation import apply_imputation, fit_imputation
from segmentation_assets.features.imputed_table import imputed_features_table
from segmentation_assets.features.matrix_table import model_matrix_table
from segmentation_assets.features.preparation import fit_preparation, prepare
from segmentation_assets.features.registry import (
    absent_features,
    prepare_connection,
)
from segmentation_assets.features.snapshot import customers_in_lookback_sql, require_buyers
from segmentation_assets.graph.inputs import (
    as_of,
    check_delivered_months,
    history_months,
    lookback_months,
    order_line_months,
)
from segmentation_assets.graph.months import previous_month
from segmentation_assets.graph.sources import delivered_tables, optional_inputs
from segmentation_assets.ingestion.calendar import lookback_start
from segmentation_assets.ingestion.classification import bucket_sql, classified_lines_sql
from segmentation_assets.ingestion.crosswalk import (
    count_reassigned,
    entries_of_sql,
    resolved_sql,
)
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.ingestion.money import Conversion
from segmentation_assets.ingestion.population import check_population, excluded_accounts_sql
from segmentation_assets.ingestion.reconciliation import reconcile_layers
from segmentation_assets.orchestration.conversion import conversion_inputs, find_noted_conversion
from segmentation_assets.orchestration.step import Step
from segmentation_assets.serving.feature_inputs import (
    bucket_relations,
    crosswalk_relation,
    declared_features,
    event_months,
    events_relation,
    features_as_of,
    profiles_relation,
)
from segmentation_assets.storage.engine import (
    conformed_select,
    content_hash,
    copy_to_parquet,
    fetch_row,
    parquet_scan,
)
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.silver import CUSTOMER_HISTORY, ORDER_LINES, SNAPSHOT_INPUT

LINES_PER_BUCKET = 2_500_000

_TRACKING_NAMES = {"imputation": "imputation_class", "count": "filled_count", "value": "fill_value"}


def order_lines(step: Step) -> None:
    """Classify each month whose raw lines or rules changed; keep the others."""
    raw = step.platform.store.manifest("raw/order_lines")
    slices = {name: value for name, value in (raw.slices if raw else {}).items() if name != "quarantine"}
    buckets = _bucket_count(step, raw.row_count if raw else 0)
    step.tables[""] = ORDER_LINES
    shared = {"customer_buckets": str(buckets), **_population_inputs(step, tuple(slices))}
    conversion = find_noted_conversion(step, _resolved_lines(step, tuple(slices)), _excluded_accounts(step))
    for month, fingerprint in slices.items():
        inputs = {
            f"raw/order_lines@{month}": fingerprint,
            **shared,
            **_crosswalk_inputs(step, month),
            **conversion_inputs(step, conversion, month),
        }
        if _slice_is_current(step, month, inputs):
            step.kept_slices.add(month)
        else:
            _classify_month(step, month, buckets, conversion)
            step.slice_inputs[month] = inputs
    _reconcile_order_lines(step, tuple(slices), conversion)
    crosswalk = crosswalk_relation(step)
    if crosswalk is not None:
        lines = step.slices_relation("raw/order_lines", tuple(slices))
        step.metadata |= count_reassigned(step.connection, lines, crosswalk)
    step.metadata |= {"customer_buckets": buckets, "months_classified": sorted(step.slice_inputs)}


def _population_inputs(step: Step, months: tuple[str, ...]) -> dict[str, str]:
    """Check that the population is one the lines have; return the hash of the accounts that do not count, if any."""
    absent = check_population(
        step.connection, _resolved_lines(step, months), _account_holders(step), step.platform.settings.population
    )
    accounts = _excluded_accounts(step)
    if accounts is None:
        return {}
    value, count = content_hash(step.connection, accounts)
    step.metadata |= {"excluded_accounts": count, "excluded_customers_without_lines": list(absent)}
    return {"excluded_accounts": value}


def _crosswalk_inputs(step: Step, month: str) -> dict[str, str]:
    """Hash of the entries that concern the lines of a month; none where no entry does."""
    crosswalk = crosswalk_relation(step)
    if crosswalk is None:
        return {}
    lines = step.slices_relation("raw/order_lines", [month])
    value, count = content_hash(step.connection, entries_of_sql(crosswalk, lines, "order_at"))
    return {"source/crosswalk": value} if count else {}


def _resolved_lines(step: Step, months: Sequence[str]) -> str:
    """SQL of raw order lines under the customers that the ids stand for."""
    lines, crosswalk = step.slices_relation("raw/order_lines", months), crosswalk_relation(step)
    return resolved_sql(lines, crosswalk, "CAST(line.order_at AS DATE)") if crosswalk else lines


def _excluded_accounts(step: Step) -> str | None:
    return excluded_accounts_sql(step.platform.settings.population, _account_holders(step))


def _account_holders(step: Step) -> str | None:
    is_read = any(item.key == "raw/customers" for item in step.node.inputs)
    return step.slices_relation("raw/customers", [WHOLE]) if is_read else None


def _bucket_count(step: Step, line_count: int) -> int:
    """Take the number of buckets from the settings, else as stored, else from the number of lines."""
    wanted = step.platform.settings.engine.customer_buckets
    if wanted != "auto":
        return wanted
    stored = step.platform.store.manifest(step.node.key)
    if stored is not None and "customer_buckets" in stored.metadata:
        return int(stored.metadata["customer_buckets"])
    return -(-line_count // LINES_PER_BUCKET) or 1


def _slice_is_current(step: Step, month: str, inputs: dict[str, str]) -> bool:
    stored = step.platform.store.slice_manifest(step.node.key, month)
    return (
        not step.is_forced
        and stored is not None
        and stored.inputs == inputs
        and stored.code_version == step.platform.code_version(step.node)
        and step.platform.store.is_intact(stored)
    )


def _classify_month(step: Step, month: str, buckets: int, conversion: Conversion) -> None:
    """Write one file per customer bucket."""
    (step.stage / month).mkdir()
    settings = step.platform.settings
    raw = _resolved_lines(step, [month])
    source, accounts = effective_source(settings), _excluded_accounts(step)
    sql = classified_lines_sql(raw, source, settings.population, accounts, conversion)
    for bucket in range(buckets):
        chosen = sql if buckets == 1 else f"SELECT * FROM ({sql}) WHERE {bucket_sql('customer_id', buckets)} = {bucket}"
        path = step.stage / month / f"bucket-{bucket:03d}.parquet"
        copy_to_parquet(step.connection, conformed_select(chosen, ORDER_LINES), path)


def _reconcile_order_lines(step: Step, months: tuple[str, ...], conversion: Conversion) -> None:
    """Compare rows and money of the raw and the classified lines."""
    raw = _resolved_lines(step, months)
    kept = [path for name in step.kept_slices for path in step.platform.store.slice_paths(step.node.key, name)]
    silver = parquet_scan(sorted([*kept, *step.stage.glob("*/*.parquet")]))
    result = reconcile_layers(step.connection, raw, silver, conversion)
    step.add_check("reconciliation", result.sentence, passed=result.passed, comparison=result.comparison)
    step.metadata |= result.figures


def snapshot_input(step: Step) -> None:
    """List the slices this snapshot reads, with their hashes."""
    import pandas as pd

    check_delivered_months(step.platform)
    as_of_date, is_partial = as_of(step.platform, step.partition)
    lookback = lookback_months(step.platform, step.partition)
    _require_lines(step, lookback)
    rows = [
        _slice_row(step, "silver/order_lines", month, use)
        for use, months in (("features", lookback), ("history", history_months(step.platform, step.partition)))
        for month in months
    ]
    rows += [row for name in delivered_tables(step.platform.settings)[1:] for row in _optional_rows(step, name)]
    start = lookback_start(as_of_date, step.platform.settings.calendar.lookback_months)
    frame = pd.DataFrame(rows).assign(lookback_start=start, as_of_date=as_of_date, is_partial=is_partial)
    step.write_frame(frame, SNAPSHOT_INPUT)
    step.metadata |= {
        "as_of_date": as_of_date,
        "is_partial": is_partial,
        "months_read": len(lookback),
        "has_order_lines": step.partition in lookback,
    }


def _require_lines(step: Step, lookback: tuple[str, ...]) -> None:
    """Stop when no order line has been delivered for the month yet, or none lies within its lookback."""
    newest = order_line_months(step.platform)[-1]
    if step.partition > newest:
        raise MonthNotDeliveredError(
            f"{step.node.key}: there is no order line of {step.partition[:7]} yet, the newest is of {newest[:7]}",
            "deliver the month, or set calendar.last_month if no more will come.",
        )
    if not lookback:
        raise DataError(
            f"{step.node.key}: there is no order line in the lookback of {step.partition[:7]}",
            "lengthen calendar.lookback_months, or check calendar.first_snapshot against the delivered months.",
        )


def _slice_row(step: Step, key: str, name: str, used_for: str) -> dict[str, Any]:
    manifest = step.platform.store.slice_manifest(key, name)
    return {
        "input_key": key,
        "slice_name": name,
        "used_for": used_for,
        "content_hash": manifest.content_hash if manifest else "",
        "row_count": manifest.row_count if manifest else 0,
    }


def _optional_rows(step: Step, name: str) -> list[dict[str, Any]]:
    """Rows of an optional input: months of events, or the part of a table that the snapshot can see."""
    key = f"raw/{name}"
    if name == "engagement_events":
        rows = [_slice_row(step, key, month, "features") for month in event_months(step)]
        return rows + _event_entries_rows(step)
    relation = visible_rows(step, name)
    value, count = content_hash(step.connection, relation)
    as_of_date, _ = as_of(step.platform, step.partition)
    return [
        {
            "input_key": key,
            "slice_name": f"as of {as_of_date}",
            "used_for": "features",
            "content_hash": value,
            "row_count": count,
        }
    ]


def _event_entries_rows(step: Step) -> list[dict[str, Any]]:
    """Row of the crosswalk's entries that concern the events read; none where no entry does."""
    crosswalk, months = crosswalk_relation(step), event_months(step)
    if crosswalk is None or not months:
        return []
    events = step.slices_relation("raw/engagement_events", months)
    value, count = content_hash(step.connection, entries_of_sql(crosswalk, events, "event_at"))
    row = {"input_key": "source/crosswalk", "slice_name": "of engagement_events", "used_for": "features"}
    return [row | {"content_hash": value, "row_count": count}] if count else []


def visible_rows(step: Step, name: str) -> str:
    """SQL of the rows of a customers or products table that occur in the lookback's lines."""
    key = {"customers": "customer_id", "products": "product_id"}[name]
    lines = step.slices_relation("silver/order_lines", lookback_months(step.platform, step.partition))
    as_of_date, _ = as_of(step.platform, step.partition)
    table = profiles_relation(step, as_of_date) if name == "customers" else step.slices_relation(f"raw/{name}", [WHOLE])
    columns = "* EXCLUDE (source_file, source_row)"
    return f"(SELECT {columns} FROM {table} WHERE {key} IN (SELECT {key} FROM {lines} WHERE {key} IS NOT NULL))"


def customer_history(step: Step) -> None:
    """Add this month's lines to the history of the month before."""
    as_of_date, _ = as_of(step.platform, step.partition)
    months = history_months(step.platform, step.partition)
    is_first = step.partition == step.platform.first_month
    previous = None if is_first else step.relation(step.node.key, previous_month(step.partition))
    prepare_connection(step.connection)
    lines = step.slices_relation("silver/order_lines", months or lookback_months(step.platform, step.partition))
    lines = lines if months else f"(SELECT * FROM {lines} WHERE false)"
    step.write_sql(customer_history_sql(lines, previous, as_of_date), CUSTOMER_HISTORY)


def customer_features(step: Step) -> None:
    """Compute all features bucket by bucket."""
    as_of_date, is_partial = as_of(step.platform, step.partition)
    table = declared_features(step)
    _check_products(step)
    prepare_connection(step.connection)
    months, history = lookback_months(step.platform, step.partition), step.relation("silver/customer_history")
    for bucket, lines in enumerate(bucket_relations(step, months)):
        with features_as_of(step, lines, history, as_of_date, months) as sql:
            copy_to_parquet(step.connection, conformed_select(sql, table), step.stage / f"part-{bucket:03d}.parquet")
    step.tables[""] = table
    _reconcile_features(step)
    absent = absent_features(step.platform.settings.features, optional_inputs(step.platform.settings))
    step.metadata |= {
        "as_of_date": as_of_date,
        "is_partial": is_partial,
        "absent_features": absent | _uncounted_events(step),
    }


def _uncounted_events(step: Step) -> dict[str, str]:
    settings = step.platform.settings
    if settings.features.set == "basic" or "engagement_events.event_type" not in optional_inputs(settings):
        return {}
    return uncounted_events(step.connection, events_relation(step), settings.features)


def _check_products(step: Step) -> None:
    settings = step.platform.settings
    if "products" in delivered_tables(settings):
        require_delivered(step.connection, step.slices_relation("raw/products", [WHOLE]), settings.features)


def _reconcile_features(step: Step) -> None:
    """Compare the money of all customers with the money of the lines they come from, and count who is left out."""
    platform, min_orders = step.platform, step.platform.settings.population.min_orders
    lines = step.slices_relation("silver/order_lines", lookback_months(platform, step.partition))
    until, _ = as_of(platform, step.partition)
    start = lookback_start(until, platform.settings.calendar.lookback_months)
    lines_amount, expected, expected_customers, left_out, left_out_amount = fetch_row(
        step.connection, customers_in_lookback_sql(lines, start, until, min_orders)
    )
    found, customers, buyers = fetch_row(
        step.connection,
        "SELECT coalesce(sum(CAST(net_revenue_amount AS DECIMAL(18,2))), 0), count(*), count(recency_days) FROM "
        f"{parquet_scan(sorted(step.stage.glob('*.parquet')))}",
    )
    step.reconcile(
        customers=(expected_customers, customers),
        net_revenue=(expected, found),
        rounded_from=lines_amount,
    )
    step.metadata |= {"customers_below_min_orders": left_out, "net_revenue_below_min_orders": float(left_out_amount)}
    require_buyers(expected_customers, buyers, start, until, min_orders=min_orders, left_out=left_out)


def imputed_features(step: Step) -> None:
    """Fill what is missing, with a flag per value."""
    settings = step.platform.settings
    table = declared_features(step)
    frame = step.frame("silver/customer_features")
    imputation = fit_imputation(frame, feature_columns(table), settings.imputation)
    imputed = apply_imputation(frame, imputation)
    step.write_frame(imputed.frame, imputed_features_table(table, settings.imputation))
    step.metadata |= {
        "set_aside": imputed.set_aside["reason"].value_counts().to_dict(),
        "tracking": json.loads(imputed.tracking.rename(columns=_TRACKING_NAMES).to_json(orient="records")),
    }


def model_matrix(step: Step) -> None:
    """Select, transform and scale; the fitted preparation lies beside the matrix."""
    settings = step.platform.settings
    frame = step.frame("silver/customer_features")
    preparation = fit_preparation(frame, declared_features(step), settings.imputation, settings.matrix)
    prepared = prepare(frame, preparation)
    step.write_frame(prepared.matrix.reset_index(), model_matrix_table(preparation))
    step.write_document("preparation.json", preparation.to_json())
    components = preparation.components
    step.metadata |= {
        "columns": list(preparation.column_names),
        "features": list(preparation.features),
        "log_transformed": [column.name for column in preparation.columns if column.scale == "log"],
        "power_transformed": {
            column.name: column.exponent for column in preparation.columns if column.scale == "power"
        },
        "dropped": [asdict(dropped) for dropped in preparation.dropped],
        "adjustments": list(prepared.adjustments),
        "explained_variance": list(components.variance_shares) if components else None,
        "set_aside": len(prepared.set_aside),
    }
