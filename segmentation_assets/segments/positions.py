"""Where a group of customers stands in recency, frequency and money, in numbers, in words and by its usual name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from segmentation_assets.segments.rfm import MEASURES
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import pandas as pd

SCORES = tuple(MEASURES)
"""Columns of ``gold/rfm_segments`` that make a position."""

REACH = 0.5
"""How far a group may lie from a named position in each score and still have its name, in standard deviations."""

FAR = 1.2
"""Where a position counts as far out; still farther out is not another position."""

_LEVELS = (-0.75, -0.25, 0.25, 0.75)
_RECENCY_WORDS = (
    "have not bought for very long",
    "have not bought for a while",
    "last bought some time ago",
    "bought recently",
    "bought very recently",
)
_FREQUENCY_WORDS = ("very rarely", "rarely", "about as often as others", "often", "very often")
_MONEY_WORDS = ("very little", "little", "about as much as others", "a lot", "a great deal")


class Position(NamedTuple):
    """Mean scores of a group less those of everyone, in standard deviations of everyone; 0 is the middle."""

    recency: float
    frequency: float
    monetary: float


class NamedPosition(NamedTuple):
    """A name people use in retail, and where a group stands that deserves it.

    Parameters
    ----------
    name : str
        One of ``RFM_SEGMENT_NAMES``.
    position : Position
        The position it usually means.
    earns_its_share : bool
        Whether the name promises money, so that the group must bring at least its share of it.
    """

    name: str
    position: Position
    earns_its_share: bool = False


NAMED_POSITIONS = (
    NamedPosition("Champions", Position(1.0, 1.1, 1.1), earns_its_share=True),
    NamedPosition("Loyal", Position(0.4, 0.8, 0.8)),
    NamedPosition("Potential Loyalist", Position(0.6, 0.2, -0.3)),
    NamedPosition("New Customers", Position(0.7, -0.8, -0.7)),
    NamedPosition("Promising", Position(0.8, -0.6, 0.2)),
    NamedPosition("Need Attention", Position(0.1, 0.2, 0.4)),
    NamedPosition("About To Sleep", Position(-0.3, -0.6, -0.6)),
    NamedPosition("At Risk", Position(-0.9, 0.4, 0.4)),
    NamedPosition("Cannot Lose Them", Position(-1.1, 0.9, 1.0), earns_its_share=True),
    NamedPosition("Hibernating", Position(-0.8, -0.6, -0.5)),
    NamedPosition("Lost", Position(-1.2, -0.9, -0.9)),
)
"""Means of groups lie nearer to the middle than single customers, and so do these points."""


def measure_positions(groups: pd.Series, rfm_segments: pd.DataFrame) -> pd.DataFrame:
    """Measure the position of each group among everyone who is in a group.

    Parameters
    ----------
    groups : Series, index customer_id
        Group per customer; nobody else counts as everyone.
    rfm_segments : DataFrame
        Columns customer_id, recency_score, frequency_score, monetary_score; customers without a row are left out.

    Returns
    -------
    DataFrame of shape (n_groups, 3)
        Index: the groups, sorted; columns: the scores. Fields of `Position`; 0 where everyone has the same score or
        the group has none. Rounded to 10 significant digits.
    """
    scores = rfm_segments.set_index("customer_id")[list(SCORES)].astype("float64")
    known = scores.reindex(groups.index).dropna().sort_index()
    spread = known.std(ddof=0)
    deviations = (known.groupby(groups.reindex(known.index)).mean() - known.mean()) / spread.where(spread > 0, 1.0)
    complete = deviations.reindex(sorted(groups.unique())).fillna(0.0)
    return complete.map(round_number)


def describe_position(position: Position) -> str:
    """Put a position into a sentence that is true of the group, whatever its name.

    Example
    -------
    >>> describe_position(Position(1.2, 1.0, 0.4))
    'Bought very recently, ordered very often, spent a lot.'
    """
    recency, frequency, money = map(_level, position)
    words = _RECENCY_WORDS[recency]
    return f"{words[0].upper()}{words[1:]}, ordered {_FREQUENCY_WORDS[frequency]}, spent {_MONEY_WORDS[money]}."


def position_name(position: Position) -> str:
    """Name a position that no usual name fits.

    Example
    -------
    >>> position_name(Position(-1.0, 1.2, -1.0)), position_name(Position(0.0, 0.1, 0.0))
    ('Lapsed, Frequent, Low Spend', 'Average')
    """
    words = (("Lapsed", "Recent"), ("Rare", "Frequent"), ("Low Spend", "High Spend"))
    said = [pair[value > 0] for pair, value in zip(words, position, strict=True) if abs(value) >= _LEVELS[2]]
    return ", ".join(said) or "Average"


def _level(value: float) -> int:
    """Return 0 to 4, from far below everyone to far above."""
    return sum(value >= threshold for threshold in _LEVELS)
