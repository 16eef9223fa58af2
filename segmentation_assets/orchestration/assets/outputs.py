"""Bodies of the exports, reports and the warehouse."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.dictionary import list_sections
from segmentation_assets.features.imputation import FLAG_PREFIX, REASONS_COLUMN
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.features.registry import feature_blocks, features_table
from segmentation_assets.features.selection import candidate_features
from segmentation_assets.graph.inputs import (
    as_of,
    lookback_months,
    parts_in_lookback,
    recent_snapshots,
    stored_months,
)
from segmentation_assets.graph.sources import delivered_tables, optional_inputs
from segmentation_assets.ingestion.money import describe_money
from segmentation_assets.orchestration.assets.silver import visible_rows
from segmentation_assets.orchestration.step import Step
from segmentation_assets.reporting.business_report import render_business_report
from segmentation_assets.reporting.clustering_charts import CHARTS, ClusteringCharts
from segmentation_assets.reporting.column_statistics import kind_of
from segmentation_assets.reporting.correlations import correlate_ranks, sample_customers
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets.reporting.eda import profile_shop, render_eda
from segmentation_assets.reporting.eda_data import DataProfile
from segmentation_assets.reporting.feature_page import render_feature_report
from segmentation_assets.reporting.feature_report import FeatureReport, FeatureTables, gather_facts, to_plain
from segmentation_assets.reporting.month_quality import measure_missing, measure_months
from segmentation_assets.reporting.movement import list_moves
from segmentation_assets.reporting.snapshot import FeatureText, Snapshot
from segmentation_assets.reporting.table_profile import profile_table
from segmentation_assets.reporting.tabular import export_frame, write_csv
from segmentation_assets.reporting.workbook import write_workbook
from segmentation_assets.serving.feature_inputs import event_months
from segmentation_assets.storage.engine import fetch_row, quote_text
from segmentation_assets.storage.publishing import WarehouseTable, build_warehouse
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.monitoring import WITHOUT_CURRENCY
from segmentation_assets.tables.raw import RAW_TABLES

if TYPE_CHECKING:
    import pandas as pd


THUMBNAILS = "thumbnails"
"""Folder of the small pictures beside the figures."""


def dashboard(step: Step) -> None:
    """Render the HTML page of the month."""
    settings = step.platform.settings.reports
    html = render_dashboard(_snapshot(step), settings.dashboard, settings.map, _charts(step))
    deliver_report(step, "dashboard.html").write_text(html, encoding="utf-8")
    step.metadata |= {"megabytes": round(len(html.encode()) / 1e6, 3), "map_method": settings.map.method}


def _charts(step: Step) -> ClusteringCharts | None:
    """What the pictures of the month's clusterings show; None where they were not drawn."""
    text = step.delivered_text("reports/clusterings", CHARTS)
    return None if text is None else ClusteringCharts.from_json(text)


def eda(step: Step) -> None:
    """Render the page about the data of the month."""
    settings = step.platform.settings
    lines = step.slices_relation("silver/order_lines", lookback_months(step.platform, step.partition))
    profile = profile_shop(step.connection, lines, as_of(step.platform, step.partition)[0])
    html = render_eda(
        profile,
        _data_profile(step, lines),
        title=settings.reports.dashboard.title,
        month=step.partition[:7],
        currency=settings.currency,
        amounts=_amounts(step),
        is_synthetic=settings.source.kind == "synthetic",
        quarantine=_quarantine_counts(step),
        left_out=_counts_in_words(step, "population"),
    )
    deliver_report(step, "eda.html").write_text(html, encoding="utf-8")
    step.metadata |= {
        "beyond_a_factor_of_two": [row.measure.label for row in profile.compared if row.is_beyond],
        "not_known": {row.measure.label: row.reason for row in profile.compared if row.ratio is None},
    }


def _data_profile(step: Step, lines: str) -> DataProfile:
    """Describe the delivered tables as far as the month sees them, and what its features have to do with each other."""
    settings, connection = step.platform.settings, step.connection
    raw = step.slices_relation("raw/order_lines", lookback_months(step.platform, step.partition))
    relations = {"order_lines": raw, **_profile_relations(step)}
    declared = features_table(settings.features, optional_inputs(settings))
    numbers = [column.name for column in feature_columns(declared) if kind_of(column.dtype) == "number"]
    features = step.relation("silver/customer_features")
    (customers,) = fetch_row(connection, f"SELECT count(*) FROM {features}")
    sample = sample_customers(connection, features, numbers, settings.clustering.seed)
    parts = parts_in_lookback(step.platform, next(i for i in step.node.inputs if i.window == "parts"), step.partition)
    return DataProfile(
        tables=tuple(profile_table(connection, relation, RAW_TABLES[name]) for name, relation in relations.items()),
        correlations=correlate_ranks(sample, customers),
        quality=measure_months(connection, raw, lines, parts),
        missing=measure_missing(connection, raw, RAW_TABLES["order_lines"].column_names),
    )


