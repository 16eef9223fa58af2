"""The smallest change of a customer's features that a model would class as another segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb
from typing import TYPE_CHECKING

from segmentation_assets.segments.feature_identities import broken_identities, levers_of, repair
from segmentation_assets.segments.model_space import ModelSpace, segments_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

FEATURE_COST = 1.25
"""What a feature more has to make a change smaller by, to be worth it."""

_QUANTILES, _FEW_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95), (0.1, 0.5, 0.9)
_MOST_PARTS, _MOST_TRIALS = 16, 4_000
_PAIRED_COUNT, _NEAR_COUNT, _START_COUNT = 20, 200, 3
_SHRINKS = tuple(1 - 0.5**step for step in range(1, 11))
_LEAST_GAIN = 1e-6


@dataclass(frozen=True)
class FoundChange:
    """Values to set, and how large a change they make."""

    values: dict[str, float]
    size: float

    @property
    def cost(self) -> float:
        """Size, where every feature more has to be worth it."""
        return self.size * FEATURE_COST ** (len(self.values) - 1)


def _cheapest(found: Iterable[FoundChange]) -> list[FoundChange]:
    """Return the one of least cost, or nothing."""
    return sorted(found, key=lambda one: one.cost)[:1]


def find_smallest_change(
    row: pd.DataFrame, members: pd.DataFrame, target: str, space: ModelSpace, weights: Mapping[str, float]
) -> FoundChange | None:
    """Look for the smallest change that classes a customer as the target.

    Parameters
    ----------
    row, members : DataFrame
        The customer, and the members of the target, the nearest first.
    target : str
        Segment key.
    space : ModelSpace
    weights : mapping of str to float
        Features that the model sees, those that weigh most first.

    Returns
    -------
    FoundChange or None
        None where nothing was found.
    """
    return _Search.of(row, members, target, space, weights).find()


@dataclass(frozen=True)
class _Search:
    """Looks for changes of a customer that class it as the target.

    Parameters
    ----------
    row, members : DataFrame
        The customer, and the members of the target, the nearest first.
    target : str
    space : ModelSpace
    digits : dict of str to int
        Decimals of each feature that may be changed; those that weigh most come first.
    is_kept : ndarray of bool
        Identities that hold of the customer.
    """

    row: pd.DataFrame
    members: pd.DataFrame
    target: str
    space: ModelSpace
    digits: dict[str, int]
    is_kept: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, row: pd.DataFrame, members: pd.DataFrame, target: str, space: ModelSpace, weights: Mapping[str, float]
    ) -> _Search:
        """Find out what may be changed."""
        numbers = members.select_dtypes("number").dropna(axis=1, how="all")
        levers = dict.fromkeys(one for name in weights for one in levers_of(name, [*row]))
        digits = {one: _digits(one, numbers[one]) for one in levers if one in numbers and row[one].notna().all()}
        return cls(row, members, target, space, digits, ~broken_identities(row).to_numpy())

    def find(self) -> FoundChange | None:
        """Return the smallest change that is found."""
        few = (
            self.between(1, _QUANTILES, [*self.digits]),
            self.between(2, _FEW_QUANTILES, [*self.digits][:_PAIRED_COUNT]),
        )
        starts = [start for trials in few for start in _cheapest(self.judged(trials))]
        if not starts:
            near = self.members[[*self.digits]].astype("float64").round(self.digits).head(_NEAR_COUNT)
            flipping = sorted(self.judged(near.to_dict("records")), key=lambda one: one.cost)[:_START_COUNT]
            starts = _cheapest(self.without_idle(start) for start in flipping)
        found = _cheapest(self.without_idle(self.shrunk(self.without_idle(start))) for start in starts)
        return found[0] if found else None

    def between(self, count: int, quantiles: Sequence[float], names: Sequence[str]) -> list[dict[str, float]]:
        """List changes of so many of the features, parts of the way to quantiles of the members."""
        value_count = (_MOST_TRIALS / max(comb(len(names), count), 1)) ** (1 / count)
        part_count = min(_MOST_PARTS, max(2, int(value_count / len(quantiles))))
        values = {
            name: {
                self.part_of_the_way(name, goal, step / part_count)
                for goal in self.members[name].astype("float64").quantile(list(quantiles))
                for step in range(1, part_count + 1)
            }
            for name in names
        }
        return [
            dict(zip(chosen, values_of, strict=True))
            for chosen in combinations(values, count)
            for values_of in product(*(sorted(values[name]) for name in chosen))
        ]

    def part_of_the_way(self, name: str, goal: float, part: float) -> float:
        """Return what lies between the customer's value and another one."""
        own = float(self.row[name].iloc[0])
        return round(own + part * (goal - own), self.digits[name])

    def without_idle(self, found: FoundChange) -> FoundChange:
        """Leave out features as long as the others suffice."""
        while True:
            rests = [{name: found.values[name] for name in found.values if name != one} for one in found.values]
            better = _cheapest(self.judged(rests))
            if not better:
                return found
            found = better[0]

    def shrunk(self, found: FoundChange) -> FoundChange:
        """Move values back towards the customer's as long as that makes the change smaller."""
        while True:
            trials = [
                found.values | {name: self.part_of_the_way(name, value, part)}
                for name, value in found.values.items()
                for part in _SHRINKS
            ]
            better = _cheapest(self.judged(trials))
            if not better or better[0].cost >= found.cost - _LEAST_GAIN:
                return found
            found = better[0]

    def judged(self, trials: Sequence[Mapping[str, float]]) -> list[FoundChange]:
        """Keep the changes that break no identity and class the customer as the target, with what comes out of them."""
        import pandas as pd

        asked = pd.DataFrame([*trials], columns=[*self.digits], dtype="float64")
        own = self.row[[*asked]].astype("float64").to_numpy()
        reached = repair(self.row, asked)[[*asked]].astype("float64")
        asked = reached.where(asked.notna() & (reached != own)).drop_duplicates(ignore_index=True)
        rows = repair(self.row, asked)
        is_lasting = (asked.isna() | (rows[[*asked]].astype("float64") == asked)).all(axis=1)
        rows = rows[is_lasting & ~(broken_identities(rows) & self.is_kept).any(axis=1)]
        if len(rows):
            rows = rows[segments_of(rows, self.space.model) == self.target]
        if rows.empty:
            return []
        changes = asked.loc[rows.index].itertuples(index=False, name=None)
        return [
            FoundChange({name: value for name, value in zip(asked, values, strict=True) if value == value}, float(size))
            for values, size in zip(changes, self.space.sizes(rows), strict=True)
        ]


def _digits(name: str, values: pd.Series) -> int:
    """Return the decimals to round a feature to: none where all values are whole; cents; tenths of a percent."""
    import numpy as np

    known = values.dropna().astype("float64")
    if (known % 1 == 0).all():
        return 0
    if "_amount" in name or is_share(name):
        return 2 if "_amount" in name else 3
    return max(0, 3 - int(np.floor(np.log10(known.abs().median() or 1))))


def is_share(feature: str) -> bool:
    """Whether a feature lies between 0 and 1."""
    return any(word in f"{feature}_" for word in ("_share_", "_rate_"))
