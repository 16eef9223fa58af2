"""Who the customers are that an algorithm found unlike everyone: VIPs, possible errors, newcomers and niches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Flags = npt.NDArray[np.bool_]

VIP_SHARE = 0.05
NEWCOMER_DAYS = 90
FAR_OUT = 3.0
"""Quartile distances beyond the third quartile at which a value is extreme (Tukey 1977 calls it far out)."""

EXTREME_FEATURES = ("order_count", "average_order_value_amount", "average_unit_price_amount", "units_per_order")
"""Features that an error of the data would show in, looked at as logarithms."""

GROUPS = {
    "vip": f"VIPs: among the top {VIP_SHARE:.0%} by net revenue",
    "possible_error": "Possible errors: returned more than bought, or an extreme value",
    "newcomer": f"Newcomers: first order within {NEWCOMER_DAYS} days",
    "niche": "Niches: the rest",
}
"""Group and its words; a customer counts to the first that fits."""


def profile_noise(features: pd.DataFrame, is_apart: Flags) -> list[dict[str, Any]]:
    """Divide the customers that are noise or outliers by what they may be.

    Parameters
    ----------
    features : DataFrame of shape (n_customers, n_features)
        ``silver/customer_features``; of columns that are absent nothing is told.
    is_apart : ndarray of bool, shape (n_customers,)
        Whether the customer is noise or an outlier.

    Returns
    -------
    list of dict
        Per entry of `GROUPS` group, words, customer_count, customer_share and net_revenue_share of everyone; shares
        are ``None`` where there is nothing to share out.

    Notes
    -----
    A customer is a VIP with a positive net revenue of at least the 95th percentile of everyone, and a possible error
    with more returned than bought, or with a value above ``q3 + 3 (q3 - q1)`` of the logarithm ``log(1 + x)``.
    """
    import numpy as np

    revenue = features["net_revenue_amount"].to_numpy(dtype="float64")
    tests = {
        "vip": _is_vip(revenue),
        "possible_error": _is_possible_error(features),
        "newcomer": _is_newcomer(features),
        "niche": np.ones(len(features), dtype=bool),
    }
    left, total = is_apart.copy(), float(revenue.sum())
    rows = []
    for group, words in GROUPS.items():
        members = left & tests[group]
        left &= ~members
        count = int(members.sum())
        rows.append(
            {
                "group": group,
                "words": words,
                "customer_count": count,
                "customer_share": round_number(count / len(features)) if len(features) else None,
                "net_revenue_share": round_number(revenue[members].sum() / total) if total > 0 else None,
            }
        )
    return rows


def _is_vip(revenue: npt.NDArray[np.float64]) -> Flags:
    import numpy as np

    if not len(revenue):
        return np.zeros(0, dtype=bool)
    found: Flags = (revenue >= np.quantile(revenue, 1 - VIP_SHARE)) & (revenue > 0)
    return found


def _is_newcomer(features: pd.DataFrame) -> Flags:
    """Whether the first order ever lies within the days; who never ordered is no newcomer."""
    import numpy as np

    if "tenure_days" not in features.columns:
        return np.zeros(len(features), dtype=bool)
    days = features["tenure_days"].astype("float64").to_numpy()
    found: Flags = days <= NEWCOMER_DAYS
    return found


def _is_possible_error(features: pd.DataFrame) -> Flags:
    import numpy as np

    found: Flags = features["net_revenue_amount"].to_numpy(dtype="float64") < 0
    for name in EXTREME_FEATURES:
        if name in features.columns:
            logs = np.log1p(features[name].astype("float64").clip(lower=0).to_numpy())
            found = found | _is_far_out(logs)
    return found


def _is_far_out(values: npt.NDArray[np.float64]) -> Flags:
    """Whether a value lies far above the others; never where the middle half is all alike."""
    import numpy as np

    nobody = np.zeros(len(values), dtype=bool)
    known = values[np.isfinite(values)]
    if not len(known):
        return nobody
    first, third = np.quantile(known, [0.25, 0.75])
    return values > third + FAR_OUT * (third - first) if third > first else nobody
