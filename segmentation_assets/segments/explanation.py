"""Why a customer is in its segment, and the smallest change of features that would class it as the runner-up."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.declaration import name_in_words
from segmentation_assets.segments.assignment import ASSIGNED, EXCEPTIONAL, NO_PURCHASES, OUTSIDE, assign_by_model
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.feature_identities import repair
from segmentation_assets.segments.model_space import ModelSpace, features_seen, segments_of
from segmentation_assets.segments.smallest_change import FoundChange, find_smallest_change, is_share

if TYPE_CHECKING:
    import pandas as pd

MODEL_SAYS, NEIGHBOURS_SAY = "model", "neighbours"
"""Who says which segment is the runner-up."""

NEIGHBOURS = 10
"""Nearest customers of other segments, most of whom say which one is the runner-up where the model does not."""

ORDERINGS = 100
"""Random orders in which features are exchanged, and as many reversed ones."""


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
    space = ModelSpace.of(everyone, model)
    runner_up, found_by = _runner_up(own["runner_up_segment_key"], customer_id, keys, space)
    if runner_up is None:
        return explanation
    peers, members = (everyone.loc[keys.index[keys == one]] for one in (key, runner_up))
    typical = space.nearest(members.index, space.places.loc[members.index].median())[0]
    weights = _weigh(everyone.loc[[customer_id, typical]], model, key, seed)
    row = everyone.loc[[customer_id]]
    nearest = members.loc[space.nearest(members.index, space.places.loc[customer_id])]
    change = find_smallest_change(row, nearest, runner_up, space, weights)
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
                value=usual_value(row[name]),
                segment_typical=usual_value(peers[name]),
                runner_up_typical=usual_value(members[name]),
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
    value = "unknown, filled in" if reason.was_filled_in else write_value(reason.feature, reason.value)
    here, there = (write_value(reason.feature, value) for value in (reason.segment_typical, reason.runner_up_typical))
    return f"- {reason.label}: {value} (typical of {name}: {here}, of {other}: {there}; weight {reason.weight:.0%})"


def _change_sentence(change: Change | None, other: str) -> str:
    if change is None:
        return f"No change of what a customer can change was found that would class it as {other}."
    steps, consequences = (
        [(step.label, *(write_value(step.feature, value) for value in (step.after, step.before))) for step in part]
        for part in (change.steps, change.consequences)
    )
    conditions = " and ".join(f"{label} were {after} instead of {before}" for label, after, before in steps)
    together = ", ".join(f"{label} {after} instead of {before}" for label, after, before in consequences)
    with_it = f" With that goes: {together}." if together else ""
    return (
        f"It would be classed as {other} if {conditions}.{with_it} This says where the model draws its line, not what "
        "would come of it."
    )


def write_value(feature: str, value: float | str | None) -> str:
    """Write a value: money with cents, shares in percent."""
    if value is None or isinstance(value, str):
        return value or "unknown"
    if "_amount" in feature:
        return f"{value:,.2f}"
    if is_share(feature):
        return f"{value:.1%}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


def _require_customer(customer_id: str, known: Sequence[str]) -> None:
    """Refuse an id that is not known; what is like it is sought where it would stand."""
    place = bisect_left(known, customer_id)
    if customer_id not in known[place : place + 1]:
        raise DataError(
            f"there is no customer '{customer_id}' among the {len(known)} with features",
            closest_hint(customer_id, known[max(0, place - NEIGHBOURS) : place + NEIGHBOURS]),
        )


def _runner_up(by_model: object, customer_id: str, keys: pd.Series, space: ModelSpace) -> tuple[str | None, str | None]:
    """Return the segment that comes second, and who says so."""
    others = keys[keys.notna() & (keys != keys[customer_id])]
    if isinstance(by_model, str) and (others == by_model).any():
        return by_model, MODEL_SAYS
    if others.empty:
        return None, None
    nearest = space.nearest(others.index, space.places.loc[customer_id])[:NEIGHBOURS]
    return Counter(others[nearest]).most_common(1)[0][0], NEIGHBOURS_SAY


def _weigh(pair: pd.DataFrame, model: ChampionModel, key: str, seed: int) -> dict[str, float]:
    """Return the Shapley values of features, the largest first; `pair` is the customer, and whose features it gets."""
    import numpy as np

    names = features_seen(model)
    places = np.arange(len(names))
    orders = np.random.default_rng(seed).permuted(np.tile(places, (ORDERINGS, 1)), axis=1)
    orders = np.vstack([orders, orders[:, ::-1]])
    exchanged = orders.argsort(axis=1)[:, None, :] < np.arange(len(names) + 1)[:, None]
    sets, which = np.unique(exchanged.reshape(-1, len(names)), axis=0, return_inverse=True)
    chosen = {
        name: pair[name].array.take(sets[:, place].astype(int)) for name, place in zip(names, places, strict=True)
    }
    rows = pair.iloc[np.zeros(len(sets), dtype=int)].reset_index(drop=True).assign(**chosen)
    stays = (segments_of(rows, model) == key)[which.ravel()].reshape(len(orders), -1).astype("float64")
    leaves = stays[:, :-1] - stays[:, 1:]
    weights = np.bincount(orders.ravel(), weights=leaves.ravel()) / len(orders)
    return {names[place]: float(weights[place]) for place in (-weights).argsort(kind="stable")}


def usual_value(values: pd.Series) -> float | str | None:
    """Return the median of known values, or the most frequent category."""
    from pandas.api.types import is_numeric_dtype

    known = values.dropna()
    if known.empty:
        return None
    return float(known.astype("float64").median()) if is_numeric_dtype(known) else str(known.mode().iloc[0])


def _in_steps(found: FoundChange, row: pd.DataFrame, model: ChampionModel, labels: Mapping[str, str]) -> Change:
    """Put features before and after a change side by side."""
    after = _changed(row, found.values)
    seen = row[[*dict.fromkeys((*found.values, *features_seen(model)))]].select_dtypes("number")
    pairs = {
        name: [None if one.isna().all() else float(one.iloc[0]) for one in (row[name], after[name])] for name in seen
    }
    steps = {name: Step(name, labels[name], *pair) for name, pair in pairs.items() if pair[0] != pair[1]}
    consequences = tuple(step for name, step in steps.items() if name not in found.values)
    return Change(tuple(steps[name] for name in found.values), consequences, round(found.size, 4))
