"""At which dates models learn, are chosen and are judged: each is followed by a whole horizon that is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cutoffs:
    """Dates of the snapshots that a training rests on; what happened before each is known, what follows is foretold.

    Parameters
    ----------
    train : tuple of date
        The newest first.
    validation : date or None
        None where folds of the training customers take its place.
    test : date
    """

    train: tuple[dt.date, ...]
    validation: dt.date | None
    test: dt.date

    @property
    def to_learn_from(self) -> tuple[dt.date, ...]:
        """What the recipe learns from when it is put to use, the newest first: as many snapshots, one step later."""
        later = (self.test,) if self.validation is None else (self.validation,)
        return (*later, *self.train)[: len(self.train)]

    @property
    def to_calibrate_on(self) -> dt.date | None:
        """What the recipe is calibrated on when it is put to use; None where folds are."""
        return None if self.validation is None else self.test

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "train": [str(day) for day in self.train],
            "validation": None if self.validation is None else str(self.validation),
            "test": str(self.test),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Cutoffs:
        """Read what `to_plain` makes, also after JSON."""
        day = dt.date.fromisoformat
        validation = plain["validation"]
        train = tuple(day(text) for text in plain["train"])
        return cls(train, None if validation is None else day(validation), day(plain["test"]))

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """All of them, the newest first."""
        return (self.test, *(() if self.validation is None else (self.validation,)), *self.train)


def newest_cutoff(known_until: dt.date, horizon_days: int, gap_days: int = 0) -> dt.date:
    """Return the newest first day of a month that a gap and a whole horizon follow.

    Parameters
    ----------
    known_until : date
        What happened before this day is known.
    horizon_days, gap_days : int

    Examples
    --------
    >>> newest_cutoff(dt.date(2011, 12, 1), 90)
    datetime.date(2011, 9, 1)
    >>> newest_cutoff(dt.date(2011, 5, 1), 90)
    datetime.date(2011, 1, 1)
    """
    return (known_until - dt.timedelta(days=horizon_days + gap_days)).replace(day=1)


def plan_cutoffs(
    known_until: dt.date,
    first_day: dt.date,
    *,
    horizon_days: int,
    gap_days: int,
    training_snapshots: int,
    min_history_days: int,
    with_validation: bool,
) -> Cutoffs | None:
    """Choose the dates of test, validation and training: as new as possible, without a common day of their outcomes.

    Parameters
    ----------
    known_until : date
        What happened before this day is known.
    first_day : date
        Day of the first order line.
    horizon_days, gap_days : int
    training_snapshots : int
        At most, a horizon apart.
    min_history_days : int
        Days of order lines before each date.
    with_validation : bool
        Whether one date is for choosing and calibrating; where the history is too short, none is.

    Returns
    -------
    Cutoffs or None
        None where the history is too short to learn at one date and be judged at another.

    Examples
    --------
    >>> found = plan_cutoffs(dt.date(2011, 12, 1), dt.date(2010, 12, 1), horizon_days=90, gap_days=0,
    ...     training_snapshots=2, min_history_days=90, with_validation=True)
    >>> [f"{day:%Y-%m}" for day in found.dates]
    ['2011-09', '2011-06', '2011-03']
    """
    earliest = first_day + dt.timedelta(days=min_history_days)
    found: list[dt.date] = []
    day = newest_cutoff(known_until, horizon_days, gap_days)
    while day >= earliest and len(found) < training_snapshots + 1 + int(with_validation):
        found.append(day)
        day = newest_cutoff(day, horizon_days, gap_days)
    if len(found) < 2:
        return None
    if with_validation and len(found) > 2:
        return Cutoffs(tuple(found[2:]), found[1], found[0])
    return Cutoffs(tuple(found[1 : training_snapshots + 1]), None, found[0])
