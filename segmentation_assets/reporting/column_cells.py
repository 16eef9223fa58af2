"""How statistics of a column are written and drawn in a table."""

from __future__ import annotations

from typing import Any

from segmentation_assets.reporting.column_statistics import ColumnStatistics, Histogram
from segmentation_assets.reporting.formatting import UNKNOWN, format_count, format_feature, format_share
from segmentation_assets.tables.rounding import round_number

Cell = tuple[str, float | str]
"""A text, and what a table sorts it by; what is empty comes last."""

_HEIGHT = 40


def share_of(part: int | None, whole: int) -> float | None:
    """Return a share, to ten significant digits; None of nothing or of what is not known."""
    return None if part is None or not whole else round_number(part / whole)


def share_text(part: int | None, whole: int) -> str:
    """Write a share as percent."""
    return format_share(share_of(part, whole))


def share_cell(part: int | None, whole: int) -> Cell:
    """Write a share as percent for a table."""
    share = share_of(part, whole)
    return format_share(share), "" if share is None else share


def value_text(value: object, statistics: ColumnStatistics, unit: str, currency: str) -> str:
    """Write a value of a column by its unit; texts stay as they are, and years have no separators."""
    if isinstance(value, str):
        return value
    if statistics.name.endswith("_year") and isinstance(value, float):
        return f"{value:.0f}"
    return format_feature(value, feature=statistics.name, unit=unit, currency=currency)


def middle_cell(statistics: ColumnStatistics, unit: str, currency: str) -> Cell:
    """Write the median, or the commonest category."""
    if statistics.top:
        return statistics.top[0][0], ""
    median = statistics.quantiles.get("median")
    return (UNKNOWN, "") if median is None else (value_text(median, statistics, unit, currency), median)


def draw_histogram(statistics: ColumnStatistics, unit: str, currency: str) -> dict[str, Any] | None:
    """Draw the bars of a column, and say between which values the middle nine tenths lie; None without bars."""
    if statistics.histogram is None:
        return None
    low, high = (value_text(statistics.quantiles[name], statistics, unit, currency) for name in ("low", "high"))
    return draw_bars(statistics.histogram) | {"words": f"Histogram, nine in ten between {low} and {high}"}


def draw_bars(histogram: Histogram) -> dict[str, Any]:
    """Draw bars as one SVG path, the highest as high as the picture; bins with values are never invisible.

    Returns
    -------
    dict
        `path`, and `width` and `height` of the view box.

    Example
    -------
    >>> draw_bars(Histogram(low=0, width=1, counts=(2, 0, 1)))["path"]
    'M0 40V0H9V40ZM20 40V20H29V40Z'
    """
    most = max(histogram.counts)
    bars = []
    for place, count in enumerate(histogram.counts):
        if count:
            top = _HEIGHT - max(1, round(_HEIGHT * count / most))
            bars.append(f"M{place * 10} {_HEIGHT}V{top}H{place * 10 + 9}V{_HEIGHT}Z")
    return {"path": "".join(bars), "width": len(histogram.counts) * 10 - 1, "height": _HEIGHT}


def count_cell(count: int | None) -> Cell:
    """Write a count for a table."""
    return format_count(count), "" if count is None else count
