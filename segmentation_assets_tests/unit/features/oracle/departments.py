"""Second implementation of the block departments, for the departments and classes of the small shop's settings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio, total

DEPARTMENTS = {"Shoes": "shoes", "Hats": "hats"}


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    sales = case.sales
    parts = {("department", slug): sales[sales["department"] == name] for name, slug in DEPARTMENTS.items()}
    parts["department", "other"] = sales[~sales["department"].isin(DEPARTMENTS)]
    shoes = sales[sales["department"] == "Shoes"]
    parts["class", "shoes_boots"] = shoes[shoes["class"] == "Boots"]
    parts["class", "shoes_other"] = shoes[shoes["class"] != "Boots"]
    return {
        name: value for (level, slug), lines in parts.items() for name, value in _of(case, level, slug, lines).items()
    }


def _of(case: Case, level: str, slug: str, lines: pd.DataFrame) -> dict[str, Any]:
    return {
        f"{level}_revenue_amount_{slug}": total(lines["amount"]),
        f"{level}_unit_count_{slug}": int(lines["quantity"].sum()),
        f"{level}_share_{slug}": ratio(total(lines["amount"]), case.gross),
    }
