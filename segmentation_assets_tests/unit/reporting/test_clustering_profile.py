"""The profile document of one algorithm: its numbers, and that it is plain data."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from segmentation_assets.reporting.clustering_profile import SCHEMA_VERSION, profile_clustering
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    NOT_FITTED,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)


@pytest.fixture
def month():
    return made_up_month(kmeans={}, dbscan={"rank": None, "passed_gates": False, "coverage": 0.75})


def test_sizes_and_money_are_those_of_the_customers(month):
    found = profile_clustering(made_up_result("kmeans", month), month)["clusters"]
    shown = ("cluster", "customer_count", "customer_share", "net_revenue_amount", "net_revenue_share", "jaccard")
    assert [tuple(cluster[name] for name in shown) for cluster in found] == [
        (0, 4, 0.5, 700.0, 0.7, 0.95),
        (1, 4, 0.5, 300.0, 0.3, 0.55),
    ]


def test_statistics_of_features_rest_on_known_values(month):
    first, second = profile_clustering(made_up_result("kmeans", month), month)["clusters"]
    assert first["features"]["order_count"] == {
        "known_count": 4,
        "mean": 3.5,
        "sd": 2.598076211,
        "min": 2.0,
        "quartile_1": 2.0,
        "median": 2.0,
        "quartile_3": 3.5,
        "max": 8.0,
    }
    assert second["features"]["recency_days"]["known_count"] == 3
    assert second["features"]["recency_days"]["mean"] == 200.0
    assert first["centre"] == {"order_count": 1.25, "channel_a": 0.5}
    assert first["confidence"]["mean"] == 0.875
    assert first["membership"] is None


def test_features_are_the_core_ones_and_those_clustered_on(month):
    document = profile_clustering(made_up_result("kmeans", month), month)
    assert list(document["features"]) == ["net_revenue_amount", "order_count", "recency_days", "channel_a"]
    assert document["features"]["order_count"]["label"] == "Orders"
    assert document["features_used"] == ["order_count", "channel_a"]


def test_noise_is_described_last_and_by_who_it_may_be(month):
    document = profile_clustering(made_up_result("dbscan", month, WITH_NOISE), month)
    assert [cluster["cluster"] for cluster in document["clusters"]] == [0, 1, -1]
    assert document["clusters"][-1]["jaccard"] is None
    apart = document["apart"]
    assert (apart["kind"], apart["customer_count"], apart["net_revenue_share"]) == ("noise", 2, 0.1)
    assert [row["customer_count"] for row in apart["groups"]] == [0, 0, 1, 1]


def test_outliers_that_joined_a_cluster_are_described_too(month):
    result = made_up_result("kmeans", month)
    scores = np.array([2.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0])
    scored = result.assignments.assign(outlier_score=scores, is_outlier=scores > 1)
    outliers = dataclasses.replace(result, assignments=scored)
    apart = profile_clustering(outliers, month)["apart"]
    assert (apart["kind"], apart["customer_count"], apart["net_revenue_share"]) == ("outliers", 1, 0.4)
    assert apart["groups"][0]["customer_count"] == 1


def test_the_document_is_plain_json_with_a_version(month):
    document = profile_clustering(made_up_result("kmeans", month, search=SEARCH), month)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["schema_version"], document["month"], document["as_of_date"]) == (
        SCHEMA_VERSION,
        "2025-06",
        "2025-07-01",
    )
    assert document["search"][0] == {
        "k": 2,
        "silhouette": 0.5,
        "inertia": 30.0,
        "smallest_share": 0.5,
        "is_chosen": True,
    }
    assert document["metrics"]["refits"]["reliability_error"] == 0.25


def test_a_failed_algorithm_has_no_clusters(month):
    document = profile_clustering(made_up_result("kmeans", month, (-1,) * 8, **NOT_FITTED), month)
    assert (document["clusters"], document["apart"], document["metrics"]["refits"]) == ([], None, None)
    assert document["method"]["failure"] == "ValueError: no luck"
