"""Second implementation of the block margin."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, ratio, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    known = case.lines[case.lines["cost_amount"].notna()]
    margin = known["amount"] - known["cost_amount"]
    is_sale = known["line_type"] == "sale"
    return {
        "gross_margin_amount": cents(total(margin)) if len(known) else None,
        "gross_margin_ratio": ratio(total(margin[is_sale]), total(known.loc[is_sale, "amount"])),
    }
