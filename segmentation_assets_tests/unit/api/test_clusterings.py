"""Matrix, estimators, evaluation and leaderboard by the public functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from segmentation_assets.api import GeneratedShop, compare, evaluate, make_clusterer, prepare_matrix
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.clustering import EvaluationSettings
from segmentation_assets.config.loading import load_profile
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.tables.clusters import LEADERBOARD

FEW = EvaluationSettings(resamples=4, reference_draws=2)


def test_a_preparation_is_applied_to_other_customers_as_it_is(shop: GeneratedShop) -> None:
    matrix, preparation = prepare_matrix(shop.features)
    some, same = prepare_matrix(shop.features.head(5), preparation)
    assert same is preparation
    assert_frame_equal(some, matrix.loc[some.index])


def test_settings_say_which_features_the_matrix_is_made_of(shop: GeneratedShop) -> None:
    settings = load_profile(overrides={"matrix.features": ["recency_days", "order_count"]})
    matrix, _ = prepare_matrix(shop.features, settings=settings)
    assert list(matrix) == ["recency_days", "order_count"]


def test_few_features_of_the_settings_are_enough(shop: GeneratedShop) -> None:
    names = ["customer_id", "recency_days", "order_count", "net_revenue_amount", "average_order_value_amount"]
    matrix, _ = prepare_matrix(shop.features[names])
    assert set(matrix) <= set(names)


def test_a_column_that_is_no_feature_is_refused(shop: GeneratedShop) -> None:
    frame = shop.features.assign(recency_day=1.0)
    with pytest.raises(DataError, match=r"holds recency_day, which these settings(.|\n)*did you mean 'recency_days'\?"):
        prepare_matrix(frame)


def test_every_algorithm_is_made_with_the_seed_of_the_settings() -> None:
    made = {name: make_clusterer(name) for name in ALGORITHMS}
    assert {name: made[name].random_state for name in made} == dict.fromkeys(ALGORITHMS, 7)
    assert [f"{type(one).__module__}.{type(one).__qualname__}" for one in made.values()] == [
        entry.type_name for entry in ALGORITHMS.values()
    ]


def test_parameters_replace_the_defaults() -> None:
    made = make_clusterer("kmeans", n_clusters=3, random_state=11)
    assert (made.n_clusters, made.random_state, clone(made).n_clusters) == (3, 11, 3)


def test_an_unknown_algorithm_is_refused_with_the_closest_one() -> None:
    with pytest.raises(SettingsError, match=r"there is no algorithm 'kmean'\nHint: did you mean 'kmeans'\?"):
        make_clusterer("kmean")


def test_an_unknown_parameter_is_refused_with_the_closest_one() -> None:
    with pytest.raises(SettingsError, match=r"kmeans has no parameter 'n_cluster'\nHint: did you mean 'n_clusters'\?"):
        make_clusterer("kmeans", n_cluster=3)


def test_fit_predict_labels_every_row_of_the_matrix(matrix: pd.DataFrame) -> None:
    clusterer = make_clusterer("kmeans", n_clusters=3)
    labels = clusterer.fit_predict(matrix)
    np.testing.assert_array_equal(labels, clusterer.predict(matrix))
    assert (set(labels), clusterer.cluster_centers_.shape) == ({0, 1, 2}, (3, matrix.shape[1]))


@pytest.mark.parametrize(("name", "parameter"), [("fuzzy_cmeans", "n_clusters"), ("gaussian_mixture", "n_components")])
def test_memberships_are_a_degree_per_row_and_cluster(name: str, parameter: str, matrix: pd.DataFrame) -> None:
    fitted = make_clusterer(name, **{parameter: 3}).fit(matrix)
    assert fitted.membership_.shape == (len(matrix), fitted.n_clusters_)
    np.testing.assert_array_equal(fitted.membership_.argmax(axis=1), fitted.labels_)


def test_evaluation_tells_stability_reference_and_confidence(matrix: pd.DataFrame) -> None:
    fitted = make_clusterer("kmeans", n_clusters=2, n_init=1).fit(matrix)
    found = evaluate(fitted, matrix, settings=FEW)
    confidences = found.confidence.apply(fitted.assign(matrix))
    assert (len(found.stability_scores), len(found.reference.silhouettes)) == (4, 2)
    assert ((confidences >= 0) & (confidences <= 1)).all()


def test_leaderboard_holds_the_algorithms_named_and_the_rfm_map(shop: GeneratedShop, matrix: pd.DataFrame) -> None:
    settings = load_profile(
        overrides={"clustering.evaluation.resamples": 4, "clustering.evaluation.reference_draws": 2}
    )
    found = compare(matrix, shop.features, ["ward", "dbscan"], settings=settings)
    assert tuple(found) == LEADERBOARD.column_names
    assert set(found["candidate"]) == {"ward", "dbscan", "rfm_map"}
    assert found["candidate"].iloc[-1] == "rfm_map"
    assert found.set_index("candidate").loc["ward", "customer_count"] == len(matrix)


def test_leaderboard_of_an_unknown_algorithm_is_refused(shop: GeneratedShop, matrix: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="there is no algorithm 'wards'"):
        compare(matrix, shop.features, ["wards"])


def test_leaderboard_of_no_algorithm_is_the_rfm_map(shop: GeneratedShop, matrix: pd.DataFrame) -> None:
    assert compare(matrix, shop.features, [])["candidate"].tolist() == ["rfm_map"]
