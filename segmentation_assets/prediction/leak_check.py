"""Whether a model has seen the future: what is too good, and what random labels make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import GradientBoostingSettings
from segmentation_assets.prediction.binary_scores import area_under_curve
from segmentation_assets.prediction.classifiers import make_classifier

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

SHUFFLES = 20
"""Times that outcomes are shuffled among customers."""

SHUFFLED_CUSTOMERS = 2_000
"""Customers at most that a shuffle is tried on."""

_QUICK = GradientBoostingSettings(learning_rate=0.1, max_iter=20, max_leaf_nodes=8, min_samples_leaf=20)

STANDARD_ERRORS = 3
"""How far the mean area of shuffled outcomes may lie from one half."""


@dataclass(frozen=True)
class ShuffledAreas:
    """Areas under the ROC curve, on customers held out, of models that learned from shuffled outcomes.

    Parameters
    ----------
    mean, standard_error : float
        Of `SHUFFLES` areas.
    customers : int
    """

    mean: float
    standard_error: float
    customers: int

    @property
    def is_chance(self) -> bool:
        """Whether the mean lies within `STANDARD_ERRORS` of one half, as without a leak between customers it does."""
        return abs(self.mean - 0.5) <= STANDARD_ERRORS * self.standard_error


@dataclass(frozen=True)
class LeakReport:
    """What speaks for a leak.

    Parameters
    ----------
    ceiling : float
        Area under the ROC curve above which it is not believed that the future was foretold.
    auc : float
        Of the model, on the test customers.
    telling : tuple of (str, float)
        Columns that reach the ceiling alone, with their area, the highest first.
    shuffled : ShuffledAreas
    """

    ceiling: float
    auc: float
    telling: tuple[tuple[str, float], ...]
    shuffled: ShuffledAreas

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found, in words; empty where nothing speaks for a leak."""
        found = [
            f"{name} alone has an AUC of {area:.3f}, above {self.ceiling:g}: it seems to know what followed"
            for name, area in self.telling
        ]
        if self.auc > self.ceiling:
            found.append(
                f"an AUC of {self.auc:.3f} is above {self.ceiling:g} (prediction.max_plausible_auc): what followed "
                "seems to be among what was known"
            )
        if not self.shuffled.is_chance:
            found.append(
                f"with shuffled outcomes the mean AUC of {SHUFFLES} fits is {self.shuffled.mean:.3f} ± "
                f"{self.shuffled.standard_error:.3f} and not 0.5: customers tell of each other"
            )
        return tuple(found)


def find_telling_columns(
    matrix: Floats, names: Sequence[str], outcome: Flags, ceiling: float
) -> tuple[tuple[str, float], ...]:
    """Find columns that tell the outcome too well by themselves, in either direction.

    Parameters
    ----------
    matrix : ndarray of float, shape (n_customers, n_columns)
        NaN is taken for a value below all others.
    names : sequence of str
        One per column.
    outcome : ndarray of bool, shape (n_customers,)
    ceiling : float

    Returns
    -------
    tuple of (str, float)
        Name and area under the ROC curve, the highest first.
    """
    import numpy as np

    values = np.where(np.isnan(matrix), -np.inf, matrix)
    areas = {name: area_under_curve(outcome, values[:, place]) for place, name in enumerate(names)}
    found = {name: max(area, 1 - area) for name, area in areas.items()}
    telling = [(name, area) for name, area in found.items() if area > ceiling]
    return tuple(sorted(telling, key=lambda pair: (-pair[1], pair[0])))


def measure_shuffled(matrix: Floats, outcome: Flags, *, seed: int) -> ShuffledAreas:
    """Fit a model on shuffled outcomes again and again, and judge each on customers held out.

    Parameters
    ----------
    matrix : ndarray of float, shape (n_customers, n_columns)
        A row per customer: several rows of one customer would tell of each other.
    outcome : ndarray of bool, shape (n_customers,)
    seed : int

    Returns
    -------
    ShuffledAreas

    References
    ----------
    Ojala and Garriga (2010), Permutation tests for studying classifier performance, JMLR 11, 1833-1863.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(outcome))[:SHUFFLED_CUSTOMERS]
    rows, labels, half = matrix[chosen], outcome[chosen], len(chosen) // 2
    areas = []
    with one_thread():
        for _ in range(SHUFFLES):
            shuffled = rng.permutation(labels)
            model = make_classifier(_QUICK, seed, half)
            scores = model.fit(rows[:half], shuffled[:half]).predict_proba(rows[half:])[:, -1]
            areas.append(area_under_curve(shuffled[half:], scores))
    known = np.array(areas)[~np.isnan(areas)]
    if len(known) < 2:
        return ShuffledAreas(0.5, 0.0, len(chosen))
    return ShuffledAreas(float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known))), len(chosen))
