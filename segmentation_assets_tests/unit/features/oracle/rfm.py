"""Second implementation of the block rfm."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    orders = case.sales["order_id"].nunique()
    first_ever = case.ever.loc[case.ever["line_type"] == "sale", "order_at"].min()
    return {
        "recency_days": case.recency_days,
        "order_count": orders,
        "unit_count": int(case.sales["quantity"].sum()),
        "gross_revenue_amount": cents(case.gross),
        "net_revenue_amount": cents(total(case.lines["amount"])),
        "average_order_value_amount": cents(case.gross / orders) if orders else None,
        "tenure_days": None if pd.isna(first_ever) else (case.as_of.date() - first_ever.date()).days,
    }
