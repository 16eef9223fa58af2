"""From a classifier's probabilities of several classes to probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.prediction.softmax import row_softmax

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

FLOOR = 1e-4
"""What a probability counts as at least: a forest says 0 where no tree has seen a class."""

_SLOPES = (0.05, 20.0)
_PENALTY = 1.0


@dataclass(frozen=True)
class ClassCalibration:
    """One slope for all log probabilities, and a shift for each class.

    Parameters
    ----------
    slope : float
        Above 1 where the classifier is too careful, below where it is too sure.
    shifts : tuple of float
        Per class; above 0 where it is named too rarely.
    customers : int
        Rested on.
    """

    slope: float
    shifts: tuple[float, ...]
    customers: int

    def apply(self, probability: Floats) -> Floats:
        """Turn a classifier's probabilities, of shape (n_customers, n_classes), into calibrated ones, row by row."""
        import numpy as np

        return row_softmax(self.slope * _logs(probability) + np.array(self.shifts))

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"slope": self.slope, "shifts": list(self.shifts), "customers": self.customers}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> ClassCalibration:
        """Read what `to_plain` makes, also after JSON."""
        return cls(float(plain["slope"]), tuple(float(shift) for shift in plain["shifts"]), plain["customers"])


def fit_class_calibration(probability: Floats, codes: Codes) -> ClassCalibration:
    """Fit slope and shifts on customers whose probabilities come from a model that has not seen their classes.

    Parameters
    ----------
    probability : ndarray of float, shape (n_customers, n_classes)
        Each at least 0.
    codes : ndarray of int, shape (n_customers,)
        Column of the class that each customer has.

    Returns
    -------
    ClassCalibration

    Notes
    -----
    The sum of log losses is minimised, with half the squared distances of the slope from 1 and of the shifts from 0
    added, so that few customers change little and a class that none of them has keeps its place. Shifts undo class
    weights: the class with the highest probability is the one that is right most often, not the one that treats rare
    classes like frequent ones.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks, PMLR 70, 1321-1330: between its
    temperature and vector scaling.
    """
    import numpy as np
    from scipy.optimize import minimize

    logs = _logs(probability)
    classes = logs.shape[1]
    is_class = np.eye(classes)[codes]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shifts = parameters[0], parameters[1:]
        found = row_softmax(slope * logs + shifts)
        lost = -np.log((found * is_class).sum(axis=1)).sum()
        distance = found - is_class
        slopes = np.r_[(distance * logs).sum(), distance.sum(axis=0)]
        off = parameters - start
        return float(lost + _PENALTY / 2 * (off**2).sum()), slopes + _PENALTY * off

    start = np.r_[1.0, np.zeros(classes)]
    bounds = [_SLOPES, *[(None, None)] * classes]
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return ClassCalibration(float(fitted[0]), tuple(map(float, fitted[1:])), len(codes))


def _logs(probability: Floats) -> Floats:
    import numpy as np

    logs: Floats = np.log(np.maximum(np.ascontiguousarray(probability), FLOOR))
    return logs
