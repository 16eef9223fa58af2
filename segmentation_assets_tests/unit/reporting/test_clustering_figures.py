"""The pictures of one algorithm."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.clustering_figures import draw_clustering, make_backdrop, searched_scores
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    NOT_FITTED,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

NAMES = ("kmeans", "dbscan", "gaussian_mixture", "ward", "autoencoder")
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


@pytest.fixture
def month():
    return made_up_month(**{name: {} for name in NAMES})


def size_of(png):
    with Image.open(io.BytesIO(png)) as picture:
        return picture.size


def test_an_algorithm_without_more_has_map_silhouettes_and_reliability(month):
    pictures = draw_clustering(made_up_result("kmeans", month), make_backdrop(month))
    assert list(pictures) == ["kmeans.png"]
    words, png = pictures["kmeans.png"]
    assert words == "Overview of the clusters"
    assert size_of(png) == (1199, 924)


@pytest.mark.parametrize("curves", CURVES.values(), ids=CURVES)
def test_curves_add_a_panel(month, curves):
    backdrop = make_backdrop(month)
    plain = draw_clustering(made_up_result("ward", month, WITH_NOISE), backdrop)["ward.png"][1]
    drawn = draw_clustering(made_up_result("ward", month, WITH_NOISE, curves=curves), backdrop)["ward.png"][1]
    assert drawn != plain
    assert size_of(drawn) == size_of(plain)


def test_memberships_add_a_panel(month):
    result = made_up_result("gaussian_mixture", month)
    own = np.where(result.labels[:, None] == np.arange(2), 0.9, 0.1)
    backdrop = make_backdrop(month)
    drawn = draw_clustering(dataclasses.replace(result, memberships=own), backdrop)
    assert drawn["gaussian_mixture.png"][1] != draw_clustering(result, backdrop)["gaussian_mixture.png"][1]


def test_a_search_has_a_panel_per_score(month):
    pictures = draw_clustering(made_up_result("kmeans", month, search=SEARCH), make_backdrop(month))
    assert list(pictures) == ["kmeans.png", "kmeans-search.png"]
    assert searched_scores(SEARCH) == ["silhouette", "inertia", "smallest_share"]


def test_criteria_are_drawn_by_covariance(month):
    search = {
        "covariance_type": ["full", "full", "tied", "tied"],
        "k": [1, 2, 1, 2],
        "bic": [4.0, 3.0, 5.0, 6.0],
        "aic": [4.0, 3.0, 5.0, 6.0],
        "log_likelihood": [-1.0, -1.0, -1.0, -1.0],
        "is_chosen": [False, True, False, False],
    }
    assert searched_scores(search) == ["bic", "aic"]
    pictures = draw_clustering(made_up_result("gaussian_mixture", month, search=search), make_backdrop(month))
    assert "gaussian_mixture-search.png" in pictures


def test_a_fixed_number_of_clusters_is_no_search():
    assert searched_scores({name: column[:1] for name, column in SEARCH.items()}) == []
    assert searched_scores({}) == []


def test_nothing_is_drawn_of_a_failed_algorithm(month):
    assert draw_clustering(made_up_result("kmeans", month, (-1,) * 8, **NOT_FITTED), make_backdrop(month)) == {}


def test_one_column_has_no_map_and_one_group_no_silhouettes(month):
    narrow = dataclasses.replace(month, matrix=month.matrix[["order_count"]])
    result = dataclasses.replace(made_up_result("kmeans", narrow, (0,) * 8), evaluation={})
    assert size_of(draw_clustering(result, make_backdrop(narrow))["kmeans.png"][1]) == (599, 462)


def test_the_map_can_be_laid_out_by_t_sne(month):
    result, layout = made_up_result("kmeans", month), MapSettings(method="tsne")
    linear, embedded = (
        draw_clustering(result, drop)["kmeans.png"][1] for drop in (make_backdrop(month), make_backdrop(month, layout))
    )
    assert embedded != linear
    assert draw_clustering(result, make_backdrop(month, layout))["kmeans.png"][1] == embedded


def test_the_same_input_gives_the_same_bytes(month):
    result, backdrop = made_up_result("dbscan", month, WITH_NOISE, search=SEARCH), make_backdrop(month)
    assert draw_clustering(result, backdrop) == draw_clustering(result, make_backdrop(month))
