"""Which segment of a promoted model is which of the model it replaces, and what became of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

KEPT, SPLIT, MERGED, BORN, RETIRED = "kept", "split", "merged", "born", "retired"

PREDOMINANT = 0.5
"""Share of a segment's customers from which on the others count as exceptions."""


class Overlap(NamedTuple):
    """How a segment of the model replaced and one of the new model share their customers."""

    before: int
    after: int
    both: int
    distance: float | None

    @property
    def share_of_before(self) -> float:
        """Share of the former segment's customers that are in the new one."""
        return self.both / self.before if self.before else 0.0

    @property
    def share_of_after(self) -> float:
        """Share of the new segment's customers that were in the former one."""
        return self.both / self.after if self.after else 0.0

    @property
    def is_same(self) -> bool:
        """Whether most customers of either are in the other."""
        return max(self.share_of_before, self.share_of_after) >= PREDOMINANT


@dataclass(frozen=True)
class SegmentEvent:
    """What a promotion meant for one segment.

    Parameters
    ----------
    event : str
        ``kept``, ``split`` (a new segment of customers that were in another, which goes on or not), ``born`` (a new
        one of customers from several), ``merged`` (a former one whose customers are in another now) or ``retired``
        (a former one whose customers went apart).
    segment_key : str
    related_key : str or None
        Where a split segment comes from, or what a merged one went into.
    cluster : int or None
        Of the new model; ``None`` for merged and retired.
    overlap : Overlap
        With itself when kept, with the related segment when split or merged, otherwise with the segment it shares most
        customers with.
    """

    event: str
    segment_key: str
    related_key: str | None
    cluster: int | None
    overlap: Overlap


@dataclass(frozen=True)
class Identity:
    """Keys of a promoted model's segments.

    Parameters
    ----------
    keys : mapping of int to str
        Segment key by cluster.
    events : tuple of SegmentEvent
        One per segment of the promoted model and per former one that does not go on, by key.
    keys_issued : int
        Keys given out until now, these included.
    """

    keys: Mapping[int, str]
    events: tuple[SegmentEvent, ...]
    keys_issued: int


def segment_key(number: int) -> str:
    """Write the key with a number.

    Examples
    --------
    >>> segment_key(7)
    'S007'
    """
    return f"S{number:03d}"


def first_identity(clusters: Sequence[int], sizes: Mapping[int, int]) -> Identity:
    """Give keys to the segments of the first model, in the order of the cluster numbers.

    Parameters
    ----------
    clusters : sequence of int
    sizes : mapping of int to int
        Customers by cluster; one that is not named has none.
    """
    keys = {cluster: segment_key(place) for place, cluster in enumerate(sorted(clusters), start=1)}
    events = tuple(
        SegmentEvent(BORN, key, None, cluster, Overlap(0, sizes.get(cluster, 0), 0, None))
        for cluster, key in keys.items()
    )
    return Identity(keys, events, len(keys))


def match_segments(
    before: pd.Series,
    after: pd.Series,
    matrix: pd.DataFrame,
    *,
    former_keys: Sequence[str],
    clusters: Sequence[int],
    keys_issued: int,
    same: Mapping[int, str] | None = None,
) -> Identity:
    """Carry the keys of the model that is replaced over to the promoted one.

    Parameters
    ----------
    before : Series of str, index customer_id
        Segment key that the former model gives this month's customers; null for none.
    after : Series of int, index customer_id
        Cluster that the promoted model gives them; negative for none.
    matrix : DataFrame of shape (n_customers, n_features), index customer_id
        Where customers lie, for the distance between centres.
    former_keys : sequence of str
        All segments of the former model, also those without a customer.
    clusters : sequence of int
        All clusters of the promoted model that are segments.
    keys_issued : int
        Keys given out so far; further ones have the numbers after it.
    same : mapping of int to str, optional
        Which cluster is which former segment, where that is known by other means than common customers.

    Returns
    -------
    Identity

    Notes
    -----
    Segments are matched one to one for the most customers in common, of those that have a segment in both; of equal
    matches the one with the nearer centres counts (Kuhn 1955, doi:10.1002/nav.3800020109). A matched pair is the same
    segment when at least half of the customers of either are in the other. New keys are given by size, so that they do
    not depend on the numbers of the clusters.
    """
    known = before.dropna().index.intersection(after.index[after >= 0]).sort_values()
    table = _overlaps(before[known], after[known], matrix.reindex(known), sorted(former_keys), sorted(clusters))
    same = _same(table) if same is None else same
    fresh = sorted(
        (cluster for cluster in clusters if cluster not in same),
        key=lambda cluster: (-_after(table, cluster), _first_member(after, cluster), cluster),
    )
    issued = {cluster: segment_key(keys_issued + place) for place, cluster in enumerate(fresh, start=1)}
    keys = {**same, **issued}
    events = [SegmentEvent(KEPT, key, None, cluster, table[key, cluster]) for cluster, key in same.items()]
    events += [_beginning(table, key, cluster) for cluster, key in issued.items()]
    ended = [key for key in former_keys if key not in same.values()]
    events += [_end(table, key, keys) for key in ended]
    ordered = tuple(sorted(events, key=lambda event: event.segment_key))
    return Identity(dict(sorted(keys.items())), ordered, keys_issued + len(fresh))


