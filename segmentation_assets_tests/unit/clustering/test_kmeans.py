"""K-means with its own choice of k."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.search import Criterion, elbow_strength


def blobs(k, rows=240, seed=0):
    """Draw k well separated blobs: their centres lie on a line, 20 spreads apart."""
    centres = np.stack([np.full(3, 20.0 * number) for number in range(k)])
    return make_blobs(rows, centers=centres, cluster_std=1.0, random_state=seed)


@pytest.mark.parametrize("choose_by", get_args(Criterion))
@pytest.mark.parametrize("planted", range(2, 9))
def test_recovers_the_planted_number_of_clusters(planted, choose_by):
    values, truth = blobs(planted)
    asked_for = {"k_min": 2} if planted == 2 else {}
    fitted = KMeansClusterer(choose_by=choose_by, random_state=1, **asked_for).fit(values)
    assert fitted.n_clusters_ == planted
    assert adjusted_rand_score(truth, fitted.labels_) == 1.0


@pytest.mark.parametrize("choose_by", get_args(Criterion))
@pytest.mark.parametrize("planted", range(2, 9))
def test_recovers_groups_with_centres_anywhere(planted, choose_by):
    centres = np.random.default_rng(planted).normal(0, 6, (planted, 8))
    values, _ = make_blobs(1200, centers=centres, random_state=0)
    assert KMeansClusterer(k_min=2, k_max=10, choose_by=choose_by, random_state=1).fit(values).n_clusters_ == planted


def test_elbow_is_strongest_where_the_inertia_stops_falling():
    assert np.argmax(elbow_strength([1000.0, 100.0, 10.0, 8.0])) == 1
    assert np.argmax(elbow_strength([1000.0, 10.0, 8.0, 7.0])) == 0
    np.testing.assert_allclose(elbow_strength([16.0, 8.0, 4.0, 2.0]), [0.0, 0.0], atol=1e-9)
    assert np.isfinite(elbow_strength([4.0, 0.0, 0.0])).all()


def test_lists_every_k_tried_with_its_scores():
    values, _ = blobs(3)
    fitted = KMeansClusterer(k_min=2, k_max=4, random_state=1).fit(values)
    table = pd.DataFrame(fitted.search_)
    assert list(table.columns) == [
        "k", "silhouette", "davies_bouldin", "calinski_harabasz", "inertia", "elbow", "stability", "smallest_share",
        "is_chosen",
    ]  # fmt: skip
    assert table["k"].tolist() == [2, 3, 4]
    assert table["is_chosen"].tolist() == [False, True, False]
    assert table["silhouette"].idxmax() == 1
    assert table["inertia"].is_monotonic_decreasing
    assert fitted.inertia_ == table["inertia"][1]


def test_without_refits_the_search_is_the_same_but_for_the_stability():
    values, _ = blobs(3)
    full, plain = (KMeansClusterer(search_refits=count, random_state=1).fit(values).search_ for count in (4, 0))
    assert np.isnan(plain.pop("stability")).all()
    assert not np.isnan(full.pop("stability")).any()
    np.testing.assert_equal(plain, full)


def test_same_seed_gives_the_same_state():
    values, _ = blobs(4)
    first, second = (KMeansClusterer(random_state=5).fit(values) for _ in range(2))
    np.testing.assert_array_equal(first.cluster_centers_, second.cluster_centers_)
    np.testing.assert_array_equal(first.labels_, second.labels_)


def test_centres_keep_ten_significant_digits():
    fitted = KMeansClusterer(random_state=1).fit(blobs(3)[0])
    centres = fitted.cluster_centers_.ravel().tolist()
    assert centres == [float(f"{value:.9e}") for value in centres]


@pytest.mark.parametrize("layout", ["C", "F"])
def test_one_row_gets_what_it_gets_in_the_batch(layout):
    values = np.asarray(np.random.default_rng(3).normal(size=(300, 17)), order=layout)
    fitted = KMeansClusterer(random_state=1).fit(values)
    alone = np.concatenate([fitted.transform(values[row : row + 1]) for row in range(len(values))])
    np.testing.assert_array_equal(alone, fitted.transform(values))
    np.testing.assert_array_equal(alone.argmin(axis=1), fitted.predict(values))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(values))


def test_transform_gives_the_distance_to_each_centre():
    fitted = KMeansClusterer(n_clusters=2, random_state=1).fit([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    origin = fitted.predict([[0.0, 0.0]])[0]
    distances = fitted.transform([[0.0, 0.0]])[0]
    assert distances[origin] == 0.0
    assert distances[1 - origin] == 5.0


def test_tries_no_more_clusters_than_there_are_different_rows_and_says_so():
    fitted = KMeansClusterer(k_min=3, k_max=8).fit([[0.0], [0.0], [1.0], [1.0], [5.0], [5.0], [9.0], [9.0]])
    assert max(fitted.search_["k"]) == 4
    assert fitted.notes_ == ("k stops at 4 instead of 8: the rows hold 4 different points",)


def test_equal_rows_are_one_cluster():
    fitted = KMeansClusterer(k_min=3, k_max=5).fit(np.ones((6, 2)))
    assert fitted.n_clusters_ == 1
    assert fitted.labels_.tolist() == [0] * 6
    assert fitted.notes_ == ("k stops at 1 instead of 5: the rows hold 1 different points",)


def test_a_k_with_a_tiny_cluster_loses_against_one_without():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, (100, 2)), rng.normal(6, 1, (100, 2)), [[500.0, 500.0]]])
    free = KMeansClusterer(k_min=2, k_max=3, min_cluster_share=0.0, random_state=0).fit(values)
    assert min(np.bincount(free.labels_)) == 1
    guarded = KMeansClusterer(k_min=2, k_max=3, min_cluster_share=0.02, random_state=0).fit(values)
    assert guarded.notes_ == ("every k leaves a cluster below 2.0% of the rows; the best silhouette was taken",)
    split = KMeansClusterer(k_min=2, k_max=4, min_cluster_share=0.02, random_state=0).fit(values[:-1])
    assert split.n_clusters_ == 2
    assert split.notes_ == ()


def test_reordering_moves_centres_labels_and_predictions_together():
    values, _ = blobs(3)
    fitted = KMeansClusterer(n_clusters=3, random_state=1).fit(values)
    before = fitted.labels_.copy()
    fitted.reorder_clusters([2, 0, 1])
    assert (np.array([2, 0, 1])[fitted.labels_] == before).all()
    np.testing.assert_array_equal(fitted.predict(values), fitted.labels_)


def test_refit_copy_fixes_the_chosen_number():
    values, _ = blobs(4)
    fitted = KMeansClusterer(random_state=1).fit(values)
    again = fitted.refit_copy(9).fit(values)
    assert again.search_["k"].tolist() == [4]
    assert np.isnan(again.search_["silhouette"]).all()
