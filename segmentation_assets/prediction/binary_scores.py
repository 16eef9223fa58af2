"""How good foretold probabilities of a yes or no are: ranking, calibration, lift, and each with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

RESAMPLES = 500
"""Bootstrap resamples of customers that an interval of the AUC rests on."""

LEVEL = 0.95
"""Level of that interval."""

GROUPS = 10
"""Groups of customers by probability, in curves of calibration and lift."""

TOP_SHARE = 0.1
"""Share of the customers with the highest probabilities among whom churners are counted."""


@dataclass(frozen=True)
class BinaryScores:
    """What probabilities are worth on customers whose outcome is known.

    Parameters
    ----------
    customers, positives : int
    auc, auc_lower, auc_upper : float
        Area under the ROC curve, with a percentile bootstrap interval (`LEVEL`).
    average_precision : float
        Area under the precision-recall curve; of random probabilities the base rate.
    brier : float
        Mean squared distance of probability and outcome.
    log_loss : float
    calibration_error : float
        Mean distance of foretold and found share over `GROUPS` groups of equal size by probability.
    recall_at_top : float
        Share of the positives among the `TOP_SHARE` with the highest probabilities.
    """

    customers: int
    positives: int
    auc: float
    auc_lower: float
    auc_upper: float
    average_precision: float
    brier: float
    log_loss: float
    calibration_error: float
    recall_at_top: float

    @property
    def base_rate(self) -> float:
        """Share of positives."""
        return self.positives / self.customers


def measure_binary(outcome: Flags, probability: Floats, *, seed: int) -> BinaryScores:
    """Judge probabilities by what happened.

    Parameters
    ----------
    outcome : ndarray of bool, shape (n_customers,)
    probability : ndarray of float, shape (n_customers,)
        From 0 to 1.
    seed : int
        Of the bootstrap.

    Returns
    -------
    BinaryScores

    Raises
    ------
    DataError
        All outcomes are the same, so that there is nothing to tell apart.

    References
    ----------
    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; Fawcett (2006), doi:10.1016/j.patrec.2005.10.010.
    """
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss

    positives = int(outcome.sum())
    if positives in (0, len(outcome)):
        raise DataError(
            f"{positives} of {len(outcome)} customers have the outcome, so that nothing can be told apart",
            "choose another horizon, or wait for more customers.",
        )
    lower, upper = auc_interval(outcome, probability, seed=seed)
    groups = calibration_curve(outcome, probability)
    distance = (groups["mean_probability"] - groups["found_share"]).abs()
    return BinaryScores(
        customers=len(outcome),
        positives=positives,
        auc=area_under_curve(outcome, probability),
        auc_lower=lower,
        auc_upper=upper,
        average_precision=float(average_precision_score(outcome, probability)),
        brier=float(brier_score_loss(outcome, probability)),
        log_loss=float(log_loss(outcome, probability, labels=[False, True])),
        calibration_error=float((distance * groups["customer_count"]).sum() / len(outcome)),
        recall_at_top=_recall_at_top(outcome, probability),
    )


def area_under_curve(outcome: Flags, score: Floats) -> float:
    """Return the probability that a positive has a higher score than a negative; ties count half.

    Examples
    --------
    >>> import numpy as np
    >>> area_under_curve(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4]))
    0.875
    """
    import numpy as np

    return float(_weighted_auc(outcome, score, np.ones(len(outcome))))


def auc_interval(
    outcome: Flags, score: Floats, *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the area under the ROC curve, customers drawn with replacement."""
    import numpy as np

    rng = np.random.default_rng(seed)
    count = len(outcome)
    order = np.argsort(score, kind="stable")
    outcome, score = outcome[order], score[order]
    drawn = (np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(resamples))
    areas = np.array([_weighted_auc(outcome, score, weights.astype("float64")) for weights in drawn])
    lower, upper = np.nanquantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return float(lower), float(upper)


def _weighted_auc(outcome: Flags, score: Floats, weights: Floats) -> float:
    """Area under the ROC curve where customers count by weight; NaN where one of the outcomes is not there."""
    import numpy as np

    if (score[1:] < score[:-1]).any():
        order = np.argsort(score, kind="stable")
        outcome, score, weights = outcome[order], score[order], weights[order]
    starts = np.flatnonzero(np.r_[True, score[1:] > score[:-1]])
    positive = np.add.reduceat(weights * outcome, starts)
    negative = np.add.reduceat(weights * ~outcome, starts)
    pairs = positive.sum() * negative.sum()
    if pairs == 0:
        return float("nan")
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / pairs)


def calibration_curve(outcome: Flags, probability: Floats) -> pd.DataFrame:
    """Compare foretold and found shares, by groups of equal size from the lowest probabilities to the highest.

    Returns
    -------
    DataFrame
        customer_count, mean_probability, found_share, and its Wilson interval at 95 %: found_lower, found_upper. Equal
        probabilities are in one group.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    import numpy as np
    import pandas as pd

    group = _groups_of_equal_size(probability)
    rows = pd.DataFrame({"group": group, "probability": probability, "outcome": outcome.astype("float64")})
    found = rows.groupby("group").agg(
        customer_count=("outcome", "size"), mean_probability=("probability", "mean"), found_share=("outcome", "mean")
    )
    z = 1.959963984540054
    count, share = found["customer_count"], found["found_share"]
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return found.assign(found_lower=centre - half, found_upper=centre + half).reset_index(drop=True)


def _groups_of_equal_size(probability: Floats) -> npt.NDArray[np.int64]:
    """Number each customer's group by the mean rank of its probability."""
    import numpy as np

    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    groups: npt.NDArray[np.int64] = (middle[place] * GROUPS / len(probability)).astype(np.int64)
    return groups


def lift_curve(outcome: Flags, probability: Floats) -> pd.DataFrame:
    """Count positives from the highest probabilities to the lowest, in tenths of the customers.

    Returns
    -------
    DataFrame
        One row per tenth: customer_count, positive_count, found_share, lift (of the share over the base rate),
        customer_share and gain, both cumulative: how many of the customers hold how many of the positives. Of equal
        probabilities each stands for their mean, so that no order of rows matters.
    """
    import numpy as np
    import pandas as pd

    expected = _by_mean_of_ties(outcome, probability)
    edges = np.linspace(0, len(expected), GROUPS + 1).round().astype(int)
    cumulative = np.r_[0.0, np.cumsum(expected)][edges]
    counts, positives = np.diff(edges), np.diff(cumulative)
    frame = pd.DataFrame({"customer_count": counts, "positive_count": positives})
    frame = frame[frame["customer_count"] > 0].reset_index(drop=True)
    share = frame["positive_count"] / frame["customer_count"]
    return frame.assign(
        found_share=share,
        lift=share / outcome.mean(),
        customer_share=frame["customer_count"].cumsum() / len(outcome),
        gain=frame["positive_count"].cumsum() / outcome.sum(),
    )


def _by_mean_of_ties(outcome: Flags, probability: Floats) -> Floats:
    """Outcomes from the highest probability to the lowest, each as the mean of those with the same probability."""
    import numpy as np

    _, place, counts = np.unique(-probability, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=outcome.astype("float64")) / counts
    return np.repeat(means, counts)


def _recall_at_top(outcome: Flags, probability: Floats) -> float:
    expected = _by_mean_of_ties(outcome, probability)
    top = max(1, round(TOP_SHARE * len(expected)))
    return float(expected[:top].sum() / outcome.sum())
