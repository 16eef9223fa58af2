"""What settings are worth by cross-validation, and which of those tried are recommended."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import plural
from segmentation_assets.prediction.tuning_space import Draw


@dataclass(frozen=True)
class FoldScores:
    """What settings are worth.

    Parameters
    ----------
    values : tuple of float
        Score on each fold left out, larger is better; empty where there is none.
    facts : dict
        What has to be shown beside it, such as the coverage; plain numbers and texts.
    reason : str
        Why the settings cannot be used; empty where they can.
    shortfall : float
        By how much the gates are missed, each as a share of its bound; tells the search where it is less bad.
    """

    values: tuple[float, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    shortfall: float = 0.0


class Objective(Protocol):
    """What judges settings, always on the same folds of the same customers."""

    def score(self, settings: Settings, algorithm: str) -> FoldScores:
        """Judge settings; of several algorithms the one that is named, or the best where none is."""


@dataclass(frozen=True)
class Tried:
    """A trial that is finished.

    Parameters
    ----------
    number : int
        From 1 on; the first one is of the settings in force.
    draw : Draw
    scores : FoldScores
    """

    number: int
    draw: Draw
    scores: FoldScores

    @property
    def is_usable(self) -> bool:
        """Whether nothing speaks against the settings."""
        return not self.scores.reason and bool(self.scores.values)

    @property
    def score(self) -> float:
        """Mean over the folds; NaN without folds.

        Example
        -------
        >>> Tried(1, Draw(), FoldScores((0.5, 0.75))).score
        0.625
        """
        values = self.scores.values
        return math.fsum(values) / len(values) if values else math.nan

    @property
    def standard_error(self) -> float:
        """Standard error of that mean; NaN with fewer than two folds.

        Example
        -------
        >>> Tried(1, Draw(), FoldScores((0.5, 0.7))).standard_error
        0.1
        """
        values = self.scores.values
        if len(values) < 2:
            return math.nan
        squares = math.fsum((value - self.score) ** 2 for value in values)
        return round(math.sqrt(squares / (len(values) - 1) / len(values)), 12)

    @property
    def words(self) -> str:
        """Score with its standard error and the coverage, or why the settings cannot be used."""
        if not self.is_usable:
            return f"not usable: {self.scores.reason}"
        covered = self.scores.facts.get("coverage")
        beside = "" if covered is None else f" at a coverage of {covered:.1%}"
        return f"{self.score:.4f} ± {self.standard_error:.4f}{beside}"


@dataclass(frozen=True)
class Verdict:
    """What comes of a search.

    Parameters
    ----------
    current : Tried
        The settings in force.
    best : Tried or None
        The usable trial of the largest score; of equal ones the first. None where none is usable.
    is_better : bool
        Whether changing the settings is recommended.
    sentence : str
    """

    current: Tried
    best: Tried | None
    is_better: bool
    sentence: str


def judge_trials(tried: Sequence[Tried]) -> Verdict:
    """Recommend the best of the trials, or to leave the settings as they are.

    Parameters
    ----------
    tried : sequence of Tried
        At least one; the first is of the settings in force.

    Notes
    -----
    The gain has to exceed the standard error of the better score over its folds. The standard error of the differences
    fold by fold would be smaller, but the best of many trials is partly the luckiest.
    """
    current = tried[0]
    usable = [one for one in tried if one.is_usable]
    if not usable:
        (reason, count), *_ = Counter(one.scores.reason for one in tried).most_common(1)
        sentence = f"None of {plural(len(tried), 'trial')} can be used; most often ({count}): {reason}."
        return Verdict(current, None, is_better=False, sentence=sentence)
    best = max(usable, key=lambda one: one.score)
    if not current.is_usable:
        sentence = f"The settings in force are {current.words}; those of trial {best.number} reach {best.words}."
        return Verdict(current, best, is_better=True, sentence=sentence)
    if best is current:
        sentence = f"None of {plural(len(tried), 'trial')} beats the settings in force; leave them as they are."
        return Verdict(current, best, is_better=False, sentence=sentence)
    gain = best.score - current.score
    found = f"Trial {best.number} gains {gain:.4f}"
    if gain > best.standard_error:
        sentence = f"{found}, more than the standard error of its folds, {best.standard_error:.4f}."
        return Verdict(current, best, is_better=True, sentence=sentence)
    sentence = (
        f"{found}, which is within the standard error of its folds, {best.standard_error:.4f}; leave the settings as "
        "they are."
    )
    return Verdict(current, best, is_better=False, sentence=sentence)