def _profile_relations(step: Step) -> dict[str, str]:
    """SQL of the delivered rows of the optional tables that the month sees."""
    delivered = delivered_tables(step.platform.settings)
    relations = {name: visible_rows(step, name) for name in ("customers", "products") if name in delivered}
    months = event_months(step) if "engagement_events" in delivered else ()
    return relations | ({"engagement_events": step.slices_relation("raw/engagement_events", months)} if months else {})


def feature_report(step: Step) -> None:
    """Tell of every feature what it is, what its values are and whether clusterings see it, as a page and as JSON."""
    report = _feature_report(step)
    page = render_feature_report(report, step.platform.settings.reports.dashboard.title)
    deliver_report(step, "feature_report.html").write_text(page, encoding="utf-8")
    text = json.dumps(to_plain(report), indent=1, ensure_ascii=False, allow_nan=False)
    deliver_report(step, "feature_report.json").write_text(text + "\n", encoding="utf-8")
    step.metadata |= {
        "customers": report.customer_count,
        "features": len(report.facts),
        "correlation_sample": report.correlations.sample_count,
        "clusterings": dict(Counter(facts.use.state for facts in report.facts.values())),
        "absent_features": report.absent,
    }


def _feature_report(step: Step) -> FeatureReport:
    settings, available = step.platform.settings, optional_inputs(step.platform.settings)
    sections = list_sections(settings.features, available)
    declared = features_table(settings.features, available)
    tables = FeatureTables(
        features=step.relation("silver/customer_features"),
        tracking=step.input_metadata("silver/imputed_features").get("tracking") or (),
        preparation=Preparation.from_json(step.document("silver/model_matrix", "preparation.json")),
        matrix=step.input_metadata("silver/model_matrix"),
        offered=[column.name for column in candidate_features(declared, settings.matrix)],
        seed=settings.clustering.seed,
    )
    facts, correlations = gather_facts(step.connection, sections, tables)
    return FeatureReport(
        month=step.partition[:7],
        as_of_date=as_of(step.platform, step.partition)[0],
        currency=settings.currency,
        sections=sections,
        facts=facts,
        correlations=correlations,
        absent=step.input_metadata("silver/customer_features")["absent_features"],
    )


def business_report(step: Step) -> None:
    """Render the month in words."""
    text = render_business_report(_snapshot(step))
    deliver_report(step, "business_report.md").write_text(text, encoding="utf-8")


def figures(step: Step) -> None:
    """Draw the figures of the month and a small picture of each."""
    from segmentation_assets.reporting.slides import render_slides

    settings = step.platform.settings.reports
    for slide in render_slides(_snapshot(step), map_points=settings.dashboard.map_points, map_settings=settings.map):
        deliver_report(step, slide.name).write_bytes(slide.png)
        deliver_report(step, f"{THUMBNAILS}/{slide.name}").write_bytes(slide.thumbnail)
    step.metadata |= {"map_method": settings.map.method}


def workbook(step: Step) -> None:
    """Write the Excel workbook of the month."""
    path = _deliver_export(step, "segmentation.xlsx")
    write_workbook(_snapshot(step), step.platform.settings.reports.workbook, path)


def customer_segments(step: Step) -> None:
    """Write segments and features of every customer as CSV and Parquet."""
    snapshot = _snapshot(step)
    frame = export_frame(snapshot)
    step.reconcile(
        customers=(len(snapshot.customer_segments), len(frame)),
        net_revenue=(snapshot.features["net_revenue_amount"].sum(), frame["net_revenue_amount"].sum()),
    )
    write_csv(frame, _deliver_export(step, "customer_segments.csv"))
    parquet = _deliver_export(step, "customer_segments.parquet")
    step.connection.register("export", frame)
    step.connection.execute(f"COPY export TO {quote_text(str(parquet))} (FORMAT parquet, COMPRESSION zstd)")
    step.metadata |= {"customers": len(frame), "column_count": len(frame.columns), "columns": list(frame.columns)}


