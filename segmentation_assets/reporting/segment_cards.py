"""What the reports say of each segment: size, money, typical values, change, what sets it apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from segmentation_assets.reporting.formatting import format_count, format_feature, format_share, is_known
from segmentation_assets.reporting.wording import MIN_EFFECT, effect_words, feature_stem
from segmentation_assets.segments.positions import SCORES, Position, describe_position, measure_positions
from segmentation_assets.segments.rules import Condition

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

TRAIT_COUNT = 3

AGEING = ("tenure_days",)
"""Features that only grow; that they did is no news."""

STRATEGY = {
    "kind_name": "Now like",
    "goal": "Goal",
    "message": "Message",
    "offer": "Offer",
    "channel": "Channel",
    "cadence": "Cadence",
    "do_not": "Do not",
}
"""Heading of each column of ``gold/segment_strategies`` that is read as advice."""

MAX_TRAIT_IMPUTED_SHARE = 0.5
RECENCY_FEATURES = ("recency_days",)
ORDER_FEATURES = ("order_count",)
ORDER_VALUE_FEATURES = ("average_order_value_amount", "average_order_amount")


@dataclass(frozen=True, kw_only=True)
class Trait:
    """One way in which a segment differs from everyone.

    Parameters
    ----------
    feature : str
        Column name.
    label : str
        Short label of the feature.
    words : str
        Strength and side, such as ``far above average``.
    statistic : str
        ``median``, or ``mean`` where both medians are written alike.
    segment_value, everyone_value : str
        The statistic, written with its unit.
    effect_size : float
        Difference of means in standard deviations of everyone.
    """

    feature: str
    label: str
    words: str
    statistic: str
    segment_value: str
    everyone_value: str
    effect_size: float

    @property
    def sentence(self) -> str:
        """The trait in words with both values."""
        mean = "mean " if self.statistic == "mean" else ""
        return f"{self.label} {self.words}: {mean}{self.segment_value} against {self.everyone_value}"


@dataclass(frozen=True, kw_only=True)
class SegmentCard:
    """What a report says of one segment; values are numbers, None where unknown.

    `previous_count` and `previous_share` are None in the first snapshot and for a segment that was not there.
    `meaning` says in a sentence where the segment stands in recency, frequency and money; `mean_scores` are its mean
    scores in that order, 1 to 5. `rules` say in a few conditions who is in it, `rules_note` how well or why none does,
    `changes` are sentences about features that are another than a month earlier,
    `strategy` is what to do, by the headings of `STRATEGY`. All are empty for a segment without customers.
    """

    key: str
    name: str
    customer_count: int
    customer_share: float
    net_revenue_amount: float
    net_revenue_share: float | None
    median_recency_days: float | None
    median_order_count: float | None
    median_order_value: float | None
    previous_count: int | None
    previous_share: float | None
    meaning: str
    mean_scores: tuple[float, ...]
    traits: tuple[Trait, ...]
    rules: tuple[str, ...] = ()
    rules_note: str = ""
    changes: tuple[str, ...] = ()
    strategy: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    expected_value_amount: float | None = None

    @property
    def revenue_per_customer(self) -> float | None:
        """Mean net revenue of the segment's customers."""
        return self.net_revenue_amount / self.customer_count if self.customer_count else None

    @property
    def count_change(self) -> int | None:
        """Customers now less customers a month earlier."""
        return None if self.previous_count is None else self.customer_count - self.previous_count

    @property
    def share_change(self) -> float | None:
        """Share of customers now less share a month earlier."""
        return None if self.previous_share is None else self.customer_share - self.previous_share


class _Standing(NamedTuple):
    """Where a segment stands in recency, frequency and money."""

    meaning: str
    mean_scores: tuple[float, ...]


class _Rules(NamedTuple):
    """Who is in a segment in a few conditions, and how well they say it."""

    sentences: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class _Everyone:
    """What each segment is compared with; `typical` holds mean and median of everyone by feature."""

    counts: pd.Series
    previous: Mapping[str, int]
    typical: Mapping[str, tuple[float, float]]
    standings: Mapping[str, _Standing]
    planned: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, _Rules]


