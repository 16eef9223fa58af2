"""Repeat orders that a model expects of customers over time, beside those they made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.purchase_histories import Floats
from segmentation_assets.prediction.purchase_models import FittedPurchaseModel

if TYPE_CHECKING:
    import pandas as pd


def track_orders(
    model: FittedPurchaseModel, births: npt.ArrayLike, order_times: npt.ArrayLike, period_ends: npt.ArrayLike
) -> pd.DataFrame:
    """Set expected beside observed repeat order days, period by period.

    Parameters
    ----------
    model : FittedPurchaseModel
        Fitted on what these customers, or others like them, did until some date; later periods show how far it holds.
    births : array-like of shape (n_customers,), unit of time of the model
        Time of each customer's first order day, from any common beginning.
    order_times : array-like of shape (n_orders,), same unit and beginning
        Times of the repeat order days of all customers.
    period_ends : array-like of shape (n_periods,), increasing
        Ends of the periods; each goes from the end of the one before, not included, to its own, included.

    Returns
    -------
    DataFrame
        A row per period: period_end, expected_order_count, observed_order_count, cumulative_expected_order_count,
        cumulative_observed_order_count. The first period reaches back to the beginning.

    Raises
    ------
    DataError
        Times are missing, there are no customers or periods, or periods do not increase.

    Notes
    -----
    The expectation is that of new customers, E[X(t)], summed over the time since their first order: nothing that a
    customer did later enters.
    """
    import pandas as pd

    born, ordered, ends = (np.asarray(times, dtype=np.float64) for times in (births, order_times, period_ends))
    _check_times(born, ordered, ends)
    expected = _expect_until(model, born, ends)
    observed = np.searchsorted(np.sort(ordered), ends, side="right")
    return pd.DataFrame(
        {
            "period_end": ends,
            "expected_order_count": np.diff(expected, prepend=0.0),
            "observed_order_count": np.diff(observed, prepend=0),
            "cumulative_expected_order_count": expected,
            "cumulative_observed_order_count": observed,
        }
    )


def _expect_until(model: FittedPurchaseModel, births: Floats, ends: Floats) -> Floats:
    """Sum E[X(t)] over customers at each time."""
    times, sizes = np.unique(births, return_counts=True)
    lived = np.maximum(ends[:, None] - times, 0.0)
    expected: Floats = (model.expect_newcomer_orders(lived.ravel()).reshape(lived.shape) * sizes).sum(axis=1)
    return expected


def _check_times(births: Floats, order_times: Floats, period_ends: Floats) -> None:
    columns = {"births": births, "order_times": order_times, "period_ends": period_ends}
    for name, times in columns.items():
        unknown = int(np.count_nonzero(~np.isfinite(times)))
        if unknown:
            raise DataError(
                f"{name} are times, but {unknown:,} of {times.size:,} are missing or infinite", "drop them."
            )
    if not births.size or not period_ends.size:
        raise DataError(f"there are {births.size:,} customers and {period_ends.size:,} periods to track", "pass both.")
    if not (np.diff(period_ends) > 0).all():
        raise DataError("period_ends do not increase", "sort them and drop those that occur twice.")
    if order_times.size and order_times.min() <= births.min():
        raise DataError(
            f"the first repeat order, at {order_times.min():g}, is not after the first order of any customer, "
            f"at {births.min():g}",
            "order_times hold repeat orders only, on the clock of births.",
        )
