"""Second implementation of the block return_habits."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio
from segmentation_assets_tests.unit.features.oracle.tracing import Traced, real_returns, traced_returns


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    real = real_returns(case)
    days = [
        (found.at.date() - found.purchase.at.date()).days
        for found in real
        for _ in range(found.lines)
        if found.purchase is not None
    ]
    lines = sum(found.lines for found in real)
    in_peak = sum(found.lines for found in real if found.at.month in case.settings.peak_months)
    orders = _kept_orders(case)
    first = min(1.0, orders[0][1] / orders[0][0]) if orders else None
    return {
        "days_to_return_mean": ratio(sum(days), len(days)),
        "return_share_7d": ratio(sum(n <= 7 for n in days), len(days)),
        "return_share_30d": ratio(sum(n <= 30 for n in days), len(days)),
        "traced_return_share": ratio(len(days), lines),
        "first_order_return_share": first,
        "return_streak_order_count": max(
            (len(list(run)) for came_back, run in groupby(order[1] > 0 for order in orders) if came_back),
            default=0,
        ),
        "peak_return_share": ratio(in_peak, lines),
    }


def _kept_orders(case: Case) -> list[tuple[int, int]]:
    """Units bought and units returned of each order of which not all was cancelled, in the order they were placed."""
    returns = traced_returns(case)
    kept = []
    for order, lines in sorted(case.sales.groupby("order_id"), key=lambda item: (item[1]["order_at"].min(), item[0])):
        cancelled = sum(found.units for found in _of_order(returns, order) if found.is_cancellation)
        returned = sum(found.units for found in _of_order(returns, order) if not found.is_cancellation)
        if int(lines["quantity"].sum()) > cancelled:
            kept.append((int(lines["quantity"].sum()) - cancelled, returned))
    return kept


def _of_order(returns: list[Traced], order: str) -> list[Traced]:
    return [found for found in returns if found.purchase is not None and found.purchase.order == order]