def describe_segments(snapshot: Snapshot) -> tuple[SegmentCard, ...]:
    """Describe every segment of the model in force, by descending net revenue, then key.

    Parameters
    ----------
    snapshot : Snapshot
        The month.

    Returns
    -------
    tuple of SegmentCard
        One per row of `champion`, segments without customers included.
    """
    everyone = _Everyone(
        counts=snapshot.assigned["segment_key"].value_counts(),
        previous=previous_counts(snapshot),
        typical=_typical_values(snapshot),
        standings=_standings(snapshot),
        planned={str(row["segment_key"]): row for row in snapshot.strategies.to_dict("records")},
        rules=_rules(snapshot),
    )
    profiles = dict(tuple(snapshot.segment_profiles.groupby("segment_key", sort=True)))
    cards = [
        _describe(snapshot, str(row.segment_key), str(row.segment_name), profiles, everyone)
        for row in snapshot.champion.itertuples()
    ]
    return tuple(sorted(cards, key=lambda card: (-card.net_revenue_amount, card.key)))


def previous_counts(snapshot: Snapshot) -> Mapping[str, int]:
    """Return customers per segment key a month earlier, empty where no such snapshot exists."""
    months = snapshot.shares["month"].astype(str).str[:7]
    wanted = previous_month(snapshot.month)
    rows = snapshot.shares[months == wanted]
    return {str(row.segment_key): int(row.customer_count) for row in rows.itertuples()}


def previous_month(month: str) -> str:
    """Return the month before a month written YYYY-MM.

    Example
    -------
    >>> previous_month("2025-01")
    '2024-12'
    """
    year, number = int(month[:4]), int(month[5:7])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}"


def _typical_values(snapshot: Snapshot) -> dict[str, tuple[float, float]]:
    """Return mean and median of each numeric feature over assigned customers."""
    rows = snapshot.features[snapshot.features["customer_id"].isin(snapshot.assigned["customer_id"])]
    values = rows.sort_values("customer_id").drop(columns="customer_id")
    names = [name for name in values.columns if _is_numeric(values[name])]
    numbers = values[names].astype("float64")
    return {name: (float(numbers[name].mean()), float(numbers[name].median())) for name in names}


def _standings(snapshot: Snapshot) -> dict[str, _Standing]:
    """Describe where each segment with customers stands, from the RFM scores of this month."""
    groups = snapshot.assigned.set_index("customer_id")["segment_key"].astype(str)
    if groups.empty:
        return {}
    scores = snapshot.rfm_segments.set_index("customer_id")[list(SCORES)].astype("float64").reindex(groups.index)
    means = scores.groupby(groups).mean().dropna()
    positions = measure_positions(groups, snapshot.rfm_segments)
    return {
        str(key): _Standing(describe_position(Position(*map(float, positions.loc[key]))), tuple(map(float, row)))
        for key, row in means.iterrows()
    }


def _rules(snapshot: Snapshot) -> dict[str, _Rules]:
    """Write the rules of each segment with the labels of the features, and what they rest on."""
    if snapshot.rules.empty:
        return {}
    found = {}
    for key, rows in snapshot.rules.sort_values("rule_number").groupby("segment_key"):
        first = rows.iloc[0]
        held_out = f"{format_count(first['held_out_count'])} customers held out"
        note = f"They find {format_share(first['recall'])} of the segment, and {format_share(first['precision'])} of "
        note += f"those they find are in it; measured on {held_out}."
        sentences = tuple(_rule_sentence(snapshot, json.loads(text)) for text in rows["conditions"].dropna())
        reason = str(first["reason"])
        found[str(key)] = _Rules(sentences, note if first["is_shown"] else f"{reason[:1].upper()}{reason[1:]}.")
    return found


def _rule_sentence(snapshot: Snapshot, conditions: list[dict[str, Any]]) -> str:
    labelled = [{**part, "feature": snapshot.feature_text(part["feature"]).label} for part in conditions]
    return " and ".join(Condition(**part).text for part in labelled)


def _is_numeric(values: pd.Series) -> bool:
    """Return whether a column holds numbers, DECIMAL as Python objects included."""
    from decimal import Decimal

    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype):
        return True
    known = values.dropna()
    return len(known) > 0 and isinstance(known.iloc[0], Decimal)


