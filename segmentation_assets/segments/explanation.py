"""Why a customer is in its segment, and the smallest change of features that would class it as the runner-up."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.declaration import name_in_words
from segmentation_assets.features.preparation import prepare
from segmentation_assets.features.transformation import signed_log1p
from segmentation_assets.segments.assignment import ASSIGNED, EXCEPTIONAL, NO_PURCHASES, OUTSIDE, assign_by_model
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.feature_identities import broken_identities, levers_of, repair
from segmentation_assets.segments.rfm import MEASURES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

MODEL_SAYS, NEIGHBOURS_SAY = "model", "neighbours"
"""Who says which segment is the runner-up."""

NEIGHBOURS = 10
"""Nearest customers of other segments, most of whom say which one is the runner-up where the model does not."""

ORDERINGS = 100
"""Random orders in which features are exchanged, and as many reversed ones."""

FEATURE_COST = 1.25
"""What a feature more has to make a change smaller by, to be worth it."""

_QUANTILES, _FEW_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95), (0.1, 0.5, 0.9)
_MOST_PARTS, _MOST_TRIALS = 16, 4_000
_PAIRED_COUNT, _NEAR_COUNT, _START_COUNT = 20, 200, 3
_SHRINKS = tuple(1 - 0.5**step for step in range(1, 11))
_LEAST_GAIN = 1e-6


@dataclass(frozen=True)
class Reason:
    """A feature that puts a customer into its segment rather than into the runner-up.

    Parameters
    ----------
    feature, label : str
        Column, and what people read.
    value, segment_typical, runner_up_typical : float, str or None
        The customer's value, and the medians of the known values of both segments, or their most frequent category.
    weight : float
        Shapley value; of all features they sum to 1.
    was_filled_in : bool
        Whether the value is unknown and the model filled it in, so that it is no reason by itself.
    """

    feature: str
    label: str
    value: float | str | None
    segment_typical: float | str | None
    runner_up_typical: float | str | None
    weight: float
    was_filled_in: bool


@dataclass(frozen=True)
class Step:
    """A feature before and after a change; ``None`` where it is unknown."""

    feature: str
    label: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Change:
    """A change of features that would class a customer otherwise.

    Parameters
    ----------
    steps : tuple of Step
        What is changed; without any one of them the customer is not classed so, or an identity broken.
    consequences : tuple of Step
        What identities change with it, of the features that the model sees.
    size : float
        Sum of the absolute differences in what the model sees, in standard deviations of everyone.
    """

    steps: tuple[Step, ...]
    consequences: tuple[Step, ...]
    size: float


@dataclass(frozen=True)
class Explanation:
    """Why a customer is in its segment.

    Parameters
    ----------
    customer_id : str
    state : str
        ``assigned`` or ``outside_known_range``; ``exceptional`` or ``no_purchases`` without a segment.
    segment_key, segment_name, runner_up_segment_key, runner_up_segment_name : str or None
        No runner-up where no other segment has customers.
    runner_up_by : str or None
        ``model``, or ``neighbours`` where it names none.
    reasons : tuple of Reason
        The heaviest first.
    change : Change or None
        ``None`` where none was found.
    """

    customer_id: str
    state: str
    segment_key: str | None = None
    segment_name: str | None = None
    runner_up_segment_key: str | None = None
    runner_up_segment_name: str | None = None
    runner_up_by: str | None = None
    reasons: tuple[Reason, ...] = ()
    change: Change | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return dataclasses.asdict(self)


def explain_customer(
    features: pd.DataFrame,
    customer_id: str,
    model: ChampionModel,
    names: Mapping[str, str],
    feature_labels: Mapping[str, str] | None = None,
    *,
    n_reasons: int = 5,
    seed: int = 7,
) -> Explanation:
    """Say which features put a customer into its segment, and what would class it as the runner-up.

    Parameters
    ----------
    features : DataFrame
        ``silver/customer_features`` of everyone in the month; the order of rows does not matter.
    customer_id : str
    model : ChampionModel
        In force.
    names : mapping of str to str
        Segment name by key.
    feature_labels : mapping of str to str, optional
        What people read in place of a column; its name in words by default.
    n_reasons : int
        Reasons at most.
    seed : int
        Of the orders in which features are exchanged.

    Returns
    -------
    Explanation

    Raises
    ------
    DataError
        There is no such customer.

    Notes
    -----
    The runner-up is what the model says; where it says nothing, as the RFM map and the clusterings by density, the
    segment of most of the nearest customers of other segments.

    Weights need no more of a model than the segments it gives, so that they mean the same for all algorithms and the
    RFM map. In random order the features of the customer are exchanged for those of the member of the runner-up that is
    nearest to its medians. The weight of a feature is the share of orders in which the customer leaves its segment at
    its exchange, less those in which it comes back (Shapley value). What is exchanged need not go together.

    What goes into a change does: `repair` keeps the identities, and what breaks one is not considered. Tenure, age,
    what else is known of the person, categories and unknown values are never changed. Tried are single features and
    pairs, towards values that members of the runner-up have; where none of these suffices all features, as of nearby
    members, of which those are left out again that are not needed. Values are then moved back as far as whole counts,
    days and cents allow. Of what is found that of least size counts, where a feature more has to be worth it
    (`FEATURE_COST`). That there is no smaller change is not proven.

    References
    ----------
    Wachter, Mittelstadt and Russell (2018). Counterfactual explanations without opening the black box. Harvard Journal
    of Law & Technology 31(2). doi:10.2139/ssrn.3063289; Štrumbelj and Kononenko (2014), doi:10.1007/s10115-013-0679-x
    (sampled Shapley values).
    """
    everyone = features.sort_values("customer_id").set_index("customer_id", drop=False).rename_axis(index=None)
    _require_customer(customer_id, list(everyone.index))
    placed = assign_by_model(everyone, model).frame.set_index("customer_id")
    if customer_id not in placed.index:
        return Explanation(customer_id, NO_PURCHASES)
    keys, own = placed["segment_key"], placed.loc[customer_id]
    key = own["segment_key"]
    if not isinstance(key, str):
        return Explanation(customer_id, EXCEPTIONAL)
    explanation = Explanation(customer_id, OUTSIDE if own["is_outside"] else ASSIGNED, key, names.get(key, key))
    space = _Space.of(everyone, model)
    runner_up, found_by = _runner_up(own["runner_up_segment_key"], customer_id, keys, space)
    if runner_up is None:
        return explanation
    peers, members = (everyone.loc[keys.index[keys == one]] for one in (key, runner_up))
    typical = space.nearest(members.index, space.places.loc[members.index].median())[0]
    weights = _weigh(everyone.loc[[customer_id, typical]], model, key, seed)
    row = everyone.loc[[customer_id]]
    nearest = members.loc[space.nearest(members.index, space.places.loc[customer_id])]
    change = _Search.of(row, nearest, runner_up, space, weights).find()
    labels = {name: (feature_labels or {}).get(name, name_in_words(name)) for name in features}
    return dataclasses.replace(
        explanation,
        runner_up_segment_key=runner_up,
        runner_up_segment_name=names.get(runner_up, runner_up),
        runner_up_by=found_by,
        reasons=tuple(
            Reason(
                feature=name,
                label=labels[name],
                value=_typical(row[name]),
                segment_typical=_typical(peers[name]),
                runner_up_typical=_typical(members[name]),
                weight=round(weight, 4),
                was_filled_in=bool(row[name].isna().all()),
            )
            for name, weight in list(weights.items())[:n_reasons]
            if weight > 0
        ),
        change=None if change is None else _in_steps(change, row, model, labels),
    )


def apply_change(features_row: pd.DataFrame, change: Change) -> pd.DataFrame:
    """Return the row of a customer as it would be after a change, identities kept.

    Parameters
    ----------
    features_row : DataFrame
        The one row of the customer that `explain_customer` was given.
    change : Change

    Returns
    -------
    DataFrame
        One row, same columns and index; `assign_by_model` gives it the segment of the runner-up.
    """
    return _changed(features_row, {step.feature: step.after for step in change.steps})


def _changed(row: pd.DataFrame, values: Mapping[str, float | None]) -> pd.DataFrame:
    import pandas as pd

    return repair(row, pd.DataFrame([values], index=row.index, dtype="float64"))


def describe_explanation(explanation: Explanation) -> str:
    """Write an explanation in sentences, as Markdown that reads well as plain text.

    Examples
    --------
    >>> print(describe_explanation(Explanation("c1", "no_purchases")))
    Customer c1 has no segment: no_purchases.
    """
    name, other = explanation.segment_name, explanation.runner_up_segment_name
    if name is None:
        return f"Customer {explanation.customer_id} has no segment: {explanation.state}."
    first = f"Customer {explanation.customer_id} is classed as {name}."
    if other is None:
        return f"{first} No other segment has customers."
    if explanation.runner_up_by == NEIGHBOURS_SAY:
        first += f" The model names no runner-up; {other} is the segment of most of the nearest customers of others."
    else:
        first += f" The runner-up is {other}."
    reasons = [_reason_line(reason, name, other) for reason in explanation.reasons]
    listed = [f"What puts it into {name} rather than into {other}:", "", *reasons, ""] if reasons else []
    return "\n".join([first, "", *listed, _change_sentence(explanation.change, other)])


def _reason_line(reason: Reason, name: str, other: str) -> str:
    value = "unknown, filled in" if reason.was_filled_in else _written(reason.feature, reason.value)
    here, there = (_written(reason.feature, value) for value in (reason.segment_typical, reason.runner_up_typical))
    return f"- {reason.label}: {value} (typical of {name}: {here}, of {other}: {there}; weight {reason.weight:.0%})"


def _change_sentence(change: Change | None, other: str) -> str:
    if change is None:
        return f"No change of what a customer can change was found that would class it as {other}."
    steps, consequences = (
        [(step.label, *(_written(step.feature, value) for value in (step.after, step.before))) for step in part]
        for part in (change.steps, change.consequences)
    )
    conditions = " and ".join(f"{label} were {after} instead of {before}" for label, after, before in steps)
    together = ", ".join(f"{label} {after} instead of {before}" for label, after, before in consequences)
    with_it = f" With that goes: {together}." if together else ""
    return (
        f"It would be classed as {other} if {conditions}.{with_it} This says where the model draws its line, not what "
        "would come of it."
    )


def _written(feature: str, value: float | str | None) -> str:
    """Write a value: money with cents, shares in percent."""
    if value is None or isinstance(value, str):
        return value or "unknown"
    if "_amount" in feature:
        return f"{value:,.2f}"
    if _is_share(feature):
        return f"{value:.1%}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


def _is_share(feature: str) -> bool:
    return any(word in f"{feature}_" for word in ("_share_", "_rate_"))


def _require_customer(customer_id: str, known: Sequence[str]) -> None:
    """Refuse an id that is not known; what is like it is sought where it would stand."""
    place = bisect_left(known, customer_id)
    if customer_id not in known[place : place + 1]:
        raise DataError(
            f"there is no customer '{customer_id}' among the {len(known)} with features",
            closest_hint(customer_id, known[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]),
        )


def _features_seen(model: ChampionModel) -> tuple[str, ...]:
    return tuple(MEASURES.values()) if model.preparation is None else model.preparation.features


@dataclass(frozen=True)
class _Space:
    """Where a model sees customers, in standard deviations of everyone; for the RFM map, logarithms of its measures."""

    model: ChampionModel
    units: Floats
    places: pd.DataFrame

    @classmethod
    def of(cls, everyone: pd.DataFrame, model: ChampionModel) -> _Space:
        import numpy as np

        seen = _seen(everyone, model)
        units = seen.to_numpy().std(axis=0)
        units = np.where(units > 0, units, 1.0)
        return cls(model, units, seen / units)

    def nearest(self, customers: pd.Index, place: pd.Series) -> pd.Index:
        """Sort customers by their distance from a place."""
        distances = (self.places.loc[customers] - place).abs().sum(axis=1)
        return distances.sort_values(kind="stable").index

    def sizes(self, rows: pd.DataFrame) -> Floats:
        """Return how far changed rows of a customer are from its place."""
        seen = _seen(rows, self.model) / self.units
        sizes: Floats = (seen - self.places.loc[seen.index[0]]).abs().sum(axis=1).to_numpy()
        return sizes


def _seen(rows: pd.DataFrame, model: ChampionModel) -> pd.DataFrame:
    if model.preparation is not None:
        return prepare(rows, model.preparation).matrix
    known = rows[rows["recency_days"].notna()].set_index("customer_id")[[*MEASURES.values()]]
    return known.astype("float64").transform(lambda column: signed_log1p(column.to_numpy()))


def _runner_up(by_model: object, customer_id: str, keys: pd.Series, space: _Space) -> tuple[str | None, str | None]:
    """Return the segment that comes second, and who says so."""
    others = keys[keys.notna() & (keys != keys[customer_id])]
    if isinstance(by_model, str) and (others == by_model).any():
        return by_model, MODEL_SAYS
    if others.empty:
        return None, None
    nearest = space.nearest(others.index, space.places.loc[customer_id])[:NEIGHBOURS]
    return Counter(others[nearest]).most_common(1)[0][0], NEIGHBOURS_SAY


def _keys(rows: pd.DataFrame, model: ChampionModel) -> npt.NDArray[np.object_]:
    """Return the segment of each row; made-up ids, as all are of one customer."""
    ids = [f"{number:08d}" for number in range(len(rows))]
    frame = assign_by_model(rows.assign(customer_id=ids), model).frame.set_index("customer_id")
    keys: npt.NDArray[np.object_] = frame["segment_key"].reindex(ids).to_numpy(dtype=object)
    return keys


def _weigh(pair: pd.DataFrame, model: ChampionModel, key: str, seed: int) -> dict[str, float]:
    """Return the Shapley values of features, the largest first; `pair` is the customer, and whose features it gets."""
    import numpy as np

    names = _features_seen(model)
    places = np.arange(len(names))
    orders = np.random.default_rng(seed).permuted(np.tile(places, (ORDERINGS, 1)), axis=1)
    orders = np.vstack([orders, orders[:, ::-1]])
    exchanged = orders.argsort(axis=1)[:, None, :] < np.arange(len(names) + 1)[:, None]
    sets, which = np.unique(exchanged.reshape(-1, len(names)), axis=0, return_inverse=True)
    chosen = {
        name: pair[name].array.take(sets[:, place].astype(int)) for name, place in zip(names, places, strict=True)
    }
    rows = pair.iloc[np.zeros(len(sets), dtype=int)].reset_index(drop=True).assign(**chosen)
    stays = (_keys(rows, model) == key)[which.ravel()].reshape(len(orders), -1).astype("float64")
    leaves = stays[:, :-1] - stays[:, 1:]
    weights = np.bincount(orders.ravel(), weights=leaves.ravel()) / len(orders)
    return {names[place]: float(weights[place]) for place in (-weights).argsort(kind="stable")}


def _typical(values: pd.Series) -> float | str | None:
    """Return the median of known values, or the most frequent category."""
    from pandas.api.types import is_numeric_dtype

    known = values.dropna()
    if known.empty:
        return None
    return float(known.astype("float64").median()) if is_numeric_dtype(known) else str(known.mode().iloc[0])


@dataclass(frozen=True)
class _Found:
    """Values to set, and how large a change they make."""

    values: dict[str, float]
    size: float

    @property
    def cost(self) -> float:
        """Size, where every feature more has to be worth it."""
        return self.size * FEATURE_COST ** (len(self.values) - 1)


def _cheapest(found: Iterable[_Found]) -> list[_Found]:
    """Return the one of least cost, or nothing."""
    return sorted(found, key=lambda one: one.cost)[:1]


@dataclass(frozen=True)
class _Search:
    """Looks for changes of a customer that class it as the target.

    Parameters
    ----------
    row, members : DataFrame
        The customer, and the members of the target, the nearest first.
    target : str
    space : _Space
    digits : dict of str to int
        Decimals of each feature that may be changed; those that weigh most come first.
    is_kept : ndarray of bool
        Identities that hold of the customer.
    """

    row: pd.DataFrame
    members: pd.DataFrame
    target: str
    space: _Space
    digits: dict[str, int]
    is_kept: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, row: pd.DataFrame, members: pd.DataFrame, target: str, space: _Space, weights: Mapping[str, float]
    ) -> _Search:
        """Find out what may be changed."""
        numbers = members.select_dtypes("number").dropna(axis=1, how="all")
        levers = dict.fromkeys(one for name in weights for one in levers_of(name, [*row]))
        digits = {one: _digits(one, numbers[one]) for one in levers if one in numbers and row[one].notna().all()}
        return cls(row, members, target, space, digits, ~broken_identities(row).to_numpy())

    def find(self) -> _Found | None:
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

    def without_idle(self, found: _Found) -> _Found:
        """Leave out features as long as the others suffice."""
        while True:
            rests = [{name: found.values[name] for name in found.values if name != one} for one in found.values]
            better = _cheapest(self.judged(rests))
            if not better:
                return found
            found = better[0]

    def shrunk(self, found: _Found) -> _Found:
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

    def judged(self, trials: Sequence[Mapping[str, float]]) -> list[_Found]:
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
            rows = rows[_keys(rows, self.space.model) == self.target]
        if rows.empty:
            return []
        changes = asked.loc[rows.index].itertuples(index=False, name=None)
        return [
            _Found({name: value for name, value in zip(asked, values, strict=True) if value == value}, float(size))
            for values, size in zip(changes, self.space.sizes(rows), strict=True)
        ]


def _digits(name: str, values: pd.Series) -> int:
    """Return the decimals to round a feature to: none where all values are whole; cents; tenths of a percent."""
    import numpy as np

    known = values.dropna().astype("float64")
    if (known % 1 == 0).all():
        return 0
    if "_amount" in name or _is_share(name):
        return 2 if "_amount" in name else 3
    return max(0, 3 - int(np.floor(np.log10(known.abs().median() or 1))))


def _in_steps(found: _Found, row: pd.DataFrame, model: ChampionModel, labels: Mapping[str, str]) -> Change:
    """Put features before and after a change side by side."""
    after = _changed(row, found.values)
    seen = row[[*dict.fromkeys((*found.values, *_features_seen(model)))]].select_dtypes("number")
    pairs = {
        name: [None if one.isna().all() else float(one.iloc[0]) for one in (row[name], after[name])] for name in seen
    }
    steps = {name: Step(name, labels[name], *pair) for name, pair in pairs.items() if pair[0] != pair[1]}
    consequences = tuple(step for name, step in steps.items() if name not in found.values)
    return Change(tuple(steps[name] for name in found.values), consequences, round(found.size, 4))
