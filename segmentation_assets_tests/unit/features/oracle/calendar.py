"""Second implementation of the block calendar."""

from __future__ import annotations

from datetime import time
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio

PARTS = {"night": range(6), "morning": range(6, 12), "afternoon": range(12, 18), "evening": range(18, 24)}
SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    placed = [at.to_pydatetime() for at in case.sales.groupby("order_id")["order_at"].min()]
    timed = [at.hour for at in placed if at.time() != time(0)]
    weekdays = [at.weekday() for at in placed]
    months = [at.month for at in placed]
    return {
        **{f"{part}_order_share": ratio(sum(h in hours for h in timed), len(timed)) for part, hours in PARTS.items()},
        "weekend_order_share": ratio(sum(day >= 5 for day in weekdays), len(placed)),
        "weekday_concentration": ratio(sum(weekdays.count(day) ** 2 for day in range(7)), len(placed) ** 2),
        **{f"{name}_order_share": ratio(sum(m in of for m in months), len(placed)) for name, of in SEASONS.items()},
        "peak_order_share": ratio(sum(m in case.settings.peak_months for m in months), len(placed)),
    }
