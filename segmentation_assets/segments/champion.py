"""Which model is in force this month: the decision, its segments and their names, and the model that is carried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.confidence import ConfidenceCurve
from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.clustering.metrics import set_small_aside
from segmentation_assets.clustering.registry import Clusterer
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.segments.naming import name_clusters
from segmentation_assets.segments.rfm import RfmThresholds
from segmentation_assets.tables.gold import CHAMPION, RFM_SEGMENT_NAMES

if TYPE_CHECKING:
    import pandas as pd

RFM_MAP = BASELINE
"""Algorithm of the model in force when it is the RFM map."""


@dataclass(frozen=True)
class Segment:
    """A segment of the model in force: its key and the cluster it stands for."""

    segment_key: str
    cluster: int


@dataclass(frozen=True)
class ChampionModel:
    """The model in force with all it needs to assign a customer, frozen at its promotion.

    Parameters
    ----------
    algorithm : str
        Name in the registry, or ``rfm_map``.
    segments : tuple of Segment
        By cluster number; names live in ``gold/champion``, as they can change without the model.
    preparation : Preparation or None
        From features to the matrix; ``None`` for the RFM map.
    estimator : Clusterer or None
        ``None`` for the RFM map.
    confidence : ConfidenceCurve or None
        From the certainty of an assignment to its confidence; ``None`` for the RFM map.
    exceptional_clusters : tuple of int
        Clusters of the estimator that were too small to be segments when it was promoted.
    rfm_thresholds : RfmThresholds or None
        Quintile points of the RFM map; ``None`` for a fitted model.
    rfm_cells : mapping of str to str, or None
        The RFM map itself: segment name by code; ``None`` for a fitted model.
    """

    algorithm: str
    segments: tuple[Segment, ...]
    preparation: Preparation | None = None
    estimator: Clusterer | None = None
    confidence: ConfidenceCurve | None = None
    exceptional_clusters: tuple[int, ...] = ()
    rfm_thresholds: RfmThresholds | None = None
    rfm_cells: Mapping[str, str] | None = None

    def to_state(self) -> dict[str, Any]:
        """Return everything but the estimator as plain JSON values, for the model store."""
        return {
            "algorithm": self.algorithm,
            "segments": [[segment.segment_key, segment.cluster] for segment in self.segments],
            "preparation": None if self.preparation is None else self.preparation.to_json(),
            "confidence": None if self.confidence is None else self.confidence.to_plain(),
            "exceptional_clusters": list(self.exceptional_clusters),
            "rfm_thresholds": None if self.rfm_thresholds is None else self.rfm_thresholds.to_plain(),
            "rfm_cells": None if self.rfm_cells is None else dict(self.rfm_cells),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], estimator: Clusterer | None) -> ChampionModel:
        """Put together what `to_state` and the model store kept apart."""
        preparation, thresholds, confidence = state["preparation"], state["rfm_thresholds"], state["confidence"]
        return cls(
            algorithm=state["algorithm"],
            segments=tuple(Segment(key, cluster) for key, cluster in state["segments"]),
            preparation=None if preparation is None else Preparation.from_json(preparation),
            estimator=estimator,
            confidence=None if confidence is None else ConfidenceCurve.from_plain(confidence),
            exceptional_clusters=tuple(state["exceptional_clusters"]),
            rfm_thresholds=None if thresholds is None else RfmThresholds.from_plain(thresholds),
            rfm_cells=state["rfm_cells"],
        )


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
    """

    decision: str
    algorithm: str
    reason: str
    frame: pd.DataFrame
    model_hash: str | None

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
    leaderboard: pd.DataFrame,
    *,
    candidates: Mapping[str, pd.Series],
    rfm_segments: pd.DataFrame,
    features: pd.DataFrame,
    decisions: pd.DataFrame,
    month: str,
    as_of_date: dt.date,
    gates: LeaderboardSettings,
    feature_labels: Mapping[str, str] | None = None,
) -> ChampionDecision:
    """Decide whether the model in force stays or which one is promoted.

    Parameters
    ----------
    previous : DataFrame or None
        ``gold/champion`` of the month before; ``None`` in the first month.
    leaderboard : DataFrame
        ``clusters/leaderboard`` of this month.
    candidates : mapping of str to Series of int, index customer_id
        Labels per algorithm; read only for the one that is promoted.
    rfm_segments : DataFrame
        ``gold/rfm_segments`` of this month, for the names.
    features : DataFrame
        Those of ``silver/customer_features`` of this month that names may be made of.
    decisions : DataFrame
        ``source/decisions``; those of kind ``rename`` made before `as_of_date` count.
    month : str
        Snapshot month, YYYY-MM or YYYY-MM-01.
    as_of_date : date
    gates : LeaderboardSettings
        Their bounds of size tell which clusters of a promoted model are segments.
    feature_labels : mapping of str to str, optional
        What people call the features, for the names.

    Returns
    -------
    ChampionDecision

    Raises
    ------
    DataError
        A rename names an unknown segment, gives no name, or gives one that another segment has.

    Notes
    -----
    A model in force stays. Without one the best ranked candidate is promoted; when none passed its gates, the RFM map
    is, with all eleven named cells as segments, so that every later customer has one.
    """
    if previous is not None:
        decision = _keep(previous)
    else:
        ranked = leaderboard[leaderboard["rank"].notna()].sort_values("rank")
        if ranked.empty:
            decision = _promote_rfm_map(leaderboard, month)
        else:
            best = ranked.iloc[0]
            labels = _segments_of(candidates[best["candidate"]], gates)
            names = name_clusters(labels, rfm_segments, features, feature_labels=feature_labels)
            reason = f"No model was in force; {best['candidate']} is promoted. {best['reason']}"
            decision = _promote(best["candidate"], names, month, reason)
    return _renamed(decision, _renames(decisions, as_of_date))