def segment_moves(step: Step) -> None:
    """Write who came, went, rose and fell, with names and money, as CSV."""
    names = {
        key: name
        for month in recent_snapshots(step.platform, step.partition, 1)
        for key, name in step.frame("gold/champion", ["segment_key", "segment_name"], month).to_numpy().tolist()
    }
    moves = list_moves(step.frame("gold/segment_migration"), names)
    write_csv(moves, _deliver_export(step, "segment_moves.csv"))
    step.metadata |= {"customers": len(moves)}


def warehouse(step: Step) -> None:
    """Build the published database aside and put it in place whole."""
    tables = [
        WarehouseTable(item.key, _month_paths(step, item.key), step.platform.graph.node(item.key).is_partitioned)
        for item in step.node.inputs
    ]
    counts = build_warehouse(step.deliver("segmentation.duckdb", "segmentation.duckdb"), tables, step.platform.engine)
    step.is_copy_of_inputs = True
    step.metadata |= {"row_counts": counts}


def _month_paths(step: Step, key: str) -> dict[str, list[Path]]:
    """Parquet files of an asset by month; under ``all`` where it has no months."""
    store = step.platform.store
    node = step.platform.graph.node(key)
    if node.storage == "sliced":
        manifest = store.manifest(key)
        names = sorted(manifest.slices) if manifest else []
        return {WHOLE: [path for name in names for path in store.slice_paths(key, name)]}
    if not node.is_partitioned:
        return {WHOLE: store.table_paths(key)}
    return {month: store.table_paths(key, month) for month in stored_months(step.platform, key)}


def deliver_report(step: Step, name: str) -> Path:
    """Return the staged path of a file that goes below the report folder of the month."""
    return step.deliver(name.replace("/", "-"), f"reports/{step.partition[:7]}/{name}")


def _deliver_export(step: Step, name: str) -> Path:
    return step.deliver(name, f"exports/{step.partition[:7]}/{name}")


def _snapshot(step: Step) -> Snapshot:
    """Gather what the reports of a month show."""
    settings = step.platform.settings
    as_of_date, is_partial = as_of(step.platform, step.partition)
    return Snapshot(
        month=step.partition[:7],
        as_of_date=as_of_date,
        is_partial=is_partial,
        currency=settings.currency,
        title=settings.reports.dashboard.title,
        champion=step.frame("gold/champion"),
        customer_segments=step.frame("gold/customer_segments"),
        segment_profiles=step.frame("gold/segment_profiles"),
        leaderboard=step.frame("clusters/leaderboard"),
        rfm_segments=step.frame("gold/rfm_segments"),
        features=step.frame("silver/customer_features"),
        matrix=step.frame("silver/model_matrix"),
        shares=_shares(step),
        feature_columns=feature_texts(step),
        absent_features=step.input_metadata("silver/customer_features")["absent_features"],
        reconciliation=_reconciliation(step),
        flow=_flow(step),
        quarantine_counts=_quarantine_counts(step),
        left_out=_counts_in_words(step, "population"),
        reassigned=_counts_in_words(step, "crosswalk"),
        unused_settings=_counts_in_words(step, "unused_setting"),
        hidden_sheets=_counts_in_words(step, "hidden_sheet"),
        findings=_sentences(step, "finding"),
        repairs=_sentences(step, "repair"),
        amounts=_amounts(step),
        imputation=_imputation(step),
        run_facts=_run_facts(step),
        lookback_months=settings.calendar.lookback_months,
        imputed_flags=_imputed_flags(step),
        flows=step.frame("gold/segment_flows"),
        events=step.frame("gold/segment_events"),
        strategies=step.frame("gold/segment_strategies"),
        rules=step.frame("gold/segment_rules"),
        directions=_directions(step),
    )


def _directions(step: Step) -> dict[str, int]:
    """Customers by the direction of their move."""
    relation = step.relation("gold/segment_migration")
    found = step.connection.execute(f"SELECT direction, count(*) FROM {relation} GROUP BY 1 ORDER BY 1").fetchall()
    return {str(direction): int(count) for direction, count in found}


def _shares(step: Step) -> pd.DataFrame:
    """Size and money of every segment in the months so far."""
    import pandas as pd

    columns = ["segment_key", "segment_name", "customer_count", "net_revenue_amount"]
    frames = [
        step.frame("gold/segment_profiles", columns, month).drop_duplicates().assign(month=month[:7])
        for month in recent_snapshots(step.platform, step.partition)
    ]
    return pd.concat(frames, ignore_index=True)


