"""Second implementation of the block departments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio

DEPARTMENTS = {"Shoes": "shoes", "Hats": "hats"}


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    spent = {slug: Decimal(0) for slug in (*DEPARTMENTS.values(), "other")}
    for department, amount in zip(case.sales["department"], case.sales["amount"], strict=True):
        spent[DEPARTMENTS.get(department, "other")] += amount
    return {f"department_share_{slug}": ratio(money, case.gross) for slug, money in spent.items()}
