"""The part of an algorithm's report that describes its clusters: sizes, money, certainty and features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segmentation_assets.reporting.clustering_profile import Document
from segmentation_assets.reporting.formatting import (
    format_count,
    format_feature,
    format_money,
    format_number,
    format_share,
)
from segmentation_assets.reporting.markdown_table import markdown_table

_STATISTICS = {
    "mean": "Mean",
    "median": "Median",
    "sd": "Standard deviation",
    "quartile_1": "First quartile",
    "quartile_3": "Third quartile",
}
_DEGREES = {
    "confidence": "Confidence",
    "membership": "Membership",
    "centre_distance": "Distance to the centre",
    "outlier_score": "Outlier score",
}


def cluster_sections(document: Document) -> Iterator[str]:
    """Write the sections about the clusters.

    Parameters
    ----------
    document : dict
        As `profile_clustering` returns it.

    Yields
    ------
    str
        Headings, paragraphs and tables in their order.
    """
    yield "## Clusters"
    yield (
        "Numbered by descending mean net revenue. Statistics rest on known values; the centre is the mean in the model "
        "matrix, in standard deviations from everyone for most columns."
    )
    rows = [_size_row(cluster, document["currency"]) for cluster in document["clusters"]]
    headings = ("Cluster", "Customers", "of all", "Net revenue", "of all", "Jaccard")
    yield markdown_table(headings, rows)
    yield from _degrees(document)
    for cluster in document["clusters"]:
        yield f"### {cluster_name(cluster)}"
        yield _features(cluster, document)


def cluster_name(cluster: Document) -> str:
    """Name a cluster by its number."""
    return "Noise" if cluster["is_noise"] else f"Cluster {cluster['cluster']}"


def _size_row(cluster: Document, currency: str) -> tuple[str, ...]:
    return (
        cluster_name(cluster),
        format_count(cluster["customer_count"]),
        format_share(cluster["customer_share"]),
        format_money(cluster["net_revenue_amount"], currency),
        format_share(cluster["net_revenue_share"]),
        format_number(cluster["jaccard"]),
    )


def _degrees(document: Document) -> Iterator[str]:
    """Write the table of confidences, memberships and distances, as far as the algorithm knows them."""
    rows = [
        (words, cluster_name(cluster), *map(format_number, _spread(cluster[name])))
        for name, words in _DEGREES.items()
        for cluster in document["clusters"]
        if cluster[name] is not None
    ]
    if rows:
        headings = ("Measure", "Cluster", "Mean", "Smallest", "First quartile", "Median", "Third quartile", "Largest")
        yield markdown_table(headings, rows, texts=(0, 1))


def _spread(found: Document) -> list[Any]:
    return [found[name] for name in ("mean", "min", "quartile_1", "median", "quartile_3", "max")]


def _features(cluster: Document, document: Document) -> str:
    """Write the statistics of the features, and the centre; columns that are no features have a centre only."""
    rows = []
    for name, text in document["features"].items():
        found = cluster["features"].get(name, {})
        cells = [
            format_feature(found.get(statistic), feature=name, unit=text["unit"], currency=document["currency"])
            for statistic in _STATISTICS
        ]
        rows.append((text["label"], *cells, format_number(cluster["centre"].get(name))))
    return markdown_table(("Feature", *_STATISTICS.values(), "Centre"), rows)
