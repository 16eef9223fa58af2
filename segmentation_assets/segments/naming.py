"""Names for clusters, from where their members stand relative to everyone; never from absolute money."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from segmentation_assets.features.blocks.departments import SHARE_LABEL
from segmentation_assets.features.declaration import name_in_words
from segmentation_assets.segments.catalogue import (
    EVERYONE,
    KIND_BY_POSITION,
    KIND_BY_TRAIT,
    CatalogueEntry,
    load_catalogue,
    name_by_position,
    name_by_trait,
)
from segmentation_assets.segments.positions import (
    FAR,
    NAMED_POSITIONS,
    REACH,
    Position,
    measure_positions,
    position_name,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

STRIKING = 1.5
"""Standard deviations above everyone from which a trait is part of the name."""

_MONEY = "net_revenue_amount"
_TOLERANCE = 0.35
_NO_NAME = 2.0
_DECIMALS = 10
_LEAD_OF_PLAIN_PHRASES = 0.2
SHARES = ("department_share_", "class_share_")
"""Beginnings of features that are striking where they are high, too."""
_SMALL_WORDS = frozenset({"a", "and", "at", "in", "of", "on", "per", "the"})
_PHRASES = {
    "average_order_value_amount": ("Large Orders", "Small Orders"),
    "average_unit_price_amount": ("Higher Prices", "Lower Prices"),
    "department_count": ("Many Departments", "Few Departments"),
    "discount_share": ("Many Discounts", "Few Discounts"),
    "gap_days_mean": ("Slow Rhythm", "Quick Rhythm"),
    "net_revenue_amount": ("More Spend", "Less Spend"),
    "order_count": ("More Orders", "Fewer Orders"),
    "overdue_ratio": ("Overdue", "Not Overdue"),
    "recency_days": ("Longer Away", "More Recent"),
    "return_rate": ("Many Returns", "Few Returns"),
    "revenue_slope_per_month": ("Growing", "Shrinking"),
    "tenure_days": ("Long Known", "Short Known"),
}
STRIKING_FEATURES = ("average_order_value_amount", *KIND_BY_TRAIT)
"""Features that are part of a name where they are high by far."""


def name_clusters(
    labels: pd.Series,
    rfm_segments: pd.DataFrame,
    features: pd.DataFrame,
    taken: Collection[str] = (),
    feature_labels: Mapping[str, str] | None = None,
    only: Collection[int] | None = None,
    catalogue: Mapping[str, CatalogueEntry] | None = None,
) -> dict[int, str]:
    """Give each cluster a name of its own.

    Parameters
    ----------
    labels : Series of int, index customer_id
        Cluster per customer; negative numbers are left out.
    rfm_segments : DataFrame
        Columns customer_id, recency_score, frequency_score and monetary_score of at least these customers.
    features : DataFrame
        Column customer_id and numeric columns. A striking or distinctive one becomes part of a name; net revenue,
        where there is such a column, tells whether a cluster earns a name that promises money.
    taken : collection of str
        Names that are in use elsewhere; upper and lower case are the same.
    feature_labels : mapping of str to str, optional
        What people call the features; without one, the column name in words.
    only : collection of int, optional
        Clusters that need a name; all by default. The others have theirs, among `taken`.
    catalogue : mapping of str to CatalogueEntry, optional
        What kinds of segments are called; the packaged one by default.

    Returns
    -------
    dict of int to str
        Name per cluster number. The same whatever the order of rows and the currency unit.

    Notes
    -----
    A cluster may have the catalogue's name of a position if each of its mean scores lies near it (`NAMED_POSITIONS`),
    and if it brings its share of the money where the name promises that; one that no name fits is called by its
    position. A cluster with a striking trait is called by it, or takes the nearest name and the trait. The others are
    matched with the names for the smallest total distance (Kuhn 1955, doi:10.1002/nav.3800020109), a name much farther
    away than the nearest excepted; one that gets none takes the nearest name and the feature in which the mean rank of
    its members differs most from that of its namesakes.
    """
    members = labels[labels >= 0].sort_index()
    found = sorted(map(int, members.unique()))
    numbers = found if only is None else sorted(only)
    entries = catalogue or load_catalogue()
    in_use = {name.casefold() for name in taken}
    if len(found) == 1 and entries[EVERYONE].name.casefold() not in in_use:
        return {numbers[0]: entries[EVERYONE].name}
    positions = measure_positions(members, rfm_segments)
    values = _numeric(members, features)
    distances = _distances(positions, _is_earner(members, values)).rename(columns=name_by_position(entries))
    words, called = feature_labels or {}, name_by_trait(entries)
    striking = _striking(members, values)
    nameless = distances.loc[numbers]
    matched = _match(nameless.drop(index=[number for number in striking if number in numbers]), in_use)
    bases = {number: matched.get(number) or _base(distances.loc[number], positions.loc[number]) for number in numbers}
    ranks = _mean_ranks(members, values)
    names: dict[int, str] = {}
    for number in sorted(numbers, key=lambda n: (n not in matched, n)):
        trait = striking.get(number)
        first = [called[trait]] if trait in called else []
        first += [f"{bases[number]}, {_phrase(trait, words, is_high=True)}"] if trait else []
        proposals = _proposals(bases[number], first, _distinctive(ranks, bases, number, words))
        names[number] = next(name for name in proposals if name.casefold() not in in_use)
        in_use.add(names[number].casefold())
    return dict(sorted(names.items()))


def classify_groups(
    groups: pd.Series,
    rfm_segments: pd.DataFrame,
    features: pd.DataFrame,
    former: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Say which kind of segment each group is now.

    Parameters
    ----------
    groups : Series, index customer_id
        Group per customer; nobody else counts as everyone.
    rfm_segments, features
        As for `name_clusters`.
    former : mapping of str to str, optional
        By group, the kind it was; it stays so as long as it lies near that position.

    Returns
    -------
    dict of str to str
        Kind in the catalogue by group: that of a striking trait, where there is one with a kind of its own, else the
        one it was, else that of the nearest named position. The only group is `EVERYONE`.
    """
    members = groups.sort_index()
    if members.nunique() == 1:
        return {str(members.iloc[0]): EVERYONE}
    values = _numeric(members, features)
    positions, is_earner = measure_positions(members, rfm_segments), _is_earner(members, values)
    anywhere = _distances(positions, is_earner, reach=float("inf")).rename(columns=KIND_BY_POSITION)
    fitting = _distances(positions, is_earner).rename(columns=KIND_BY_POSITION)
    kinds = {str(group): str(row.idxmin()) for group, row in anywhere.iterrows()}
    for group, kind in (former or {}).items():
        if group in fitting.index and kind in fitting.columns and fitting.loc[group, kind] < float("inf"):
            kinds[group] = kind
    traits = _striking(members, values)
    return kinds | {str(group): KIND_BY_TRAIT[trait] for group, trait in traits.items() if trait in KIND_BY_TRAIT}


