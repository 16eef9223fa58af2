"""Returns traced to purchases a second time, one return after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, total


@dataclass(frozen=True)
class Traced:
    """Lines of one product returned at one instant under one order id, and the purchase they are traced to."""

    product: str
    order: str
    at: pd.Timestamp
    lines: int
    units: int
    amount: Decimal
    purchase: Traced | None

    @property
    def is_cancellation(self) -> bool:
        """Whether a whole purchase was taken back within a day."""
        return self.purchase is not None and _cancels(self, self.purchase)


def traced_returns(case: Case) -> list[Traced]:
    """All returns of a customer in the lookback."""
    bought = list(_lines_of(case.sales))
    return [_traced(found, bought) for found in _lines_of(case.returns)]


def real_returns(case: Case) -> list[Traced]:
    """Those that are no cancellations."""
    return [found for found in traced_returns(case) if not found.is_cancellation]


def _lines_of(lines: pd.DataFrame) -> Iterator[Traced]:
    for (product, order, at), group in lines.groupby(["product_id", "order_id", "order_at"]):
        units, amount = abs(int(group["quantity"].sum())), abs(total(group["amount"]))
        yield Traced(str(product), str(order), at, len(group), units, amount, None)


def _traced(found: Traced, bought: list[Traced]) -> Traced:
    earlier = [purchase for purchase in bought if purchase.product == found.product and purchase.at <= found.at]
    earlier.sort(key=lambda purchase: purchase.order)
    earlier.sort(key=lambda purchase: purchase.at, reverse=True)
    earlier.sort(key=lambda purchase: _nearness(found, purchase))
    facts: dict[str, Any] = vars(found) | {"purchase": earlier[0] if earlier else None}
    return Traced(**facts)


def _nearness(found: Traced, purchase: Traced) -> int:
    return 0 if _cancels(found, purchase) else 1 if purchase.order == found.order else 2


def _cancels(found: Traced, purchase: Traced) -> bool:
    is_whole = (purchase.units, purchase.amount) == (found.units, found.amount)
    return is_whole and found.at - purchase.at < timedelta(days=1)
