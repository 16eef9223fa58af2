"""The pictures of one algorithm."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.clustering_charts import chart_clustering, chart_map, make_backdrop
from segmentation_assets.reporting.clustering_figures import draw_clustering, searched_scores
from segmentation_assets.reporting.projection import PRINCIPAL_COMPONENTS
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    CRITERIA,
    CURVES,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

NAMES = ("kmeans", "dbscan", "gaussian_mixture", "ward", "autoencoder")


@pytest.fixture
def month():
    return made_up_month(**{name: {} for name in NAMES})


def drawn(result, month, settings=PRINCIPAL_COMPONENTS):
    backdrop = make_backdrop(month, settings)
    return draw_clustering(result.name, chart_clustering(result, backdrop), chart_map(backdrop))


def size_of(png):
    with Image.open(io.BytesIO(png)) as picture:
        return picture.size


def test_an_algorithm_without_more_has_map_silhouettes_and_reliability(month):
    pictures = drawn(made_up_result("kmeans", month), month)
    assert list(pictures) == ["kmeans.png"]
    words, png = pictures["kmeans.png"]
    assert words == "Overview of the clusters"
    assert size_of(png) == (1199, 924)


@pytest.mark.parametrize("curves", CURVES.values(), ids=CURVES)
def test_curves_add_a_panel(month, curves):
    plain = drawn(made_up_result("ward", month, WITH_NOISE), month)["ward.png"][1]
    more = drawn(made_up_result("ward", month, WITH_NOISE, curves=curves), month)["ward.png"][1]
    assert more != plain
    assert size_of(more) == size_of(plain)


def test_memberships_add_a_panel(month):
    result = made_up_result("gaussian_mixture", month)
    own = np.where(result.labels[:, None] == np.arange(2), 0.9, 0.1)
    more = drawn(dataclasses.replace(result, memberships=own), month)
    assert more["gaussian_mixture.png"][1] != drawn(result, month)["gaussian_mixture.png"][1]


def test_a_search_has_a_panel_per_score(month):
    pictures = drawn(made_up_result("kmeans", month, search=SEARCH), month)
    assert list(pictures) == ["kmeans.png", "kmeans-search.png"]
    assert searched_scores(SEARCH) == ["silhouette", "inertia", "smallest_share"]


def test_criteria_are_drawn_by_covariance(month):
    assert searched_scores(CRITERIA) == ["bic", "aic"]
    pictures = drawn(made_up_result("gaussian_mixture", month, search=CRITERIA), month)
    assert "gaussian_mixture-search.png" in pictures


def test_a_fixed_number_of_clusters_is_no_search():
    assert searched_scores({name: column[:1] for name, column in SEARCH.items()}) == []
    assert searched_scores({}) == []


def test_one_column_has_no_map_and_one_group_no_silhouettes(month):
    narrow = dataclasses.replace(month, matrix=month.matrix[["order_count"]])
    result = dataclasses.replace(made_up_result("kmeans", narrow, (0,) * 8), evaluation={})
    assert size_of(drawn(result, narrow)["kmeans.png"][1]) == (599, 462)


def test_the_map_can_be_laid_out_by_t_sne(month):
    result, layout = made_up_result("kmeans", month), MapSettings(method="tsne")
    embedded = drawn(result, month, layout)["kmeans.png"][1]
    assert embedded != drawn(result, month)["kmeans.png"][1]
    assert drawn(result, month, layout)["kmeans.png"][1] == embedded


def test_the_same_input_gives_the_same_bytes(month):
    result = made_up_result("dbscan", month, WITH_NOISE, search=SEARCH)
    assert drawn(result, month) == drawn(result, month)
