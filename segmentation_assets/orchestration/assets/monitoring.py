"""Bodies of the monitoring layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from segmentation_assets.errors import noun, plural
from segmentation_assets.features.snapshot import customers_in_lookback_sql
from segmentation_assets.graph.inputs import as_of, lookback_months, parts_in_lookback
from segmentation_assets.graph.snapshots import HIDDEN_SHEETS, RATE_CURRENCIES, SET_ASIDE
from segmentation_assets.graph.sources import delivered_tables, workbook_tables
from segmentation_assets.ingestion.accounts import PartAccount, add_up
from segmentation_assets.ingestion.calendar import lookback_start
from segmentation_assets.ingestion.crosswalk import count_reassigned
from segmentation_assets.ingestion.findings import (
    Finding,
    count_repairs,
    find_in_ids,
    find_in_lines,
    find_in_profiles,
    tell_repairs,
)
from segmentation_assets.ingestion.unused import find_unused_currencies, find_unused_entries, find_unused_rules
from segmentation_assets.monitoring.flow import (
    FlowLine,
    SegmentMoney,
    describe_flow,
    hold_lines,
    share_lines,
    trace_flow,
)
from segmentation_assets.orchestration.assets.silver import visible_rows
from segmentation_assets.orchestration.step import Step
from segmentation_assets.serving.feature_inputs import event_months
from segmentation_assets.storage.engine import fetch_row
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.monitoring import DATA_QUALITY, WITHOUT_CURRENCY
from segmentation_assets.tables.raw import QUARANTINE_REASONS
from segmentation_assets.tables.silver import LINE_REASONS


def data_quality(step: Step) -> None:
    """Compare the layers this month rests on; count the rows set aside in the files it reads, and what is left out."""
    import pandas as pd

    rows = [
        *_flow_rows(step),
        *_checked_rows(step),
        *_quarantine_rows(step),
        *_population_rows(step),
        *_crosswalk_rows(step),
        *_currency_rows(step),
        *_hidden_sheet_rows(step),
        *_unused_rows(step),
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
    for name in ("customers", "products"):
        if name in delivered:
            read[name] = visible_rows(step, name)
            profiles = find_in_profiles(step.connection, read[name], name)
            found += [("finding", f"raw/{name}", each) for each in profiles]
    if "engagement_events" in delivered and (event_slices := event_months(step)):
        events = read["engagement_events"] = step.slices_relation("raw/engagement_events", event_slices)
        found += [("finding", "raw/engagement_events", each) for each in find_in_ids(step.connection, events)]
    for name, rows in read.items():
        repairs = tell_repairs(count_repairs(step.connection, rows))
        found += [("repair", f"raw/{name}", each) for each in repairs]
    return found


def _flow(step: Step) -> tuple[FlowLine, ...]:
    """Follow rows and money from the files that reach into the lookback to the segments of the month."""
    platform, connection, min_orders = step.platform, step.connection, step.platform.settings.population.min_orders
    months = lookback_months(platform, step.partition)
    lines = step.slices_relation("silver/order_lines", months)
    until, _ = as_of(platform, step.partition)
    since = lookback_start(until, platform.settings.calendar.lookback_months)
    exact, rounded, *_ = fetch_row(connection, customers_in_lookback_sql(lines, since, until, min_orders))
    states = connection.execute(
        "SELECT state, count(*), sum(CAST(net_revenue_amount AS DECIMAL(18,2))) FROM "
        f"{step.relation('gold/customer_segments')} JOIN {step.relation('silver/customer_features')} "
        "USING (customer_id) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return trace_flow(
        _parts_read(step),
        hold_lines(connection, _raw_lines(step)),
        share_lines(connection, lines, since, until, min_orders),
        SegmentMoney({state: (int(count), money or Decimal(0)) for state, count, money in states}, rounded - exact),
        platform.settings.currency,
    )


def _parts_read(step: Step) -> tuple[PartAccount, ...]:
    """What became of the delivered parts that the month rests on."""
    read = next(item for item in step.node.inputs if item.window == "parts")
    return parts_in_lookback(step.platform, read, step.partition)


def _flow_rows(step: Step) -> list[tuple[Any, ...]]:
    """Every measure of every line of the way; a sum, which is checked, with what its parts add up to."""
    flow = _flow(step)
    sums = [(line, measure) for line in flow for measure in line.expected]
    step.add_check(
        "reconciliation",
        describe_flow(flow),
        passed=all(line.is_equal(measure) for line, measure in sums),
        comparison=[
            (f"{line.words}: {measure}", float(line.expected[measure]), float(line.found[measure]))
            for line, measure in sums
        ],
    )
    return [
        ("flow", line.code, measure, line.words, float(line.expected[measure]) if line.expected else None,
         float(value), line.is_equal(measure) if line.expected else None)
        for line in flow
        for measure, value in line.found.items()
    ]  # fmt: skip


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
    """Rows set aside, by table and reason; of order lines those that the month rests on."""
    others = step.input_metadata("raw/quarantine").get(SET_ASIDE) or {}
    counted = [(*name.split(), count) for name, count in others.items()]
    lines: Counter[str] = Counter()
    for part in _parts_read(step):
        lines.update({reason: add_up(months.values()).rows for reason, months in part.set_aside.items()})
    counted += [("order_lines", reason, count) for reason, count in sorted(lines.items())]
    return [
        ("quarantine", table, reason, QUARANTINE_REASONS[reason], None, count, None) for table, reason, count in counted
    ]


def _population_rows(step: Step) -> list[tuple[Any, ...]]:
    """Order lines of the lookback outside of the population, by reason, and customers with too few orders."""
    lines = step.slices_relation("silver/order_lines", lookback_months(step.platform, step.partition))
    counted = step.connection.execute(
        f"SELECT line_reason, count(*) FROM {lines} WHERE line_type = 'excluded' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    rows = [
        ("population", "silver/order_lines", reason, f"{noun(count, 'order line')}: {LINE_REASONS[reason]}", None,
         count, None)
        for reason, count in counted
    ]  # fmt: skip
    below = step.input_metadata("silver/customer_features").get("customers_below_min_orders", 0)
    if below:
        words = f"{noun(below, 'customer')}: fewer orders in the lookback than population.min_orders"
        rows.append(("population", "silver/customer_features", "below_min_orders", words, None, below, None))
    return rows


def _crosswalk_rows(step: Step) -> list[tuple[Any, ...]]:
    """Order lines of the lookback that count for another customer than they were delivered with."""
    if step.platform.settings.population.crosswalk is None:
        return []
    counts = count_reassigned(step.connection, _raw_lines(step), step.relation("source/crosswalk"))
    count = counts["reassigned_lines"]
    words = (
        f"{noun(count, 'order line')} with {plural(counts['reassigned_ids'], 'delivered id')} "
        f"{noun(count, 'counts', 'count')} for {plural(counts['customers_they_count_for'], 'other customer')}, as "
        "population.crosswalk says"
    )
    return [("crosswalk", "silver/order_lines", "reassigned_lines", words, None, count, None)]


def _currency_rows(step: Step) -> list[tuple[Any, ...]]:
    """Order lines of the lookback by the currency they were delivered in; none where no line has one."""
    lines = step.slices_relation("silver/order_lines", lookback_months(step.platform, step.partition))
    counted = step.connection.execute(
        f"SELECT currency, count(*) FROM {lines} GROUP BY ALL ORDER BY ALL NULLS LAST"
    ).fetchall()
    if all(currency is None for currency, _ in counted):
        return []
    words = {None: "without a currency, taken for the one of the settings"}
    return [
        ("currency", "silver/order_lines", currency or WITHOUT_CURRENCY,
         f"{noun(count, 'order line')} delivered {words.get(currency, f'in {currency}')}", None, count, None)
        for currency, count in counted
    ]  # fmt: skip


def _hidden_sheet_rows(step: Step) -> list[tuple[Any, ...]]:
    """Rows that came from sheets which nobody sees who opens the workbook; of order lines only in the lookback."""
    rows = []
    for name in workbook_tables(step.platform.settings):
        hidden = step.input_metadata(f"raw/{name}").get(HIDDEN_SHEETS) or {}
        counts = _in_lookback(step, hidden) if name == "order_lines" and hidden else hidden
        rows += [
            ("hidden_sheet", name, sheet, f"{noun(count, 'row')} of {name} in {sheet}, a hidden sheet", None, count,
             None)
            for sheet, count in sorted(counts.items()) if count
        ]  # fmt: skip
    return rows


def _in_lookback(step: Step, sheets: Iterable[str]) -> dict[str, int]:
    """Order lines of the lookback from some sheets."""
    counted = step.connection.execute(f"SELECT source_file, count(*) FROM {_raw_lines(step)} GROUP BY ALL").fetchall()
    return {sheet: dict(counted).get(sheet, 0) for sheet in sheets}


def _unused_rows(step: Step) -> list[tuple[Any, ...]]:
    """Entries of the settings that no order line of the lookback calls for."""
    settings, lines = step.platform.settings, _raw_lines(step)
    vat, crosswalk = settings.money.vat, settings.population.crosswalk
    products = step.slices_relation("raw/products", [WHOLE]) if vat.reads_products else None
    currencies = step.input_metadata("silver/order_lines").get(RATE_CURRENCIES) or ()
    found = [
        *(find_unused_entries(step.connection, lines, step.relation("source/crosswalk")) if crosswalk else ()),
        *find_unused_rules(step.connection, lines, products, vat.rates),
        *find_unused_currencies(step.connection, lines, currencies),
    ]
    return [("unused_setting", each.setting, "unused entries", each.words, None, each.count, None) for each in found]


def _raw_lines(step: Step) -> str:
    return step.slices_relation("raw/order_lines", lookback_months(step.platform, step.partition))
