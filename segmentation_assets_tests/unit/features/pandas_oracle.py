"""The features computed a second time, customer by customer in plain Python; shares no code with the SQL."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.shop import CUSTOMER_TYPES, EVENT_TYPES, LINE_TYPES, Shop

DEPARTMENTS = {"Shoes": "shoes", "Hats": "hats"}


def expected_rows(shop: Shop, as_of: datetime, lookback_start: date, recency: str) -> dict[str, dict[str, Any]]:
    """Expected features by customer and column; money as Decimal, null as None."""
    lines = pd.DataFrame(list(shop.lines), columns=list(LINE_TYPES))
    lines["order_at"] = pd.to_datetime(lines["order_at"])
    lines["amount"] = lines["amount"].map(Decimal)
    known = lines[
        lines["customer_id"].notna() & lines["line_type"].isin(["sale", "return"]) & (lines["order_at"] < as_of)
    ]
    recent = known[known["order_at"] >= datetime.combine(lookback_start, datetime.min.time())]
    return {
        str(customer): {"customer_id": customer}
        | _lines_features(group, known[known["customer_id"] == customer], as_of, recency)
        | _margin(group)
        | _shares(group, dict(shop.products or ()))
        | _profile(shop, str(customer), as_of)
        | _engagement(shop, str(customer), as_of, lookback_start)
        for customer, group in recent.groupby("customer_id")
    }


def _money(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _margin(group: pd.DataFrame) -> dict[str, Any]:
    known = group[group["cost_amount"].notna()]
    amount, cost = known["amount"].map(Decimal), known["cost_amount"].map(Decimal)
    is_sale = known["line_type"] == "sale"
    sales, margin = sum(amount[is_sale], Decimal(0)), sum((amount - cost)[is_sale], Decimal(0))
    return {
        "gross_margin_amount": _money(list(amount - cost)) if len(known) else None,
        "gross_margin_ratio": float(margin) / float(sales) if sales else None,
    }


def _lines_features(group: pd.DataFrame, ever: pd.DataFrame, as_of: datetime, recency: str) -> dict[str, Any]:
    sales, returns = group[group["line_type"] == "sale"], group[group["line_type"] == "return"]
    gross, returned = sum(sales["amount"], Decimal(0)), -sum(returns["amount"], Decimal(0))
    orders = sales["order_id"].nunique()
    first_ever = ever.loc[ever["line_type"] == "sale", "order_at"].min()
    features: dict[str, Any] = {
        "recency_days": _recency(sales, as_of, recency),
        "order_count": orders,
        "unit_count": int(sales["quantity"].sum()),
        "gross_revenue_amount": _money(list(sales["amount"])),
        "net_revenue_amount": _money(list(group["amount"])),
        "average_order_value_amount": (gross / orders).quantize(Decimal("0.01"), ROUND_HALF_UP) if orders else None,
        "tenure_days": None if pd.isna(first_ever) else (as_of.date() - first_ever.date()).days,
        "return_rate": min(1.0, len(returns) / len(sales)) if len(sales) else None,
        "return_value_share": min(1.0, float(returned / gross)) if gross else None,
        "return_order_count": returns["order_id"].nunique(),
    }
    for days in (30, 90, 365):
        since = as_of - timedelta(days=days)
        features[f"order_count_{days}d"] = sales.loc[sales["order_at"] >= since, "order_id"].nunique()
        features[f"net_revenue_amount_{days}d"] = _money(list(group.loc[group["order_at"] >= since, "amount"]))
    return features | _cadence(sales, features["recency_days"])


def _recency(sales: pd.DataFrame, as_of: datetime, recency: str) -> int | None:
    if sales.empty:
        return None
    last = sales["order_at"].max().to_pydatetime()
    days: int = (as_of - last).days if recency == "elapsed_days" else (as_of.date() - last.date()).days
    return days


def _cadence(sales: pd.DataFrame, recency_days: int | None) -> dict[str, float | None]:
    days = sorted({at.date() for at in sales["order_at"]})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    if not gaps or recency_days is None:
        return {"gap_days_mean": None, "gap_days_std": None, "overdue_ratio": None}
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    return {"gap_days_mean": mean, "gap_days_std": deviation, "overdue_ratio": recency_days / mean}


def _shares(group: pd.DataFrame, departments: dict[str, str]) -> dict[str, float | None]:
    sales = group[group["line_type"] == "sale"]
    gross = sum(sales["amount"], Decimal(0))
    spent = {slug: Decimal(0) for slug in (*DEPARTMENTS.values(), "other")}
    for product, amount in zip(sales["product_id"], sales["amount"], strict=True):
        spent[DEPARTMENTS.get(departments.get(product, ""), "other")] += amount
    return {f"department_share_{slug}": float(money / gross) if gross else None for slug, money in spent.items()}


def _profile(shop: Shop, customer: str, as_of: datetime) -> dict[str, int | None]:
    registered = pd.DataFrame(list(shop.customers or ()), columns=list(CUSTOMER_TYPES)).set_index("customer_id")
    day = registered["registered_on"].get(customer)
    if day is None or pd.isna(day) or date.fromisoformat(day) >= as_of.date():
        return {"account_age_days": None}
    return {"account_age_days": (as_of.date() - date.fromisoformat(day)).days}


def _engagement(shop: Shop, customer: str, as_of: datetime, lookback_start: date) -> dict[str, int | None]:
    events = pd.DataFrame(list(shop.events or ()), columns=list(EVENT_TYPES))
    at = [datetime.fromisoformat(text) for text in events.loc[events["customer_id"] == customer, "event_at"]]
    seen = [instant for instant in at if lookback_start <= instant.date() and instant < as_of]
    return {
        "event_count_90d": sum(instant >= as_of - timedelta(days=90) for instant in seen),
        "days_since_event": (as_of.date() - max(seen).date()).days if seen else None,
    }
