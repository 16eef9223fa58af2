"""Second implementation of the block fit."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    sales = case.sales
    return {
        "child_unit_count": int(sales.loc[sales["child_age"].notna(), "quantity"].sum()),
        **{
            f"child_age_unit_count_{slug}": int(sales.loc[sales["child_age"] == age, "quantity"].sum())
            for age, slug in (("baby", "baby"), ("3-5 years", "3_5_years"))
        },
        **{
            f"size_unit_count_{size.lower()}": int(sales.loc[sales["size"] == size, "quantity"].sum())
            for size in ("M", "L")
        },
    }
