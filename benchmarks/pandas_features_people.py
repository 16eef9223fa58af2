"""Blocks of pandas_features.py about the customers themselves: events, profile, all history, and scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.pandas_features_basis import Basis, Runs, capped_share, money_per, safe_div


def engagement(basis: Basis) -> dict[str, Any]:
    """Events apart from buying."""
    customers, at = basis.events["customer"].to_numpy(), basis.events["event_at"].to_numpy()
    is_recent = at >= basis.days_ago(90)
    recent, year = basis.sum(customers[is_recent]), basis.sum(customers[at >= basis.days_ago(365)])
    people = Runs(customers)
    first_order = basis.history["first_order_date"].to_numpy().astype("datetime64[us]")
    days = basis.covered_days(np.fmin(first_order, basis.spread(people.keys, people.min(at))))
    kinds = {
        kind: is_recent & basis.events["event_type"].isin(types).to_numpy()
        for kind, types in basis.settings.event_kinds.items()
    }
    return {
        "event_count_90d": recent,
        "days_since_event": basis.days_until_as_of(basis.spread(people.keys, people.max(at))),
        "event_momentum_90d_365d": np.where(days > 90, safe_div(recent * np.minimum(days, 365), year * 90), np.nan),
        **{f"{kind}_count_90d": basis.sum(customers[is_of_kind]) for kind, is_of_kind in kinds.items()},
    }


def profile(basis: Basis) -> dict[str, Any]:
    """What the customers table says; days that lie ahead count as missing."""
    customers = basis.customers
    since = {name: customers[name].to_numpy() for name in ("registered_on", "newsletter_since")}
    days = {name: np.where(at < basis.as_of, basis.days_until_as_of(at), np.nan) for name, at in since.items()}
    last_year = int((basis.as_of - np.timedelta64(1, "us")).astype("datetime64[Y]").astype("int64")) + 1970
    return {
        "account_age_days": days["registered_on"],
        "newsletter_days": days["newsletter_since"],
        "age_years": last_year - customers["birth_year"].to_numpy(),
        "household_size": customers["household_size"].to_numpy(),
        "gender": customers["gender"].to_numpy(dtype=object),
        "acquisition_channel": customers["acquisition_channel"].to_numpy(dtype=object),
    }


def lifetime(basis: Basis) -> dict[str, Any]:
    """All history in four numbers."""
    history = basis.history
    later = (history["lifetime_gross_revenue_amount"] - history["first_day_revenue_amount"]).to_numpy()
    return {
        "btyd_frequency": history["btyd_frequency"].to_numpy(),
        "btyd_recency": history["btyd_recency"].to_numpy(),
        "btyd_T": history["btyd_T"].to_numpy(),
        "repeat_spend_amount_mean": money_per(later, history["btyd_frequency"].to_numpy()),
    }


def scores(basis: Basis) -> dict[str, Any]:
    """Two rules of thumb between 0 and 1."""
    made = basis.features
    recent, year = (_orders_since(basis, days) for days in (90, 365))
    overdue = np.where(np.isnan(made["overdue_ratio"]), made["recency_days"] / 90, made["overdue_ratio"])
    silence = capped_share(made["recency_days"], 365)
    days = basis.covered_days(basis.history["first_order_date"].to_numpy())
    steadiness = np.nan_to_num(capped_share(recent * np.minimum(days, 365), year * 90))
    steadiness = np.where(days > 90, steadiness, 1)
    share = np.where(np.isnan(made["active_month_share"]), 1, made["active_month_share"])
    return {
        "churn_risk_score": (overdue / (1 + overdue) + silence + 1 - steadiness) / 3,
        "engagement_score": (share + 1 - silence + capped_share(year, 12)) / 3,
    }


def _orders_since(basis: Basis, days: int) -> Any:
    return basis.sum(basis.orders["customer"][basis.orders["last_sale_at"] >= basis.days_ago(days)])
