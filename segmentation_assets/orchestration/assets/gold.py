"""Bodies of the gold layer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from segmentation_assets.clustering.confidence import ConfidenceCurve
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.graph.declarations import (
    COVERAGE,
    RECONCILIATION,
    SIZE_CHANGES,
    SMALLEST_SEGMENT,
    declared_table,
)
from segmentation_assets.graph.inputs import as_of
from segmentation_assets.graph.months import next_month, previous_month
from segmentation_assets.ingestion.decisions import suppressed_customers
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.assets.clusters import (
    candidates_of,
    is_due,
    labels_of,
    matrix_of,
    model_of,
    was_fitted,
)
from segmentation_assets.orchestration.assets.model_records import point_alias
from segmentation_assets.orchestration.step import Step
from segmentation_assets.segments.assignment import (
    assign_by_model,
    assign_segments,
    matrix_seen_by,
    note_population,
    places_by_model,
)
from segmentation_assets.segments.catalogue import load_catalogue
from segmentation_assets.segments.champion import ChampionDecision, MonthInView, decide_champion
from segmentation_assets.segments.champion_model import MODEL_NAME, RFM_MAP, ChampionModel
from segmentation_assets.segments.drift import measure_drift
from segmentation_assets.segments.events import describe_events
from segmentation_assets.segments.migration import places_of, sum_flows, trace_migration
from segmentation_assets.segments.naming import SHARES, STRIKING_FEATURES
from segmentation_assets.segments.profiles import profile_segments
from segmentation_assets.segments.rfm import RfmThresholds, apply_thresholds, rfm_map, score_rfm, trace_scores
from segmentation_assets.segments.rules import describe_by_rules
from segmentation_assets.segments.sizes import judge_coverage, judge_size_changes, judge_smallest_segment
from segmentation_assets.segments.strategies import plan_strategies
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.gold import (
    CHAMPION,
    CLUSTER_COLUMNS,
    CUSTOMER_SEGMENTS,
    RFM_SEGMENTS,
    SEGMENT_EVENTS,
    SEGMENT_FLOWS,
    SEGMENT_MIGRATION,
)
from segmentation_assets.tables.segment_descriptions import SEGMENT_PROFILES, SEGMENT_RULES, SEGMENT_STRATEGIES

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.segments.drift import Drift

_EVENTS = "events.json"
_FEATURES, _HISTORY = "silver/customer_features", "silver/customer_history"


def rfm_segments(step: Step) -> None:
    """Score recency, frequency and money, look up the named cell, and compare with the month before."""
    settings = step.platform.settings.rfm
    features = step.frame(_FEATURES)
    previous, former, by_former = _previous(step), None, None
    if previous is not None:
        stored = step.input_metadata(step.node.key, previous_month(step.partition))
        former = RfmThresholds.from_plain(stored["thresholds"])
        by_former = apply_thresholds(features, former, rfm_map(stored.get("map", "cells_125")))
    scored, thresholds = score_rfm(features, settings, former if settings.thresholds == "first_month" else None)
    traced = trace_scores(scored, by_former, previous)
    step.write_frame(traced, RFM_SEGMENTS)
    moved = {f"moved_by_{name}": int(count) for name, count in traced["moved_by"].value_counts().sort_index().items()}
    step.metadata |= {"thresholds": thresholds.to_plain(), "map": settings.map, **moved}


def champion(step: Step) -> None:
    """Decide which model is in force, and store it when it is a new one."""
    previous = _previous(step)
    labels = _labels_of_main_features(step)
    view = MonthInView(
        month=step.partition,
        leaderboard=step.frame("clusters/leaderboard"),
        candidates={name: labels_of(step, name) for name in candidates_of(step)},
        matrix=matrix_of(step),
        rfm_segments=step.frame("gold/rfm_segments"),
        features=step.frame("silver/customer_features", ["customer_id", *labels]),
        feature_labels=labels,
        catalogue=load_catalogue(step.platform.settings.segment_catalogue),
        assign_by_former=lambda: _keys_by(step, model_in_force(step, previous)),
        measure_drift=lambda: _drift(step, model_in_force(step, previous)),
    )
    settings = step.platform.settings
    decision = decide_champion(previous, view, step.frame("source/decisions"), settings.leaderboard, settings.champion)
    model_hash = decision.model_hash or _store_model(step, decision)
    point_alias(step, "champion", ModelReference(MODEL_NAME, model_hash))
    point_alias(step, "challenger", _challenger(step, view.leaderboard, decision))
    step.write_frame(decision.table(model_hash), CHAMPION)
    events = describe_events(decision.events, names_before=_names_of(previous), names_after=_names_of(decision.frame))
    step.write_document(_EVENTS, events.to_json(orient="records"))
    step.metadata |= {
        "decision": decision.decision,
        "reason": decision.reason,
        "algorithm": decision.algorithm,
        "segments": len(decision.frame),
        "model_hash": model_hash,
        **{f"segments_{name}": int(count) for name, count in events["event"].value_counts().sort_index().items()},
    }


def _challenger(step: Step, leaderboard: pd.DataFrame, decision: ChampionDecision) -> ModelReference | None:
    """The model of the best candidate of this month that passed the gates, where it was not put in force."""
    passed = leaderboard[leaderboard["passed_gates"] & ~leaderboard["is_baseline"]].sort_values("rank")
    names = [name for name in passed["candidate"] if name in candidates_of(step) and was_fitted(step, name)]
    is_in_force = bool(names) and decision.model_hash is None and names[0] == decision.algorithm
    return None if not names or is_in_force else model_of(step, names[0]).reference


def segment_events(step: Step) -> None:
    """Keep what a promotion meant for the segments."""
    import pandas as pd

    rows = json.loads(step.document("gold/champion", _EVENTS))
    step.write_frame(pd.DataFrame(rows, columns=list(SEGMENT_EVENTS.column_names)), SEGMENT_EVENTS)
    step.metadata |= {"events": len(rows)}


def _labels_of_main_features(step: Step) -> dict[str, str]:
    """What people call the features that are declared for clusterings; of these names of segments are made."""
    table = declared_table(step.platform, step.platform.graph.node("silver/customer_features"))
    return {column.name: column.label for column in feature_columns(table) if column.is_clustering_feature}


def _names_of(champion: pd.DataFrame | None) -> dict[str, str]:
    return {} if champion is None else dict(zip(champion["segment_key"], champion["segment_name"], strict=True))


def _previous(step: Step) -> pd.DataFrame | None:
    """Rows of the same asset a month earlier; ``None`` in the first month."""
    if step.partition == step.platform.first_month:
        return None
    return step.frame(step.node.key, partition=previous_month(step.partition))


def model_in_force(step: Step, champion: pd.DataFrame) -> ChampionModel:
    """Load the model that the rows of ``gold/champion`` of some month name."""
    return ChampionModel.load(step.platform.models, str(champion["model_hash"].iloc[0]))


def _keys_by(step: Step, model: ChampionModel) -> pd.Series:
    """Segment key that a model gives each customer of this month."""
    return assign_by_model(step.frame("silver/customer_features"), model).frame.set_index("customer_id")["segment_key"]


def _drift(step: Step, model: ChampionModel) -> Drift | None:
    """Compare this month's customers with those that a model was promoted on."""
    if model.reference is None:
        return None
    features = step.frame("silver/customer_features")
    keys = assign_by_model(features, model).frame["segment_key"]
    return measure_drift(matrix_seen_by(features, model), keys, model.reference)


