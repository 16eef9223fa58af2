"""Purchase histories, three numbers per customer, checked and grouped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from segmentation_assets.errors import DataError, plural

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ROWS_AT_ONCE = 1 << 20
"""Histories that are scored at once; memory grows with the rows up to here."""


@dataclass(frozen=True, eq=False)
class Distinct:
    """Distinct pairs of order count and a time, and the position of each row's pair among them."""

    count: Floats
    time: Floats
    code: Integers


@dataclass(frozen=True, eq=False)
class PurchaseHistories:
    """What orders at the level of days say about customers, one row per customer or per group of equal ones.

    Parameters
    ----------
    count : ndarray of shape (n_rows,)
        Days with an order after the first one, whole and 0 or more; ``btyd_frequency``.
    last : ndarray of shape (n_rows,)
        Time from the first to the last of these days, 0 exactly where `count` is 0; ``btyd_recency``.
    end : ndarray of shape (n_rows,)
        Time from the first order day to the as-of date, `last` or more; ``btyd_T``.
    weight : ndarray of shape (n_rows,)
        Customers with this history.

    Notes
    -----
    Any unit of time, the same in all three. `check_histories` makes checked ones.
    """

    count: Floats
    last: Floats
    end: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.count)

    @property
    def customer_count(self) -> float:
        """Customers in all rows."""
        return float(self.weight.sum())

    @cached_property
    def ends(self) -> Distinct:
        """Distinct pairs of `count` and `end`."""
        return _find_distinct(self.count, self.end)

    @cached_property
    def lasts(self) -> Distinct:
        """Distinct pairs of `count` and `last`."""
        return _find_distinct(self.count, self.last)

    @cached_property
    def counts(self) -> tuple[Floats, Integers]:
        """Distinct values of `count`, and the position of each row's among them."""
        values, codes = np.unique(self.count, return_inverse=True)
        return values, codes

    def sum_by_count(self, values: Floats) -> Floats:
        """Sum a value per row within each distinct `count`."""
        return _sum_by(self.counts[1], values, len(self.counts[0]))

    def group(self) -> PurchaseHistories:
        """Make one row of all equal ones, sorted by count, end and last."""
        keys = _combine(self.ends.code, self.last)
        _, first, code = np.unique(keys, return_index=True, return_inverse=True)
        return PurchaseHistories(
            self.count[first], self.last[first], self.end[first], _sum_by(code, self.weight, len(first))
        )

    def thin(self, most: int) -> PurchaseHistories:
        """Take `most` customers in equal steps through the sorted groups; grouped histories with fewer rows stay."""
        if len(self) <= most:
            return self
        reached = np.cumsum(self.weight)
        steps = (np.arange(most) + 0.5) / most * reached[-1]
        rows, drawn = np.unique(np.searchsorted(reached, steps), return_counts=True)
        weight = drawn * (reached[-1] / most)
        return PurchaseHistories(self.count[rows], self.last[rows], self.end[rows], weight)

    def measure_in(self, unit: float) -> PurchaseHistories:
        """Express all times in another unit, given in the present one."""
        return PurchaseHistories(self.count, self.last / unit, self.end / unit, self.weight)

    def wait(self, horizon: float) -> PurchaseHistories:
        """Let time pass without an order; what is known of distinct rows is kept."""
        waited = PurchaseHistories(self.count, self.last, self.end + horizon, self.weight)
        if "lasts" in vars(self):
            vars(waited)["lasts"] = self.lasts
        if "ends" in vars(self):
            vars(waited)["ends"] = Distinct(self.ends.count, self.ends.time + horizon, self.ends.code)
        return waited

    def split(self, most: int = ROWS_AT_ONCE) -> Iterator[PurchaseHistories]:
        """Yield consecutive rows, `most` at a time; itself where there are no more."""
        if len(self) <= most:
            yield self
            return
        for start in range(0, len(self), most):
            rows = slice(start, start + most)
            yield PurchaseHistories(self.count[rows], self.last[rows], self.end[rows], self.weight[rows])


