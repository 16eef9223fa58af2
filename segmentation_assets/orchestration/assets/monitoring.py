"""Bodies of the monitoring layer."""

from __future__ import annotations

from typing import Any

from segmentation_assets.graph.inputs import lookback_months
from segmentation_assets.graph.sources import delivered_tables
from segmentation_assets.ingestion.crosswalk import count_reassigned
from segmentation_assets.ingestion.findings import (
    Finding,
    count_repairs,
    find_in_lines,
    find_in_profiles,
    tell_repairs,
)
from segmentation_assets.orchestration.assets.silver import event_months, visible_rows
from segmentation_assets.orchestration.step import Step
from segmentation_assets.tables.monitoring import DATA_QUALITY, WITHOUT_CURRENCY
from segmentation_assets.tables.silver import LINE_REASONS


def data_quality(step: Step) -> None:
    """Compare the layers this month rests on; count the rows set aside in the files it reads, and what is left out."""
    import pandas as pd

    rows = [
        _order_lines_row(step),
        *_checked_rows(step),
        *_quarantine_rows(step),
        *_population_rows(step),
        *_crosswalk_rows(step),
        *_currency_rows(step),
    ]
    found = _findings(step)
    rows += [(kind, subject, each.measure, each.sentence, None, each.count, None) for kind, subject, each in found]
    frame = pd.DataFrame(rows, columns=list(DATA_QUALITY.column_names))
    step.write_frame(frame.astype({"is_equal": "boolean"}), DATA_QUALITY)
    for kind in ("finding", "repair"):
        step.metadata[f"{kind}_counts"] = {f"{key} {each.measure}": each.count for k, key, each in found if k == kind}


def _findings(step: Step) -> list[tuple[str, str, Finding]]:
    """Kind, table and what was found: in the lines of the lookback, and in the customers, products and events there."""
    months, delivered = lookback_months(step.platform, step.partition), delivered_tables(step.platform.settings)
    lines = step.slices_relation("silver/order_lines", months)
    products = visible_rows(step, "products") if "products" in delivered else None
    found = [("finding", "silver/order_lines", each) for each in find_in_lines(step.connection, lines, products)]
    read = {"order_lines": step.slices_relation("raw/order_lines", months)}
    for noun in ("customers", "products"):
        if noun in delivered:
            read[noun] = visible_rows(step, noun)
            profiles = find_in_profiles(step.connection, read[noun], noun)
            found += [("finding", f"raw/{noun}", each) for each in profiles]
    if "engagement_events" in delivered and (event_slices := event_months(step)):
        read["engagement_events"] = step.slices_relation("raw/engagement_events", event_slices)
    for noun, rows in read.items():
        repairs = tell_repairs(count_repairs(step.connection, rows))
        found += [("repair", f"raw/{noun}", each) for each in repairs]
    return found


def _order_lines_row(step: Step) -> tuple[Any, ...]:
    """Rows of the raw and of the classified lines in the lookback."""
    store = step.platform.store
    months = lookback_months(step.platform, step.partition)
    raw, silver = (
        sum(stored.row_count for month in months if (stored := store.slice_manifest(key, month)))
        for key in ("raw/order_lines", "silver/order_lines")
    )
    words = f"{silver:,} classified of {raw:,} raw order lines in the lookback"
    return "reconciliation", "silver/order_lines", "order lines in the lookback", words, raw, silver, raw == silver


def _checked_rows(step: Step) -> list[tuple[Any, ...]]:
    """Figures of the reconciliation checks of this month's layers."""
    rows = []
    for key in ("silver/customer_features", "gold/customer_segments"):
        manifest = step.platform.store.manifest(key, step.partition)
        for check in manifest.checks if manifest else ():
            for measure, expected, found in check.metadata.get("comparison", []):
                rows.append(("reconciliation", key, measure, check.description, expected, found, check.passed))
    return rows


def _quarantine_rows(step: Step) -> list[tuple[Any, ...]]:
    """Rows set aside, by table and reason; of order lines only in files that reach into the lookback."""
    lines = step.slices_relation("raw/order_lines", lookback_months(step.platform, step.partition))
    counted = step.connection.execute(
        f"SELECT table_name, reason, explanation, count(*) FROM {step.relation('raw/quarantine')} "
        f"WHERE table_name <> 'order_lines' OR source_file IN (SELECT source_file FROM {lines}) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [("quarantine", table, reason, words, None, count, None) for table, reason, words, count in counted]


def _population_rows(step: Step) -> list[tuple[Any, ...]]:
    """Order lines of the lookback outside of the population, by reason, and customers with too few orders."""
    lines = step.slices_relation("silver/order_lines", lookback_months(step.platform, step.partition))
    counted = step.connection.execute(
        f"SELECT line_reason, count(*) FROM {lines} WHERE line_type = 'excluded' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    rows = [
        ("population", "silver/order_lines", reason, f"order lines: {LINE_REASONS[reason]}", None, count, None)
        for reason, count in counted
    ]
    below = step.input_metadata("silver/customer_features").get("customers_below_min_orders", 0)
    if below:
        words = "customers: fewer orders in the lookback than population.min_orders"
        rows.append(("population", "silver/customer_features", "below_min_orders", words, None, below, None))
    return rows


def _crosswalk_rows(step: Step) -> list[tuple[Any, ...]]:
    """Order lines of the lookback that count for another customer than they were delivered with."""
    if step.platform.settings.population.crosswalk is None:
        return []
    lines = step.slices_relation("raw/order_lines", lookback_months(step.platform, step.partition))
    counts = count_reassigned(step.connection, lines, step.relation("source/crosswalk"))
    words = (
        f"order lines with {counts['reassigned_ids']:,} delivered ids count for {counts['customers_they_count_for']:,} "
        "other customers, as population.crosswalk says"
    )
    return [("crosswalk", "silver/order_lines", "reassigned_lines", words, None, counts["reassigned_lines"], None)]


def _currency_rows(step: Step) -> list[tuple[Any, ...]]:
    """Order lines of the lookback by the currency they were delivered in; none where no line has one."""
    lines = step.slices_relation("silver/order_lines", lookback_months(step.platform, step.partition))
    counted = step.connection.execute(
        f"SELECT currency, count(*) FROM {lines} GROUP BY ALL ORDER BY ALL NULLS LAST"
    ).fetchall()
    if all(currency is None for currency, _ in counted):
        return []
    words = {None: "order lines delivered without a currency, taken for the one of the settings"}
    return [
        ("currency", "silver/order_lines", currency or WITHOUT_CURRENCY,
         words.get(currency, f"order lines delivered in {currency}"), None, count, None)
        for currency, count in counted
    ]  # fmt: skip
