"""From the score of a classifier to a probability that means what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

FEWEST_FOR_STEPS = 1_000
"""Customers of either outcome from which on an isotonic calibration is tried beside the logistic curve."""

FOLDS = 5
"""Folds of the customers on which the two are compared."""

_LEAST = 1e-6


@dataclass(frozen=True)
class Calibration:
    """A rising curve from scores to probabilities.

    Parameters
    ----------
    method : str
        ``sigmoid``: a logistic curve of the score's log odds (Platt); ``isotonic``: the rising steps that fit best,
        joined by lines.
    points : tuple of (float, float)
        Intercept and slope of the logistic curve, as one pair; or scores and probabilities of the corners.
    customers : int
        Rested on.
    """

    method: Literal["sigmoid", "isotonic"]
    points: tuple[tuple[float, float], ...]
    customers: int

    def apply(self, scores: Floats) -> Floats:
        """Turn scores into probabilities, each by itself."""
        import numpy as np

        found: Floats
        if self.method == "sigmoid":
            ((intercept, slope),) = self.points
            found = 1 / (1 + np.exp(-(intercept + slope * _log_odds(scores))))
            return found
        at, values = np.array(self.points).T
        found = np.interp(scores, at, values)
        return found

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"method": self.method, "points": [list(point) for point in self.points], "customers": self.customers}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Calibration:
        """Read what `to_plain` makes, also after JSON."""
        return cls(plain["method"], tuple((float(x), float(y)) for x, y in plain["points"]), plain["customers"])


def fit_calibration(scores: Floats, outcome: Flags) -> Calibration:
    """Fit the curve on customers whose scores come from a model that has not seen their outcomes.

    Parameters
    ----------
    scores : ndarray of float, shape (n_customers,)
        From 0 to 1.
    outcome : ndarray of bool, shape (n_customers,)
        Both outcomes occur, in no order that means anything.

    Notes
    -----
    The logistic curve keeps the order of scores; steps make many of them equal. They are taken where there are enough
    customers and their loss on customers left out is smaller.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines; Zadrozny and Elkan (2002),
    doi:10.1145/775047.775151.
    """
    if min(outcome.sum(), (~outcome).sum()) < FEWEST_FOR_STEPS:
        return _fit_sigmoid(scores, outcome)
    losses = {fit: _held_out_loss(fit, scores, outcome) for fit in (_fit_sigmoid, _fit_isotonic)}
    return min(losses, key=lambda fit: losses[fit])(scores, outcome)


def _fit_sigmoid(scores: Floats, outcome: Flags) -> Calibration:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=np.inf).fit(_log_odds(scores)[:, None], outcome)
    return Calibration("sigmoid", ((float(curve.intercept_[0]), float(curve.coef_[0, 0])),), len(scores))


def _fit_isotonic(scores: Floats, outcome: Flags) -> Calibration:
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression(out_of_bounds="clip", y_min=_LEAST, y_max=1 - _LEAST).fit(scores, outcome)
    corners = zip(steps.X_thresholds_.tolist(), steps.y_thresholds_.tolist(), strict=True)
    return Calibration("isotonic", tuple(corners), len(scores))


def _held_out_loss(fit: Callable[[Floats, Flags], Calibration], scores: Floats, outcome: Flags) -> float:
    """Mean log loss on customers that a curve was not fitted on, every fifth by turns."""
    import numpy as np

    fold = np.arange(len(scores)) % FOLDS
    losses = np.empty(len(scores))
    for number in range(FOLDS):
        is_held = fold == number
        probability = np.clip(fit(scores[~is_held], outcome[~is_held]).apply(scores[is_held]), _LEAST, 1 - _LEAST)
        losses[is_held] = -np.log(np.where(outcome[is_held], probability, 1 - probability))
    return float(losses.mean())


def _log_odds(scores: Floats) -> Floats:
    import numpy as np

    inside = np.clip(scores, _LEAST, 1 - _LEAST)
    found: Floats = np.log(inside) - np.log1p(-inside)
    return found
