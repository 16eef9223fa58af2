"""Clusterings of eight customers, made up so that every number can be checked by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth, decision_of
from segmentation_assets.reporting.snapshot import FeatureText
from segmentation_assets.tables.clusters import LEADERBOARD

CUSTOMERS = pd.Index([f"c{number}" for number in range(8)], name="customer_id")
TWO_HALVES = (0, 0, 0, 0, 1, 1, 1, 1)
WITH_NOISE = (0, 0, 0, 1, 1, 1, -1, -1)


def made_up_month(**board):
    """Return a month whose leaderboard has a row per keyword: its changes to a candidate that passes."""
    features = pd.DataFrame(
        {
            "net_revenue_amount": [400.0, 100.0, 100.0, 100.0, 100.0, 100.0, 50.0, 50.0],
            "order_count": [8, 2, 2, 2, 1, 1, 1, 1],
            "recency_days": pd.array([1, 10, 20, 30, 100, 200, 300, None], dtype="Int64"),
            "tenure_days": [400, 400, 400, 400, 400, 400, 30, 400],
            "main_channel": list("aabbaabb"),
        },
        index=CUSTOMERS,
    )
    matrix = pd.DataFrame(
        {"order_count": [2.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.5, -1.5], "channel_a": [1.0, 1.0, 0, 0, 1.0, 1.0, 0, 0]},
        index=CUSTOMERS,
    )
    rows = [made_up_row(candidate, **changes) for candidate, changes in board.items()]
    baseline = made_up_row("rfm_map", is_baseline=True, rank=None, stability=None, reason="Baseline, not ranked")
    return ClusteringMonth(
        month="2025-06",
        as_of_date=dt.date(2025, 7, 1),
        currency="EUR",
        features=features,
        matrix=matrix,
        rfm=pd.Series(["Champions"] * 4 + ["Lost"] * 4, index=CUSTOMERS),
        leaderboard=pd.DataFrame([*rows, baseline]).astype({"rank": "Int64"}),
        ranking_rule="Candidates are ranked by silhouette.",
        seed=7,
        texts={"order_count": FeatureText("Orders placed.", "orders", "more_is_better", label="Orders")},
    )


def made_up_row(candidate, **changes):
    """Return a row of the leaderboard: a candidate of rank 1 that passes."""
    row = dict.fromkeys(LEADERBOARD.column_names)
    row |= {
        "candidate": candidate,
        "compared_month": "2025-06",
        "rank": 1,
        "is_baseline": False,
        "n_clusters": 2,
        "customer_count": 8,
        "score_sample_count": 6,
        "coverage": 1.0,
        "smallest_segment_share": 0.5,
        "smallest_segment_count": 4,
        "silhouette": 0.5,
        "covered_silhouette": 0.6,
        "davies_bouldin": 1.5,
        "calinski_harabasz": 12.25,
        "stability": 0.9,
        "smallest_jaccard": 0.55,
        "usefulness": 0.31,
        "rfm_usefulness": 0.29,
        "exceptional_count": 0,
        "exceptional_revenue_share": 0.0,
        "structure": "separate groups",
        "passed_gates": True,
        "reason": "Rank 1 of 1. Passes every gate",
    }
    return row | changes


def made_up_result(name, month, labels=TWO_HALVES, **fit):
    """Return what an algorithm made of the month; keywords change its fit."""
    described = {
        "algorithm": name,
        "parameters": {"random_state": 7, "eps": None},
        "n_clusters": len(set(labels) - {-1}),
        "customer_count": 8,
        "fitted_count": 6,
        "notes": ["fitted on a sample of 6 of 8 customers"],
        "failure": "",
        "figures": {"eps": 1.25, "min_samples": 2},
        "curves": {},
        "search": {},
    }
    scores = {"silhouette": 0.4, "davies_bouldin": 1.0, "calinski_harabasz": 9.0, "stability": 0.8}
    evaluation = {
        "stability": 0.9,
        "stability_scores": [0.8, 1.0],
        "jaccard": [0.95, 0.55],
        "reliability": [
            {"count": 4, "mean_confidence": 0.5, "observed_share": 0.75},
            {"count": 12, "mean_confidence": 1.0, "observed_share": 1.0},
        ],
        "resampled": {**scores, "silhouettes": [0.4, 0.4]},
        "reference": {**scores, "silhouette": None, "silhouettes": [None, None]},
        "resample_customers": 6,
        "judged_customers": 8,
    }
    unknown = np.full(8, np.nan)
    assignments = pd.DataFrame(
        {
            "cluster": labels,
            "runner_up_cluster": None,
            "centre_distance": 1.0,
            "confidence": [1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0],
            "membership": unknown,
            "outlier_score": unknown,
            "is_outlier": None,
        },
        index=CUSTOMERS,
    )
    fitted = described | fit
    return AlgorithmResult(
        name=name,
        description=f"What {name} does.",
        fit=fitted,
        evaluation=evaluation if fitted["fitted_count"] else {},
        assignments=assignments,
        decision=decision_of(month.leaderboard, name),
    )


SEARCH = {
    "k": [2, 3, 4],
    "silhouette": [0.5, 0.4, None],
    "inertia": [30.0, 20.0, 10.0],
    "smallest_share": [0.5, 0.25, 0.125],
    "is_chosen": [True, False, False],
}

CRITERIA = {
    "covariance_type": ["full", "full", "tied", "tied"],
    "k": [1, 2, 1, 2],
    "bic": [4.0, 3.0, 5.0, 6.0],
    "aic": [4.0, 3.0, 5.0, 6.0],
    "log_likelihood": [-1.0, -1.0, -1.0, -1.0],
    "is_chosen": [False, True, False, False],
}

CURVES = {
    "k_distance": {"k_distance": [0.5, 1.0, 3.0]},
    "dendrogram": {
        "merge_heights": [1.0, 2.0],
        "dendrogram_across": [[5.0, 5.0, 15.0, 15.0], [10.0, 10.0, 25.0, 25.0]],
        "dendrogram_heights": [[0.0, 1.0, 1.0, 0.0], [1.0, 2.0, 2.0, 0.0]],
        "dendrogram_leaves": [2.0, 3.0, 3.0],
    },
    "training": {"training_error": [2.0, 1.0], "holdout_error": [2.5, 1.5]},
}

NOT_FITTED = {
    "n_clusters": 0,
    "fitted_count": 0,
    "parameters": {},
    "figures": {},
    "notes": ["could not be fitted: ValueError: no luck"],
    "failure": "ValueError: no luck",
}
