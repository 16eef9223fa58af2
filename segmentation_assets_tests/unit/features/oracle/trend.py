"""Second implementation of the block trend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    months = _months(case)
    ordered = case.sales["order_at"].dt.to_period("M")
    features = {"active_month_count": ordered.nunique(), "revenue_slope_per_month": None, "active_month_share": None}
    if months is None:
        return features
    features["active_month_share"] = ordered[ordered.isin(months)].nunique() / len(months)
    if len(months) >= 3:
        amounts = case.lines["amount"].astype(float).groupby(case.lines["order_at"].dt.to_period("M")).sum()
        features["revenue_slope_per_month"] = np.polyfit(range(len(months)), amounts.reindex(months, fill_value=0), 1)[
            0
        ]
    return features


def _months(case: Case) -> pd.PeriodIndex | None:
    """Last twelve complete calendar months, or those since the first order or the lookback began; None of none."""
    if pd.isna(case.first_order_at):
        return None
    last = pd.Timestamp(case.as_of).to_period("M") - 1
    whole = (pd.Timestamp(case.lookback_start) - pd.Timedelta("1us")).to_period("M") + 1
    months = pd.period_range(max(case.first_order_at.to_period("M"), whole, last - 11), last, freq="M")
    return months if len(months) else None
