"""Stability, confidence and reference data: what a fitted clusterer is worth."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.base import clone

from segmentation_assets.clustering.confidence import (
    Comeback,
    ConfidenceCurve,
    ReliabilityBin,
    fit_curve,
    measure_reliability,
    reliability_error,
)
from segmentation_assets.clustering.estimator import Assigned
from segmentation_assets.clustering.evaluation import Evaluation, evaluate, resample_size
from segmentation_assets.clustering.fuzzy import FuzzyCMeansClusterer
from segmentation_assets.clustering.hdbscan import HdbscanClusterer
from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.matching import UNMATCHED, match_clusters
from segmentation_assets.clustering.mixture import GaussianMixtureClusterer
from segmentation_assets.clustering.reference import fit_copula
from segmentation_assets.clustering.ward import WardClusterer
from segmentation_assets.config.clustering import EvaluationSettings

SETTINGS = EvaluationSettings(resamples=20, reference_draws=20, resample_customers=400)


def groups(distance, rows=1200, features=4, seed=0):
    """Draw three Gaussian groups whose centres are so far apart on every axis."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(rows, features)) + distance * np.arange(rows)[:, None] % (3 * distance))


def evaluated(clusterer, matrix, settings=SETTINGS):
    return evaluate(clusterer.fit(matrix), matrix, settings, 7)


@pytest.fixture(scope="module")
def far_apart():
    """What is found of groups that lie far apart."""
    return evaluated(KMeansClusterer(random_state=0), groups(12.0))


def test_groups_that_lie_apart_come_back_every_time_and_stand_out(far_apart):
    assert far_apart.stability == 1.0
    assert far_apart.jaccard == (1.0, 1.0, 1.0)
    assert far_apart.stands_out
    assert far_apart.resampled.silhouette > far_apart.reference.silhouette + 0.2
    assert far_apart.resample_customers == far_apart.judged_customers == 400


def test_evaluation_is_the_same_again_and_survives_being_written_down(far_apart):
    again = evaluated(KMeansClusterer(random_state=0), groups(12.0))
    assert again == far_apart
    assert Evaluation.from_plain(json.loads(json.dumps(far_apart.to_plain()))) == far_apart


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeansClusterer(random_state=0),
        WardClusterer(random_state=0),
        FuzzyCMeansClusterer(random_state=0),
        GaussianMixtureClusterer(n_components=4, covariance_types=("full",), random_state=0),
    ],
    ids=lambda clusterer: type(clusterer).__name__,
)
def test_noise_is_not_stable_does_not_stand_out_and_nobody_is_certain(clusterer):
    noise = pd.DataFrame(np.random.default_rng(3).normal(size=(1500, 20)))
    found = evaluated(clusterer, noise)
    assert found.stability < 0.3
    assert not found.stands_out
    assert np.mean(found.confidence.apply(clusterer.assign(noise))) < 0.75


def test_nothing_found_in_data_or_reference_does_not_stand_out():
    found = evaluated(HdbscanClusterer(random_state=0), pd.DataFrame(np.random.default_rng(0).normal(size=(600, 8))))
    assert found.jaccard == ()
    assert found.confidence.noise_confidence > 0.9
    assert not found.stands_out


@pytest.mark.parametrize("distance", [1.5, 2.0, 3.0])
@pytest.mark.parametrize(
    "clusterer",
    [KMeansClusterer(n_clusters=3, random_state=0), GaussianMixtureClusterer(n_components=3, random_state=0)],
    ids=lambda clusterer: type(clusterer).__name__,
)
def test_confidence_is_what_held_out_resamples_show(clusterer, distance):
    found = evaluated(clusterer, groups(distance, rows=4000), EvaluationSettings(resample_customers=1500))
    assert found.reliability_error < 0.05
    large = [part for part in found.reliability if part.count >= 100]
    assert large
    assert all(abs(part.mean_confidence - part.observed_share) < 0.05 for part in large)


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeansClusterer(n_clusters=4, random_state=0),
        KMeansClusterer(n_clusters=3, random_state=0),
        WardClusterer(n_clusters=4, random_state=0),
        FuzzyCMeansClusterer(n_clusters=4, random_state=0),
        GaussianMixtureClusterer(n_components=3, random_state=0),
    ],
    ids=lambda clusterer: f"{type(clusterer).__name__}-{clusterer.get_params().get('n_clusters')}",
)
def test_confidence_does_not_promise_more_than_fits_on_other_customers_keep(clusterer):
    """Groups overlap; all are fitted on few customers, so that a refit on most of them would look far too certain."""
    centres = np.random.default_rng(5).normal(0, 0.6, (4, 6))

    def customers(seed):
        rng = np.random.default_rng(seed)
        return pd.DataFrame(centres[rng.integers(0, 4, 600)] + rng.normal(size=(600, 6)))

    matrix = customers(1)
    found = evaluated(clusterer, matrix, EvaluationSettings(resamples=20, reference_draws=2))
    assigned = clusterer.assign(matrix)
    others = [clone(clusterer).fit(customers(100 + number)).predict(matrix) for number in range(12)]
    kept = [match_clusters(assigned.labels, other, clusterer.n_clusters_).labels == assigned.labels for other in others]
    promised, truth = float(found.confidence.apply(assigned).mean()), float(np.mean(kept))
    assert -0.12 < promised - truth < 0.05


def test_customers_between_groups_are_less_confident_than_those_inside():
    matrix = groups(2.0)
    fitted = KMeansClusterer(n_clusters=3, random_state=0).fit(matrix)
    curve = evaluate(fitted, matrix, SETTINGS, 7).confidence
    inside, between = curve.apply(fitted.assign(pd.DataFrame([[0.0] * 4, [1.0] * 4])))
    assert inside > 0.95 > 0.8 > between


