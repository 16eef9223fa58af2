"""What the reports say of each segment: size, money, typical values, change, what sets it apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.reporting.formatting import format_feature, is_known
from segmentation_assets.reporting.wording import MIN_EFFECT, effect_words, feature_label, feature_stem

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

TRAIT_COUNT = 3
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
    segment_value, everyone_value : str
        Medians, written with their unit.
    effect_size : float
        Difference of means in standard deviations of everyone.
    """

    feature: str
    label: str
    words: str
    segment_value: str
    everyone_value: str
    effect_size: float

    @property
    def sentence(self) -> str:
        """The trait in words with both medians."""
        return f"{self.label} {self.words}: {self.segment_value} against {self.everyone_value}"


@dataclass(frozen=True, kw_only=True)
class SegmentCard:
    """What a report says of one segment; values are numbers, None where unknown.

    `previous_count` and `previous_share` are None in the first snapshot and for a segment that was not there.
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
    traits: tuple[Trait, ...]

    @property
    def count_change(self) -> int | None:
        """Customers now less customers a month earlier."""
        return None if self.previous_count is None else self.customer_count - self.previous_count

    @property
    def share_change(self) -> float | None:
        """Share of customers now less share a month earlier."""
        return None if self.previous_share is None else self.customer_share - self.previous_share


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
    counts = snapshot.assigned["segment_key"].value_counts()
    previous = previous_counts(snapshot)
    medians = _everyone_medians(snapshot)
    profiles = dict(tuple(snapshot.segment_profiles.groupby("segment_key", sort=True)))
    cards = [
        _describe(snapshot, str(row.segment_key), str(row.segment_name), profiles, counts, previous, medians)
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


def _everyone_medians(snapshot: Snapshot) -> dict[str, float]:
    """Return the median of each numeric feature over assigned customers."""
    rows = snapshot.features[snapshot.features["customer_id"].isin(snapshot.assigned["customer_id"])]
    values = rows.drop(columns="customer_id")
    names = [name for name in values.columns if _is_numeric(values[name])]
    return {name: float(values[name].astype("float64").median()) for name in names}


def _is_numeric(values: pd.Series) -> bool:
    """Return whether a column holds numbers, DECIMAL as Python objects included."""
    from decimal import Decimal

    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype):
        return True
    known = values.dropna()
    return len(known) > 0 and isinstance(known.iloc[0], Decimal)


def _describe(
    snapshot: Snapshot,
    key: str,
    name: str,
    profiles: Mapping[str, pd.DataFrame],
    counts: pd.Series,
    previous: Mapping[str, int],
    medians: Mapping[str, float],
) -> SegmentCard:
    """Describe one segment."""
    profile = profiles.get(key)
    rows = {} if profile is None else {str(row.feature): row for row in profile.itertuples()}
    first = next(iter(rows.values()), None)
    everyone = max(int(counts.sum()), 1)
    everyone_before = sum(previous.values())
    count = int(counts.get(key, 0))
    return SegmentCard(
        key=key,
        name=name,
        customer_count=count,
        customer_share=count / everyone,
        net_revenue_amount=0.0 if first is None else float(first.net_revenue_amount),
        net_revenue_share=None if first is None else _known(first.net_revenue_share),
        median_recency_days=_median(rows, RECENCY_FEATURES),
        median_order_count=_median(rows, ORDER_FEATURES),
        median_order_value=_median(rows, ORDER_VALUE_FEATURES),
        previous_count=previous.get(key),
        previous_share=previous[key] / everyone_before if previous.get(key) is not None and everyone_before else None,
        traits=_find_traits(snapshot, profile, medians),
    )


def _known(value: object) -> float | None:
    return float(value) if is_known(value) else None  # type: ignore[arg-type]


def _median(rows: Mapping[str, object], features: tuple[str, ...]) -> float | None:
    """Return the segment's median of the first of the features that exists."""
    for feature in features:
        if feature in rows:
            return _known(rows[feature].median)  # type: ignore[attr-defined]
    return None


def _find_traits(snapshot: Snapshot, profile: pd.DataFrame | None, medians: Mapping[str, float]) -> tuple[Trait, ...]:
    """Pick the largest effects, at most one per story, none that rests mostly on filled-in values."""
    if profile is None:
        return ()
    known = profile[profile["effect_size"].notna() & (profile["imputed_share"] <= MAX_TRAIT_IMPUTED_SHARE)]
    ordered = sorted(known.itertuples(), key=lambda row: (-abs(row.effect_size), str(row.feature)))
    traits: dict[str, Trait] = {}
    for row in ordered:
        feature, effect = str(row.feature), float(row.effect_size)
        if abs(effect) < MIN_EFFECT or len(traits) == TRAIT_COUNT:
            break
        traits.setdefault(feature_stem(feature), _make_trait(snapshot, feature, effect, row.median, medians))
    return tuple(traits.values())


def _make_trait(snapshot: Snapshot, feature: str, effect: float, median: object, medians: Mapping[str, float]) -> Trait:
    unit = snapshot.feature_text(feature).unit

    def write(value: object) -> str:
        return format_feature(value, feature=feature, unit=unit, currency=snapshot.currency)

    return Trait(
        feature=feature,
        label=feature_label(feature),
        words=effect_words(effect),
        segment_value=write(median),
        everyone_value=write(medians.get(feature)),
        effect_size=effect,
    )
