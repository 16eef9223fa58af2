"""Rounding to significant digits, so that numbers from fitted models store and hash alike on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SIGNIFICANT_DIGITS = 10
"""Digits that stored model-made numbers keep."""

_LARGEST_EXACT_POWER = 22


def round_significant(values: npt.ArrayLike, digits: int = SIGNIFICANT_DIGITS) -> npt.NDArray[np.float64]:
    """Round every number to a count of significant decimal digits.

    Parameters
    ----------
    values : array-like of float, any shape
        NaN and infinities pass through; -0.0 becomes 0.0.
    digits : int, 1 to 15
        Significant digits to keep.

    Returns
    -------
    ndarray of float64, same shape
        The doubles nearest to the rounded decimals. Rounding again changes nothing.

    Notes
    -----
    Powers of ten up to 10**22 are exact in a double, so one multiplication or division gives the nearest double;
    numbers that need a larger power, below about 1e-13, go through their decimal text instead.

    Examples
    --------
    >>> round_significant([1 / 3, 1234567.890123456, -0.0]).tolist()
    [0.3333333333, 1234567.89, 0.0]
    """
    import numpy as np

    numbers = np.array(values, dtype=np.float64)
    flat = numbers.reshape(-1)
    usable = np.isfinite(flat) & (flat != 0)
    magnitude = np.zeros(flat.shape, dtype=np.int64)
    magnitude[usable] = np.floor(np.log10(np.abs(flat[usable]))).astype(np.int64)
    power = digits - 1 - magnitude
    extreme = usable & (np.abs(power) > _LARGEST_EXACT_POWER)
    ordinary = usable & ~extreme
    up = ordinary & (power >= 0)
    down = ordinary & (power < 0)
    step = np.power(10.0, np.abs(np.where(ordinary, power, 0)))
    flat[up] = np.rint(flat[up] * step[up]) / step[up]
    flat[down] = np.rint(flat[down] / step[down]) * step[down]
    flat[extreme] = [float(f"{value:.{digits - 1}e}") for value in flat[extreme]]
    return flat.reshape(numbers.shape) + 0.0


def round_number(value: float, digits: int = SIGNIFICANT_DIGITS) -> float:
    """Round one number as `round_significant` does."""
    return float(round_significant([value], digits)[0])
