"""The page about a month's features: a table to sort and search, and a card per feature."""

from __future__ import annotations

from typing import Any

from segmentation_assets.features.dictionary import DIRECTIONS
from segmentation_assets.reporting.column_cells import (
    Cell,
    draw_histogram,
    middle_cell,
    share_cell,
    share_text,
    value_text,
)
from segmentation_assets.reporting.column_statistics import FENCE, QUANTILES, ColumnStatistics
from segmentation_assets.reporting.feature_report import CLUSTERED, NOT_OFFERED, FeatureFacts, FeatureReport
from segmentation_assets.reporting.formatting import format_count, format_date, format_month
from segmentation_assets.reporting.page import TABLES, render_page

_QUANTILE_LABELS = {
    "minimum": "Least",
    "low": "5 %",
    "lower_quartile": "25 %",
    "median": "Median",
    "upper_quartile": "75 %",
    "high": "95 %",
    "maximum": "Most",
}
_BADGES = {CLUSTERED: ("clustered on", "good"), NOT_OFFERED: ("not offered", "")}


def render_feature_report(report: FeatureReport, title: str) -> str:
    """Render the page of a month.

    Parameters
    ----------
    report : FeatureReport
    title : str

    Returns
    -------
    str
        A complete HTML document; the same report gives the same text.
    """
    states = [facts.use.state for facts in report.facts.values()]
    correlations = report.correlations
    return render_page(
        "feature_report.html.j2",
        {},
        (TABLES,),
        heading=title,
        month=format_month(report.month),
        as_of=format_date(report.as_of_date),
        as_of_iso=report.as_of_date.isoformat(),
        customers=format_count(report.customer_count),
        feature_count=len(states),
        clustered_count=states.count(CLUSTERED),
        left_out_count=sum(state not in (CLUSTERED, NOT_OFFERED) for state in states),
        absent=list(report.absent.items()),
        sample=format_count(correlations.sample_count),
        is_sample=correlations.sample_count < correlations.customer_count,
        fence=FENCE,
        sections=[
            {
                "name": section.block.name,
                "subject": section.subject,
                "features": [_card(report.facts[entry.column.name], report.currency) for entry in section.entries],
            }
            for section in report.sections
        ],
    )


def _card(facts: FeatureFacts, currency: str) -> dict[str, Any]:
    """What the page shows of a feature, as text."""
    column, statistics = facts.entry.column, facts.statistics
    text, kind = _BADGES.get(facts.use.state, (facts.use.state.replace("_", " "), "warn"))
    return {
        "name": column.name,
        "label": column.label,
        "meaning": column.meaning,
        "unit": column.unit,
        "direction": DIRECTIONS[column.direction],
        "reference": column.reference,
        "made_from": column.reads,
        "requires": facts.entry.requires,
        "histogram": draw_histogram(statistics, column.unit, currency),
        "cells": _cells(facts, currency),
        "quantiles": _quantiles(statistics, column.unit, currency),
        "spread": _spread(statistics, column.unit, currency),
        "top": [(v, format_count(n), share_text(n, statistics.row_count)) for v, n in statistics.top],
        "distinct": format_count(statistics.distinct_count),
        "known": format_count(statistics.known_count),
        "missing": _missing(facts),
        "filling": _filling(facts),
        "outliers": _outliers(statistics),
        "partners": [
            (partner.name, f"{partner.correlation:+.2f}".replace("-", "−"), format_count(partner.pair_count))
            for partner in facts.partners
        ],
        "use": {"words": facts.use.words, "badge": text, "kind": kind},
    }


def _quantiles(statistics: ColumnStatistics, unit: str, currency: str) -> list[tuple[str, str]]:
    return [
        (_QUANTILE_LABELS[name], value_text(statistics.quantiles[name], statistics, unit, currency))
        for name in QUANTILES
        if name in statistics.quantiles
    ]


def _spread(statistics: ColumnStatistics, unit: str, currency: str) -> list[tuple[str, str]]:
    """Mean, deviation and zeros of numbers."""
    if statistics.mean is None:
        return []
    zeros = f"{format_count(statistics.zero_count)}, {share_text(statistics.zero_count, statistics.known_count)}"
    return [
        ("Mean", value_text(statistics.mean, statistics, unit, currency)),
        ("Standard deviation", value_text(statistics.deviation, statistics, unit, currency)),
        ("Zeros", zeros),
    ]


def _missing(facts: FeatureFacts) -> str:
    statistics = facts.statistics
    share = share_text(statistics.missing_count, statistics.row_count)
    means = f": {facts.entry.column.null_rule}" if statistics.missing_count else ""
    return f"{format_count(statistics.missing_count)} of {format_count(statistics.row_count)}, {share}{means}"


def _filling(facts: FeatureFacts) -> str:
    """What was filled in, or who was set aside."""
    filling = facts.filling
    if filling is None:
        return "never filled in"
    if not filling.count:
        return f"0 of {format_count(filling.customer_count)}"
    share = share_text(filling.count, filling.customer_count)
    found = {reason.replace("_", " "): count for reason, count in filling.reasons.items() if count}
    words = "; ".join(
        f"{format_count(count)} {reason}" if len(found) > 1 else reason for reason, count in found.items()
    )
    return f"{format_count(filling.count)} of {format_count(filling.customer_count)}, {share} ({words}): {filling.rule}"


def _outliers(statistics: ColumnStatistics) -> str:
    """Values beyond the fences; nothing for what is no number."""
    if statistics.mean is None:
        return ""
    if statistics.outlier_count is None:
        return "not told, as the quartiles coincide"
    share = share_text(statistics.outlier_count, statistics.known_count)
    return f"{format_count(statistics.outlier_count)} of {format_count(statistics.known_count)}, {share}"


def _cells(facts: FeatureFacts, currency: str) -> list[Cell]:
    """Cells of the table: median, shares of zeros, of what is missing, of what was filled in, of outliers."""
    statistics, filling = facts.statistics, facts.filling
    return [
        middle_cell(statistics, facts.entry.column.unit, currency),
        share_cell(statistics.zero_count, statistics.known_count),
        share_cell(statistics.missing_count, statistics.row_count),
        share_cell(filling.count, filling.customer_count) if filling else share_cell(None, 0),
        share_cell(statistics.outlier_count, statistics.known_count),
    ]