def said_of(labels, certainties):
    """Make up what a model says of customers."""
    count = len(labels)
    return Assigned(np.asarray(labels), np.zeros(count), np.full(count, -1), np.asarray(certainties, dtype=float))


def agreeing(agreement):
    """Return pairs of refits that agree with the model where they agree with each other."""
    agreed = np.asarray(agreement)
    return Comeback(agreed, agreed.astype(float))


def test_curve_is_a_step_of_shares_that_never_falls():
    assigned = said_of([0, 0, 0, 0, -1], [0.1, 0.2, 0.3, 0.9, 0.5])
    curve = fit_curve(assigned, agreeing([[True, False, True, True, False], [False, False, True, True, True]]))
    assert curve.noise_confidence == 0.5
    np.testing.assert_allclose(curve.apply(assigned), [0.25, 0.25, 1.0, 1.0, 0.5])
    assert ConfidenceCurve.from_plain(json.loads(json.dumps(curve.to_plain()))) == curve


def test_a_cluster_that_does_not_come_back_has_a_confidence_of_its_own():
    rng = np.random.default_rng(0)
    assigned = said_of(np.repeat([0, 1, 2], 200), np.full(600, 0.5))
    share = np.repeat([0.9, 0.9, 0.3], 200)
    curve = fit_curve(assigned, agreeing(rng.random((10, 600)) < share))
    found = curve.apply(assigned)[[0, 200, 400]]
    np.testing.assert_allclose(found, [0.9, 0.9, 0.3], atol=0.03)


def test_pairs_that_contradict_each_other_move_no_cluster():
    comes_back = np.array([[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]], dtype=bool)
    agreement = np.repeat(comes_back[:, :5].T, 100, axis=1)
    curve = fit_curve(said_of(np.repeat([0, 1], 100), np.full(200, 0.5)), agreeing(agreement))
    assert max(np.abs(curve.shifts)) < 0.1


def test_refits_that_agree_with_each_other_and_not_with_the_model_give_no_confidence():
    assigned = said_of(np.repeat([0, 1], 50), np.full(100, 0.9))
    both_call_it_noise = Comeback(np.ones((6, 100), bool), np.repeat([1.0, 0.0], 50)[None].repeat(6, axis=0))
    found = fit_curve(assigned, both_call_it_noise).apply(assigned)
    assert found[0] > 0.95
    assert found[50] < 0.05


@pytest.mark.parametrize("shift", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_a_shift_keeps_confidences_between_0_and_1_and_in_order(shift):
    curve = ConfidenceCurve((0.0, 1.0), (0.1, 0.9), 0.2, (0.0, shift))
    found = curve.apply(said_of([1, 1, 1, 0, -1], [0.0, 0.5, 1.0, 0.5, 0.5]))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found[:3]) >= 0).all()
    assert found[3:].tolist() == [0.5, 0.2]


def test_reliability_counts_every_customer_in_both_halves():
    rng = np.random.default_rng(0)
    certainties = rng.random(500)
    bins = measure_reliability(said_of(np.zeros(500, int), certainties), agreeing(rng.random((40, 500)) < certainties))
    assert sum(part.count for part in bins) == 1000
    assert reliability_error(bins) < 0.05


def test_the_worst_bin_with_enough_customers_counts():
    bins = (ReliabilityBin(4, 0.2, 0.9), ReliabilityBin(10, 0.7, 0.5), ReliabilityBin(86, 0.9, 0.89))
    assert reliability_error(bins) == pytest.approx(0.2)


def test_matching_goes_by_overlap_and_leaves_what_has_no_partner():
    first = np.array([0, 0, 0, 1, 1, 1, 2, 2, -1])
    second = np.array([4, 4, 9, 9, 9, 9, 7, 4, 3])
    found = match_clusters(first, second, 3)
    assert found.labels.tolist() == [0, 0, 1, 1, 1, 1, 2, 0, UNMATCHED]
    np.testing.assert_allclose(found.jaccard, [2 / 4, 3 / 4, 1 / 2])


def test_matching_with_all_noise_finds_no_partner():
    found = match_clusters(np.array([0, 1, -1]), np.array([-1, -1, -1]), 2)
    assert found.labels.tolist() == [-1, -1, -1]
    assert found.jaccard.tolist() == [0.0, 0.0]


def test_reference_has_the_same_columns_and_rank_correlations_and_no_groups():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 4000)
    values = np.column_stack([rng.exponential(size=4000) + 5 * group, rng.normal(size=4000), group])
    values[:, 1] += values[:, 0] / 3
    drawn = fit_copula(values).draw(4000, 1)
    for place in range(3):
        found, wanted = (np.quantile(rows[:, place], [0.05, 0.25, 0.45, 0.55, 0.75, 0.95]) for rows in (drawn, values))
        np.testing.assert_allclose(found, wanted, atol=0.35)
    np.testing.assert_allclose(spearmanr(drawn).statistic, spearmanr(values).statistic, atol=0.05)


def test_reference_follows_the_seed_and_keeps_constant_columns():
    copula = fit_copula(np.column_stack([np.arange(50.0), np.full(50, 3.0)]))
    np.testing.assert_array_equal(copula.draw(20, 5), copula.draw(20, 5))
    assert not np.array_equal(copula.draw(20, 5), copula.draw(20, 6))
    assert (copula.draw(20, 5)[:, 1] == 3.0).all()


def test_a_resample_holds_at_most_eighty_percent():
    assert resample_size(1000, 5000) == 800
    assert resample_size(100_000, 5000) == 5000
    assert resample_size(2, 5000) == 2
