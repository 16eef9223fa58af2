"""DBSCAN, the hybrid and HDBSCAN: radius, noise, outliers, and the rule for new rows."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score, precision_score, recall_score

from segmentation_assets.clustering import dbscan
from segmentation_assets.clustering.dbscan import DbscanClusterer, connect, knee, neighbour_distances
from segmentation_assets.clustering.hdbscan import HdbscanClusterer
from segmentation_assets.clustering.hybrid import HybridClusterer
from segmentation_assets.clustering.metrics import measure_sizes


def crowd_with_strangers(seed=0):
    """Three groups of 300 in ten dimensions, and 30 rows far from all."""
    rng = np.random.default_rng(seed)
    crowd = np.concatenate([rng.normal(centre, 1.0, (300, 10)) for centre in (0.0, 4.0, 8.0)])
    strangers = rng.normal(4.0, 1.0, (30, 10)) + 25.0 * rng.choice([-1, 1], (30, 10))
    return np.concatenate([crowd, strangers]), np.repeat([0, 1], [900, 30])


def test_core_points_and_their_clusters_are_those_of_the_textbook():
    values, _ = make_moons(400, noise=0.05, random_state=0)
    ours = DbscanClusterer(space="full", eps=0.15, min_samples=5).fit(values)
    textbook = DBSCAN(eps=0.15, min_samples=5).fit(values)
    assert len(ours.core_points_) == len(textbook.core_sample_indices_)
    core = textbook.core_sample_indices_
    assert adjusted_rand_score(ours.labels_[core], textbook.labels_[core]) == 1.0
    np.testing.assert_array_equal(ours.labels_ < 0, textbook.labels_ < 0)


def test_moons_are_told_apart_by_the_radius_of_the_knee():
    values, truth = make_moons(600, noise=0.04, random_state=1)
    fitted = DbscanClusterer(space="full").fit(values)
    is_covered = fitted.labels_ >= 0
    assert is_covered.mean() > 0.95
    assert adjusted_rand_score(truth[is_covered], fitted.labels_[is_covered]) == 1.0


@pytest.mark.parametrize(("space", "dimensions"), [("full", 17), ("pca", 10), ("tsne", 2)])
def test_min_samples_follow_the_dimensions_of_the_space(space, dimensions):
    values = np.random.default_rng(0).normal(size=(150, 17))
    fitted = DbscanClusterer(space=space, random_state=0).fit(values)
    assert fitted.min_samples_ == max(10, 2 * dimensions)
    assert fitted.figures_["dimensions"] == dimensions


def test_radius_is_the_knee_of_the_distances_that_are_shown():
    values, _ = crowd_with_strangers()
    fitted = DbscanClusterer(space="full").fit(values)
    curve = np.sort(neighbour_distances(values, fitted.min_samples_))
    assert fitted.eps_ == pytest.approx(knee(curve))
    assert len(fitted.curves_["k_distance"]) == dbscan.thinned(curve).size == 200
    assert fitted.curves_["k_distance"][[0, -1]] == pytest.approx(curve[[0, -1]])


def test_knee_is_where_the_curve_bends_and_the_end_of_a_flat_one():
    assert knee(np.array([1.0, 1.0, 1.0, 2.0, 10.0])) == 2.0
    assert knee(np.array([3.0, 3.0, 3.0])) == 3.0


def test_distance_to_a_neighbour_counts_the_row_itself():
    assert neighbour_distances(np.array([[0.0], [1.0], [5.0]]), 2).tolist() == [1.0, 1.0, 4.0]
    assert neighbour_distances(np.array([[0.0], [1.0]]), 9).tolist() == [1.0, 1.0]


def test_groups_reach_across_slices_of_rows(monkeypatch):
    monkeypatch.setattr(dbscan, "DISTANCES_AT_ONCE", 3)
    places = np.array([9.0, 0.0, 1.0, 20.0, 2.0, 10.0, 3.0, 30.0, 11.0])[:, None]
    groups = connect(places, 1.0)
    assert len(set(groups)) == 4
    assert len({groups[row] for row in (1, 2, 4, 6)}) == len({groups[row] for row in (0, 5, 8)}) == 1


def test_row_beyond_the_radius_of_every_core_point_is_noise():
    fitted = DbscanClusterer(space="full", eps=1.0, min_samples=2).fit([[0.0], [0.5], [1.0], [10.0], [10.5], [99.0]])
    found = fitted.assign([[2.0], [2.001], [11.4], [50.0]])
    assert found.labels[1] == found.labels[3] == -1
    assert found.labels[0] == fitted.labels_[0] != found.labels[2] == fitted.labels_[3]
    np.testing.assert_allclose(found.outlier_scores, [1.0, 1.001, 0.9, 39.5])
    np.testing.assert_allclose(found.certainties, [0.0, 1 - 1 / 1.001, 0.1, 1 - 1 / 39.5], atol=1e-12)
    assert found.runners_up.tolist() == [-1] * 4


def test_without_a_core_point_all_is_noise_and_a_note_says_so():
    fitted = DbscanClusterer(space="full", eps=0.1, min_samples=3).fit([[0.0], [1.0], [2.0], [3.0]])
    assert fitted.labels_.tolist() == [-1] * 4
    assert fitted.notes_ == ("no row has 3 rows within eps 0.1: all is noise",)
    assert np.isnan(fitted.assign([[0.0]]).distances).all()


def test_map_with_a_habitual_radius_leaves_nearly_all_as_noise():
    """The failure that once was reported as a result: good scores on the few rows that were left."""
    values = np.random.default_rng(0).normal(size=(400, 20))
    fitted = DbscanClusterer(space="tsne", eps=0.5, min_samples=5, random_state=0).fit(values)
    assert measure_sizes(fitted.labels_).coverage < 0.05


def test_mapped_rows_keep_their_place_and_new_ones_take_that_of_the_nearest():
    values, _ = make_moons(200, noise=0.05, random_state=0)
    fitted = DbscanClusterer(space="tsne", random_state=0).fit(values)
    np.testing.assert_array_equal(fitted.predict(values + 1e-9), fitted.labels_)


@pytest.mark.parametrize("kind", [DbscanClusterer, HdbscanClusterer])
def test_a_new_row_that_is_like_no_mapped_one_is_noise(kind):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(centre, 1.0, (200, 10)) for centre in (0.0, 20.0)])
    fitted = kind(space="tsne", random_state=0).fit(values)
    assert fitted.n_clusters_ >= 2
    assert (fitted.predict(values[:50] + 30.0 * rng.choice([-1, 1], (50, 10))) == -1).all()
    alike = fitted.predict(rng.normal(0.0, 1.0, (200, 10)))
    assert (alike >= 0).mean() > 0.9
    assert np.isfinite(fitted.assign(values + 30.0).outlier_scores).all()


@pytest.mark.parametrize("seed", range(3))
def test_hybrid_finds_the_strangers_and_gives_everyone_a_cluster(seed):
    values, is_stranger = crowd_with_strangers(seed)
    fitted = HybridClusterer(random_state=seed).fit(values)
    found = fitted.assign(values)
    flagged = found.is_outlier
    np.testing.assert_array_equal(flagged, found.outlier_scores > 1)
    assert recall_score(is_stranger, flagged) == 1.0
    assert precision_score(is_stranger, flagged) > 0.7
    assert fitted.n_clusters_ == 3
    assert (found.labels >= 0).all()
    assert fitted.figures_["outlier_share"] == pytest.approx(flagged.mean())


def test_centres_of_the_hybrid_are_not_pulled_by_outliers():
    values, _ = crowd_with_strangers()
    fitted = HybridClusterer(random_state=0).fit(values)
    truth = np.sort([values[start : start + 300].mean() for start in (0, 300, 600)])
    np.testing.assert_allclose(np.sort(fitted.cluster_centers_.mean(axis=1)), truth, atol=0.1)


def test_hybrid_without_enough_ordinary_rows_partitions_all():
    fitted = HybridClusterer(eps=1e-6, k_min=2, k_max=3, random_state=0).fit(crowd_with_strangers()[0])
    assert "too few rows are no outliers: the partition is made of all" in fitted.notes_
    assert fitted.figures_["outlier_share"] == 0.0


def test_hdbscan_keeps_the_rows_it_was_fitted_on_and_calls_far_ones_noise():
    values, truth = crowd_with_strangers()
    fitted = HdbscanClusterer(random_state=0).fit(values)
    assert fitted.n_clusters_ == 3
    np.testing.assert_array_equal(fitted.labels_, fitted.point_labels_)
    assert (fitted.labels_[truth == 1] == -1).all()
    assert fitted.predict(np.full((1, 10), 1000.0)).tolist() == [-1]


def test_outlier_scores_of_hdbscan_are_above_one_for_noise_alone():
    values, is_stranger = crowd_with_strangers()
    fitted = HdbscanClusterer(random_state=0).fit(values)
    found = fitted.assign(values)
    np.testing.assert_array_equal(found.outlier_scores > 1, found.labels == -1)
    assert found.outlier_scores[is_stranger == 1].min() > 5
    assert (found.distances[is_stranger == 1] > 10).all()
    assert len(np.unique(found.certainties[found.labels >= 0])) > 100


def test_hdbscan_finds_nothing_in_noise_and_says_so():
    fitted = HdbscanClusterer(random_state=0).fit(np.random.default_rng(1).normal(size=(500, 8)))
    assert fitted.n_clusters_ == 0
    assert fitted.notes_ == ("no region is denser than what surrounds it: all is noise",)
