"""Second implementation of the block returns."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, total
from segmentation_assets_tests.unit.features.oracle.tracing import real_returns, traced_returns


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    real = real_returns(case)
    cancelled = [found for found in traced_returns(case) if found.is_cancellation]
    bought = len(case.sales) - sum(found.purchase.lines for found in cancelled if found.purchase)
    units = int(case.sales["quantity"].sum()) - sum(found.units for found in cancelled)
    spent = case.gross - total(found.amount for found in cancelled)
    return {
        "return_rate": _capped(sum(found.lines for found in real), bought),
        "return_unit_share": _capped(sum(found.units for found in real), units),
        "return_value_share": _capped(total(found.amount for found in real), spent),
        "return_order_count": len({found.order for found in real}),
        "cancelled_line_count": sum(found.lines for found in cancelled),
    }


def _capped(part: Any, whole: Any) -> float | None:
    return min(1.0, float(part) / float(whole)) if whole > 0 else None
