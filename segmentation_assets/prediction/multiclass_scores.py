"""How good foretold segments and their probabilities are: overall, by segment, and which are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

LEAST = 1e-6
"""What the probability of the true segment counts as at least in a log loss, so that one surprise is not infinite."""

GROUPS = 10
"""Groups of customers of equal size, by the probability of the segment named, that calibration is measured on."""

Z = 1.959963984540054
"""Standard errors on either side of an interval of 95 %."""


@dataclass(frozen=True)
class MulticlassScores:
    """What foretold segments are worth on customers whose segment is known.

    Parameters
    ----------
    customers, hits : int
        Judged, and those of them whose segment was the most probable one.
    accuracy, accuracy_lower, accuracy_upper : float
        Share of hits, with its Wilson interval at 95 %.
    largest_share : float
        Share of the most frequent segment among them: the accuracy of always naming it.
    balanced_accuracy, macro_precision, macro_f1 : float
        Means of recall, precision and F1 over the segments that occur among them, each segment counting the same. A
        segment that is never named has a precision and an F1 of 0 in the mean.
    log_loss : float
        Of the true segment's probability, which counts as `LEAST` at least.
    calibration_error : float
        Mean distance of foretold and found share of hits over `GROUPS` groups by the probability of the segment named.
    by_segment : DataFrame
        segment_key, customer_count, named_count, hit_count, recall, precision, f1; NaN where a share is of nobody.
        One row per segment that could be named, whether it occurs or not.
    confusion : DataFrame of int, shape (n_segments, n_segments)
        Customers by true segment (index) and named segment (columns).
    """

    customers: int
    hits: int
    accuracy: float
    accuracy_lower: float
    accuracy_upper: float
    largest_share: float
    balanced_accuracy: float
    macro_precision: float
    macro_f1: float
    log_loss: float
    calibration_error: float
    by_segment: pd.DataFrame
    confusion: pd.DataFrame

    @property
    def accuracy_gain(self) -> float:
        """Share of the customers missed by always naming the most frequent segment that is won; below 0 it is worse."""
        missed = 1 - self.largest_share
        return (self.accuracy - self.largest_share) / missed if missed else self.accuracy - 1


def measure_classes(codes: Codes, probability: Floats, segment_keys: Sequence[str]) -> MulticlassScores:
    """Judge probabilities of segments by the segments that customers have.

    Parameters
    ----------
    codes : ndarray of int, shape (n_customers,)
        Place of each customer's segment in `segment_keys`. Segments may be absent.
    probability : ndarray of float, shape (n_customers, n_segments)
    segment_keys : sequence of str

    Returns
    -------
    MulticlassScores

    Raises
    ------
    DataError
        There are no customers.

    References
    ----------
    Sokolova and Lapalme (2009), doi:10.1016/j.ipm.2009.03.002; Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    import numpy as np

    if not len(codes):
        raise DataError("there is no customer to judge segments by", "wait for more customers.")
    named = probability.argmax(axis=1)
    confusion = _count_pairs(codes, named, segment_keys)
    by_segment = _measure_segments(confusion)
    occurring = by_segment[by_segment["customer_count"] > 0]
    is_hit = named == codes
    lower, upper = _wilson_interval(int(is_hit.sum()), len(codes))
    return MulticlassScores(
        customers=len(codes),
        hits=int(is_hit.sum()),
        accuracy=float(is_hit.mean()),
        accuracy_lower=lower,
        accuracy_upper=upper,
        largest_share=float(occurring["customer_count"].max() / len(codes)),
        balanced_accuracy=float(occurring["recall"].mean()),
        macro_precision=float(occurring["precision"].fillna(0.0).mean()),
        macro_f1=float(occurring["f1"].mean()),
        log_loss=float(np.mean(customer_log_losses(codes, probability))),
        calibration_error=_calibration_error(is_hit, probability.max(axis=1)),
        by_segment=by_segment,
        confusion=confusion,
    )


def customer_log_losses(codes: Codes, probability: Floats) -> Floats:
    """Return the log loss of each customer.

    Examples
    --------
    >>> import numpy as np
    >>> customer_log_losses(np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]])).round(4).tolist()
    [0.0, 0.6931]
    """
    import numpy as np

    told = probability[np.arange(len(codes)), codes]
    losses: Floats = -np.log(np.clip(told, LEAST, 1.0))
    return losses + 0.0


def mean_with_interval(values: Floats, customers: npt.NDArray[np.object_]) -> tuple[float, float, float]:
    """Return a mean and its interval at 95 % by the normal distribution, where rows of one customer go together.

    Parameters
    ----------
    values : ndarray of float, shape (n_rows,)
    customers : ndarray, shape (n_rows,)
        Customer of each row.

    Examples
    --------
    >>> import numpy as np
    >>> mean, lower, upper = mean_with_interval(np.array([1.0, 3.0]), np.array(["a", "b"], dtype=object))
    >>> mean, round(lower, 2), round(upper, 2)
    (2.0, 0.04, 3.96)
    """
    import numpy as np

    mean = float(values.mean())
    _, places = np.unique(customers, return_inverse=True)
    sums = np.bincount(places, weights=values - mean)
    if len(sums) < 2:
        return mean, float("-inf"), float("inf")
    half = Z * float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1))) / len(values)
    return mean, mean - half, mean + half


def _count_pairs(codes: Codes, named: Codes, segment_keys: Sequence[str]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    size = len(segment_keys)
    counts = np.bincount(codes * size + named, minlength=size * size).reshape(size, size)
    return pd.DataFrame(
        counts,
        index=pd.Index(list(segment_keys), name="true_segment_key"),
        columns=pd.Index(list(segment_keys), name="named_segment_key"),
    )


def _measure_segments(confusion: pd.DataFrame) -> pd.DataFrame:
    """Recall, precision and F1 of each segment."""
    import numpy as np
    import pandas as pd

    counts = confusion.to_numpy()
    customers, named, hits = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    with np.errstate(invalid="ignore"):
        recall, precision = hits / customers, hits / named
        f1 = np.where(customers > 0, 2 * hits / (customers + named), np.nan)
    return pd.DataFrame(
        {
            "segment_key": list(confusion.index),
            "customer_count": customers,
            "named_count": named,
            "hit_count": hits,
            "recall": recall,
            "precision": precision,
            "f1": f1,
        }
    )


def _wilson_interval(hits: int, customers: int) -> tuple[float, float]:
    share = hits / customers
    centre = (share + Z**2 / (2 * customers)) / (1 + Z**2 / customers)
    half = Z * (share * (1 - share) / customers + Z**2 / (4 * customers**2)) ** 0.5 / (1 + Z**2 / customers)
    return centre - half, centre + half


def _calibration_error(is_hit: npt.NDArray[np.bool_], probability: Floats) -> float:
    """Mean distance of foretold and found shares, over groups in which equal probabilities are together."""
    import numpy as np

    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    group = (middle[place] * GROUPS / len(probability)).astype(np.int64)
    distance = np.bincount(group, weights=probability - is_hit, minlength=GROUPS)
    return float(np.abs(distance).sum() / len(probability))
