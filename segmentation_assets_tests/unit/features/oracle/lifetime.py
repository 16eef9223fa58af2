"""Second implementation of the block lifetime."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    bought = case.ever[case.ever["line_type"] == "sale"]
    bought = bought[bought["order_at"].dt.date < case.as_of.date()]
    days = sorted({at.date() for at in bought["order_at"]})
    if not days:
        return dict.fromkeys(("btyd_frequency", "btyd_recency", "btyd_T", "repeat_spend_amount_mean"))
    later = bought[bought["order_at"].dt.date > days[0]]
    return {
        "btyd_frequency": len(days) - 1,
        "btyd_recency": (days[-1] - days[0]).days,
        "btyd_T": (case.as_of.date() - days[0]).days,
        "repeat_spend_amount_mean": cents(total(later["amount"]) / (len(days) - 1)) if len(days) > 1 else None,
    }
