"""Which model is in force this month: the decision, its segments with keys and names, and what became of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segmentation_assets.clustering.metrics import set_small_aside
from segmentation_assets.config.champion import ChampionSettings
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.segments.catalogue import KIND_BY_POSITION, CatalogueEntry, load_catalogue
from segmentation_assets.segments.champion_model import RFM_MAP, Segment
from segmentation_assets.segments.identity import Identity, SegmentEvent, first_identity, match_segments, segment_key
from segmentation_assets.segments.naming import classify_groups, name_clusters
from segmentation_assets.segments.promotion import choose_promotion
from segmentation_assets.tables.gold import CHAMPION, RFM_SEGMENT_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.segments.drift import Drift

_CELLS = {name: number for number, name in enumerate(RFM_SEGMENT_NAMES)}


@dataclass(frozen=True)
class MonthInView:
    """What the decision looks at.

    Parameters
    ----------
    month : str
        Snapshot month, YYYY-MM or YYYY-MM-01.
    leaderboard : DataFrame
        ``clusters/leaderboard``.
    candidates : mapping of str to Series of int, index customer_id
        Labels per algorithm.
    matrix : DataFrame of shape (n_customers, n_features), index customer_id
        ``silver/model_matrix``.
    rfm_segments : DataFrame
        ``gold/rfm_segments``.
    features : DataFrame
        Those of ``silver/customer_features`` that names may be made of, with customer_id.
    feature_labels : mapping of str to str
        What people call the features, for the names.
    assign_by_former : callable
        Returns the segment key, index customer_id, that the model in force gives this month's customers.
    measure_drift : callable
        Returns how far customers have moved since that model was promoted, ``None`` where it cannot be told.
    catalogue : mapping of str to CatalogueEntry, or None
        What kinds of segments are called; ``None`` for the packaged one.
    """

    month: str
    leaderboard: pd.DataFrame
    candidates: Mapping[str, pd.Series]
    matrix: pd.DataFrame
    rfm_segments: pd.DataFrame
    features: pd.DataFrame
    feature_labels: Mapping[str, str]
    assign_by_former: Callable[[], pd.Series]
    measure_drift: Callable[[], Drift | None]
    catalogue: Mapping[str, CatalogueEntry] | None = None


@dataclass(frozen=True)
class ChampionDecision:
    """What happens to the model in force this month.

    Parameters
    ----------
    decision : str
        ``promoted`` or ``kept``.
    algorithm : str
        Of the model in force from now on; with ``promoted``, the candidate to store.
    reason : str
        Why, in words.
    frame : DataFrame
        Columns of ``gold/champion`` but for model_hash, a row per segment.
    model_hash : str or None
        Of the model that stays; ``None`` when one is promoted and has yet to be stored.
    events : tuple of SegmentEvent
        What a promotion meant for every segment, former ones too; empty when the model stays.
    """

    decision: str
    algorithm: str
    reason: str
    frame: pd.DataFrame
    model_hash: str | None
    events: tuple[SegmentEvent, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Keys and clusters of the model in force."""
        return tuple(
            Segment(key, int(cluster))
            for key, cluster in zip(self.frame["segment_key"], self.frame["cluster"], strict=True)
        )

    def table(self, model_hash: str) -> pd.DataFrame:
        """Return the rows of ``gold/champion``."""
        return self.frame.assign(model_hash=model_hash)[list(CHAMPION.column_names)]


def decide_champion(
    previous: pd.DataFrame | None,
    view: MonthInView,
    decisions: pd.DataFrame,
    gates: LeaderboardSettings,
    policy: ChampionSettings,
) -> ChampionDecision:
    """Decide whether the model in force stays or which one is promoted, and carry the segments over.

    Parameters
    ----------
    previous : DataFrame or None
        ``gold/champion`` of the month before; ``None`` in the first month.
    view : MonthInView
    decisions : DataFrame
        ``source/decisions``; those of kind ``promote`` for this month count, and those of kind ``rename`` until now.
    gates : LeaderboardSettings
        Their bounds of size tell which clusters of a promoted model are segments.
    policy : ChampionSettings

    Returns
    -------
    ChampionDecision

    Raises
    ------
    DataError
        A decision names an unknown algorithm or segment, gives no name, or gives one that another segment has.

    Notes
    -----
    The RFM map has all its eleven named cells as segments, so that every later customer has one. As its rule is its
    names, it carries no key over from a clustering; from one RFM map to another every cell keeps its key.
    """
    in_force = None if previous is None else previous.sort_values("segment_key", ignore_index=True)
    first_row = None if in_force is None else in_force.iloc[0]
    renames = _renames(decisions, view.month)
    promotion = choose_promotion(first_row, view.leaderboard, decisions, policy, view.month, view.measure_drift)
    if not promotion.algorithm and in_force is not None:
        frame = in_force.drop(columns="model_hash").assign(decision="kept", decision_reason=promotion.reason)
        decision = ChampionDecision(
            "kept", str(in_force["algorithm"].iloc[0]), promotion.reason, frame, str(in_force["model_hash"].iloc[0])
        )
    else:
        decision = _promote(promotion.algorithm, promotion.reason, in_force, view, gates, tuple(renames.values()))
    return _renamed(decision, renames)


