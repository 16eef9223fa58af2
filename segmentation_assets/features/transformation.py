"""Transformation of single columns: limits for outliers, a less skewed scale, a centre and a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from segmentation_assets.config.features import MatrixSettings
from segmentation_assets.tables.rounding import round_number, round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Scale = Literal["as it is", "log", "power"]

QUANTILE_COUNT = 201
"""Reference quantiles of the scaling ``quantile``: every half percent."""

_NORMAL_IQR = 1.3489795
"""Distance between the quartiles of a standard normal distribution."""


@dataclass(frozen=True)
class MatrixColumn:
    """How one number becomes one column of the model matrix.

    Parameters
    ----------
    name : str
        Of the column.
    feature : str
        It is made from; the same, unless the feature is a category.
    limits : tuple of (float, float) or None
        Smaller and larger values are moved to these first.
    scale : str
        ``log``: `signed_log1p`; ``power``: `yeo_johnson` with `exponent`.
    exponent : float
        Lambda of Yeo and Johnson; 1 with the other scales.
    centre, unit : float
        What is taken off, and what is divided by.
    references : tuple of float
        With the scaling ``quantile``, the quantiles that values are compared with instead of `centre` and `unit`.
    """

    name: str
    feature: str
    limits: tuple[float, float] | None = None
    scale: Scale = "as it is"
    exponent: float = 1.0
    centre: float = 0.0
    unit: float = 1.0
    references: tuple[float, ...] = ()

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> MatrixColumn:
        """Rebuild from plain lists and numbers."""
        limits = plain["limits"] and tuple(plain["limits"])
        return cls(**(plain | {"limits": limits, "references": tuple(plain["references"])}))

    def limit_and_bend(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Move outliers to the limits and change the scale; shape (n_customers,)."""
        import numpy as np

        limited = values if self.limits is None else np.clip(values, *self.limits)
        if self.scale == "log":
            return signed_log1p(limited)
        return yeo_johnson(limited, self.exponent) if self.scale == "power" else limited

    def apply(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn complete values into the column of the matrix, shape (n_customers,)."""
        bent = self.limit_and_bend(values)
        if self.references:
            return normal_scores(bent, self.references)
        return (bent - self.centre) / self.unit

    def count_moved(self, values: npt.NDArray[np.float64]) -> dict[str, int]:
        """Count the values that limits or references move, low and high, by what was done."""
        bounds = {"winsorised": (values, self.limits)}
        if self.references:
            bounds["beyond_reference"] = (self.limit_and_bend(values), (self.references[0], self.references[-1]))
        counts = {}
        for kind, (found, limits) in bounds.items():
            if limits is not None:
                counts[f"{kind}_low"] = int((found < limits[0]).sum())
                counts[f"{kind}_high"] = int((found > limits[1]).sum())
        return {kind: count for kind, count in counts.items() if count}


def fit_limits(values: npt.NDArray[np.float64], settings: MatrixSettings) -> tuple[float, float] | None:
    """Determine the values that outliers are moved to; ``None`` where none are moved.

    Parameters
    ----------
    values : ndarray, shape (n_customers,)
        Complete.
    settings : MatrixSettings
        ``outliers``, ``outlier_low`` and ``outlier_high``.
    """
    import numpy as np

    if settings.outliers == "none":
        return None
    low, high = round_significant(np.quantile(values, [settings.outlier_low, settings.outlier_high]))
    return float(low), float(high)


def fit_scale(values: npt.NDArray[np.float64], settings: MatrixSettings) -> tuple[Scale, float]:
    """Choose the scale of a column, and the exponent of a power.

    Parameters
    ----------
    values : ndarray, shape (n_customers,)
        Complete and not constant.
    settings : MatrixSettings
        ``skew``, and ``skew_threshold``: absolute skewness that is still accepted.

    Returns
    -------
    tuple of (str, float)

    Notes
    -----
    A column is left as it is where its skewness is accepted or the other scale would not lessen it.
    """
    before = abs(skewness(values))
    if settings.skew == "none" or before <= settings.skew_threshold:
        return "as it is", 1.0
    scale: Scale = "log" if settings.skew == "log1p" else "power"
    exponent = fit_exponent(values) if scale == "power" else 1.0
    column = MatrixColumn("", "", scale=scale, exponent=exponent)
    return (scale, exponent) if abs(skewness(column.limit_and_bend(values))) < before else ("as it is", 1.0)


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


def yeo_johnson(values: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    """Return the power transformation of Yeo and Johnson, any shape.

    Notes
    -----
    ((1 + x)^λ - 1) / λ for x >= 0, or log(1 + x) with λ = 0; for x < 0 the same of -x with 2 - λ, negated.

    References
    ----------
    Yeo, I.-K., Johnson, R. A. (2000). A new family of power transformations to improve normality or symmetry.
    Biometrika 87(4). doi:10.1093/biomet/87.4.954

    Examples
    --------
    >>> import numpy as np
    >>> yeo_johnson(np.array([0.0, 3.0, -3.0]), 0.5).round(6).tolist()
    [0.0, 2.0, -4.666667]
    """
    import numpy as np

    logs = np.log1p(np.abs(values))
    return np.where(values < 0, -_power_of_log(logs, 2 - exponent), _power_of_log(logs, exponent))


def _power_of_log(logs: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    """Return (e^(λ·log) - 1) / λ, or the logarithm itself."""
    import numpy as np

    return np.expm1(exponent * logs) / exponent if exponent else logs


def fit_exponent(values: npt.NDArray[np.float64]) -> float:
    """Find the exponent of `yeo_johnson` that makes values most like a normal distribution, by maximum likelihood.

    Parameters
    ----------
    values : ndarray, shape (n_customers,)
        Complete and not constant.

    Returns
    -------
    float
        Rounded to 10 significant digits.
    """
    import numpy as np
    from scipy.stats import yeojohnson_normmax

    return round_number(float(yeojohnson_normmax(np.sort(values))))


def normal_scores(values: npt.NDArray[np.float64], references: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Give each value the normal quantile of its rank among reference quantiles, any shape.

    Parameters
    ----------
    values : ndarray
    references : tuple of float
        Quantiles at equal distances from the smallest to the largest known value.

    Returns
    -------
    ndarray, same shape
        With m references between the quantiles 1/2m and 1 - 1/2m of the normal distribution; ties get the middle of
        their ranks, and values beyond the references those of the outermost.
    """
    import numpy as np
    from scipy.special import ndtri

    points, ranks = np.array(references), np.linspace(0, 1, len(references))
    upper = np.interp(values, points, ranks)
    lower = -np.interp(-values, -points[::-1], -ranks[::-1])
    middle = (upper + lower) / 2
    return np.asarray(ndtri(middle * (1 - 1 / len(points)) + 0.5 / len(points)))


def skewness(values: npt.NDArray[np.float64]) -> float:
    """Return the third standardised moment of values that are not all equal, shape (n,)."""
    import numpy as np

    deviations = np.sort(values) - np.mean(np.sort(values))
    return float(np.mean(deviations**3) / np.mean(deviations**2) ** 1.5)


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


def fit_known_scaling(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Determine mean and standard deviation of the known values of a column; 1 where they do not differ."""
    import numpy as np

    known = values[~np.isnan(values)]
    if not known.size:
        return 0.0, 1.0
    if known.min() == known.max():
        return float(known[0]), 1.0
    return fit_scaling(known, "standard")


def fit_references(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Determine the reference quantiles of `normal_scores`, rounded; shape (n_customers,) in."""
    import numpy as np

    return tuple(round_significant(np.quantile(values, np.linspace(0, 1, QUANTILE_COUNT))).tolist())
