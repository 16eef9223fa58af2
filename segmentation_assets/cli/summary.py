"""What a run prints at its end: the segments found, and where the results are."""

from __future__ import annotations

from segmentation_assets.cli.progress import warnings_of
from segmentation_assets.errors import noun
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import known_months
from segmentation_assets.storage.engine import fetch_row, parquet_scan
from segmentation_assets.storage.store import WHOLE


def closing_summary(platform: Platform) -> str:
    """Describe the newest finished month: segments with size and money, verdict, files."""
    done = [month for month in known_months(platform) if platform.store.manifest("gold/segment_profiles", month)]
    if not done:
        return "No month is finished yet."
    month = done[-1]
    for key in ("gold/segment_profiles", "gold/champion"):
        manifest = platform.store.manifest(key, month)
        if manifest is None or not platform.store.is_intact(manifest):
            return f"{key} of {month[:7]} is missing or damaged; 'segmentation run' makes it again."
    lines = [f"\nSegments of {month[:7]} ({_verdict(platform, month)}):", _segments(platform, month), ""]
    lines += [*warnings, ""] if (warnings := _warnings(platform, month)) else []
    lines += [f"  {name:<10} {path}" for name, path in _products(platform, month).items()]
    return "\n".join(lines)


def _segments(platform: Platform, month: str) -> str:
    profiles = parquet_scan(platform.store.table_paths("gold/segment_profiles", month))
    with platform.engine.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT segment_key, segment_name, customer_count, customer_share, net_revenue_share "
            f"FROM {profiles} ORDER BY segment_key"
        ).fetchall()
    width = max(len(row[1]) for row in rows)
    return "\n".join(
        f"  {key}  {name:<{width}}  {count:>9,} {noun(count, 'customer'):<9}  {share:6.1%} of customers  "
        f"{_share(money)} of net revenue"
        for key, name, count, share, money in rows
    )


def _share(value: float | None) -> str:
    return "     -" if value is None else f"{value:6.1%}"


def _verdict(platform: Platform, month: str) -> str:
    champion = parquet_scan(platform.store.table_paths("gold/champion", month))
    with platform.engine.connect() as connection:
        algorithm, trained = fetch_row(
            connection, f"SELECT algorithm, trained_month FROM {champion} ORDER BY segment_key LIMIT 1"
        )
    return f"{algorithm}, fitted on {trained}"


def _warnings(platform: Platform, month: str) -> list[str]:
    """Say which checks of the month and of what is not made by month warn; their results are stored all the same."""
    manifests = (
        platform.store.manifest(node.key, month if node.is_partitioned else WHOLE) for node in platform.graph.nodes
    )
    return [f"  warning: {text}" for manifest in manifests if manifest for text in warnings_of(manifest)]


def _products(platform: Platform, month: str) -> dict[str, str]:
    """Where the month's files and the warehouse are, as far as they exist."""
    wanted = {
        "dashboard": f"reports/{month[:7]}/dashboard.html",
        "report": f"reports/{month[:7]}/business_report.md",
        "workbook": f"exports/{month[:7]}/segmentation.xlsx",
        "customers": f"exports/{month[:7]}/customer_segments.csv",
        "warehouse": "segmentation.duckdb",
    }
    return {name: str(platform.data_dir / path) for name, path in wanted.items() if (platform.data_dir / path).exists()}
