"""Names for clusters, from where their members stand relative to everyone; never from absolute money."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES

if TYPE_CHECKING:
    import pandas as pd

EVERYONE = "All Customers"
"""Name of the only cluster there is."""

_ACCEPTABLE = 0.5
_DECIMALS = 10


def name_clusters(
    labels: pd.Series, rfm_segments: pd.DataFrame, features: pd.DataFrame, taken: Collection[str] = ()
) -> dict[int, str]:
    """Give each cluster a name of its own.

    Parameters
    ----------
    labels : Series of int, index customer_id
        Cluster per customer; negative numbers are left out.
    rfm_segments : DataFrame
        Columns customer_id and rfm_segment of at least these customers.
    features : DataFrame
        Column customer_id and numeric columns; a distinctive one tells clusters of like RFM position apart.
    taken : collection of str
        Names that are in use elsewhere.

    Returns
    -------
    dict of int to str
        Name per cluster number. The same whatever the order of rows and the currency unit.

    Notes
    -----
    A cluster's weight for an RFM segment is p · log(p / q), with p the segment's share of the cluster and q its share
    of everyone. Clusters and the eleven names are matched for the largest total weight (Kuhn 1955,
    doi:10.1002/nav.3800020109); a cluster takes a name only if its weight is at least half of its largest. The others
    get the name they weigh most and the feature in which the mean rank of their members differs most from everyone's.
    """
    members = labels[labels >= 0].sort_index()
    numbers = sorted(map(int, members.unique()))
    if len(numbers) == 1 and EVERYONE not in taken:
        return {numbers[0]: EVERYONE}
    weights = _weights(members, rfm_segments)
    matched = _match(weights, taken)
    names: dict[int, str] = {}
    traits = None if len(matched) == len(numbers) else _traits(members, features)
    for number in sorted(numbers, key=lambda n: (n not in matched, n)):
        base = matched.get(number) or str(weights.loc[number].idxmax())
        distinctive = [] if traits is None else _ranked_traits(traits.loc[number])
        used = {*taken, *names.values()}
        names[number] = next(name for name in _proposals(base, distinctive) if name not in used)
    return dict(sorted(names.items()))


def _weights(members: pd.Series, rfm_segments: pd.DataFrame) -> pd.DataFrame:
    """Weight of each RFM segment for each cluster, shape (n_clusters, 11)."""
    import numpy as np
    import pandas as pd

    segments = rfm_segments.set_index("customer_id")["rfm_segment"].reindex(members.index)
    counts = pd.crosstab(members, segments).reindex(
        index=sorted(members.unique()), columns=list(RFM_SEGMENT_NAMES), fill_value=0
    )
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    overall = counts.sum() / max(int(counts.to_numpy().sum()), 1)
    lift = (shares / overall.where(overall > 0, 1.0)).where(shares > 0, 1.0)
    return (shares * np.log(lift)).round(_DECIMALS)


def _match(weights: pd.DataFrame, taken: Collection[str]) -> dict[int, str]:
    """Assign names to clusters for the largest total of acceptable weights; some clusters may get none."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    best = weights.max(axis=1)
    is_acceptable = weights.ge(best * _ACCEPTABLE, axis=0) & weights.gt(0)
    is_free = ~weights.columns.isin(list(taken))
    usable = weights.where(is_acceptable & is_free, 0.0).to_numpy()
    rows, columns = linear_sum_assignment(np.hstack([usable, np.zeros((len(usable), len(usable)))]), maximize=True)
    return {
        int(weights.index[row]): str(weights.columns[column])
        for row, column in zip(rows, columns, strict=True)
        if column < len(weights.columns) and usable[row, column] > 0
    }


def _traits(members: pd.Series, features: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of members per cluster and feature less everyone's, from -0.5 (lowest) to 0.5 (highest)."""
    values = features.set_index("customer_id").reindex(members.index).select_dtypes("number")
    ranks = values.rank(pct=True)
    means = (ranks - ranks.mean()).groupby(members).mean().fillna(0.0)
    return means.round(_DECIMALS)


def _ranked_traits(traits: pd.Series) -> list[str]:
    """Phrases for the features of one cluster, the most distinctive first."""
    order = sorted(range(len(traits)), key=lambda place: (-abs(traits.iloc[place]), place))
    level = {1.0: "High", -1.0: "Low"}
    signs = traits.apply(lambda value: (value > 0) - (value < 0))
    return [f"{level[signs.iloc[n]]} {_words(str(traits.index[n]))}" for n in order if signs.iloc[n]]


def _words(feature: str) -> str:
    """Turn a column name into words."""
    return feature.removesuffix("_amount").replace("_", " ").title()


def _proposals(base: str, distinctive: list[str]) -> Iterator[str]:
    """Yield ever longer names until one is free."""
    yield base
    yield from (f"{base}, {phrase}" for phrase in distinctive)
    number = 2
    while True:
        yield f"{base} {number}"
        number += 1
