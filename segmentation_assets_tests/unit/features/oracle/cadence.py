"""Second implementation of the block cadence."""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    days = case.order_days
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    silence = (case.as_of.date() - days[-1]).days if days else None
    features: dict[str, Any] = dict.fromkeys(
        (
            "gap_days_mean",
            "gap_days_median",
            "gap_days_std",
            "gap_regularity",
            "last_gap_days",
            "last_gap_ratio",
            "overdue_ratio",
        )
    )
    features["longest_silence_days"] = silence if silence is None else max([*gaps, silence])
    if not gaps or case.recency_days is None:
        return features
    mean, deviation, median = statistics.fmean(gaps), statistics.pstdev(gaps), float(statistics.median(gaps))
    return features | {
        "gap_days_mean": mean,
        "gap_days_median": median,
        "gap_days_std": deviation,
        "gap_regularity": 1 / (1 + deviation / mean) if len(gaps) > 1 else None,
        "last_gap_days": gaps[-1],
        "last_gap_ratio": gaps[-1] / median,
        "overdue_ratio": case.recency_days / mean,
    }
