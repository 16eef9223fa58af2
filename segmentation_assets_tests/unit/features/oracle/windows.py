"""Second implementation of the block windows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, ratio, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    features: dict[str, Any] = {}
    by_window = {days: _orders(case, days) for days in case.settings.windows}
    for days, orders in by_window.items():
        gross = total(orders["amount"])
        features[f"order_count_{days}d"] = orders["order_id"].nunique()
        features[f"unit_count_{days}d"] = int(orders["quantity"].sum())
        features[f"net_revenue_amount_{days}d"] = cents(total(case.since(case.lines, days)["amount"]))
        features[f"average_order_value_amount_{days}d"] = (
            cents(gross / orders["order_id"].nunique()) if len(orders) else None
        )
    for short, long in pairwise(case.settings.windows):
        known = 0 if pd.isna(case.first_order_at) else case.covered_days(case.first_order_at)
        orders, revenue = (None, None) if known <= short else _momenta(by_window, short, long, min(known, long))
        features[f"order_momentum_{short}d_{long}d"] = orders
        features[f"revenue_momentum_{short}d_{long}d"] = revenue
    return features


def _momenta(by_window: dict[int, Any], short: int, long: int, days: int) -> tuple[float | None, float | None]:
    """Paces of orders and of money in the short window relative to those in the covered days of the long one."""
    recent, all_orders = by_window[short], by_window[long]
    orders = ratio(recent["order_id"].nunique() / short, all_orders["order_id"].nunique() / days)
    is_free = len(all_orders) > 0 and not total(all_orders["amount"])
    money = 1.0 if is_free else ratio(total(recent["amount"]) / short, total(all_orders["amount"]) / days)
    return orders, money


def _orders(case: Case, days: int) -> Any:
    """Sale lines of the orders whose last sale line lies in the last days."""
    last = case.sales.groupby("order_id")["order_at"].transform("max")
    return case.sales[last >= case.since(case.sales.assign(order_at=last), days)["order_at"].min()]
