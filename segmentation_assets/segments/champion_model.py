"""The model in force: its segments, and all it needs to assign a customer for as long as it stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segmentation_assets.clustering.confidence import ConfidenceCurve
from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.clustering.registry import Clusterer
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.segments.drift import DriftReference
from segmentation_assets.segments.rfm import RfmThresholds
from segmentation_assets.storage.models import ModelReference, ModelStore

MODEL_NAME = "champion"
"""Name of the models in force in the model store."""

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
    known_distance : float or None
        Distance from the own centre beyond which a customer is unlike all whom the model was promoted on; ``None``
        where the model knows no distances.
    reference : DriftReference or None
        How the customers were spread when it was promoted; ``None`` in models of before this was noted.
    """

    algorithm: str
    segments: tuple[Segment, ...]
    preparation: Preparation | None = None
    estimator: Clusterer | None = None
    confidence: ConfidenceCurve | None = None
    exceptional_clusters: tuple[int, ...] = ()
    rfm_thresholds: RfmThresholds | None = None
    rfm_cells: Mapping[str, str] | None = None
    known_distance: float | None = None
    reference: DriftReference | None = None

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
            "known_distance": self.known_distance,
            "reference": None if self.reference is None else self.reference.to_plain(),
        }

    @classmethod
    def load(cls, models: ModelStore, model_hash: str) -> ChampionModel:
        """Load the model that ``gold/champion`` names by its hash."""
        stored = models.load(ModelReference(MODEL_NAME, model_hash))
        return cls.from_state(stored.state, stored.estimator)

    @classmethod
    def from_state(cls, state: Mapping[str, Any], estimator: Clusterer | None) -> ChampionModel:
        """Put together what `to_state` and the model store kept apart."""
        preparation, thresholds, confidence = state["preparation"], state["rfm_thresholds"], state["confidence"]
        reference = state.get("reference")
        return cls(
            algorithm=state["algorithm"],
            segments=tuple(Segment(key, cluster) for key, cluster in state["segments"]),
            preparation=None if preparation is None else Preparation.from_json(preparation),
            estimator=estimator,
            confidence=None if confidence is None else ConfidenceCurve.from_plain(confidence),
            exceptional_clusters=tuple(state["exceptional_clusters"]),
            rfm_thresholds=None if thresholds is None else RfmThresholds.from_plain(thresholds),
            rfm_cells=state["rfm_cells"],
            known_distance=state.get("known_distance"),
            reference=None if reference is None else DriftReference.from_plain(reference),
        )
