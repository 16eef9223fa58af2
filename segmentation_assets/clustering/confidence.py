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


@dataclass(frozen=True)
class ConfidenceCurve:
    """Maps the certainty of an assignment to the probability that it comes back.

    Parameters
    ----------
    certainties, confidences : tuple of float
        Corners of the curve, both ascending; between them it is a line.
    noise_confidence : float
        The probability of noise to be noise again, whatever its certainty.
    """

    certainties: tuple[float, ...]
    confidences: tuple[float, ...]
    noise_confidence: float

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ConfidenceCurve:
        """Rebuild from `to_plain`."""
        return cls(tuple(plain["certainties"]), tuple(plain["confidences"]), float(plain["noise_confidence"]))

    def to_plain(self) -> dict[str, Any]:
        """Return plain lists and numbers, for the model store."""
        return {
            "certainties": list(self.certainties),
            "confidences": list(self.confidences),
            "noise_confidence": self.noise_confidence,
        }

    def apply(self, assigned: Assigned) -> Floats:
        """Return the confidence of each row, in [0, 1]; each row by itself."""
        import numpy as np

        found = np.interp(assigned.certainties, self.certainties, self.confidences)
        return round_significant(np.where(assigned.labels == NOISE, self.noise_confidence, found))


@dataclass(frozen=True)
class ReliabilityBin:
    """Customers of similar confidence, and how many of them came back in resamples the curve had not seen."""

    count: int
    mean_confidence: float
    observed_share: float


def fit_curve(assigned: Assigned, agreement: npt.NDArray[np.bool_]) -> ConfidenceCurve:
    """Fit the curve by isotonic regression.

    Parameters
    ----------
    assigned : Assigned
        What the model says of some customers.
    agreement : ndarray of bool, shape (n_resamples, n_customers)
        Whether each refit, matched, puts the customer into the same cluster.

    Returns
    -------
    ConfidenceCurve

    References
    ----------
    Zadrozny and Elkan (2002), doi:10.1145/775047.775151.
    """
    import numpy as np
    from sklearn.isotonic import IsotonicRegression

    shares = agreement.mean(axis=0)
    is_noise = assigned.labels == NOISE
    noise = round_number(shares[is_noise].mean()) if is_noise.any() else 0.0
    if is_noise.all():
        return ConfidenceCurve((0.0, 1.0), (0.0, 0.0), noise)
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    isotonic.fit(assigned.certainties[~is_noise], shares[~is_noise])
    corners = np.unique(np.quantile(isotonic.X_thresholds_, np.linspace(0, 1, CURVE_POINTS)))
    values = isotonic.predict(corners)
    return ConfidenceCurve(tuple(round_significant(corners).tolist()), tuple(round_significant(values).tolist()), noise)


def measure_reliability(assigned: Assigned, agreement: npt.NDArray[np.bool_]) -> tuple[ReliabilityBin, ...]:
    """Compare confidences with what is observed, each on resamples that the other half of them was not fitted on.

    Parameters
    ----------
    assigned, agreement
        As for `fit_curve`; at least two resamples.

    Returns
    -------
    tuple of ReliabilityBin
        Ten bins of equal width, empty ones left out.
    """
    import numpy as np

    confidences, observed = [], []
    for held_out in (0, 1):
        is_held_out = np.arange(len(agreement)) % 2 == held_out
        confidences.append(fit_curve(assigned, agreement[~is_held_out]).apply(assigned))
        observed.append(agreement[is_held_out].mean(axis=0))
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
    """Return the mean difference between confidence and observation, weighted by customers."""
    total = sum(part.count for part in bins)
    return round_number(sum(part.count * abs(part.mean_confidence - part.observed_share) for part in bins) / total)
