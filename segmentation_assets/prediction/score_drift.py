"""Whether the scores of this month are spread as those of the month before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.segments.drift import BINS, bin_shares, stability_index

if TYPE_CHECKING:
    import pandas as pd

FEWEST_SCORES = 100
"""Scores of either month that a comparison needs."""


@dataclass(frozen=True)
class ScoreDrift:
    """How far scores have moved.

    Parameters
    ----------
    index : float or None
        Population stability index over deciles of the month before; None where there are too few scores.
    mean_before, mean_now : float or None
    scores_before, scores_now : int
    """

    index: float | None
    mean_before: float | None
    mean_now: float | None
    scores_before: int
    scores_now: int

    @property
    def sentence(self) -> str:
        """What to say of it."""
        if self.index is None:
            return f"{self.scores_now:,} scores this month and {self.scores_before:,} before: nothing to compare"
        return (
            f"population stability index {self.index:.3f} against the month before, mean {self.mean_now:,.3f} after "
            f"{self.mean_before:,.3f}, over {self.scores_now:,} customers"
        )


def measure_score_drift(before: pd.Series, now: pd.Series) -> ScoreDrift:
    """Compare the scores of two months; those that are missing do not count.

    References
    ----------
    Siddiqi (2006), Credit Risk Scorecards (population stability index).
    """
    import numpy as np

    known, newer = (scores.dropna().to_numpy(dtype="float64") for scores in (before, now))
    if min(len(known), len(newer)) < FEWEST_SCORES:
        return ScoreDrift(None, None, None, len(known), len(newer))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    index = stability_index(bin_shares(known, edges), bin_shares(newer, edges))
    return ScoreDrift(float(index), float(known.mean()), float(newer.mean()), len(known), len(newer))
