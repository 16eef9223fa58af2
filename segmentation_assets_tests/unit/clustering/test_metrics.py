"""Scores of a partition."""

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from segmentation_assets.clustering import metrics
from segmentation_assets.clustering.metrics import mean_silhouettes, measure_sizes, score_partitions


def test_silhouette_of_four_points_on_a_line_is_the_hand_computed_one():
    # s of the outer points: a = 1, b = (10 + 11) / 2; of the inner points: a = 1, b = (9 + 10) / 2
    values = np.array([[0.0], [1.0], [10.0], [11.0]])
    expected = ((10.5 - 1) / 10.5 + (9.5 - 1) / 9.5) / 2
    assert mean_silhouettes(values, [np.array([0, 0, 1, 1])]) == [pytest.approx(expected, rel=1e-9)]


@pytest.mark.parametrize("distances_at_once", [7, 1000, 4_000_000])
def test_scores_equal_those_of_scikit_learn_however_memory_is_cut(monkeypatch, distances_at_once):
    monkeypatch.setattr(metrics, "DISTANCES_AT_ONCE", distances_at_once)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4))
    partitions = [rng.integers(-1, 4, 60), rng.integers(0, 2, 60)]
    found = score_partitions(values, partitions)
    for labels, score in zip(partitions, found, strict=True):
        assert score.silhouette == pytest.approx(silhouette_score(values, labels), rel=1e-8)
        assert score.davies_bouldin == pytest.approx(davies_bouldin_score(values, labels), rel=1e-8)
        assert score.calinski_harabasz == pytest.approx(calinski_harabasz_score(values, labels), rel=1e-8)


def test_noise_counts_as_a_group_of_its_own():
    values = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert mean_silhouettes(values, [np.array([-1, -1, 0, 0])]) == mean_silhouettes(values, [np.array([1, 1, 0, 0])])


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_scores_are_absent_for_one_group_or_as_many_groups_as_rows(labels):
    score = score_partitions(np.array([[0.0], [1.0], [2.0]]), [np.array(labels)])[0]
    assert (score.silhouette, score.davies_bouldin, score.calinski_harabasz) == (None, None, None)


def test_sizes_count_noise_as_not_covered():
    sizes = measure_sizes(np.array([0, 0, 0, 1, 1, -1, -1, -1, -1, -1]))
    assert (sizes.n_clusters, sizes.customer_count, sizes.coverage) == (2, 10, 0.5)
    assert (sizes.smallest_count, sizes.smallest_share) == (2, 0.2)


def test_sizes_of_nothing_but_noise_are_zero():
    sizes = measure_sizes(np.array([-1, -1]))
    assert (sizes.n_clusters, sizes.coverage, sizes.smallest_count) == (0, 0.0, 0)