def _promote(
    algorithm: str,
    reason: str,
    in_force: pd.DataFrame | None,
    view: MonthInView,
    gates: LeaderboardSettings,
    reserved: tuple[str, ...],
) -> ChampionDecision:
    """Make the segments of a promoted model: those that go on keep key, name, kind and first month."""
    import pandas as pd

    labels = _rfm_cells(view) if algorithm == RFM_MAP else _segments_of(view.candidates[algorithm], gates)
    clusters = list(_CELLS.values()) if algorithm == RFM_MAP else sorted(set(labels[labels >= 0].tolist()))
    identity = _identity(algorithm, labels, clusters, in_force, view)
    known = {} if in_force is None else in_force.set_index("segment_key").to_dict("index")
    former = {key: str(row["segment_name"]) for key, row in known.items()}
    names = _names(algorithm, labels, identity, former, view, reserved)
    kinds = _kinds(algorithm, labels, names, view)
    rows = [
        {
            "segment_key": key,
            "segment_name": names[cluster],
            "cluster": cluster,
            "algorithm": algorithm,
            "trained_month": view.month[:7],
            "first_month": known[key]["first_month"] if key in known else view.month[:7],
            "keys_issued": identity.keys_issued,
            "decision": "promoted",
            "decision_reason": reason,
            "kind": known.get(key, {}).get("kind") or kinds[cluster],
        }
        for cluster, key in sorted(identity.keys.items(), key=lambda pair: pair[1])
    ]
    return ChampionDecision("promoted", algorithm, reason, pd.DataFrame(rows), None, identity.events)


def _identity(
    algorithm: str, labels: pd.Series, clusters: list[int], in_force: pd.DataFrame | None, view: MonthInView
) -> Identity:
    if in_force is None:
        return first_identity(clusters, labels.value_counts().to_dict())
    given = None
    if algorithm == RFM_MAP:
        was_map = in_force["algorithm"].iloc[0] == RFM_MAP
        given = dict(zip(in_force["cluster"], in_force["segment_key"], strict=True)) if was_map else {}
    return match_segments(
        view.assign_by_former(),
        labels,
        view.matrix,
        former_keys=in_force["segment_key"].tolist(),
        clusters=clusters,
        keys_issued=int(in_force["keys_issued"].iloc[0]),
        same=given,
    )


def _names(
    algorithm: str,
    labels: pd.Series,
    identity: Identity,
    former: Mapping[str, str],
    view: MonthInView,
    reserved: tuple[str, ...],
) -> dict[int, str]:
    """Name every cluster: a segment that goes on keeps its name, and no two have the same."""
    kept = {cluster: former[key] for cluster, key in identity.keys.items() if key in former}
    new = [cluster for cluster in identity.keys if cluster not in kept]
    if algorithm == RFM_MAP:
        return {**dict(enumerate(RFM_SEGMENT_NAMES)), **kept}
    if not new:
        return kept
    named = name_clusters(
        labels,
        view.rfm_segments,
        view.features,
        taken=(*kept.values(), *reserved),
        feature_labels=view.feature_labels,
        only=new,
        catalogue=view.catalogue,
    )
    return {**kept, **named}


def _kinds(algorithm: str, labels: pd.Series, names: Mapping[int, str], view: MonthInView) -> dict[int, str]:
    """Say which kind of segment each cluster is: what its name begins with, else what its customers are."""
    if algorithm == RFM_MAP:
        return {number: KIND_BY_POSITION[cell] for number, cell in enumerate(RFM_SEGMENT_NAMES)}
    named = {entry.name: kind for kind, entry in (view.catalogue or load_catalogue()).items()}
    found = classify_groups(labels[labels >= 0].astype(str), view.rfm_segments, view.features)
    return {number: named.get(name.split(",")[0]) or found[str(number)] for number, name in names.items()}


def _rfm_cells(view: MonthInView) -> pd.Series:
    """Number of the named cell by customer."""
    return view.rfm_segments.set_index("customer_id")["rfm_segment"].map(_CELLS)


def _segments_of(labels: pd.Series, gates: LeaderboardSettings) -> pd.Series:
    """Leave out the clusters that are too small to be segments."""
    kept = set_small_aside(labels.to_numpy(), gates.min_segment_share, gates.min_segment_customers)
    return labels.where(labels == kept, kept)


def _renames(decisions: pd.DataFrame, month: str) -> dict[str, str]:
    """Return the last own name of each segment key that was given for this month or an earlier one."""
    due = decisions[(decisions["kind"] == "rename") & (decisions["from_month"] <= month[:7])]
    ordered = due.sort_values("decision_number")
    return dict(zip(ordered["subject"], ordered["value"], strict=True))


def _renamed(decision: ChampionDecision, renames: Mapping[str, str]) -> ChampionDecision:
    """Put own names in place of the given ones; those of segments that ended are left out."""
    names = dict(zip(decision.frame["segment_key"], decision.frame["segment_name"], strict=True))
    issued = {segment_key(number) for number in range(1, int(decision.frame["keys_issued"].iloc[0]) + 1)}
    for key, name in renames.items():
        _check_rename(key, name, issued)
    own = {key: name for key, name in renames.items() if key in names}
    named = {**names, **own}
    _check_unique(named, own)
    return replace(decision, frame=decision.frame.assign(segment_name=[named[key] for key in names]))


def _check_rename(key: str, name: str, issued: set[str]) -> None:
    if key not in issued:
        raise DataError(f"a decision renames segment '{key}', which there has never been", closest_hint(key, issued))
    if not str(name).strip():
        raise DataError(f"a decision gives segment {key} no name", "write the name in the column value.")


def _check_unique(named: Mapping[str, str], renames: Mapping[str, str]) -> None:
    """Refuse own names that another segment has; upper and lower case are the same."""
    for key, name in renames.items():
        others = [other for other, used in named.items() if other != key and used.casefold() == name.casefold()]
        if others:
            raise DataError(
                f"a decision names segment {key} '{name}', the name of segment {others[0]}",
                "choose another name, or rename the other segment too.",
            )