def _describe(
    snapshot: Snapshot, key: str, name: str, profiles: Mapping[str, pd.DataFrame], everyone: _Everyone
) -> SegmentCard:
    """Describe one segment."""
    profile = profiles.get(key)
    rows = {} if profile is None else {str(row.feature): row for row in profile.itertuples()}
    first = next(iter(rows.values()), None)
    count, before = int(everyone.counts.get(key, 0)), everyone.previous.get(key)
    all_before = sum(everyone.previous.values())
    planned = everyone.planned.get(key, {})
    standing, rules = everyone.standings.get(key, _Standing("", ())), everyone.rules.get(key, _Rules((), ""))
    return SegmentCard(
        key=key,
        name=name,
        customer_count=count,
        customer_share=count / max(int(everyone.counts.sum()), 1),
        net_revenue_amount=0.0 if first is None else float(first.net_revenue_amount),
        net_revenue_share=None if first is None else _known(first.net_revenue_share),
        median_recency_days=_median(rows, RECENCY_FEATURES),
        median_order_count=_median(rows, ORDER_FEATURES),
        median_order_value=_median(rows, ORDER_VALUE_FEATURES),
        previous_count=before,
        previous_share=before / all_before if before is not None and all_before else None,
        meaning=standing.meaning,
        mean_scores=standing.mean_scores,
        traits=_find_traits(snapshot, profile, everyone.typical),
        rules=rules.sentences,
        rules_note=rules.note,
        changes=_find_changes(snapshot, profile),
        strategy={heading: str(planned[column]) for column, heading in STRATEGY.items()} if planned else {},
        priority=planned.get("priority"),
        expected_value_amount=_known(planned.get("expected_value_amount")),
    )


def _known(value: object) -> float | None:
    return float(value) if is_known(value) else None  # type: ignore[arg-type]


def _median(rows: Mapping[str, object], features: tuple[str, ...]) -> float | None:
    """Return the segment's median of the first of the features that exists."""
    for feature in features:
        if feature in rows:
            return _known(rows[feature].median)  # type: ignore[attr-defined]
    return None


def _find_traits(
    snapshot: Snapshot, profile: pd.DataFrame | None, typical: Mapping[str, tuple[float, float]]
) -> tuple[Trait, ...]:
    """Pick the largest effects of main features, one per story, none that rests mostly on filled-in values."""
    if profile is None:
        return ()
    known = profile[profile["effect_size"].notna() & (profile["imputed_share"] <= MAX_TRAIT_IMPUTED_SHARE)]
    ordered = sorted(known.itertuples(), key=lambda row: (-abs(row.effect_size), str(row.feature)))
    traits: dict[str, Trait] = {}
    for row in filter(lambda row: snapshot.feature_text(str(row.feature)).is_main, ordered):
        if abs(row.effect_size) < MIN_EFFECT or len(traits) == TRAIT_COUNT:
            break
        traits.setdefault(feature_stem(str(row.feature)), _make_trait(snapshot, row, typical))
    return tuple(traits.values())


def _find_changes(snapshot: Snapshot, profile: pd.DataFrame | None) -> tuple[str, ...]:
    """Put the largest changes of main features since last month into sentences, one per story."""
    if profile is None:
        return ()
    changed = profile[profile["change_size"].notna() & (profile["imputed_share"] <= MAX_TRAIT_IMPUTED_SHARE)]
    found: dict[str, str] = {}
    for row in sorted(changed.itertuples(), key=lambda row: (-abs(row.change_size), str(row.feature))):
        feature, text = str(row.feature), snapshot.feature_text(str(row.feature))
        if abs(row.change_size) < MIN_EFFECT or len(found) == TRAIT_COUNT:
            break
        if text.is_main and feature not in AGEING:
            now, before = (
                format_feature(value, feature=feature, unit=text.unit, currency=snapshot.currency)
                for value in (row.mean, row.previous_mean)
            )
            found.setdefault(feature_stem(feature), f"{text.label}: mean {now}, a month earlier {before}")
    return tuple(found.values())


def _make_trait(snapshot: Snapshot, row: Any, typical: Mapping[str, tuple[float, float]]) -> Trait:
    """Put an effect into words, by medians, or by means where the medians do not show it."""
    feature, effect = str(row.feature), float(row.effect_size)
    text = snapshot.feature_text(feature)
    everyone_mean, everyone_median = typical.get(feature, (None, None))

    def write(value: object) -> str:
        return format_feature(value, feature=feature, unit=text.unit, currency=snapshot.currency)

    statistic, own, others = "median", write(row.median), write(everyone_median)
    if own == others:
        statistic, own, others = "mean", write(row.mean), write(everyone_mean)
    return Trait(
        feature=feature,
        label=text.label,
        words=effect_words(effect),
        statistic=statistic,
        segment_value=own,
        everyone_value=others,
        effect_size=effect,
    )