def _segments_of(labels: pd.Series, gates: LeaderboardSettings) -> pd.Series:
    """Leave out the clusters that are too small to be segments."""
    kept = set_small_aside(labels.to_numpy(), gates.min_segment_share, gates.min_segment_customers)
    return labels.where(labels == kept, kept)


def _keep(previous: pd.DataFrame) -> ChampionDecision:
    ordered = previous.sort_values("segment_key", ignore_index=True)
    first = ordered.iloc[0]
    model = f"{first['algorithm']} of {first['trained_month']}"
    reason = f"The model in force, {model}, stays: nothing asked for another one."
    frame = ordered.drop(columns="model_hash").assign(decision="kept", decision_reason=reason)
    return ChampionDecision("kept", str(first["algorithm"]), reason, frame, str(first["model_hash"]))


def _promote_rfm_map(leaderboard: pd.DataFrame, month: str) -> ChampionDecision:
    candidates = leaderboard[~leaderboard["is_baseline"].astype(bool)].sort_values("candidate")
    reasons = [f"{row['candidate']}: {row['reason']}." for _, row in candidates.iterrows()]
    why = " ".join(reasons) or "There was no candidate."
    reason = f"No usable clustering; the RFM map is in force. {why}"
    return _promote(RFM_MAP, dict(enumerate(RFM_SEGMENT_NAMES)), month, reason)


def _promote(algorithm: str, names: Mapping[int, str], month: str, reason: str) -> ChampionDecision:
    """Make the segments of a promoted model: keys in the order of the cluster numbers."""
    import pandas as pd

    rows = [
        {
            "segment_key": f"S{place:03d}",
            "segment_name": names[cluster],
            "cluster": cluster,
            "algorithm": algorithm,
            "trained_month": month[:7],
            "decision": "promoted",
            "decision_reason": reason,
        }
        for place, cluster in enumerate(sorted(names), start=1)
    ]
    return ChampionDecision("promoted", algorithm, reason, pd.DataFrame(rows), None)


def _renames(decisions: pd.DataFrame, as_of_date: dt.date) -> dict[str, str]:
    """Return the last own name of each segment key that was decided on before the snapshot."""
    import pandas as pd

    is_due = (decisions["kind"] == "rename") & (pd.to_datetime(decisions["decided_on"]) < pd.Timestamp(as_of_date))
    due = decisions[is_due].sort_values("decision_number")
    return dict(zip(due["segment_key"], due["value"], strict=True))


def _renamed(decision: ChampionDecision, renames: Mapping[str, str]) -> ChampionDecision:
    """Put own names in place of the given ones."""
    names = dict(zip(decision.frame["segment_key"], decision.frame["segment_name"], strict=True))
    for key, name in renames.items():
        _check_rename(key, name, names)
    named = {**names, **renames}
    _check_unique(named, renames)
    frame = decision.frame.assign(segment_name=[named[key] for key in decision.frame["segment_key"]])
    return ChampionDecision(decision.decision, decision.algorithm, decision.reason, frame, decision.model_hash)


def _check_rename(key: str, name: str, names: Mapping[str, str]) -> None:
    if key not in names:
        raise DataError(f"a decision renames segment '{key}', which is not in force", closest_hint(key, names))
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