def _numeric(members: pd.Series, features: pd.DataFrame) -> pd.DataFrame:
    """Return the numeric features of the members, money included that is kept as decimals."""
    from decimal import Decimal

    rows = features.set_index("customer_id").reindex(members.index)
    decimals = [
        name
        for name in rows.columns
        if rows[name].dtype == object and isinstance(next(iter(rows[name].dropna()), None), Decimal)
    ]
    return rows.astype(dict.fromkeys(decimals, "float64")).select_dtypes("number").astype("float64")


def _is_earner(members: pd.Series, values: pd.DataFrame) -> pd.Series:
    """Say of each cluster whether its members bring at least the mean net revenue of everyone."""
    import pandas as pd

    if _MONEY not in values.columns:
        return pd.Series(data=True, index=sorted(members.unique()))
    means, overall = values[_MONEY].groupby(members).mean(), float(values[_MONEY].mean())
    return (means - overall) >= -abs(overall) * 10.0**-_DECIMALS


def _distances(positions: pd.DataFrame, is_earner: pd.Series, reach: float = REACH) -> pd.DataFrame:
    """Distance of each cluster from each named position, infinite where it is out of reach or promises more."""
    import numpy as np
    import pandas as pd

    places = np.array([named.position for named in NAMED_POSITIONS])
    gaps = np.abs(positions.clip(-FAR, FAR).to_numpy()[:, None, :] - places[None, :, :]).round(_DECIMALS)
    promises = np.array([named.earns_its_share for named in NAMED_POSITIONS])
    fits = (gaps <= reach).all(axis=2) & (~promises[None, :] | is_earner.to_numpy(dtype=bool)[:, None])
    distances = np.where(fits, np.sqrt((gaps**2).sum(axis=2)).round(_DECIMALS), np.inf)
    return pd.DataFrame(distances, index=positions.index, columns=[named.name for named in NAMED_POSITIONS])


