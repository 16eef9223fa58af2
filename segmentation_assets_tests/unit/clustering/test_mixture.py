"""Gaussian mixtures: what the information criteria choose, and posteriors by hand."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from segmentation_assets.clustering.mixture import COVARIANCE_TYPES, GaussianMixtureClusterer, posterior_figures

SHAPES = {
    "spherical": [np.eye(3) * 0.5, np.eye(3) * 2.0, np.eye(3)],
    "diag": [np.diag([0.2, 1.0, 3.0]), np.diag([3.0, 0.2, 1.0]), np.diag([1.0, 3.0, 0.2])],
    "tied": [np.array([[2.0, 1.5, 0.0], [1.5, 2.0, 0.0], [0.0, 0.0, 0.3]])] * 3,
    "full": [
        np.array([[2.0, 1.8, 0.0], [1.8, 2.0, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[2.0, -1.8, 0.0], [-1.8, 2.0, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 1.8], [0.0, 1.8, 2.0]]),
    ],
}


def planted(shape, rows=400):
    """Draw three components with covariances of a shape, and say which row is of which."""
    rng = np.random.default_rng(5)
    means = np.array([[0.0, 0.0, 0.0], [7.0, 0.0, 0.0], [0.0, 7.0, 4.0]])
    parts = [rng.multivariate_normal(mean, spread, rows) for mean, spread in zip(means, SHAPES[shape], strict=True)]
    return np.concatenate(parts), np.repeat(np.arange(3), rows)


@pytest.mark.parametrize("shape", SHAPES)
def test_bic_finds_number_and_shape_of_the_components(shape):
    values, truth = planted(shape)
    fitted = GaussianMixtureClusterer(random_state=0).fit(values)
    assert (fitted.covariance_type_, fitted.n_clusters_) == (shape, 3)
    assert adjusted_rand_score(truth, fitted.labels_) > 0.98


def test_every_shape_and_number_is_shown_with_both_criteria():
    fitted = GaussianMixtureClusterer(k_min=2, k_max=4, random_state=0).fit(planted("diag")[0])
    assert fitted.search_["covariance_type"] == [name for name in COVARIANCE_TYPES for _ in range(4)]
    assert fitted.search_["k"].tolist() == [1, 2, 3, 4] * 4
    assert fitted.search_["is_chosen"].sum() == 1
    assert fitted.search_["bic"].argmin() == fitted.search_["is_chosen"].argmax()
    assert (fitted.search_["bic"] > fitted.search_["aic"]).all()


def test_one_cloud_is_one_component_and_a_note_says_so():
    fitted = GaussianMixtureClusterer(random_state=0).fit(np.random.default_rng(0).normal(size=(400, 4)))
    assert fitted.n_clusters_ == 1
    assert "by BIC one component describes the rows best: there are no groups" in fitted.notes_


@pytest.mark.parametrize("shape", SHAPES)
def test_posteriors_are_those_of_the_densities(shape):
    values, _ = planted(shape, rows=60)
    fitted = GaussianMixtureClusterer(n_components=3, covariance_types=(shape,), n_init=3, random_state=1).fit(values)
    densities = np.empty((len(values), 3))
    for number, factor in enumerate(fitted.precision_factors_):
        precision = np.diag(factor**2) if factor.ndim == 1 else factor @ factor.T
        density = multivariate_normal(fitted.means_[number], np.linalg.inv(precision))
        densities[:, number] = fitted.weights_[number] * density.pdf(values)
    expected = densities / densities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.assign(values).memberships, expected, atol=1e-8)


def test_search_on_a_part_of_the_rows_is_noted():
    fitted = GaussianMixtureClusterer(search_sample=300, random_state=0).fit(planted("spherical")[0])
    assert fitted.notes_ == ("number and covariance type were searched on a sample of 300 of 1200 rows",)


def test_fit_that_ends_before_it_converges_is_noted():
    values = np.random.default_rng(2).normal(size=(300, 6))
    fitted = GaussianMixtureClusterer(n_components=4, n_init=1, max_iter=1, random_state=0).fit(values)
    assert fitted.notes_ == ("the fit had not converged after 1 iterations",)


def test_entropy_and_share_of_high_posteriors_by_hand():
    memberships = np.array([[1.0, 0.0], [0.5, 0.5], [0.95, 0.05], [0.5, 0.5]])
    entropy = -(0.95 * np.log(0.95) + 0.05 * np.log(0.05)) / np.log(2)
    found = posterior_figures(memberships)
    assert found["mean_entropy"] == pytest.approx((2 + entropy) / 4)
    assert found["high_posterior_share"] == 0.5
    assert posterior_figures(np.ones((3, 1))) == {"mean_entropy": 0.0, "high_posterior_share": 1.0}


def test_posteriors_of_noise_are_near_one_so_they_are_no_confidence():
    values = np.random.default_rng(0).normal(size=(600, 30))
    fitted = GaussianMixtureClusterer(n_components=4, covariance_types=("full",), random_state=0).fit(values)
    assert fitted.assign(values).memberships.max(axis=1).mean() > 0.95
