"""Ward's tree, its cuts and its picture."""

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from segmentation_assets.clustering.ward import WardClusterer
from segmentation_assets_tests.unit.clustering.test_kmeans import blobs


@pytest.mark.parametrize("planted", range(2, 9))
def test_recovers_the_planted_number_of_clusters(planted):
    values, truth = blobs(planted)
    fitted = WardClusterer(k_min=2, k_max=10).fit(values)
    assert fitted.n_clusters_ == planted
    assert adjusted_rand_score(truth, fitted.labels_) == 1.0


def test_cuts_where_scikit_learn_does():
    values = np.random.default_rng(0).normal(size=(120, 4))
    ours = WardClusterer(n_clusters=5).fit(values)
    other = AgglomerativeClustering(5, linkage="ward").fit(values)
    means = np.stack([values[other.labels_ == number].mean(axis=0) for number in range(5)])
    np.testing.assert_allclose(np.sort(ours.cluster_centers_[:, 0]), np.sort(means[:, 0]), atol=1e-9)
    nearest = np.linalg.norm(values[:, None] - means[None], axis=2).argmin(axis=1)
    assert ours.figures_["tree_agreement"] == pytest.approx((nearest == other.labels_).mean())
    assert adjusted_rand_score(ours.labels_, other.labels_) == 1.0
    assert adjusted_rand_score(ours.predict(values), nearest) == 1.0


def test_rows_outside_of_the_tree_go_to_the_nearest_centre():
    values = np.random.default_rng(0).normal(size=(300, 4))
    fitted = WardClusterer(n_clusters=5, fit_sample=120, random_state=3).fit(values)
    differs = fitted.labels_ != fitted.predict(values)
    assert differs.sum() == round((1 - fitted.figures_["tree_agreement"]) * 120)
    moved = fitted.reorder_clusters(np.array([3, 1, 0, 4, 2]))
    np.testing.assert_array_equal(moved.labels_ != moved.predict(values), differs)


def test_threshold_cuts_where_the_next_merge_costs_more():
    values = [[0.0], [1.0], [10.0], [11.0], [50.0]]
    assert WardClusterer(distance_threshold=2.0).fit(values).n_clusters_ == 3
    assert WardClusterer(distance_threshold=20.0).fit(values).n_clusters_ == 2
    assert WardClusterer(distance_threshold=999.0).fit(values).n_clusters_ == 1


def test_threshold_makes_at_most_fifty_clusters_and_says_so():
    fitted = WardClusterer(distance_threshold=1e-9).fit(np.random.default_rng(0).normal(size=(400, 2)))
    assert fitted.n_clusters_ == 50
    assert fitted.notes_ == (
        "the distance 1e-09 cuts the tree into 400 clusters; it was cut into 50, the most there can be",
    )


def test_every_number_of_clusters_is_shown_with_the_height_of_its_cut():
    fitted = WardClusterer(k_min=2, k_max=4).fit([[0.0], [1.0], [10.0], [11.0], [50.0], [52.0]])
    heights = fitted.search_["height"]
    assert fitted.search_["k"].tolist() == [2, 3, 4]
    assert (np.diff(heights) < 0).all()
    assert heights[-1] == fitted.curves_["merge_heights"][-4]


def test_picture_holds_at_most_thirty_leaves_with_all_rows():
    fitted = WardClusterer().fit(np.random.default_rng(1).normal(size=(500, 3)))
    assert len(fitted.curves_["dendrogram_leaves"]) == 30
    assert fitted.curves_["dendrogram_leaves"].sum() == 500
    assert fitted.curves_["dendrogram_across"].shape == fitted.curves_["dendrogram_heights"].shape == (29, 4)