def _match(distances: pd.DataFrame, taken: Collection[str]) -> dict[int, str]:
    """Assign fitting names for the smallest total distance; some clusters may get none."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    free = distances.loc[:, [name.casefold() not in taken for name in distances.columns]]
    nearest = free.min(axis=1).to_numpy()[:, None]
    usable = np.isfinite(free.to_numpy()) & (free.to_numpy() <= nearest + _TOLERANCE)
    costs: npt.NDArray[np.float64] = np.where(usable, free.to_numpy(), 2 * _NO_NAME)
    rows, columns = linear_sum_assignment(np.hstack([costs, np.full((len(free), len(free)), _NO_NAME)]))
    return {
        int(free.index[row]): str(free.columns[column])
        for row, column in zip(rows, columns, strict=True)
        if column < len(free.columns) and usable[row, column]
    }


def _base(distances: pd.Series, position: pd.Series) -> str:
    """Return the nearest name that fits, even if another cluster has it, or the position in words."""
    if distances.min() < float("inf"):
        return str(distances.idxmin())
    return position_name(Position(*map(float, position)))


def _striking(members: pd.Series, values: pd.DataFrame) -> dict[Any, str]:
    """Return the feature in which a cluster stands out by far, for those that have one."""
    names = [str(name) for name in values.columns if name in STRIKING_FEATURES or str(name).startswith(SHARES)]
    chosen = values[names]
    spread = chosen.std(ddof=0)
    effects = ((chosen.groupby(members).mean() - chosen.mean()) / spread.where(spread > 0)).round(_DECIMALS)
    found = {}
    for number, row in effects.iterrows():
        strongest = row.fillna(0.0).sort_values(ascending=False, kind="stable")
        if len(strongest) and strongest.iloc[0] >= STRIKING:
            found[number] = str(strongest.index[0])
    return found


def _mean_ranks(members: pd.Series, values: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of members per cluster and feature, from 0 (lowest) to 1 (highest)."""
    return values.rank(pct=True).groupby(members).mean().round(_DECIMALS)


def _distinctive(ranks: pd.DataFrame, bases: Mapping[int, str], number: int, words: Mapping[str, str]) -> list[str]:
    """Phrases for the features in which a cluster differs from its namesakes, the most distinctive first."""
    namesakes = [other for other, base in bases.items() if base == bases[number] and other != number]
    rivals = ranks.loc[namesakes] if namesakes else ranks
    gaps = (ranks.loc[number] - rivals.mean()).fillna(0.0).round(_DECIMALS)
    leads = [_LEAD_OF_PLAIN_PHRASES if str(name) in _PHRASES else 0.0 for name in gaps.index]
    order = sorted(range(len(gaps)), key=lambda place: (-abs(gaps.iloc[place]) - leads[place], place))
    return [_phrase(str(gaps.index[n]), words, is_high=bool(gaps.iloc[n] > 0)) for n in order if gaps.iloc[n]]


def _phrase(feature: str, words: Mapping[str, str], *, is_high: bool) -> str:
    """Say in title case that a feature is high or low; departments are written as the shop does."""
    if feature in _PHRASES:
        return _PHRASES[feature][0 if is_high else 1]
    label = words.get(feature) or name_in_words(feature)
    if feature.startswith(SHARES):
        return f"{'' if is_high else 'Little '}{_title(label.removeprefix(SHARE_LABEL))}"
    return f"{'High' if is_high else 'Low'} {_title(label)}"


def _title(label: str) -> str:
    """Begin every word with a capital but the small ones."""
    return " ".join(word if word in _SMALL_WORDS else word[:1].upper() + word[1:] for word in label.split(" "))


def _proposals(base: str, first: list[str], distinctive: list[str]) -> Iterator[str]:
    """Yield names until one is free, the best first."""
    yield from first
    yield base
    yield from (f"{base}, {phrase}" for phrase in distinctive)
    number = 2
    while True:
        yield f"{base} {number}"
        number += 1
