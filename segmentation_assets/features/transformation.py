"""Transformation of single columns: a sign-safe logarithm for skew, a centre and a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NORMAL_IQR = 1.3489795
"""Distance between the quartiles of a standard normal distribution."""


def signed_log1p(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return sign(x) · log(1 + abs(x)); equal to log1p where x >= 0, any shape.

    Examples
    --------
    >>> import numpy as np
    >>> signed_log1p(np.array([0.0, np.e - 1, 1 - np.e])).round(6).tolist()
    [0.0, 1.0, -1.0]
    """
    import numpy as np

    return np.sign(values) * np.log1p(np.abs(values))


def skewness(values: npt.NDArray[np.float64]) -> float:
    """Return the third standardised moment of values that are not all equal, shape (n,)."""
    import numpy as np

    deviations = np.sort(values) - np.mean(np.sort(values))
    return float(np.mean(deviations**3) / np.mean(deviations**2) ** 1.5)


def is_log_useful(values: npt.NDArray[np.float64], threshold: float) -> bool:
    """Whether a column is more skewed than the threshold and `signed_log1p` makes it less so.

    Parameters
    ----------
    values : ndarray, shape (n_customers,)
        Complete and not constant.
    threshold : float
        Absolute skewness that is still accepted.

    Notes
    -----
    The logarithm shortens a tail of large values; a column with a tail of small values it would only skew more.
    """
    before = abs(skewness(values))
    return before > threshold and abs(skewness(signed_log1p(values))) < before


def fit_scaling(values: npt.NDArray[np.float64], scaling: Literal["standard", "robust"]) -> tuple[float, float]:
    """Determine centre and scale of a column.

    Parameters
    ----------
    values : ndarray, shape (n_customers,)
        Complete and not constant.
    scaling : str
        ``standard``: mean and population standard deviation; ``robust``: median and the distance between the
        quartiles divided by 1.349, or the standard deviation where the quartiles coincide.

    Returns
    -------
    tuple of (float, float)
        Rounded to 10 significant digits; the scale is positive.
    """
    import numpy as np

    ordered = np.sort(values)
    deviation = float(np.std(ordered))
    if scaling == "standard":
        return round_number(float(np.mean(ordered))), round_number(deviation)
    low, middle, high = np.quantile(ordered, [0.25, 0.5, 0.75])
    return round_number(float(middle)), round_number(float(high - low) / _NORMAL_IQR or deviation)
