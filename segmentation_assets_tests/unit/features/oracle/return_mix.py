"""Second implementation of the block return_mix."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio
from segmentation_assets_tests.unit.features.oracle.tracing import Traced, real_returns, traced_returns


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    known = [(found, *_kind(case, found)) for found in real_returns(case) if _kind(case, found)[0] is not None]
    money = pd.Series([float(found.amount) for found, _, _ in known], dtype=float)
    shares = money.groupby([department for _, department, _ in known]).sum() / money.sum() if money.sum() else None
    exchanged = [found.lines for found, department, kind in known if _is_exchanged(case, found, department, kind)]
    return {
        "return_department_concentration": None if shares is None else float((shares**2).sum()),
        "exchange_share_14d": ratio(sum(exchanged), sum(found.lines for found, _, _ in known)),
    }


def _kind(case: Case, found: Traced) -> tuple[str | None, str | None]:
    """Department and class of what was returned."""
    row = case.returns[case.returns["product_id"] == found.product].iloc[0]
    return tuple(None if pd.isna(row[name]) else row[name] for name in ("department", "class"))


def _is_exchanged(case: Case, found: Traced, department: str, kind: str | None) -> bool:
    no_repurchases = [found.purchase, *(other.purchase for other in traced_returns(case) if other.is_cancellation)]
    places = {(one.product, one.order, one.at) for one in no_repurchases if one is not None}
    later = case.sales[(case.sales["order_at"] >= found.at) & (case.sales["department"] == department)]
    return any(
        (sale.order_at.date() - found.at.date()).days <= 14
        and kind in (None, sale.kind)
        and (sale.product_id, sale.order_id, sale.order_at) not in places
        for sale in later.rename(columns={"class": "kind"}).itertuples()
    )