def _overlaps(
    before: pd.Series, after: pd.Series, matrix: pd.DataFrame, former_keys: list[str], clusters: list[int]
) -> dict[tuple[str, int], Overlap]:
    """Compare every former segment with every cluster, on the customers both know."""
    old, new = matrix.groupby(before.to_numpy()).mean(), matrix.groupby(after.to_numpy()).mean()
    old_sizes, new_sizes = before.value_counts(), after.value_counts()
    both = before.groupby([before.to_numpy(), after.to_numpy()]).size()
    return {
        (key, cluster): Overlap(
            int(old_sizes.get(key, 0)),
            int(new_sizes.get(cluster, 0)),
            int(both.get((key, cluster), 0)),
            _distance(old.loc[key], new.loc[cluster]) if key in old.index and cluster in new.index else None,
        )
        for key in former_keys
        for cluster in clusters
    }


def _distance(one: pd.Series, other: pd.Series) -> float:
    return round_number(float(((one - other) ** 2).sum() ** 0.5))


def _same(table: Mapping[tuple[str, int], Overlap]) -> dict[int, str]:
    """Match for the most customers in common, then for the nearest centres; keep what is mostly the same."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    keys, clusters = sorted({key for key, _ in table}), sorted({cluster for _, cluster in table})
    if not keys or not clusters:
        return {}
    shared = np.array([[table[key, cluster].both for cluster in clusters] for key in keys], dtype=np.float64)
    apart = np.array([[table[key, cluster].distance or 0.0 for cluster in clusters] for key in keys])
    tie_break = apart / (apart.max() * (min(apart.shape) + 1)) if apart.any() else apart
    found = {}
    for row, column in zip(*linear_sum_assignment(tie_break - shared), strict=True):
        key, cluster = keys[row], clusters[column]
        if table[key, cluster].both and table[key, cluster].is_same:
            found[cluster] = key
    return found


def _after(table: Mapping[tuple[str, int], Overlap], cluster: int) -> int:
    return max((overlap.after for (_, other), overlap in table.items() if other == cluster), default=0)


def _first_member(after: pd.Series, cluster: int) -> str:
    return str(min(after.index[after == cluster], default=""))


def _beginning(table: Mapping[tuple[str, int], Overlap], key: str, cluster: int) -> SegmentEvent:
    """Say where a segment with a new key comes from: one former segment, or several."""
    found = {former: overlap for (former, other), overlap in table.items() if other == cluster}
    source = max(found, key=lambda former: (found[former].both, former), default="")
    overlap = found[source] if source else Overlap(0, 0, 0, None)
    if overlap.share_of_after >= PREDOMINANT:
        return SegmentEvent(SPLIT, key, source, cluster, overlap)
    return SegmentEvent(BORN, key, None, cluster, overlap)


def _end(table: Mapping[tuple[str, int], Overlap], key: str, keys: Mapping[int, str]) -> SegmentEvent:
    """Say where the customers of a former segment went: into one segment, or several."""
    found = {cluster: overlap for (former, cluster), overlap in table.items() if former == key}
    target = max(found, key=lambda cluster: (found[cluster].both, -cluster), default=None)
    overlap = Overlap(0, 0, 0, None) if target is None else found[target]
    if target is not None and overlap.share_of_before >= PREDOMINANT:
        return SegmentEvent(MERGED, key, keys[target], None, overlap)
    return SegmentEvent(RETIRED, key, None, None, overlap)
