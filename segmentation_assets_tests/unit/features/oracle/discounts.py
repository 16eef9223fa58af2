"""Second implementation of the block discounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio, total


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    priced = case.sales.loc[[bool(price and listed) for price, listed in _prices(case)]]
    prices = priced["unit_price"], priced["list_price"]
    listed = [
        max(amount, (amount * high / low).quantize(Decimal("0.0001"), ROUND_HALF_UP))
        for amount, low, high in zip(priced["amount"], *prices, strict=True)
    ]
    is_deal = [low <= high * Decimal(str(1 - case.settings.deal_discount)) for low, high in zip(*prices, strict=True)]
    deals = priced.loc[is_deal]
    return {
        "discount_share": ratio(total(listed) - total(priced["amount"]), total(listed)),
        "discounted_line_share": ratio(sum(low < high for low, high in zip(*prices, strict=True)), len(priced)),
        "deal_line_share": ratio(len(deals), len(priced)),
        "deal_revenue_share": ratio(total(deals["amount"]), total(priced["amount"])),
        "deal_order_share": ratio(deals["order_id"].nunique(), priced["order_id"].nunique()),
    }


def _prices(case: Case) -> Any:
    return zip(case.sales["unit_price"], case.sales["list_price"], strict=True)
