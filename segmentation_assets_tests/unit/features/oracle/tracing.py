"""Returns traced to purchases a second time, one return after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, total


@dataclass(frozen=True)
class Traced:
    """Lines of one product in one order at one instant; of a return also the purchase that it is traced to."""

    product: str
    order: str
    at: pd.Timestamp
    lines: int
    units: int
    amount: Decimal
    purchase: Traced | None = None
    is_cancellation: bool = False


def traced_returns(case: Case) -> list[Traced]:
    """All returns of a customer in the lookback."""
    bought = list(_lines_of(case.sales))
    choices = {found: _possible(found, bought) for found in _lines_of(case.returns)}
    cancelled = _cancelled(choices)
    return [
        replace(found, purchase=cancelled[found], is_cancellation=True)
        if found in cancelled
        else replace(found, purchase=next((one for one in possible if one not in cancelled.values()), None))
        for found, possible in choices.items()
    ]


def real_returns(case: Case) -> list[Traced]:
    """Those that are no cancellations."""
    return [found for found in traced_returns(case) if not found.is_cancellation]


def _lines_of(lines: pd.DataFrame) -> Iterator[Traced]:
    for (at, order, product), group in lines.groupby(["order_at", "order_id", "product_id"]):
        units, amount = abs(int(group["quantity"].sum())), abs(total(group["amount"]))
        yield Traced(str(product), str(order), at, len(group), units, amount)


def _possible(found: Traced, bought: list[Traced]) -> list[Traced]:
    """Purchases that a return may be of, the latest first."""
    earlier = [one for one in reversed(bought) if one.product == found.product and one.at <= found.at]
    return [one for one in earlier if one.order == found.order] or earlier


def _cancelled(choices: dict[Traced, list[Traced]]) -> dict[Traced, Traced]:
    """The purchase that each cancellation takes back: one return after the other, those of their own order first."""
    cancelled: dict[Traced, Traced] = {}
    for found in sorted(choices, key=lambda one: not any(one.order == other.order for other in choices[one])):
        fitting = [one for one in choices[found] if _is_whole(found, one) and one not in cancelled.values()]
        if fitting:
            cancelled[found] = fitting[0]
    return cancelled


def _is_whole(found: Traced, purchase: Traced) -> bool:
    is_alike = (purchase.units, purchase.amount) == (found.units, found.amount)
    return is_alike and found.at - purchase.at < timedelta(days=1)
