"""Second implementation of the block scores."""

from __future__ import annotations

from datetime import timedelta
from statistics import fmean
from typing import Any

from segmentation_assets_tests.unit.features.oracle import cadence, trend
from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    recency = case.recency_days
    if recency is None:
        return {"churn_risk_score": None, "engagement_score": None}
    last = case.sales.groupby("order_id")["order_at"].max()
    recent, year = ((last >= case.as_of - timedelta(days=days)).sum() for days in (90, 365))
    overdue = cadence.expected(case)["overdue_ratio"]
    overdue = recency / 90 if overdue is None else overdue
    silence = min(1.0, recency / 365)
    days = case.covered_days(case.first_order_at)
    fall = 1 - min(1.0, (recent / min(days, 90)) / (year / min(days, 365))) if year and days else float(not year)
    share = trend.expected(case)["active_month_share"]
    return {
        "churn_risk_score": fmean([overdue / (1 + overdue), silence, fall]),
        "engagement_score": fmean([1.0 if share is None else share, 1 - silence, min(1.0, year / 12)]),
    }
