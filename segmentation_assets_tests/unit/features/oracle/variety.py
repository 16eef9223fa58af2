"""Second implementation of the block variety."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    bought = case.sales.groupby("product_id")["order_at"]
    repeated = sum(at.dt.date.nunique() > 1 for _, at in bought)
    recent = set(case.since(case.sales, 90)["product_id"])
    before = set(case.sales["product_id"][~case.sales.index.isin(case.since(case.sales, 90).index)])
    return {
        "product_count": bought.ngroups,
        "repeat_product_share": ratio(repeated, bought.ngroups),
        "new_product_share_90d": ratio(len(recent - before), len(recent)),
    }
