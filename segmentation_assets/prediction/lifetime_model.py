"""What customers are worth: a model of repeat orders and one of spend, as they are kept and put to use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.prediction.customer_value import value_customers
from segmentation_assets.prediction.gamma_gamma import FittedGammaGamma
from segmentation_assets.prediction.purchase_models import FittedPurchaseModel

if TYPE_CHECKING:
    import pandas as pd

HORIZONS = {"3m": 91, "6m": 183, "12m": 365}
"""How far ahead customers are valued: suffix of the columns, and days."""


@dataclass(frozen=True)
class LifetimeModel:
    """Both models, and how intervals and discounts are made.

    Parameters
    ----------
    orders : FittedPurchaseModel
        Fitted in days.
    spend : FittedGammaGamma
    level : float
        Probability of the intervals.
    monthly_discount_rate : float
    """

    orders: FittedPurchaseModel
    spend: FittedGammaGamma
    level: float
    monthly_discount_rate: float

    def value(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Value customers over `HORIZONS`.

        Parameters
        ----------
        customers : DataFrame
            customer_id, btyd_frequency, btyd_recency, btyd_T in days, and btyd_monetary_value.

        Returns
        -------
        DataFrame
            A row per customer, in the same order: customer_id, alive_probability, expected_order_amount, and for each
            horizon what `value_histories` returns, with ``_3m``, ``_6m`` and ``_12m`` in place of the days.
        """
        found = value_customers(
            customers,
            self.orders,
            self.spend,
            tuple(HORIZONS.values()),
            level=self.level,
            monthly_discount_rate=self.monthly_discount_rate,
        )
        suffixes = {f"_{days}d": f"_{name}" for name, days in HORIZONS.items()}
        return found.rename(columns={name: _renamed(name, suffixes) for name in found})

    def to_state(self) -> dict[str, Any]:
        """Return all of it, as JSON can hold it."""
        return {
            "orders": self.orders.to_json(),
            "spend": self.spend.to_json(),
            "level": self.level,
            "monthly_discount_rate": self.monthly_discount_rate,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> LifetimeModel:
        """Read what `to_state` makes, also after JSON."""
        return cls(
            FittedPurchaseModel.from_json(state["orders"]),
            FittedGammaGamma.from_json(state["spend"]),
            state["level"],
            state["monthly_discount_rate"],
        )


def _renamed(name: str, suffixes: dict[str, str]) -> str:
    for days, months in suffixes.items():
        if name.endswith(days):
            return name.removesuffix(days) + months
    return name
