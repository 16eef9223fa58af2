"""Tuning of clusterings: every registered algorithm, on planted groups."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from segmentation_assets.clustering.registry import ALGORITHMS, find_algorithm
from segmentation_assets.config.loading import load_profile
from segmentation_assets.errors import DataError
from segmentation_assets.prediction.tuning_clusters import ClusterObjective
from segmentation_assets.prediction.tuning_patch import changed_settings
from segmentation_assets.prediction.tuning_scores import judge_trials
from segmentation_assets.prediction.tuning_space import find_space
from segmentation_assets.prediction.tuning_study import open_study

QUICK = {
    "clustering.algorithms.autoencoder.epochs": 3,
    "clustering.algorithms.autoencoder.seeds": 1,
    "clustering.algorithms.gaussian_mixture.n_init": 2,
    "leaderboard.min_segment_customers": 5,
}
SETTINGS = load_profile(overrides=QUICK)


@pytest.fixture(scope="module")
def planted():
    """Four groups that lie apart."""
    values, _ = make_blobs(240, n_features=4, centers=4, cluster_std=0.6, random_state=1)
    return pd.DataFrame(values, index=[f"c{number:03d}" for number in range(240)], columns=list("abcd"))


def objective_of(name, matrix, folds=3):
    return ClusterObjective(matrix, find_algorithm(name), folds=folds, seed=5)


def search(name, matrix, settings, folder, trials, folds=3):
    with open_study(folder / "study.db", name) as study:
        return study.search(
            find_space(name, settings),
            objective_of(name, matrix, folds),
            settings,
            trials=trials,
            seed=5,
            on_trial=lambda _: None,
        )


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_every_registered_algorithm_is_tuned(name, planted, tmp_path):
    if name == "autoencoder":
        pytest.importorskip("jax")
    found = search(name, planted, SETTINGS, tmp_path, 2, folds=2)
    assert [one.number for one in found] == [1, 2]
    for one in found:
        assert "could not be fitted" not in one.scores.reason
        assert {"coverage", "agreement", "silhouette", "segments", "smallest_share"} == set(one.scores.facts)
        assert one.is_usable or one.scores.shortfall > 0


def test_planted_groups_are_found_from_bad_settings(planted, tmp_path):
    path = "clustering.algorithms.kmeans"
    bad = SETTINGS.altered({f"{path}.k_min": 11, f"{path}.k_max": 12, f"{path}.n_init": 1})
    verdict = judge_trials(search("kmeans", planted, bad, tmp_path, 12))
    assert verdict.is_better
    changed = changed_settings(verdict, bad)
    assert (changed[f"{path}.k_min"], changed[f"{path}.k_max"]) == (4, 4)
    assert verdict.best.scores.facts["agreement"] == 1


def test_scores_are_of_customers_that_were_not_fitted_on(planted, monkeypatch):
    objective = objective_of("kmeans", planted)
    fitted = []
    estimator = type(find_algorithm("kmeans").build(SETTINGS.clustering, SETTINGS.leaderboard, 240))
    learn = estimator.fit
    monkeypatch.setattr(estimator, "fit", lambda self, X, y=None: (fitted.append(np.asarray(X)), learn(self, X))[1])
    objective.score(SETTINGS)
    rows = [{row.tobytes() for row in part} for part in fitted]
    everyone = {row.tobytes() for row in planted.to_numpy()}
    held = [everyone - part for part in rows]
    assert [len(part) for part in held] == [80, 80, 80]
    assert set.union(*held) == everyone


def test_order_of_customers_does_not_matter(planted):
    shuffled = planted.sample(frac=1, random_state=3)
    assert objective_of("ward", shuffled).score(SETTINGS) == objective_of("ward", planted).score(SETTINGS)


def test_noise_is_no_way_to_a_good_score(planted):
    """A radius that leaves most customers out fails the gate of coverage, whatever the silhouette of the rest."""
    path = "clustering.algorithms.dbscan"
    tight = SETTINGS.altered({f"{path}.eps": 0.35, f"{path}.min_samples": 3, f"{path}.space": "full"})
    scores = objective_of("dbscan", planted).score(tight)
    assert scores.facts["coverage"] < 0.8
    assert "(below the 80.0%)" in scores.reason
    assert scores.shortfall > 0


def test_a_cut_that_differs_between_fits_fails_the_gate_of_stability():
    cloud = pd.DataFrame(np.random.default_rng(2).normal(size=(240, 6)), index=[f"c{n:03d}" for n in range(240)])
    scores = objective_of("kmeans", cloud).score(SETTINGS)
    assert "agreement of the fits 0." in scores.reason
    assert scores.values


def test_clusters_below_the_size_gates_count_as_noise(planted):
    strict = SETTINGS.altered({"leaderboard.min_segment_share": 0.4})
    scores = objective_of("kmeans", planted).score(strict)
    assert scores.facts["segments"] < 4
    assert scores.facts["coverage"] < 1
    assert scores.reason


def test_what_scores_rest_on_is_told(planted, monkeypatch):
    assert objective_of("kmeans", planted).rests_on == "240 customers of the model matrix"
    monkeypatch.setattr("segmentation_assets.prediction.tuning_clusters.MOST_CUSTOMERS", 100)
    assert objective_of("kmeans", planted).rests_on == "a sample of 100 of 240 customers of the model matrix"


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (1, 2, "kmeans cannot be tuned: a clustering needs at least two customers"),
        (9, 0, "kmeans cannot be tuned: the model matrix has no column"),
        (5, 2, "kmeans cannot be tuned: 5 customers do not make 3 folds"),
    ],
)
def test_too_little_to_tune_on_is_told(rows, columns, message):
    with pytest.raises(DataError, match=message):
        objective_of("kmeans", pd.DataFrame(np.zeros((rows, columns))))
