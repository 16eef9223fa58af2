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


def test_threshold_cuts_where_the_next_merge_costs_more():
    values = [[0.0], [1.0], [10.0], [11.0], [50.0]]
    assert WardClusterer(distance_threshold=2.0).fit(values).n_clusters_ == 3
    assert WardClusterer(distance_threshold=20.0).fit(values).n_clusters_ == 2
    assert WardClusterer(distance_threshold=999.0).fit(values).n_clusters_ == 1


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
