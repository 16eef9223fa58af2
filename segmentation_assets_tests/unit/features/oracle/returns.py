"""Second implementation of the block returns."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    returned = -total(case.returns["amount"])
    return {
        "return_rate": min(1.0, len(case.returns) / len(case.sales)) if len(case.sales) else None,
        "return_value_share": min(1.0, float(returned / case.gross)) if case.gross else None,
        "return_order_count": case.returns["order_id"].nunique(),
    }
