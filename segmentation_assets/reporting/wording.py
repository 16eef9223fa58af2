"""Effect sizes and algorithms in words, and which features tell the same story."""

from __future__ import annotations

import re

_SHARE = re.compile(r"^(department|class)_share_(.+)$")
_STEM = re.compile(r"_\d+d$|_amount$|_count$")
_STORIES = {
    "account_age_days": "tenure_days",
    "btyd_T": "tenure_days",
    "btyd_frequency": "order",
    "days_since_event": "event",
    "event_count": "event",
    "gap_days_median": "gap_days_mean",
    "gap_days_std": "gap_days_mean",
    "gross_revenue": "net_revenue",
    "lifetime_months": "tenure_days",
    "order_day": "order",
    "orders_per_month": "order",
    "overdue_ratio": "recency_days",
    "return_order": "return_rate",
    "return_unit_share": "return_rate",
    "return_value_share": "return_rate",
}
_STRENGTHS = ((1.2, "far"), (0.5, "clearly"), (0.2, "somewhat"))

MIN_EFFECT = 0.2
"""Smallest absolute effect size that is put into words (Cohen 1988 calls it small)."""


def feature_stem(feature: str) -> str:
    """Return what two features must share to tell the same story twice, such as windows of one measure.

    Example
    -------
    >>> feature_stem("order_count_90d") == feature_stem("orders_per_month")
    True
    >>> feature_stem("return_order_count"), feature_stem("department_share_shoes")
    ('return_rate', 'department')
    """
    share = _SHARE.match(feature)
    if share:
        return share.group(1)
    if feature in _STORIES:
        return _STORIES[feature]
    shortened = _STEM.sub("", feature)
    return shortened if shortened == feature else feature_stem(shortened)


def effect_words(effect_size: float) -> str:
    """Say how far a segment's mean lies from everyone's, empty where it is close.

    Parameters
    ----------
    effect_size : float
        Difference of means in standard deviations of everyone.

    References
    ----------
    Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed.

    Example
    -------
    >>> effect_words(1.5), effect_words(-0.3), effect_words(0.1)
    ('far above average', 'somewhat below average', '')
    """
    side = "above" if effect_size > 0 else "below"
    for threshold, strength in _STRENGTHS:
        if abs(effect_size) >= threshold:
            return f"{strength} {side} average"
    return ""


def algorithm_label(algorithm: str) -> str:
    """Return the name of an algorithm as people write it.

    Example
    -------
    >>> algorithm_label("kmeans"), algorithm_label("rfm_map")
    ('K-means', 'RFM map')
    """
    known = {
        "kmeans": "K-means",
        "rfm_map": "RFM map",
        "dbscan": "DBSCAN",
        "hdbscan": "HDBSCAN",
        "gmm": "Gaussian mixture",
        "fuzzy_cmeans": "Fuzzy C-means",
        "none": "No model",
    }
    return known.get(algorithm, algorithm.replace("_", " ").capitalize())
