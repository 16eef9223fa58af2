"""Second implementation of the block cadence."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    gaps = [(later - earlier).days for earlier, later in pairwise(case.order_days)]
    if not gaps or case.recency_days is None:
        return {"gap_days_mean": None, "gap_days_std": None, "overdue_ratio": None}
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    return {"gap_days_mean": mean, "gap_days_std": deviation, "overdue_ratio": case.recency_days / mean}