def _store_model(step: Step, decision: ChampionDecision) -> str:
    """Put the promoted model into the store with its own preparation; return its hash."""
    if decision.algorithm == RFM_MAP:
        scored = step.input_metadata("gold/rfm_segments")
        thresholds = RfmThresholds.from_plain(scored["thresholds"])
        model = ChampionModel(RFM_MAP, decision.segments, rfm_thresholds=thresholds, rfm_cells=rfm_map(scored["map"]))
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
    model = note_population(model, step.frame("silver/customer_features"))
    description = {
        "month": step.partition[:7],
        "reason": decision.reason,
        "seed": step.platform.settings.clustering.seed,
        "packages": package_versions(("scikit-learn", "numpy", "scipy", "skops")),
    }
    reference = step.platform.models.save(MODEL_NAME, model.estimator, description, state=model.to_state())
    return reference.content_hash


def customer_segments(step: Step) -> None:
    """Assign every customer by the model in force."""
    as_of_date, _ = as_of(step.platform, step.partition)
    features = step.frame("silver/customer_features")
    in_force = step.frame("gold/champion")
    model = model_in_force(step, in_force)
    by_model = assign_by_model(features, model)
    rfm, previous = step.frame("gold/rfm_segments"), _previous(step)
    assigned = assign_segments(
        features,
        in_force,
        by_model,
        rfm,
        previous,
        as_of_date,
        next_as_of=dt.date.fromisoformat(next_month(next_month(step.partition))),
        min_known_days=step.platform.settings.champion.min_known_days,
        suppressed=suppressed_customers(step.frame("source/decisions"), step.partition),
        clusters=_last_clusters(step, previous),
    )
    step.write_frame(assigned, CUSTOMER_SEGMENTS)
    _reconcile_customers(step, features, assigned)
    gates = step.platform.settings.leaderboard
    for name, finding in (
        (SMALLEST_SEGMENT, judge_smallest_segment(assigned, in_force, gates)),
        (COVERAGE, judge_coverage(assigned, gates)),
    ):
        step.add_check(name, finding.description, passed=finding.passed, **finding.figures)
    step.metadata |= _movement(assigned) | {"adjustments": list(by_model.adjustments)}


