"""What `segmentation tune` reads of a month: stored tables, as training and clustering read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from segmentation_assets.cli.stored_month import choose_month, read_table
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.features.declaration import FeatureColumn, feature_columns
from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.predictions import CUTOFFS_DOCUMENT, TRAINING_FEATURES
from segmentation_assets.prediction.customer_sample import sample_customers
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.prediction.tuning_churn import ChurnObjective
from segmentation_assets.prediction.tuning_clusters import ClusterObjective
from segmentation_assets.prediction.tuning_scores import Verdict
from segmentation_assets.prediction.tuning_segments import SegmentObjective
from segmentation_assets.prediction.tuning_space import CHURN, SEGMENT_CLASSIFIER, TuningSpace
from segmentation_assets.prediction.tuning_study import study_name

_FEATURES, _SEGMENTS, _MATRIX = "silver/customer_features", "gold/customer_segments", "silver/model_matrix"

AnyObjective = ChurnObjective | SegmentObjective | ClusterObjective


@dataclass(frozen=True)
class TuningRequest:
    """What is to be tuned.

    Parameters
    ----------
    platform : Platform
    model : str
    month : str or None
        Snapshot month; None for the newest that has what it takes.
    folds, seed : int
    """

    platform: Platform
    model: str
    month: str | None
    folds: int
    seed: int


@dataclass(frozen=True)
class _Source:
    """How the objective of a model is made.

    Parameters
    ----------
    keys : tuple of str
        Tables that are read, the one first that decides which months there are.
    fixed : callable
        Settings that scores rest on.
    make : callable
        Reads the tables of a month and makes the objective.
    """

    keys: tuple[str, ...]
    fixed: Callable[[Settings], Any]
    make: Callable[[TuningRequest, str], AnyObjective]


def find_month(request: TuningRequest) -> str:
    """Return the month whose tables are read.

    Raises
    ------
    SettingsError
        Predictions are switched off, or the tables are not stored.
    """
    if request.model in _SOURCES and not request.platform.settings.prediction.enabled:
        raise SettingsError(
            f"{request.model} cannot be tuned: prediction.enabled is false",
            "set it to true and run 'segmentation run'.",
        )
    return choose_month(request.platform, _source(request).keys[0], request.month, with_rows=True)


def find_study_name(request: TuningRequest, month: str, space: TuningSpace) -> str:
    """Name the study by the tables, the settings, the ranges, the folds and the seed that its scores rest on."""
    source = _source(request)
    manifests = {key: request.platform.store.manifest(key, month) for key in source.keys}
    missing = sorted(key for key, manifest in manifests.items() if manifest is None)
    if missing:
        raise SettingsError(
            f"{missing[0]} of {month[:7]} is not stored", f"run 'segmentation run --month {month[:7]}' first."
        )
    return study_name(
        {
            "tables": {key: manifest.content_hash for key, manifest in manifests.items() if manifest},
            "settings": source.fixed(request.platform.settings),
            "space": repr(space),
            "folds": request.folds,
            "seed": request.seed,
        }
    )


def make_objective(request: TuningRequest, month: str) -> AnyObjective:
    """Read the tables of a month, and make what judges settings on them.

    Raises
    ------
    DataError
        There is too little to tune on.
    """
    return _source(request).make(request, month)


def compare_on_validation(objective: AnyObjective, verdict: Verdict, settings: Settings) -> tuple[float, float] | None:
    """Judge the settings in force and the best ones on the validation date; None where the model has none."""
    best, current = verdict.best, verdict.current
    if not isinstance(objective, ChurnObjective) or best is None or best is current or not current.is_usable:
        return None
    names = [str(one.scores.facts["algorithm"]) for one in (current, best)]
    return objective.compare_later(settings, names, settings.altered(best.draw.changes))


def _churn(request: TuningRequest, month: str) -> ChurnObjective:
    platform = request.platform
    folder = platform.store.table_paths(TRAINING_FEATURES, month)[0].parent
    plain = json.loads((folder / CUTOFFS_DOCUMENT).read_text(encoding="utf-8"))
    if "reason" in plain:
        raise DataError(
            f"there is nothing to tune churn on in {month[:7]}: {plain['reason']}",
            "leave out --month for the newest month in which models were trained.",
        )
    settings = platform.settings.prediction
    snapshots = read_table(platform, TRAINING_FEATURES, month)
    cutoffs = Cutoffs.from_plain(plain)
    return ChurnObjective(snapshots, _columns(platform), cutoffs, settings, folds=request.folds, seed=request.seed)


def _segment_classifier(request: TuningRequest, month: str) -> SegmentObjective:
    platform, settings = request.platform, request.platform.settings.prediction
    features = read_table(platform, _FEATURES, month)
    segments = read_table(platform, _SEGMENTS, month, ["customer_id", "segment_key"])
    keys = segments.set_index("customer_id")["segment_key"]
    current = features.assign(segment_key=features["customer_id"].map(keys))
    own = settings.segment_classifier
    current = sample_customers(current, own.fit_sample, seed=settings.seed)
    columns = _columns(platform)
    return SegmentObjective(current, columns, own, folds=request.folds, seed=request.seed, model_seed=settings.seed)


def _clustering(request: TuningRequest, month: str) -> ClusterObjective:
    matrix = read_table(request.platform, _MATRIX, month).set_index("customer_id")
    return ClusterObjective(matrix, ALGORITHMS[request.model], folds=request.folds, seed=request.seed)


def _columns(platform: Platform) -> Sequence[FeatureColumn]:
    return feature_columns(declared_table(platform, platform.graph.node(_FEATURES)))


def _prediction_section(model: str) -> Callable[[Settings], Any]:
    return lambda settings: {
        "seed": settings.prediction.seed,
        "own": getattr(settings.prediction, model).model_dump(mode="json"),
    }


_SOURCES = {
    CHURN: _Source((TRAINING_FEATURES,), _prediction_section(CHURN), _churn),
    SEGMENT_CLASSIFIER: _Source((_SEGMENTS, _FEATURES), _prediction_section(SEGMENT_CLASSIFIER), _segment_classifier),
}


def _source(request: TuningRequest) -> _Source:
    def fixed(settings: Settings) -> Any:
        shared = settings.clustering.model_dump(mode="json", exclude={"algorithms", "evaluation", "refit_every_months"})
        own = getattr(settings.clustering.algorithms, request.model).model_dump(mode="json", exclude={"enabled"})
        return {"shared": shared, "own": own, "gates": settings.leaderboard.model_dump(mode="json")}

    return _SOURCES.get(request.model) or _Source((_MATRIX,), fixed, _clustering)
