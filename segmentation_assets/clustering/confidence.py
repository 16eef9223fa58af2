"""How likely an independent refit puts a customer into the same segment: a curve from certainty to probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.tables.rounding import round_number, round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segmentation_assets.clustering.estimator import Assigned

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

CURVE_POINTS = 100
BINS = 10

_LARGE_BIN = 0.05
"""Share of the customers that a bin holds at least to be judged."""

_SMALLEST_VARIANCE = 0.01
"""Variance between pairs that a share has at least: pairs that agree by chance prove nothing."""


@dataclass(frozen=True)
class ConfidenceCurve:
    """Maps the certainty of an assignment to the probability that it comes back.

    Parameters
    ----------
    certainties, confidences : tuple of float
        Corners of the curve, both ascending; between them it is a line.
    noise_confidence : float
        The probability of noise to be noise again, whatever its certainty.
    shifts : tuple of float in [-1, 1]
        Per cluster, how much more or less often its customers come back than the curve says: at -0.2 a confidence is
        lowered by 20 % of itself, at 0.2 it is raised by 20 % of what it lacks to 1. Empty where nothing is shifted.
    """

    certainties: tuple[float, ...]
    confidences: tuple[float, ...]
    noise_confidence: float
    shifts: tuple[float, ...] = ()

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ConfidenceCurve:
        """Rebuild from `to_plain`."""
        noise = float(plain["noise_confidence"])
        return cls(tuple(plain["certainties"]), tuple(plain["confidences"]), noise, tuple(plain.get("shifts", ())))

    def to_plain(self) -> dict[str, Any]:
        """Return plain lists and numbers, for the model store."""
        return {
            "certainties": list(self.certainties),
            "confidences": list(self.confidences),
            "noise_confidence": self.noise_confidence,
            "shifts": list(self.shifts),
        }

    def apply(self, assigned: Assigned) -> Floats:
        """Return the confidence of each row, in [0, 1]; each row by itself."""
        import numpy as np

        common = np.interp(assigned.certainties, self.certainties, self.confidences)
        shifts = np.append(self.shifts or np.zeros(max(assigned.labels.max(initial=0), 0) + 1), 0.0)[assigned.labels]
        found = common + np.where(shifts < 0, common, 1.0 - common) * shifts
        return round_significant(np.where(assigned.labels == NOISE, self.noise_confidence, found))


@dataclass(frozen=True)
class Comeback:
    """What pairs of refits say of customers, one row per pair; both arrays have shape (n_pairs, n_customers).

    Parameters
    ----------
    is_agreed : ndarray of bool
        Whether the two refits, matched, put the customer into the same cluster.
    kept : ndarray of float in [0, 1]
        Share of the two that, matched with the model, put the customer into the model's cluster.
    """

    is_agreed: npt.NDArray[np.bool_]
    kept: Floats

    def part(self, pairs: npt.NDArray[np.bool_]) -> Comeback:
        """Return what some of the pairs say."""
        return Comeback(self.is_agreed[pairs], self.kept[pairs])

    def shares(self, labels: Integers) -> Floats:
        """Return per pair and customer how far the customer came back, shape (n_pairs, n_customers).

        Two refits can agree with each other and not with the model, as where both call noise what the model calls a
        cluster. The agreement of a cluster is lowered to what the refits share with the model, if that is less.
        """
        import numpy as np

        found = self.is_agreed.astype(np.float64)
        for number in np.unique(labels):
            members = labels == number
            agreed, kept = found[:, members].mean(), self.kept[:, members].mean()
            if kept < agreed:
                found[:, members] *= kept / agreed
        return found


@dataclass(frozen=True)
class ReliabilityBin:
    """Customers of similar confidence, and how many of them came back in resamples the curve had not seen."""

    count: int
    mean_confidence: float
    observed_share: float


def fit_curve(assigned: Assigned, comeback: Comeback) -> ConfidenceCurve:
    """Fit the curve by isotonic regression, and how far each cluster lies off it.

    Parameters
    ----------
    assigned : Assigned
        What the model says of some customers.
    comeback : Comeback
        What refits say of them.

    Returns
    -------
    ConfidenceCurve

    Notes
    -----
    The shift of a cluster is its mean difference from the curve, shrunk towards 0 by the share of its variance between
    pairs in that and the variance between clusters: few pairs that do not agree with each other move nothing.

    References
    ----------
    Zadrozny and Elkan (2002), doi:10.1145/775047.775151; Efron and Morris (1973), doi:10.1080/01621459.1973.10481350
    (shrinking).
    """
    import numpy as np
    from sklearn.isotonic import IsotonicRegression

    each = comeback.shares(assigned.labels)
    shares = each.mean(axis=0)
    is_noise = assigned.labels == NOISE
    noise = round_number(shares[is_noise].mean()) if is_noise.any() else 0.0
    if is_noise.all():
        return ConfidenceCurve((0.0, 1.0), (0.0, 0.0), noise)
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    isotonic.fit(assigned.certainties[~is_noise], shares[~is_noise])
    corners = np.unique(np.quantile(isotonic.X_thresholds_, np.linspace(0, 1, CURVE_POINTS)))
    values = isotonic.predict(corners)
    shifts = _shifts(assigned, each, np.interp(assigned.certainties, corners, values))
    return ConfidenceCurve(
        tuple(round_significant(corners).tolist()), tuple(round_significant(values).tolist()), noise, shifts
    )


def _shifts(assigned: Assigned, each: Floats, common: Floats) -> tuple[float, ...]:
    """Return the shift of every cluster; 0 for one without a customer."""
    import numpy as np

    numbers = np.unique(assigned.labels[assigned.labels != NOISE])
    members = [assigned.labels == number for number in numbers]
    levels = np.array([common[part].mean() for part in members])
    by_pair = np.array([each[:, part].mean(axis=1) for part in members]) - levels[:, None]
    differences, n_pairs = by_pair.mean(axis=1), by_pair.shape[1]
    errors = np.maximum(by_pair.var(axis=1), _SMALLEST_VARIANCE) / max(1, n_pairs - 1)
    between = max(0.0, float(np.mean(np.square(differences) - errors)))
    shrunk = differences * between / (between + errors)
    room = np.where(shrunk < 0, levels, 1.0 - levels)
    found = np.zeros(int(numbers.max()) + 1)
    found[numbers] = np.clip(np.divide(shrunk, room, out=np.zeros_like(shrunk), where=room > 0), -1.0, 1.0)
    return tuple(round_significant(found).tolist())


def measure_reliability(assigned: Assigned, comeback: Comeback) -> tuple[ReliabilityBin, ...]:
    """Compare confidences with what is observed, each on resamples that the other half of them was not fitted on.

    Parameters
    ----------
    assigned, comeback
        As for `fit_curve`; at least two pairs.

    Returns
    -------
    tuple of ReliabilityBin
        Ten bins of equal width, empty ones left out.
    """
    import numpy as np

    confidences, observed = [], []
    for held_out in (0, 1):
        is_held_out = np.arange(len(comeback.kept)) % 2 == held_out
        confidences.append(fit_curve(assigned, comeback.part(~is_held_out)).apply(assigned))
        observed.append(comeback.part(is_held_out).shares(assigned.labels).mean(axis=0))
    predicted, seen = np.concatenate(confidences), np.concatenate(observed)
    bins = np.minimum((predicted * BINS).astype(int), BINS - 1)
    return tuple(
        ReliabilityBin(
            int((bins == number).sum()),
            round_number(predicted[bins == number].mean()),
            round_number(seen[bins == number].mean()),
        )
        for number in np.unique(bins)
    )


def reliability_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return the largest difference between confidence and observation, of bins with at least 5 % of the customers."""
    least = _LARGE_BIN * sum(part.count for part in bins)
    return max(abs(round_number(part.mean_confidence - part.observed_share)) for part in bins if part.count >= least)
