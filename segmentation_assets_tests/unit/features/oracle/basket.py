"""Second implementation of the block basket."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, cents, ratio, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    orders = case.sales.groupby("order_id")
    units = int(case.sales["quantity"].sum())
    largest = max((total(order["amount"]) for _, order in orders), default=None)
    return {
        "units_per_order": ratio(units, orders.ngroups),
        "lines_per_order": ratio(len(case.sales), orders.ngroups),
        "units_per_line": ratio(units, len(case.sales)),
        "largest_order_value_amount": None if largest is None else cents(largest),
        "average_unit_price_amount": cents(case.gross / units) if units else None,
    }
