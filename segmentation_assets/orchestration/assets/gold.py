"""Bodies of the gold layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.clustering.confidence import ConfidenceCurve
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.graph.declarations import COVERAGE, SMALLEST_SEGMENT, declared_table
from segmentation_assets.graph.inputs import as_of, stored_months
from segmentation_assets.graph.months import previous_month
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.assets.clusters import candidates_of, labels_of, model_of
from segmentation_assets.orchestration.step import Step
from segmentation_assets.segments.assignment import assign_by_model, assign_segments
from segmentation_assets.segments.champion import RFM_MAP, ChampionDecision, ChampionModel, decide_champion
from segmentation_assets.segments.profiles import profile_segments
from segmentation_assets.segments.rfm import RfmThresholds, rfm_map, score_rfm
from segmentation_assets.segments.sizes import judge_coverage, judge_smallest_segment
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.gold import CHAMPION, CUSTOMER_SEGMENTS, RFM_SEGMENTS, SEGMENT_PROFILES

if TYPE_CHECKING:
    import pandas as pd

_MODEL_NAME = "champion"


def rfm_segments(step: Step) -> None:
    """Score recency, frequency and money and look up the named cell."""
    scored, thresholds = score_rfm(step.frame("silver/customer_features"))
    step.write_frame(scored, RFM_SEGMENTS)
    step.metadata |= {"thresholds": thresholds.to_plain()}


def champion(step: Step) -> None:
    """Decide which model is in force, and store it when it is a new one."""
    as_of_date, _ = as_of(step.platform, step.partition)
    labels = _labels_of_main_features(step)
    decision = decide_champion(
        _previous(step),
        step.frame("clusters/leaderboard"),
        candidates={name: labels_of(step, name) for name in candidates_of(step)},
        rfm_segments=step.frame("gold/rfm_segments"),
        features=step.frame("silver/customer_features", ["customer_id", *labels]),
        decisions=step.frame("source/decisions"),
        month=step.partition,
        as_of_date=as_of_date,
        gates=step.platform.settings.leaderboard,
        feature_labels=labels,
    )
    model_hash = decision.model_hash or _store_model(step, decision)
    reference = ModelReference(_MODEL_NAME, model_hash)
    step.rest_on(step.platform.models.folder(reference))
    if step.partition >= max(stored_months(step.platform, step.node.key), default=""):
        step.platform.models.set_alias("champion", reference)
    step.write_frame(decision.table(model_hash), CHAMPION)
    step.metadata |= {
        "decision": decision.decision,
        "reason": decision.reason,
        "algorithm": decision.algorithm,
        "segments": len(decision.frame),
        "model_hash": model_hash,
    }


def _labels_of_main_features(step: Step) -> dict[str, str]:
    """What people call the features that are declared for clusterings; of these names of segments are made."""
    table = declared_table(step.platform, step.platform.graph.node("silver/customer_features"))
    return {column.name: column.label for column in feature_columns(table) if column.is_clustering_feature}


def _previous(step: Step) -> pd.DataFrame | None:
    """Rows of the same asset a month earlier; ``None`` in the first month."""
    if step.partition == step.platform.first_month:
        return None
    return step.frame(step.node.key, partition=previous_month(step.partition))


def _store_model(step: Step, decision: ChampionDecision) -> str:
    """Put the promoted model into the store with its own preparation; return its hash."""
    if decision.algorithm == RFM_MAP:
        thresholds = RfmThresholds.from_plain(step.input_metadata("gold/rfm_segments")["thresholds"])
        model = ChampionModel(RFM_MAP, decision.segments, rfm_thresholds=thresholds, rfm_cells=rfm_map())
    else:
        preparation = Preparation.from_json(step.document("silver/model_matrix", "preparation.json"))
        candidate = model_of(step, decision.algorithm)
        with_segment = {segment.cluster for segment in decision.segments}
        model = ChampionModel(
            decision.algorithm,
            decision.segments,
            preparation,
            candidate.estimator,
            confidence=ConfidenceCurve.from_plain(candidate.state["confidence"]),
            exceptional_clusters=tuple(n for n in range(candidate.estimator.n_clusters_) if n not in with_segment),
        )
    description = {
        "month": step.partition[:7],
        "reason": decision.reason,
        "seed": step.platform.settings.clustering.seed,
        "packages": package_versions(("scikit-learn", "numpy", "scipy", "skops")),
    }
    reference = step.platform.models.save(_MODEL_NAME, model.estimator, description, state=model.to_state())
    return reference.content_hash


def customer_segments(step: Step) -> None:
    """Assign every customer by the model in force."""
    as_of_date, _ = as_of(step.platform, step.partition)
    features = step.frame("silver/customer_features")
    in_force = step.frame("gold/champion")
    stored = step.platform.models.load(ModelReference(_MODEL_NAME, str(in_force["model_hash"].iloc[0])))
    model = ChampionModel.from_state(stored.state, stored.estimator)
    by_model = assign_by_model(features, model)
    rfm = step.frame("gold/rfm_segments")
    assigned = assign_segments(features, in_force, by_model, rfm, _previous(step), as_of_date)
    step.write_frame(assigned, CUSTOMER_SEGMENTS)
    _reconcile_customers(step, features, assigned)
    gates = step.platform.settings.leaderboard
    for name, finding in (
        (SMALLEST_SEGMENT, judge_smallest_segment(assigned, in_force, gates)),
        (COVERAGE, judge_coverage(assigned, gates)),
    ):
        step.add_check(name, finding.description, passed=finding.passed, **finding.figures)
    step.metadata |= _movement(assigned) | {"adjustments": list(by_model.adjustments)}


def _movement(assigned: pd.DataFrame) -> dict[str, object]:
    """Customers by state, and how many of those with a segment in both months changed it."""
    states = {str(state): int(count) for state, count in assigned["state"].value_counts().sort_index().items()}
    in_both = assigned["previous_segment_key"].notna() & assigned["segment_key"].notna()
    moved = int((in_both & (assigned["previous_segment_key"] != assigned["segment_key"])).sum())
    return {
        **{f"customers_{state}": count for state, count in states.items()},
        "states": states,
        "moved": moved,
        "moved_share": moved / int(in_both.sum()) if in_both.any() else None,
    }


def _reconcile_customers(step: Step, features: pd.DataFrame, assigned: pd.DataFrame) -> None:
    """Every customer with features has exactly one row, and its money is counted once."""
    money = features.set_index("customer_id")["net_revenue_amount"]
    step.reconcile(
        customers=(len(features), len(assigned)),
        net_revenue=(money.sum(), assigned["customer_id"].map(money).sum()),
    )


def segment_profiles(step: Step) -> None:
    """Describe every segment by every numeric feature."""
    table = declared_table(step.platform, step.platform.graph.node("silver/customer_features"))
    numeric = [
        column.name
        for column in feature_columns(table)
        if column.dtype in ("DOUBLE", "BIGINT", "INTEGER") or column.dtype.startswith("DECIMAL")
    ]
    profiles = profile_segments(
        step.frame("silver/customer_features"),
        step.frame("gold/customer_segments"),
        step.frame("silver/imputed_features"),
        numeric,
    )
    step.write_frame(profiles, SEGMENT_PROFILES)
