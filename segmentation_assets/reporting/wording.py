"""Column names and effect sizes in words."""

from __future__ import annotations

import re

LABELS = {
    "recency_days": "Days since last order",
    "order_count": "Orders",
    "net_revenue_amount": "Net revenue",
    "gross_revenue_amount": "Gross revenue",
    "average_order_value_amount": "Average order value",
    "return_rate": "Return rate",
    "return_value_share": "Share of money returned",
    "return_order_count": "Orders with a return",
    "tenure_days": "Days since first order",
    "account_age_days": "Days since registration",
    "gap_days_mean": "Days between orders",
    "gap_days_std": "Spread of days between orders",
    "overdue_ratio": "Wait since last order, in usual gaps",
    "event_count": "Engagement events",
    "days_since_event": "Days since last engagement",
    "department_share_other": "Share spent elsewhere",
    "class_share_other": "Share spent elsewhere",
}
"""Features whose column name does not read well by itself."""

_WINDOW = re.compile(r"_(\d+)d$")
_UNIT_ENDINGS = re.compile(r"_(amount|count)$")
_SHARE = re.compile(r"^(department|class)_share_(.+)$")
_STEM = re.compile(r"_\d+d$|^lifetime_|_amount$|_count$")
_STORIES = {
    "account_age_days": "tenure_days",
    "days_since_event": "event",
    "event_count": "event",
    "gap_days_std": "gap_days_mean",
    "gross_revenue": "net_revenue",
    "overdue_ratio": "recency_days",
    "return_order": "return_rate",
    "return_value_share": "return_rate",
}
_STRENGTHS = ((1.2, "far"), (0.5, "clearly"), (0.2, "somewhat"))

MIN_EFFECT = 0.2
"""Smallest absolute effect size that is put into words (Cohen 1988 calls it small)."""


def feature_label(feature: str) -> str:
    """Return a short label of a feature.

    Example
    -------
    >>> feature_label("order_count_90d"), feature_label("department_share_home_garden")
    ('Orders, last 90 days', 'Share spent on home garden')
    """
    if feature in LABELS:
        return LABELS[feature]
    window = _WINDOW.search(feature)
    if window:
        return f"{feature_label(_WINDOW.sub('', feature))}, last {window.group(1)} days"
    share = _SHARE.match(feature)
    if share:
        return f"Share spent on {share.group(2).replace('_', ' ')}"
    words = _UNIT_ENDINGS.sub("", feature).replace("_", " ").strip()
    plural = "" if not feature.endswith("_count") else "es" if words.endswith("s") else "s"
    return f"{words[:1].upper()}{words[1:]}{plural}" or feature


def feature_stem(feature: str) -> str:
    """Return what two features must share to tell the same story twice, such as windows of one measure.

    Example
    -------
    >>> feature_stem("order_count_90d") == feature_stem("lifetime_order_count")
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
        "none": "No model",
    }
    return known.get(algorithm, algorithm.replace("_", " ").capitalize())
