"""From which probability on something is done about a customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.prediction import ThresholdSettings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DecisionThreshold:
    """The least probability of customers who are named, and what it was worth where it was chosen.

    Parameters
    ----------
    value : float
    precision, recall : float
        Share of those named who have the outcome, and share of those with the outcome who are named.
    named_share : float
        Share of all customers who are named.
    customers : int
        It was chosen on.
    reason : str
        By which rule, in words; what could not be met is told.
    """

    value: float
    precision: float
    recall: float
    named_share: float
    customers: int
    reason: str


def choose_threshold(outcome: Flags, probability: Floats, settings: ThresholdSettings) -> DecisionThreshold:
    """Choose the probability from which on customers are named.

    Parameters
    ----------
    outcome : ndarray of bool, shape (n_customers,)
        At least one holds.
    probability : ndarray of float, shape (n_customers,)
    settings : ThresholdSettings

    Returns
    -------
    DecisionThreshold
        Of equally good values the lowest. Where no value reaches ``min_precision``, the one of highest precision, of
        which most customers are named.
    """
    import numpy as np

    values, place = np.unique(-probability, return_inverse=True)
    values = -values
    named = np.cumsum(np.bincount(place))
    hits = np.cumsum(np.bincount(place, weights=outcome.astype("float64")))
    precision, recall = hits / named, hits / outcome.sum()
    if settings.rule == "cost":
        costs = settings.missed_cost * (outcome.sum() - hits) + settings.needless_cost * (named - hits)
        best = len(costs) - 1 - int(np.argmin(costs[::-1]))
        reason = (
            f"least cost where a missed one costs {settings.missed_cost:g} and a needless one "
            f"{settings.needless_cost:g}: {costs[best]:,.0f} instead of "
            f"{settings.missed_cost * outcome.sum():,.0f} with nobody named"
        )
    else:
        reached = np.flatnonzero(precision >= settings.min_precision)
        best = int(reached[-1]) if len(reached) else len(precision) - 1 - int(np.argmax(precision[::-1]))
        reason = f"most found while {settings.min_precision:.0%} of those named have it"
        if not len(reached):
            reason = f"no value names {settings.min_precision:.0%} rightly; the highest precision is taken"
    return DecisionThreshold(
        value=float(values[best]),
        precision=float(precision[best]),
        recall=float(recall[best]),
        named_share=float(named[best] / len(outcome)),
        customers=len(outcome),
        reason=reason,
    )
