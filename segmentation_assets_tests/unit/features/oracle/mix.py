"""Second implementation of the block mix."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    known = case.sales[case.sales["department"].notna()]
    departments = _money(known.groupby("department"))
    classes = _money(known[known["class"].notna()].groupby(["department", "class"]))
    most = max(departments.values(), default=None)
    return {
        "department_count": len(departments),
        "department_entropy": _entropy(departments),
        "class_count": len(classes),
        "class_entropy": _entropy(classes),
        "main_department": min((name for name, money in departments.items() if money == most), default=None),
        "main_department_share": None if most is None else ratio(most, total(departments.values())),
    }


def _money(groups: Any) -> dict[Any, Decimal]:
    return {name: total(group["amount"]) for name, group in groups}


def _entropy(money: dict[Any, Decimal]) -> float | None:
    whole = float(total(money.values()))
    shares = [float(part) / whole for part in money.values() if part] if whole else []
    return -math.fsum(share * math.log(share) for share in shares) if whole else None
