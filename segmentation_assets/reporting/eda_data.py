"""The parts of the page about the data that tell of columns, of their correlations, and of quality over the months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from segmentation_assets.reporting.column_cells import (
    Cell,
    count_cell,
    draw_histogram,
    middle_cell,
    share_cell,
    share_text,
    value_text,
)
from segmentation_assets.reporting.column_statistics import FENCE, ColumnStatistics
from segmentation_assets.reporting.correlations import LEAST_PAIRS, Correlations
from segmentation_assets.reporting.figures import Figure, plotly_text
from segmentation_assets.reporting.formatting import format_count, format_month, format_month_short, format_share
from segmentation_assets.reporting.month_quality import WITHOUT_DAY, MissingShares, MonthQuality
from segmentation_assets.reporting.table_profile import TableProfile

MOST_PAIRS = 15
"""Pairs of features that are listed."""

_ABOVE, _BELOW, _NONE = "#3f7fe0", "#e08a33", "rgba(127,127,127,0)"
_TITLES = {
    "raw/order_lines": "Order lines",
    "raw/customers": "Customers",
    "raw/products": "Products",
    "raw/engagement_events": "Engagement events",
}


@dataclass(frozen=True, kw_only=True)
class DataProfile:
    """Columns of the delivered tables, correlations of the features, and the order lines of each month."""

    tables: tuple[TableProfile, ...]
    correlations: Correlations
    quality: tuple[MonthQuality, ...]
    missing: MissingShares


def build_data_figures(profile: DataProfile) -> dict[str, Figure]:
    """Build the charts by the id of their element; none where there is nothing to draw."""
    correlations = profile.correlations
    return {"figure-correlations": _correlations_figure(correlations)} if len(correlations.names) > 1 else {}


def _correlations_figure(correlations: Correlations) -> Figure:
    """Colour the rank correlations of every two features; the names are told on the spot, as there are too many."""
    names = [plotly_text(name) for name in correlations.names]
    axis = {"type": "category", "showgrid": False, "showticklabels": False}
    return {
        "data": [
            {
                "type": "heatmap",
                "x": names,
                "y": names,
                "z": [[None if cell != cell else round(float(cell), 2) for cell in row] for row in correlations.values],
                "zmin": -1,
                "zmax": 1,
                "colorscale": [[0, _BELOW], [0.5, _NONE], [1, _ABOVE]],
                "showscale": False,
                "customdata": correlations.pair_counts.tolist(),
                "meta": {"segment": ""},
                "hovertemplate": "%{y} and %{x}: %{z:.2f} (%{customdata:,} customers)<extra></extra>",
            }
        ],
        "layout": {"xaxis": axis, "yaxis": axis | {"autorange": "reversed"}},
    }


def describe_data(profile: DataProfile, currency: str) -> dict[str, Any]:
    """Return what the template shows of the data, as text."""
    correlations = profile.correlations
    return {
        "tables": [_table(table, currency) for table in profile.tables],
        "fence": FENCE,
        "correlated_count": len(correlations.names),
        "pairs": list(_closest_pairs(correlations)),
        "least_pairs": LEAST_PAIRS,
        "sample": format_count(correlations.sample_count),
        "customers": format_count(correlations.customer_count),
        "quality": [_quality_row(month) for month in profile.quality],
        "missing_months": [format_month_short(month) for month in profile.missing.months],
        "missing": [
            (name, [(format_share(share, digits=0), round(share * 100)) for share in shares])
            for name, shares in zip(profile.missing.columns, profile.missing.shares, strict=True)
        ],
    }


def _closest_pairs(correlations: Correlations) -> Iterator[tuple[str, str, str, str]]:
    """List the pairs of features that go together most closely, each once."""
    values, names = correlations.values, correlations.names
    pairs = [
        (first, second)
        for first in range(len(names))
        for second in range(first + 1, len(names))
        if values[first, second] == values[first, second]
    ]
    for first, second in sorted(pairs, key=lambda pair: -abs(values[pair]))[:MOST_PAIRS]:
        text = f"{values[first, second]:+.2f}".replace("-", "−")
        yield names[first], names[second], text, format_count(int(correlations.pair_counts[first, second]))


def _table(profile: TableProfile, currency: str) -> dict[str, Any]:
    columns = {column.name: column for column in profile.table.columns}
    return {
        "id": profile.table.noun,
        "title": _TITLES[profile.table.key],
        "row": profile.table.row,
        "rows": format_count(profile.row_count),
        "looked_at": format_count(profile.sample_count),
        "is_sample": profile.sample_count < profile.row_count,
        "empty": profile.empty,
        "columns": [
            {
                "name": statistics.name,
                "meaning": columns[statistics.name].meaning,
                "histogram": draw_histogram(statistics, columns[statistics.name].unit, currency),
                "range": _range(statistics, columns[statistics.name].unit, currency),
                "cells": _cells(statistics, columns[statistics.name].unit, currency),
            }
            for statistics in profile.columns
        ],
    }


def _range(statistics: ColumnStatistics, unit: str, currency: str) -> str:
    """Say between which values a column lies, or which categories are commonest."""
    if statistics.top:
        return ", ".join(f"{value} {share_text(rows, statistics.known_count)}" for value, rows in statistics.top)
    if not statistics.quantiles:
        return ""
    least, most = (
        value_text(statistics.quantiles[name], statistics, unit, currency) for name in ("minimum", "maximum")
    )
    return f"{least} to {most}"


def _cells(statistics: ColumnStatistics, unit: str, currency: str) -> list[Cell]:
    middle = ("", "") if statistics.kind == "category" else middle_cell(statistics, unit, currency)
    return [
        middle,
        count_cell(statistics.distinct_count) if statistics.kind == "category" else ("", ""),
        share_cell(statistics.missing_count, statistics.row_count),
        share_cell(statistics.zero_count, statistics.known_count),
        share_cell(statistics.outlier_count, statistics.known_count),
    ]


def _quality_row(month: MonthQuality) -> dict[str, Any]:
    """One row of the table of months, as text; what is of interest stands beside its share."""

    def part(count: int, whole: int) -> str:
        return f"{format_count(count)} ({format_share(count / whole)})" if count and whole else format_count(count)

    return {
        "month": "No readable day" if month.month == WITHOUT_DAY else format_month(month.month),
        "cells": [
            format_count(month.delivered_count),
            part(month.set_aside_count, month.delivered_count),
            part(month.redelivered_count, month.delivered_count),
            part(month.duplicate_count, month.classified_count),
            part(month.guest_count, month.stored_count),
            part(month.repaired_count, month.stored_count),
        ],
        "adds_up": month.classified_count == month.stored_count,
        "classified": f"{format_count(month.classified_count)} of {format_count(month.stored_count)}",
    }
