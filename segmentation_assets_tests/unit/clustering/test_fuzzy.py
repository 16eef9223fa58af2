"""Fuzzy C-means against formulas written out, and what happens where memberships collapse."""

import numpy as np
import pytest

from segmentation_assets.clustering.fuzzy import FuzzyCMeansClusterer, fit_fuzzifier, fuzzy_indices
from segmentation_assets_tests.unit.clustering.test_kmeans import blobs


def overlapping(rows=300, features=3):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(centre, 1.0, (rows // 3, features)) for centre in (0.0, 3.0, 6.0)])


@pytest.mark.parametrize("planted", range(2, 9))
def test_recovers_the_planted_number_of_clusters(planted):
    values, _ = blobs(planted)
    assert FuzzyCMeansClusterer(k_min=2, k_max=10, random_state=1).fit(values).n_clusters_ == planted


@pytest.mark.parametrize("fuzzifier", [1.2, 2.0, 3.0])
def test_memberships_are_those_of_the_formula(fuzzifier):
    values = overlapping()
    fitted = FuzzyCMeansClusterer(n_clusters=3, fuzzifier=fuzzifier, random_state=0).fit(values)
    distances = fitted.transform(values)
    for row, found in zip(distances[::50], fitted.assign(values).memberships[::50], strict=True):
        expected = [1 / sum((own / other) ** (2 / (fuzzifier - 1)) for other in row) for own in row]
        assert found == pytest.approx(expected)


def test_centres_are_a_fixed_point_of_the_iteration():
    values = overlapping()
    fitted = FuzzyCMeansClusterer(n_clusters=3, fuzzifier=2.0, tol=1e-9, max_iter=500, random_state=0).fit(values)
    powers = fitted.assign(values).memberships ** 2
    centres = (powers.T @ values) / powers.sum(axis=0)[:, None]
    np.testing.assert_allclose(fitted.cluster_centers_, centres, atol=1e-6)


def test_row_on_a_centre_belongs_to_it_alone():
    fitted = FuzzyCMeansClusterer(n_clusters=2, fuzzifier=2.0, random_state=0).fit([[0.0], [0.1], [9.0], [9.1]])
    assert fitted.assign(fitted.cluster_centers_).memberships.max(axis=1) == pytest.approx([1.0, 1.0])


def test_indices_by_hand():
    values, centres = np.array([[0.0], [2.0], [10.0]]), np.array([[1.0], [10.0]])
    memberships = np.array([[0.9, 0.1], [0.8, 0.2], [0.0, 1.0]])
    found = fuzzy_indices(values, centres, memberships)
    coefficient = (0.81 + 0.01 + 0.64 + 0.04 + 1.0) / 3
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1) + 0.8 * np.log(0.8) + 0.2 * np.log(0.2)) / 3
    compactness = (0.81 * 1 + 0.01 * 100 + 0.64 * 1 + 0.04 * 64) / 3
    assert found["partition_coefficient"] == pytest.approx(coefficient)
    assert found["normalised_coefficient"] == pytest.approx(1 - 2 * (1 - coefficient))
    assert found["partition_entropy"] == pytest.approx(entropy)
    assert found["xie_beni"] == pytest.approx(compactness / 81)


def test_two_as_fuzzifier_collapses_in_many_dimensions_and_is_noted():
    values = np.random.default_rng(0).normal(size=(500, 40))
    fitted = FuzzyCMeansClusterer(n_clusters=4, fuzzifier=2.0, random_state=0).fit(values)
    assert fitted.n_clusters_ == 1
    assert fitted.figures_["partition_coefficient"] == pytest.approx(0.25, abs=1e-3)
    assert fitted.notes_ == (
        "the memberships collapse: 4 centres lie in 1 places with fuzzifier 2; a smaller fuzzifier keeps them apart",
    )


def test_fuzzifier_falls_with_the_number_of_features():
    found = [fit_fuzzifier(5_000, features) for features in (2, 5, 10, 40)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 2.0
    assert 1.02 < found[-1] < 1.1


def test_number_is_chosen_by_the_score_asked_for():
    values = overlapping()
    for name in ("silhouette", "xie_beni", "partition_coefficient"):
        fitted = FuzzyCMeansClusterer(k_min=2, k_max=5, choose_by=name, random_state=0).fit(values)
        best = fitted.search_[name].argmin() if name == "xie_beni" else fitted.search_[name].argmax()
        assert fitted.search_["is_chosen"].argmax() == best