def feature_texts(step: Step) -> dict[str, FeatureText]:
    """What each feature is, and whether the clusterings are offered it."""
    settings = step.platform.settings
    available = optional_inputs(settings)
    main = candidate_features(features_table(settings.features, available), settings.matrix)
    return {
        column.name: FeatureText(
            column.meaning,
            column.unit,
            column.direction,
            column.label,
            block.name,
            column in main,
            column.null_rule,
        )
        for block in feature_blocks(settings.features, available)
        for column in block.columns
    }


def _imputed_flags(step: Step) -> pd.DataFrame:
    frame = step.frame("silver/imputed_features")
    flags = [name for name in frame.columns if name.startswith(FLAG_PREFIX)]
    return frame[["customer_id", REASONS_COLUMN, *flags]]


def _reconciliation(step: Step) -> pd.DataFrame:
    """Comparisons between the layers this month rests on."""
    return step.connection.execute(
        "SELECT subject AS layer, measure, expected, found, is_equal AS passed FROM "
        f"{step.relation('monitoring/data_quality')} WHERE kind = 'reconciliation' ORDER BY ALL"
    ).df()


def _flow(step: Step) -> pd.DataFrame:
    """The way of rows and money from the delivered files to the segments."""
    return step.connection.execute(
        "SELECT subject AS line, explanation AS words, measure, expected, found, is_equal AS passed FROM "
        f"{step.relation('monitoring/data_quality')} WHERE kind = 'flow' ORDER BY ALL"
    ).df()


def _counts_in_words(step: Step, kind: str) -> dict[str, int]:
    """Counts of one kind in the data quality of the month, by their words."""
    found = step.connection.execute(
        f"SELECT explanation, found FROM {step.relation('monitoring/data_quality')} WHERE kind = '{kind}' ORDER BY ALL"
    ).fetchall()
    return {str(words): int(count) for words, count in found}


def _sentences(step: Step, kind: str) -> tuple[tuple[str, str, str], ...]:
    """Table, code and sentence of one kind in the data quality of the month."""
    found = step.connection.execute(
        "SELECT subject, measure, explanation FROM "
        f"{step.relation('monitoring/data_quality')} WHERE kind = '{kind}' ORDER BY ALL"
    ).fetchall()
    return tuple((str(table), str(code), str(sentence)) for table, code, sentence in found)


def _amounts(step: Step) -> str:
    """Which amounts the month is about, in words."""
    settings = step.platform.settings
    found = step.connection.execute(
        f"SELECT measure FROM {step.relation('monitoring/data_quality')} WHERE kind = 'currency'"
    ).fetchall()
    is_exchanged = any(code not in (settings.currency, WITHOUT_CURRENCY) for (code,) in found)
    return describe_money(settings.currency, settings.money.vat, is_exchanged=is_exchanged)


def _quarantine_counts(step: Step) -> pd.DataFrame:
    """Rows set aside in the files this month reads."""
    return step.connection.execute(
        "SELECT subject AS table_name, measure AS reason, explanation, CAST(found AS BIGINT) AS row_count FROM "
        f"{step.relation('monitoring/data_quality')} WHERE kind = 'quarantine' ORDER BY ALL"
    ).df()


def _imputation(step: Step) -> pd.DataFrame:
    import pandas as pd

    tracking = step.input_metadata("silver/imputed_features").get("tracking", [])
    return pd.DataFrame(tracking, columns=["feature", "reason", "filled_count", "rule"])


def _run_facts(step: Step) -> dict[str, str]:
    """What the month was made with; no clock, so that the same content gives the same file."""
    from segmentation_assets.monitoring.run_records import package_versions

    settings = step.platform.settings
    facts: dict[str, Any] = {
        "source": settings.source.kind,
        "seed of clusterings": settings.clustering.seed,
        "lookback in months": settings.calendar.lookback_months,
    }
    if settings.source.kind == "synthetic":
        facts["seed of the shop"] = settings.synthetic.seed
    champion = step.frame("gold/champion", ["algorithm", "model_hash", "trained_month"]).iloc[0]
    facts |= {
        "model in force": f"{champion['algorithm']}, fitted on {champion['trained_month']}",
        "model hash": champion["model_hash"],
    }
    packages = package_versions(("segmentation-assets", "dagster", "duckdb", "pandas", "scikit-learn"))
    return {name: str(value) for name, value in (facts | packages).items()}