def _last_clusters(step: Step, previous: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Clusters of every algorithm: those of this month, or of the month before where it was not due."""
    names = candidates_of(step)
    found = {name: labels_of(step, name) for name in names if was_fitted(step, name)}
    if previous is not None:
        by_customer = previous.set_index("customer_id")
        found |= {name: by_customer[CLUSTER_COLUMNS[name]] for name in names if not is_due(step, name)}
    return found


def segment_migration(step: Step) -> None:
    """Follow every customer from the month before: data as it is known now, this month's data, this month's model."""
    import pandas as pd

    after = step.frame("gold/customer_segments", _PLACE_COLUMNS)
    features = step.frame("silver/customer_features")
    before, restated, moved = pd.Series(dtype="str"), pd.Series(dtype="str"), places_of(after)
    money, active, in_both = pd.Series(dtype="float64"), frozenset[str](), set[str]()
    if step.partition > step.platform.first_month:
        month = previous_month(step.partition)
        before = places_of(step.frame("gold/customer_segments", _PLACE_COLUMNS, month))
        former, champion = (step.frame("gold/champion", partition=part) for part in (month, step.partition))
        model = model_in_force(step, former)
        earlier = step.frame("silver/customer_features", partition=month)
        restated = places_by_model(earlier, model) if _is_restated(step, month) else before
        is_same_model = former["model_hash"].iloc[0] == champion["model_hash"].iloc[0]
        moved = places_of(after) if is_same_model else places_by_model(features, model)
        money, active = _money_of(earlier), _active_since(step, month)
        in_both = set(former["segment_key"]) & set(champion["segment_key"])
    migration = trace_migration(
        before,
        restated,
        moved,
        places_of(after),
        active=active,
        money_before=money,
        money_after=_money_of(features),
    )
    step.write_frame(migration, SEGMENT_MIGRATION)
    finding = judge_size_changes(migration, in_both, step.platform.settings.champion.max_size_change)
    step.add_check(SIZE_CHANGES, finding.description, passed=finding.passed, **finding.figures)
    directions = migration["direction"].value_counts().sort_index()
    step.metadata |= {f"customers_{name}": int(count) for name, count in directions.items()}


_PLACE_COLUMNS = ["customer_id", "segment_key", "state"]


def _is_restated(step: Step, month: str) -> bool:
    """Whether the features of a month are others than those that its segments were made from."""
    made, known = (step.platform.store.manifest(key, month) for key in ("gold/customer_segments", _FEATURES))
    return made is None or known is None or made.inputs.get(f"{_FEATURES}@{month}") != known.content_hash


def _money_of(features: pd.DataFrame) -> pd.Series:
    return features.set_index("customer_id")["net_revenue_amount"].astype("float64")


def _active_since(step: Step, month: str) -> frozenset[str]:
    """Customers whose purchases and returns until now differ from those until an earlier month."""
    before, now = (step.relation(_HISTORY, part) for part in (month, step.partition))
    found = step.connection.execute(_ACTIVE.format(now=now, before=before)).fetchall()
    return frozenset(customer for (customer,) in found)


_ACTIVE = """
SELECT customer_id FROM (SELECT {columns} FROM {{now}} EXCEPT SELECT {columns} FROM {{before}})
""".format(
    columns="customer_id, lifetime_order_count, lifetime_order_day_count, lifetime_gross_revenue_amount, "
    "lifetime_net_revenue_amount"
)


def segment_flows(step: Step) -> None:
    """Sum the moves from place to place, per step."""
    migration = step.frame("gold/segment_migration")
    flows = sum_flows(migration)
    step.write_frame(flows, SEGMENT_FLOWS)
    totals = flows.groupby("step")["customer_count"].sum()
    counted = {name: int(totals.get(name, 0)) for name in ("total", "restatement", "model")}
    counted["behaviour and ageing"] = int(totals.get("behaviour", 0) + totals.get("ageing", 0))
    wrong = {name: count for name, count in counted.items() if count != len(migration)}
    told = ", ".join(f"{name} {count:,}" for name, count in (wrong or counted).items())
    step.add_check(
        RECONCILIATION,
        f"{step.node.key}: {len(migration):,} customers of this month or the one before; {told}.",
        passed=not wrong,
        customers=len(migration),
        **{name.replace(" ", "_"): count for name, count in counted.items()},
    )


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


def segment_rules(step: Step) -> None:
    """Describe every segment by a few conditions on the features that clusterings are offered."""
    names = list(_labels_of_main_features(step))
    found = describe_by_rules(
        step.frame(_FEATURES, ["customer_id", *names]),
        step.frame("gold/customer_segments", ["customer_id", "segment_key", "segment_name"]),
        _numeric_of(step, names),
        seed=step.platform.settings.clustering.seed,
    )
    step.write_frame(found, SEGMENT_RULES)
    step.metadata |= {
        "segments_described": int(found.loc[found["is_shown"], "segment_key"].nunique()),
        "segments": int(found["segment_key"].nunique()),
    }


def segment_strategies(step: Step) -> None:
    """Say what each segment is now and what to do about it."""
    names = ["customer_id", "net_revenue_amount", *STRIKING_FEATURES]
    known = [column.name for column in declared_table(step.platform, step.platform.graph.node(_FEATURES)).columns]
    planned = plan_strategies(
        step.frame("gold/champion"),
        step.frame("gold/customer_segments"),
        step.frame("gold/rfm_segments"),
        step.frame(_FEATURES, [name for name in known if name in names or name.startswith(SHARES)]),
        load_catalogue(step.platform.settings.segment_catalogue),
        _expected_value(step),
    )
    step.write_frame(planned, SEGMENT_STRATEGIES)
    step.metadata |= {f"{row.segment_key}_kind": str(row.kind) for row in planned.itertuples()}


def _expected_value(step: Step) -> pd.Series | None:
    """What each customer is expected to spend in twelve months, where customers are scored."""
    if not step.platform.settings.prediction.enabled:
        return None
    column = "discounted_spend_amount_12m"
    return step.frame("gold/customer_scores", ["customer_id", column]).set_index("customer_id")[column]


def segment_profiles(step: Step) -> None:
    """Describe every segment by every numeric feature."""
    profiles = profile_segments(
        step.frame("silver/customer_features"),
        step.frame("gold/customer_segments"),
        step.frame("silver/imputed_features"),
        _numeric_of(step),
        _previous(step),
    )
    step.write_frame(profiles, SEGMENT_PROFILES)


def _numeric_of(step: Step, names: Collection[str] | None = None) -> list[str]:
    """Names of the numeric features, of all or of those given."""
    return [
        column.name
        for column in feature_columns(declared_table(step.platform, step.platform.graph.node(_FEATURES)))
        if (names is None or column.name in names)
        and (column.dtype in ("DOUBLE", "BIGINT", "INTEGER") or column.dtype.startswith("DECIMAL"))
    ]
