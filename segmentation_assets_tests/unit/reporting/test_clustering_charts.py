"""What is drawn of clusterings, as plain data."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.clustering_charts import (
    ClusteringCharts,
    chart_clustering,
    chart_comparison,
    facts_of,
    make_backdrop,
    make_charts,
)
from segmentation_assets.reporting.clustering_comparison import measure_agreement
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    NOT_FITTED,
    SEARCH,
    TWO_HALVES,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)


@pytest.fixture
def month():
    return made_up_month(kmeans={}, dbscan={"rank": None, "passed_gates": False}, ward={"rank": None})


@pytest.fixture
def results(month):
    return [
        made_up_result("kmeans", month, search=SEARCH),
        made_up_result("dbscan", month, WITH_NOISE),
        made_up_result("ward", month, (-1,) * 8, **NOT_FITTED),
    ]


def charts_of(results, month, settings=None):
    return make_charts(results, month, measure_agreement(results, month), settings or MapSettings())


def test_silhouettes_are_those_of_the_definition(month):
    """Of a customer the distance to its own cluster a and to the other one b: (b - a) / max(a, b)."""
    found = chart_clustering(made_up_result("kmeans", month), make_backdrop(month))["silhouettes"]
    points = month.matrix.to_numpy()
    scores = []
    for place, point in enumerate(points):
        distances = np.linalg.norm(points - point, axis=1)
        own = np.array(TWO_HALVES) == TWO_HALVES[place]
        a, b = distances[own].sum() / 3, distances[~own].mean()
        scores.append((b - a) / max(a, b))
    assert [part["cluster"] for part in found["clusters"]] == [0, 1]
    for part, own in zip(found["clusters"], (scores[:4], scores[4:]), strict=True):
        np.testing.assert_allclose(part["scores"], sorted(own, reverse=True), atol=5e-4)
    assert found["mean"] == pytest.approx(np.mean(scores), abs=5e-5)


def test_noise_is_the_last_group_and_named(month, results):
    found = charts_of(results, month)
    assert [part["cluster"] for part in found.algorithms["dbscan"]["silhouettes"]["clusters"]] == [0, 1, -1]
    sizes = {part["candidate"]: part["clusters"] for part in found.comparison["sizes"]}
    assert sizes["dbscan"] == [
        {"cluster": 0, "name": "0", "share": 0.375},
        {"cluster": 1, "name": "1", "share": 0.375},
        {"cluster": -1, "name": "noise", "share": 0.25},
    ]
    assert [part["name"] for part in sizes["rfm_map"]] == ["Champions", "Lost"]


def test_candidates_stand_in_the_order_of_the_leaderboard(month, results):
    agreement = measure_agreement(results, month)
    found = chart_comparison(results, month, agreement)
    assert found["agreement"]["candidates"] == ["kmeans", "dbscan", "ward", "rfm_map"]
    index = agreement.loc["kmeans", "dbscan"]
    assert found["agreement"]["values"] == [
        [1, index, None, 1],
        [index, 1, None, index],
        [None] * 4,
        [1, index, None, 1],
    ]
    assert (found["compared_count"], found["customer_count"]) == (8, 8)


def test_memberships_are_sorted_by_cluster_and_degree(month):
    degrees = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.3, 0.7]])
    result = dataclasses.replace(made_up_result("gaussian_mixture", month), memberships=degrees)
    assert chart_clustering(result, make_backdrop(month))["memberships"] == [
        [0.9, 0.8, 0.7, 0.6, 0.1, 0.2, 0.3, 0.4],
        [0.1, 0.2, 0.3, 0.4, 0.9, 0.8, 0.7, 0.6],
    ]


def test_only_algorithms_with_a_model_are_drawn(month, results):
    found = charts_of(results, month)
    assert list(found.algorithms) == ["kmeans", "dbscan"]
    assert found.algorithms["dbscan"]["map_clusters"] == list(WITH_NOISE)
    assert found.map is not None
    assert facts_of(found.map).drawn_count == 8


def test_a_month_in_which_none_is_due_says_why_and_compares_nothing(month, results):
    waiting = [dataclasses.replace(result, fit={"not_due": "not due: later"}, evaluation={}) for result in results]
    found = make_charts(waiting, month, measure_agreement([], month), MapSettings())
    assert (found.not_due, found.comparison, found.algorithms) == ("not due: later", {}, {})


def test_charts_are_read_as_they_were_written_without_numbers_that_json_lacks(month, results):
    curved = dataclasses.replace(results[0], fit={**results[0].fit, "curves": {"k_distance": [1.0, float("nan")]}})
    found = charts_of([curved, *results[1:]], month)
    again = ClusteringCharts.from_json(found.to_json())
    assert again.algorithms["kmeans"]["curves"] == {"k_distance": [1.0, None]}
    assert again.map is not None
    assert (again.map["x"], again.map["y"]) == (found.map["x"], found.map["y"])
    assert facts_of(again.map).axis_titles == facts_of(found.map).axis_titles
    assert json.loads(again.to_json()) == json.loads(found.to_json())


def test_nothing_that_is_drawn_names_a_customer(month, results):
    text = charts_of(results, month).to_json()
    assert not [customer for customer in month.matrix.index if f'"{customer}"' in text]


def test_the_layout_follows_the_settings(month, results):
    found = charts_of(results, month, MapSettings(method="tsne"))
    assert found.map is not None
    assert facts_of(found.map).method == "tsne"
