"""Second implementation of the block windows."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    features: dict[str, Any] = {}
    for days in (30, 90, 365):
        features[f"order_count_{days}d"] = case.since(case.sales, days)["order_id"].nunique()
        features[f"net_revenue_amount_{days}d"] = cents(total(case.since(case.lines, days)["amount"]))
    return features
