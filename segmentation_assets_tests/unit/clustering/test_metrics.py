"""Scores of a partition."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from segmentation_assets.clustering import metrics
from segmentation_assets.clustering.metrics import measure_sizes, score_partitions


def test_silhouette_of_four_points_on_a_line_is_the_hand_computed_one():
    # s of the outer points: a = 1, b = (10 + 11) / 2; of the inner points: a = 1, b = (9 + 10) / 2
    values = np.array([[0.0], [1.0], [10.0], [11.0]])
    expected = ((10.5 - 1) / 10.5 + (9.5 - 1) / 9.5) / 2
    score = score_partitions(values, [np.array([0, 0, 1, 1])])[0]
    assert score.silhouette == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("block_rows", [1, 7, 512])
def test_scores_equal_those_of_scikit_learn_however_memory_is_cut(monkeypatch, block_rows):
    monkeypatch.setattr(metrics, "BLOCK_ROWS", block_rows)
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
    noisy, plain = score_partitions(values, [np.array([-1, -1, 0, 0]), np.array([1, 1, 0, 0])])
    assert noisy == replace(plain, covered_silhouette=None)


def test_covered_silhouette_is_that_of_the_rows_without_noise():
    values = np.random.default_rng(0).normal(size=(60, 4))
    labels = np.random.default_rng(1).integers(-1, 3, 60)
    covered = labels >= 0
    found = score_partitions(values, [labels])[0].covered_silhouette
    assert found == pytest.approx(silhouette_score(values[covered], labels[covered]), rel=1e-8)


def test_groups_without_width_have_the_scores_of_scikit_learn():
    values, labels = np.array([[0.0], [0.0], [5.0], [5.0]]), np.array([0, 0, 1, 1])
    score = score_partitions(values, [labels])[0]
    expected = davies_bouldin_score(values, labels), calinski_harabasz_score(values, labels)
    assert (score.davies_bouldin, score.calinski_harabasz) == expected


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
