"""Second implementation of the block rfm."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    bought = case.ever.loc[(case.ever["line_type"] == "sale") & (case.ever["order_at"].dt.date < case.as_of.date())]
    first = None if bought.empty else bought["order_at"].min().date()
    months = None if first is None else (case.as_of.date() - first).days / 30.4375
    orders = case.sales["order_id"].nunique()
    net = cents(total(case.lines["amount"]))
    ordered_ever = len(
        {(order, at.to_period("M")) for order, at in zip(bought["order_id"], bought["order_at"], strict=True)}
    )
    return {
        "recency_days": case.recency_days,
        "order_count": orders,
        "unit_count": int(case.sales["quantity"].sum()),
        "gross_revenue_amount": cents(case.gross),
        "returned_revenue_amount": cents(case.gross) - net,
        "net_revenue_amount": net,
        "average_order_value_amount": cents(case.gross / orders) if orders else None,
        "tenure_days": None if first is None else (case.as_of.date() - first).days,
        "lifetime_months": months,
        "orders_per_month": None if months is None else ordered_ever / max(months, 1),
        "order_day_count": len(case.order_days),
        "first_order_date": first,
        "last_order_date": case.order_days[-1] if case.order_days else None,
    }
