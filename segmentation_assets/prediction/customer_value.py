"""Lifetime value of every customer over several horizons, with an interval of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.gamma_gamma import FittedGammaGamma, check_spend
from segmentation_assets.prediction.purchase_histories import ROWS_AT_ONCE, Floats, PurchaseHistories, check_histories
from segmentation_assets.prediction.purchase_models import FittedPurchaseModel
from segmentation_assets.prediction.spend_intervals import bound_expectation, bound_spend

if TYPE_CHECKING:
    import pandas as pd

DAYS_PER_MONTH = 30.4375
INPUT_COLUMNS = ("btyd_frequency", "btyd_recency", "btyd_T", "btyd_monetary_value")

_STEP = 1e-4


def value_customers(
    customers: pd.DataFrame,
    orders: FittedPurchaseModel,
    spend: FittedGammaGamma,
    horizon_days: Sequence[int],
    *,
    level: float = 0.8,
    monthly_discount_rate: float = 0.01,
) -> pd.DataFrame:
    """Value customers by what they are expected to spend.

    Parameters
    ----------
    customers : DataFrame
        customer_id and `INPUT_COLUMNS`; times in days. btyd_monetary_value is the mean spend per repeat order day, null
        for those who ordered once.
    orders : FittedPurchaseModel
        Fitted in days.
    spend : FittedGammaGamma
    horizon_days : sequence of int, above 0
        Days after the as-of date to look ahead, such as 91, 182 and 365.
    level : float, 0 to 1
        Probability of both kinds of intervals.
    monthly_discount_rate : float, 0 or more
        What money a month later is worth less.

    Returns
    -------
    DataFrame
        A row per customer, in the same order: customer_id and what `value_histories` returns.

    Raises
    ------
    DataError
        A column is missing, histories are impossible, or a horizon or the level is out of range.
    """
    import pandas as pd

    missing = sorted({"customer_id", *INPUT_COLUMNS} - set(customers.columns))
    if missing:
        raise DataError(
            f"columns {', '.join(missing)} are missing from the customers to value",
            f"needed are customer_id, {', '.join(INPUT_COLUMNS)}.",
        )
    count, last, end, mean_spend = (
        customers[name].to_numpy(dtype="float64", na_value=np.nan) for name in INPUT_COLUMNS
    )
    values = value_histories(
        check_histories(count, last, end),
        mean_spend,
        orders,
        spend,
        horizon_days,
        level=level,
        monthly_discount_rate=monthly_discount_rate,
    )
    return pd.DataFrame({"customer_id": customers["customer_id"].to_numpy(), **values})


def value_histories(
    histories: PurchaseHistories,
    mean_spend: npt.ArrayLike,
    orders: FittedPurchaseModel,
    spend: FittedGammaGamma,
    horizon_days: Sequence[int],
    *,
    level: float = 0.8,
    monthly_discount_rate: float = 0.01,
) -> dict[str, Floats]:
    """Value purchase histories; parameters as of `value_customers`.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        alive_probability; expected_order_amount, the expected spend per order day; and for every horizon, with its
        days as suffix such as ``_91d``:

        order_probability
            Of at least one order.
        expected_order_count, expected_spend_amount
            Means over customers with such a history.
        discounted_spend_amount
            The same spend, discounted to the as-of date.
        expected_spend_low_amount, expected_spend_high_amount
            Parameter interval: how well the mean is known, by the delta method on its logarithm. NaN where a fit has
            no standard errors.
        spend_low_amount, spend_high_amount
            Prediction interval: what one customer will spend, by `bound_spend`.

    Notes
    -----
    Orders and spend are fitted apart and taken for independent. The prediction interval takes the parameters for
    known; with hundreds of customers and more that adds next to nothing to the chance in one customer.
    """
    _check_options(horizon_days, level, monthly_discount_rate)
    _, money = check_spend(histories.count, mean_spend)
    discount_rate = float(np.log1p(monthly_discount_rate)) / DAYS_PER_MONTH
    parts = []
    for number, rows in enumerate(histories.split(ROWS_AT_ONCE)):
        own = money[number * ROWS_AT_ONCE : number * ROWS_AT_ONCE + len(rows)]
        parts.append(dict(_value_rows(rows, own, (orders, spend), horizon_days, (level, discount_rate))))
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _value_rows(
    rows: PurchaseHistories,
    money: Floats,
    models: tuple[FittedPurchaseModel, FittedGammaGamma],
    horizon_days: Sequence[int],
    options: tuple[float, float],
) -> Iterator[tuple[str, Floats]]:
    """Yield the columns of so many customers as are valued at once."""
    (orders, spend), (level, discount_rate) = models, options
    alive = orders.compute_alive_probability(rows)
    per_order, nu = spend.expect_spend(rows.count, money), spend.infer_nu(rows.count, money)
    yield "alive_probability", alive
    yield "expected_order_amount", per_order
    spread = _ParameterSpread(orders, spend, rows, money)
    for days in horizon_days:
        expected = alive * orders.expect_orders_if_there(rows, days)
        discounted = alive * orders.expect_orders_if_there(rows, days, discount_rate)
        idle = orders.compute_no_order_probability(rows, days)
        low, high = bound_expectation(expected * per_order, spread.measure(days), level)
        variance = orders.compute_order_variance(rows, days)
        spend_low, spend_high = bound_spend((expected, variance), idle, nu, spend.parameters[0], level)
        yield f"order_probability_{days}d", 1 - idle
        yield f"expected_order_count_{days}d", expected
        yield f"expected_spend_amount_{days}d", expected * per_order
        yield f"discounted_spend_amount_{days}d", discounted * per_order
        yield f"expected_spend_low_amount_{days}d", low
        yield f"expected_spend_high_amount_{days}d", high
        yield f"spend_low_amount_{days}d", spend_low
        yield f"spend_high_amount_{days}d", spend_high


class _ParameterSpread:
    """Variance of the logarithm of the expected spend over the sampling of the parameters, by the delta method."""

    def __init__(
        self, orders: FittedPurchaseModel, spend: FittedGammaGamma, rows: PurchaseHistories, money: Floats
    ) -> None:
        self._rows = rows
        self._is_known = orders.covariance is not None and spend.covariance is not None
        if orders.covariance is None or spend.covariance is None:
            return
        self._factor = np.linalg.cholesky(np.array(orders.covariance))
        steps = np.eye(len(self._factor)) * _STEP
        self._moved = [(orders.move(step), orders.move(-step)) for step in steps]
        self._by_alive = self._project(
            [more.log_alive_probability(rows) - less.log_alive_probability(rows) for more, less in self._moved]
        )
        spend_factor = np.linalg.cholesky(np.array(spend.covariance))
        by_spend = spend.differentiate_log_spend(rows.count, money)
        self._by_spend = _combine(spend_factor, by_spend)

    def measure(self, days: float) -> Floats:
        """Return the variance for one horizon; NaN where a fit has no covariance."""
        if not self._is_known:
            return np.full(len(self._rows), np.nan)
        by_orders = self._project([_log_ratio(more, less, self._rows, days) for more, less in self._moved])
        variance = np.zeros(len(self._rows))
        for part in self._by_spend:
            variance += part**2
        for alive, later in zip(self._by_alive, by_orders, strict=True):
            variance += (alive + later) ** 2
        return variance

    def _project(self, differences: Sequence[Floats]) -> list[Floats]:
        return _combine(self._factor, [difference / (2 * _STEP) for difference in differences])


def _log_ratio(more: FittedPurchaseModel, less: FittedPurchaseModel, rows: PurchaseHistories, days: float) -> Floats:
    """Log of expected orders of those there, between two sets of parameters."""
    ratio: Floats = np.log(more.expect_orders_if_there(rows, days) / less.expect_orders_if_there(rows, days))
    return ratio


def _combine(factor: Floats, gradient: Sequence[Floats]) -> list[Floats]:
    """Multiply gradients by a Cholesky factor, term by term so that no row depends on another."""
    combined = []
    for column in factor.T:
        total = np.zeros_like(gradient[0])
        for weight, part in zip(column.tolist(), gradient, strict=True):
            total = total + weight * part
        combined.append(total)
    return combined


def _check_options(horizon_days: Sequence[int], level: float, monthly_discount_rate: float) -> None:
    wrong = [days for days in horizon_days if days <= 0 or int(days) != days]
    if wrong or not horizon_days or len(set(horizon_days)) < len(horizon_days):
        raise DataError(f"horizons are different whole numbers of days above 0, not {list(horizon_days)}", "use 91.")
    if not 0 < level < 1:
        raise DataError(f"the level of intervals lies between 0 and 1, not at {level}", "use 0.8.")
    if monthly_discount_rate < 0:
        raise DataError(f"the monthly discount rate is 0 or more, not {monthly_discount_rate}", "use 0.01.")
