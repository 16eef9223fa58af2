"""What people and systems take away: exports, reports and the published warehouse."""

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.node import A_YEAR, Input, Node, same
from segmentation_assets.graph.predictions import MODELS, TRAINING_FEATURES
from segmentation_assets.graph.snapshots import DELIVERED_PARTS
from segmentation_assets.graph.sources import crosswalk_inputs, delivered_facts
from segmentation_assets.reporting.shop_figures import REFERENCE_FILE

_PUBLISHED = ("silver", "clusters", "gold", "models", "monitoring")
"""Layers that the warehouse holds."""

_REPORT_INPUTS = (
    *same(
        "gold/champion",
        "gold/customer_segments",
        "gold/segment_migration",
        "gold/segment_flows",
        "gold/segment_events",
        "gold/segment_strategies",
        "gold/segment_rules",
        "gold/rfm_segments",
        "clusters/leaderboard",
        "silver/customer_features",
        "silver/imputed_features",
        "silver/model_matrix",
        "silver/snapshot_input",
        "monitoring/data_quality",
    ),
    Input(key="gold/segment_profiles", window="recent", months_back=A_YEAR),
)

_REPORT_SETTINGS = (
    "reports.dashboard.title",
    "currency",
    "money.vat",
    "source.kind",
    "synthetic.seed",
    "calendar.lookback_months",
    "clustering.seed",
)


def output_nodes(settings: Settings, upstream: tuple[Node, ...]) -> tuple[Node, ...]:
    """List the exports, reports and the warehouse made from the assets given."""
    return (
        *_export_nodes(),
        *_report_nodes(settings),
        _clusterings_node(settings, upstream),
        _warehouse_node(upstream),
    )


def _export_nodes() -> tuple[Node, ...]:
    return (
        Node(
            key="exports/customer_segments",
            description="Segments, RFM scores and features of every customer, as CSV and Parquet under "
            "`exports/<month>/`. Text that a spreadsheet would run as a formula is defused in the CSV.",
            inputs=_REPORT_INPUTS,
            storage="files",
            kinds=("csv", "parquet"),
        ),
        Node(
            key="exports/segment_moves",
            description="Every customer whose place changed since the month before, as CSV: upgrades, downgrades, "
            "entries and exits, with the cause and the net revenue of both months.",
            inputs=(*same("gold/segment_migration"), Input(key="gold/champion", window="recent", months_back=1)),
            storage="files",
            kinds=("csv",),
        ),
        Node(
            key="exports/workbook",
            description="One Excel workbook per month: summary, segments and customers. Text stays text.",
            inputs=_REPORT_INPUTS,
            storage="files",
            settings=(*_REPORT_SETTINGS, "reports.workbook"),
            kinds=("excel",),
        ),
    )


def _model_reports(settings: Settings) -> tuple[Node, ...]:
    if not settings.prediction.enabled:
        return ()
    return (
        Node(
            key="reports/models",
            description="A card per model as Markdown in `reports/<month>/models/`: what it is for and not for, what "
            "it learned from, every score with what it rests on, groups, features and limits; with a picture of "
            "calibration, lift and gain, or of orders tracked over time.",
            inputs=same(*MODELS),
            storage="files",
            kinds=("markdown", "matplotlib"),
        ),
    )