def check_histories(
    btyd_frequency: npt.ArrayLike,
    btyd_recency: npt.ArrayLike,
    btyd_T: npt.ArrayLike,
    customer_counts: npt.ArrayLike | None = None,
) -> PurchaseHistories:
    """Check purchase histories.

    Parameters
    ----------
    btyd_frequency : array-like of shape (n_rows,)
        Days with an order after the first one; whole, 0 or more.
    btyd_recency : array-like of shape (n_rows,), unit of time of the caller
        Time from the first to the last order day (not since the last one); 0 exactly where the frequency is 0.
    btyd_T : array-like of shape (n_rows,), same unit
        Time from the first order day to the as-of date.
    customer_counts : array-like of shape (n_rows,), above 0, optional
        Customers with this history; one each where not given.

    Returns
    -------
    PurchaseHistories
        Same rows in the same order.

    Raises
    ------
    DataError
        Lengths differ, or rows have values that no history can have; the first kind found, with its row count.

    Examples
    --------
    >>> check_histories([2, 0], [30.43, 0], [38.86, 38.86]).customer_count
    2.0
    """
    given = {"btyd_frequency": btyd_frequency, "btyd_recency": btyd_recency, "btyd_T": btyd_T}
    if customer_counts is not None:
        given["customer_counts"] = customer_counts
    columns = {name: np.ascontiguousarray(values, dtype=np.float64) for name, values in given.items()}
    sizes = {name: column.shape for name, column in columns.items()}
    if len(set(sizes.values())) != 1 or columns["btyd_T"].ndim != 1:
        shapes = ", ".join(f"{name} {shape}" for name, shape in sizes.items())
        raise DataError(f"purchase histories are columns of one length, but shapes are {shapes}", "pass one row each.")
    for name, column in columns.items():
        _refuse(~np.isfinite(column), f"{name} is missing or infinite")
        _refuse(column < 0, f"{name} is negative")
    count, last, end = (columns[name] for name in ("btyd_frequency", "btyd_recency", "btyd_T"))
    _refuse(count != np.floor(count), "btyd_frequency is not a whole number")
    _refuse(last > end, "btyd_recency is larger than btyd_T")
    _refuse((count == 0) & (last > 0), "btyd_frequency is 0 but btyd_recency is not")
    _refuse((count > 0) & (last == 0), "btyd_recency is 0 but btyd_frequency is not")
    weight = columns.get("customer_counts", np.ones_like(count))
    _refuse(weight == 0, "customer_counts is 0")
    return PurchaseHistories(count, last, end, weight)


def _refuse(is_wrong: npt.NDArray[np.bool_], problem: str) -> None:
    """Raise where a row is wrong, with how many are and where the first is."""
    wrong = int(np.count_nonzero(is_wrong))
    if wrong:
        where = f"in {wrong:,} of {plural(len(is_wrong), 'row')}, first in row {int(is_wrong.argmax())}"
        raise DataError(
            f"{problem} {where}",
            "frequency counts order days after the first, recency runs from the first to the last, "
            "T from the first to the as-of date.",
        )


def _find_distinct(count: Floats, time: Floats) -> Distinct:
    _, codes = np.unique(count, return_inverse=True)
    keys = _combine(codes, time)
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    return Distinct(count[first], time[first], code)


def _combine(codes: Integers, values: Floats) -> Integers:
    """Make codes of pairs of a code and a value, sorted like the pairs."""
    distinct, inverse = np.unique(values, return_inverse=True)
    combined: Integers = (codes * len(distinct) + inverse).astype(np.int64)
    return combined


def _sum_by(codes: Integers, values: Floats, size: int) -> Floats:
    summed: Floats = np.bincount(codes, values, minlength=size).astype(np.float64)
    return summed
