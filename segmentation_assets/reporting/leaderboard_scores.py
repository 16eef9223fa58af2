"""The scores of the leaderboard that reports show: heading, how they are written and read, which are drawn.

A further score is one more entry of `SCORES`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from segmentation_assets.reporting.clustering_report import score_text
from segmentation_assets.reporting.formatting import format_count, format_share

if TYPE_CHECKING:
    import pandas as pd


class Score(NamedTuple):
    """A column of ``clusters/leaderboard``.

    Parameters
    ----------
    column : str
    heading : str
    write : callable
        Writes a value; of None a dash.
    reading : str
        How to read it.
    is_drawn : bool
        Whether pictures have bars of it.
    """

    column: str
    heading: str
    write: Callable[[object], str]
    reading: str
    is_drawn: bool = False


SCORES = (
    Score("coverage", "Coverage", format_share, "share of customers in a segment that is large enough", is_drawn=True),
    Score("silhouette", "Silhouette with noise", score_text, "noise as a group; larger is better", is_drawn=True),
    Score("covered_silhouette", "Covered silhouette", score_text, "without noise; flatters what covers few"),
    Score("davies_bouldin", "Davies-Bouldin", score_text, "smaller is better", is_drawn=True),
    Score("calinski_harabasz", "Calinski-Harabasz", partial(score_text, digits=1), "larger is better"),
    Score("stability", "Stability", score_text, "1: refits find the same; 0: what chance gives", is_drawn=True),
    Score("smallest_jaccard", "Smallest Jaccard", score_text, "of the least stable segment; below 0.6 not trusted"),
    Score("reference_silhouette", "Reference silhouette", score_text, "of the same fit on data without clusters"),
    Score("usefulness", "Usefulness", score_text, "of earlier segments: share of the spending since then explained"),
    Score("rfm_usefulness", "RFM map's usefulness", score_text, "of the RFM map; the reason says of how many groups"),
    Score("exceptional_count", "Exceptional customers", format_count, "in no segment"),
    Score("exceptional_revenue_share", "Their money", format_share, "their share of the net revenue"),
)


def known_scores(board: pd.DataFrame) -> list[Score]:
    """List the scores that any candidate of a leaderboard has; usefulness, for one, takes a while to be known."""
    known = set(board.columns[board.notna().any()])
    return [score for score in SCORES if score.column in known]
