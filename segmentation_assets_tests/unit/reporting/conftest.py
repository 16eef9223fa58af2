"""Six customers in two segments, with values that can be worked out by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from segmentation_assets.reporting.snapshot import FeatureText, Snapshot
from segmentation_assets.segments.migration import places_of, sum_flows, trace_migration

AS_OF = dt.date(2025, 9, 1)
REASON = "gap_days_mean=undefined_one_order"
HOSTILE = "</script><img src=x onerror=alert(1)>"
FEATURES = ("recency_days", "order_count", "average_order_value_amount", "gap_days_mean", "department_share_shoes")


def _customer_segments() -> pd.DataFrame:
    rows = [
        ("C1", "assigned", "S001", "Loyal", "S002", "S001", "Champions", 0.0),
        ("C2", "assigned", "S001", "Loyal", "S002", "S001", "Champions", 0.0),
        ("C3", "assigned", "S002", "Lapsed", "S001", "S001", "Lost", 0.2),
        ("C4", "assigned", "S002", "Lapsed", "S001", "S002", "Lost", 0.2),
        ("C5", "assigned", "S002", "Lapsed", "S001", "S002", "Lost", 0.0),
        ("C6", "assigned", "S002", "Lapsed", "S001", None, "Promising", 0.0),
        ("C7", "no_purchases", None, None, None, None, None, None),
    ]
    names = [
        "customer_id",
        "state",
        "segment_key",
        "segment_name",
        "runner_up_segment_key",
        "previous_segment_key",
        "rfm_segment",
        "imputed_share",
    ]
    frame = pd.DataFrame(rows, columns=names)
    changed = [dt.date(2025, 7, 1)] * 6 + [None]
    frame.insert(6, "changed_at", pd.Series(changed, dtype="object"))
    return frame.assign(as_of_date=AS_OF)


def _features() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["C1", "C2", "C3", "C4", "C5", "C6"],
            "recency_days": [5, 7, 100, 120, 140, 160],
            "order_count": [10, 12, 1, 1, 2, 2],
            "average_order_value_amount": [50.0, 60.0, 20.0, 30.25, 20.0, 30.0],
            "gap_days_mean": [30.0, 20.0, None, None, 60.0, 80.0],
            "department_share_shoes": [0.5, 0.5, 0.1, 1 / 3, 0.2, 0.0],
        }
    )


def _profiles() -> pd.DataFrame:
    effects = {"S001": (-1.3, 1.6, 1.1, -0.6, 0.9), "S002": (0.65, -0.8, -0.55, 0.3, -0.45)}
    medians = {"S001": (6.0, 11.0, 55.0, 25.0, 0.5), "S002": (130.0, 1.5, 25.0, 70.0, 0.15)}
    filled = {"S001": (0.0,) * 5, "S002": (0.0, 0.0, 0.0, 0.5, 0.0)}
    sizes = {"S001": ("Loyal", 2, 2 / 6, 1200.5, 0.8), "S002": ("Lapsed", 4, 4 / 6, 300.0, 0.2)}
    return pd.DataFrame(
        [
            {
                "segment_key": key,
                "segment_name": name,
                "feature": feature,
                "customer_count": count,
                "customer_share": share,
                "net_revenue_amount": money,
                "net_revenue_share": money_share,
                "known_count": count,
                "mean": medians[key][position],
                "median": medians[key][position],
                "quartile_1": medians[key][position],
                "quartile_3": medians[key][position],
                "effect_size": effects[key][position],
                "imputed_share": filled[key][position],
                "previous_mean": None,
                "change_size": None,
            }
            for key, (name, count, share, money, money_share) in sizes.items()
            for position, feature in enumerate(FEATURES)
        ]
    )


def _shares() -> pd.DataFrame:
    rows = [
        ("2025-07", "S001", "Loyal", 4, 1000.0),
        ("2025-07", "S002", "Lapsed", 4, 1000.0),
        ("2025-08", "S001", "Loyal", 2, 1200.5),
        ("2025-08", "S002", "Lapsed", 4, 300.0),
    ]
    return pd.DataFrame(rows, columns=["month", "segment_key", "segment_name", "customer_count", "net_revenue_amount"])


def _champion() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment_key": ["S001", "S002"],
            "segment_name": ["Loyal", "Lapsed"],
            "cluster": [0, 1],
            "algorithm": "kmeans",
            "model_hash": "abc",
            "trained_month": "2025-07",
            "decision": "kept",
            "decision_reason": "The model of July stays.",
        }
    )


def _leaderboard() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "candidate": ["rfm_map", "kmeans"],
            "rank": [None, 1],
            "is_baseline": [True, False],
            "n_clusters": [3, 2],
            "customer_count": [6, 6],
            "score_sample_count": [6, 6],
            "coverage": [1.0, 1.0],
            "smallest_segment_share": [0.1, 0.3333],
            "smallest_segment_count": [1, 2],
            "silhouette": [-0.1, 0.41],
            "davies_bouldin": [2.0, 0.5],
            "calinski_harabasz": [10.0, 80.0],
            "stability": [None, 0.9],
            "passed_gates": [True, True],
            "reason": ["Baseline.", "Passed every gate."],
        }
    )


def _matrix() -> pd.DataFrame:
    scaled = {
        "customer_id": ["C6", "C1", "C2", "C3", "C4", "C5"],
        "recency_days": [1.0, -1.0, -0.9, 0.4, 0.6, 0.8],
        "order_count": [-0.5, 1.2, 1.4, -0.7, -0.7, -0.5],
    }
    return pd.DataFrame(scaled)


def migration() -> pd.DataFrame:
    """Trace the customers of the snapshot from the month before: C3 after an order, C8 is gone."""
    before = {"C1": "S001", "C2": "S001", "C3": "S001", "C4": "S002", "C5": "S002", "C8": "S002"}
    segments = _customer_segments()
    after = places_of(segments)
    money = pd.Series({f"C{number}": 100.0 * number for number in range(1, 9)})
    places = pd.Series(before)
    return trace_migration(places, places, after, after, active={"C3"}, money_before=money, money_after=money)


def base_snapshot() -> Snapshot:
    """Build the snapshot that all tests start from."""
    texts = {
        "recency_days": FeatureText("Days since the last order.", "days", "more_is_worse", "Days since last order"),
        "order_count": FeatureText("Orders in the lookback.", "orders", "more_is_better", "Orders"),
        "average_order_value_amount": FeatureText(
            "Money per order.", "currency", "more_is_better", "Average order value"
        ),
        "gap_days_mean": FeatureText("Mean days between orders.", "days", "neutral", "Days between orders"),
        "department_share_shoes": FeatureText("Share of shoes.", "share", "neutral", "Share spent on Shoes"),
    }
    return Snapshot(
        month="2025-08",
        as_of_date=AS_OF,
        is_partial=False,
        currency="EUR",
        title="Customer segments",
        champion=_champion(),
        customer_segments=_customer_segments(),
        segment_profiles=_profiles(),
        leaderboard=_leaderboard(),
        rfm_segments=pd.DataFrame(
            {
                "customer_id": ["C1", "C2", "C3", "C4", "C5", "C6"],
                "recency_score": [5, 5, 2, 2, 1, 1],
                "frequency_score": [5, 5, 1, 1, 2, 2],
                "monetary_score": [5, 5, 1, 2, 1, 2],
                "rfm_code": ["555", "555", "211", "212", "121", "122"],
                "rfm_segment": ["Champions", "Champions", "Lost", "Lost", "Lost", "Promising"],
            }
        ),
        features=_features(),
        matrix=_matrix(),
        shares=_shares(),
        feature_columns=texts,
        absent_features={"engagement": "no events are delivered"},
        reconciliation=pd.DataFrame(
            [("raw", "rows", 10, 10, True), ("silver", "net amount", 1500.5, 1500.5, True)],
            columns=["layer", "measure", "expected", "found", "passed"],
        ),
        quarantine_counts=pd.DataFrame(
            [("order_lines", "not_a_number", "the value is not a number", 3)],
            columns=["table_name", "reason", "explanation", "row_count"],
        ),
        imputation=pd.DataFrame(
            [
                ("gap_days_mean", "undefined_one_order", 2, "the days since the only order day"),
                ("order_count", "missing_core_metric", 0, "the row is set aside"),
            ],
            columns=["feature", "reason", "filled_count", "rule"],
        ),
        findings=(
            ("silver/order_lines", "guest", "3 order lines have no customer."),
            ("silver/order_lines", "write_off", "1 order line is written off."),
        ),
        repairs=(("raw/order_lines", "product_id:trimmed", "2 values of product_id had blanks around them."),),
        run_facts={"seed": "7", "python": "3.11.9"},
        flows=sum_flows(migration()),
        events=pd.DataFrame({"segment_key": ["S001"], "event": ["kept"], "explanation": ["S001 (Loyal) goes on."]}),
        directions={"stayed": 4, "downgrade": 1, "exit": 1, "entry": 1},
        lookback_months=24,
        imputed_flags=pd.DataFrame(
            {
                "customer_id": ["C1", "C2", "C3", "C4", "C5", "C6"],
                "imputation_reasons": [None, None, REASON, REASON, None, None],
                "was_imputed_gap_days_mean": [False, False, True, True, False, False],
                "was_imputed_order_count": [False] * 6,
            }
        ),
    )


@pytest.fixture
def snapshot() -> Snapshot:
    """Six customers with a segment, two segments, two months."""
    return base_snapshot()


@pytest.fixture
def change(snapshot: Snapshot) -> Callable[..., Snapshot]:
    """Replace fields of the snapshot."""

    def replace(**fields: Any) -> Snapshot:
        return dataclasses.replace(snapshot, **fields)

    return replace


@pytest.fixture
def hostile(snapshot: Snapshot) -> Snapshot:
    """Put markup, formulas and line breaks wherever a text can come from data."""
    name, feature = HOSTILE, f"department_share_{HOSTILE}"
    segments = snapshot.customer_segments.replace({"Lapsed": name, "Promising": name})
    segments["customer_id"] = segments["customer_id"].replace({"C7": f"=HYPERLINK(1){name}"})
    renamed = {"department_share_shoes": feature}
    return dataclasses.replace(
        snapshot,
        title=name,
        champion=snapshot.champion.replace({"Lapsed": name, "The model of July stays.": name}),
        customer_segments=segments,
        segment_profiles=snapshot.segment_profiles.replace({"Lapsed": name} | renamed),
        leaderboard=snapshot.leaderboard.replace({"kmeans": name, "Passed every gate.": name}),
        features=snapshot.features.rename(columns=renamed),
        matrix=snapshot.matrix.rename(columns={"order_count": feature}),
        shares=snapshot.shares.replace({"Lapsed": name}),
        events=snapshot.events.assign(explanation=name),
        feature_columns={feature: FeatureText(f"{name}\n| x |", name, name, f"Share spent on {name}")},
        absent_features={f"{name}|\n# x": name},
        reconciliation=snapshot.reconciliation.assign(layer=name, measure=name, expected=name, found=name),
        quarantine_counts=snapshot.quarantine_counts.assign(table_name=name, explanation=name),
        imputation=snapshot.imputation.assign(feature=feature, rule=name),
        run_facts={f"{name}`": f"{name}\n\n# heading"},
    )


@pytest.fixture
def first_snapshot(change: Callable[..., Snapshot], snapshot: Snapshot) -> Snapshot:
    """The same month as the first one there is."""
    return change(
        customer_segments=snapshot.customer_segments.assign(previous_segment_key=None),
        shares=snapshot.shares[snapshot.shares["month"] == "2025-08"],
    )


@pytest.fixture
def one_segment(change: Callable[..., Snapshot], snapshot: Snapshot) -> Snapshot:
    """Everyone in one segment."""
    everyone = {"S002": "S001", "Lapsed": "Loyal"}
    profiles = snapshot.segment_profiles[snapshot.segment_profiles["segment_key"] == "S001"]
    return change(
        champion=snapshot.champion.head(1),
        customer_segments=snapshot.customer_segments.replace(everyone),
        segment_profiles=profiles.assign(effect_size=None, net_revenue_share=None),
        shares=snapshot.shares[snapshot.shares["segment_key"] == "S001"],
    )


@pytest.fixture
def rfm_only(change: Callable[..., Snapshot], snapshot: Snapshot) -> Snapshot:
    """The RFM map in force: names without a model, no matrix, no candidate."""
    return change(
        champion=snapshot.champion.assign(algorithm="rfm_map", decision_reason="No usable clustering."),
        customer_segments=snapshot.customer_segments.assign(runner_up_segment_key=None),
        matrix=pd.DataFrame(),
        leaderboard=snapshot.leaderboard.head(0),
        imputed_flags=pd.DataFrame(),
        reconciliation=snapshot.reconciliation.head(0),
        quarantine_counts=snapshot.quarantine_counts.head(0),
        imputation=snapshot.imputation.head(0),
        absent_features={},
    )