def _report_nodes(settings: Settings) -> tuple[Node, ...]:
    return (
        Node(
            key="reports/dashboard",
            description="One self-contained HTML page per month that works offline: segments, map of customers, "
            "profiles, shares over the months, comparison of candidates with charts of each, and data quality. Charts "
            "of the clusterings show what `reports/clusterings` drew its pictures of.",
            inputs=(*_REPORT_INPUTS, Input(key="reports/clusterings")),
            storage="files",
            settings=(*_REPORT_SETTINGS, "reports.dashboard.map_points", "reports.map"),
            resources=tuple(f"reporting/templates/dashboard.{part}" for part in ("html.j2", "css", "js")),
            kinds=("plotly", "html"),
        ),
        *_model_reports(settings),
        Node(
            key="reports/eda",
            description="One self-contained HTML page per month about the data: order lines by month, distributions, "
            "concentration of value, the shop beside the public Online Retail file, the columns of every delivered "
            "table, correlations of the features, and quality over the months. A figure beyond a factor of two is "
            "marked; for own files that is no fault. Ids are counted, never shown.",
            inputs=(
                Input(key="silver/order_lines", window="lookback"),
                Input(key="raw/order_lines", window="lookback"),
                Input(key="raw/order_lines", window="parts", slice_name=DELIVERED_PARTS),
                *crosswalk_inputs(settings),
                *same("silver/snapshot_input", "silver/customer_features", "monitoring/data_quality"),
            ),
            storage="files",
            settings=(
                "reports.dashboard.title",
                "currency",
                "money.vat",
                "source.kind",
                "calendar.lookback_months",
                "features",
                "clustering.seed",
            ),
            facts=delivered_facts(settings),
            resources=(
                *(f"reporting/templates/{name}" for name in ("eda.html.j2", "macros.html.j2", "dashboard.css")),
                *(f"reporting/templates/{name}" for name in ("dashboard.js", "tables.js")),
                REFERENCE_FILE,
            ),
            logic_version="2",
            kinds=("plotly", "html"),
        ),
        Node(
            key="reports/feature_report",
            description="One self-contained HTML page per month, and the same as JSON, about every feature: meaning, "
            "distribution, missing and imputed values with the reason, outliers, the features it goes with, whether "
            "clusterings see it and if not why; and what is absent. Figures are of all customers, rank correlations "
            "of a seeded sample of up to 10,000.",
            inputs=same("silver/customer_features", "silver/imputed_features", "silver/model_matrix"),
            storage="files",
            settings=("reports.dashboard.title", "currency", "features", "matrix.features", "clustering.seed"),
            facts=delivered_facts(settings),
            resources=tuple(
                f"reporting/templates/{name}"
                for name in ("feature_report.html.j2", "macros.html.j2", "dashboard.css", "tables.js")
            ),
            kinds=("html", "json"),
        ),
        Node(
            key="reports/business_report",
            description="The month in words, as Markdown: segments, movement, caveats.",
            inputs=_REPORT_INPUTS,
            storage="files",
            settings=_REPORT_SETTINGS,
            resources=("reporting/templates/business_report.md.j2",),
            kinds=("markdown",),
        ),
        Node(
            key="reports/figures",
            description="Figures for slides, as PNG of 1920 × 1080 pixels under `reports/<month>/`: size and money of "
            "segments, the map of customers, the comparison of candidates. Titles state what was found. Small pictures "
            "of them lie in `thumbnails` and are shown here.",
            inputs=_REPORT_INPUTS,
            storage="files",
            settings=(*_REPORT_SETTINGS, "reports.dashboard.map_points", "reports.map"),
            kinds=("matplotlib", "png"),
        ),
    )


def _clusterings_node(settings: Settings, upstream: tuple[Node, ...]) -> Node:
    clusters = tuple(node.key for node in upstream if node.layer == "clusters")
    return Node(
        key="reports/clusterings",
        description="A report in Markdown, the same as JSON, and pictures of every algorithm of the month, under "
        "`reports/<month>/clusterings/`: settings, search, decision, stability, confidence, clusters, and who the "
        "noise is; `comparison.md` has all candidates side by side. Also of those that were refused or failed. "
        "Silhouettes and maps are drawn of seeded samples, which they say; `charts.json` holds what pictures show.",
        inputs=same(
            *clusters, "silver/model_matrix", "silver/customer_features", "gold/rfm_segments", "silver/snapshot_input"
        ),
        storage="files",
        settings=("currency", "features", "matrix.features", "leaderboard.weights", "clustering.seed", "reports.map"),
        facts=delivered_facts(settings),
        kinds=("matplotlib", "markdown", "json"),
    )


def _warehouse_node(upstream: tuple[Node, ...]) -> Node:
    published = published_keys(upstream)
    return Node(
        key="serving/warehouse",
        description="`segmentation.duckdb`: one table per published asset with its month as a column. It is built "
        "aside and put in place whole, so an open reader never blocks a run and never sees half a table.",
        inputs=tuple(
            Input(key=node.key, window="every" if node.is_partitioned else "whole")
            for node in upstream
            if node.key in published
        ),
        is_partitioned=False,
        storage="files",
        kinds=("duckdb",),
    )


def published_keys(nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """Keys of the assets that the warehouse holds: quarantine, silver without training rows, and what is made of it."""
    return tuple(
        node.key
        for node in nodes
        if (node.layer in _PUBLISHED and node.key != TRAINING_FEATURES) or node.key == "raw/quarantine"
    )
