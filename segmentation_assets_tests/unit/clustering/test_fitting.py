"""Fitting one algorithm and assigning everyone."""

import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.clustering.estimator import Assigned
from segmentation_assets.clustering.fitting import assignments_frame, describe_fit, fit_clustering
from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.registry import ALGORITHMS, AlgorithmEntry, model_types
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.errors import DataError
from segmentation_assets.storage.models import fitted_state_hash

TRIALS = {"resamples": 4, "reference_draws": 2}
SETTINGS = ClusteringSettings.model_validate({"algorithms": {"kmeans": {"k_min": 3, "k_max": 3}}, "evaluation": TRIALS})
KMEANS = ALGORITHMS["kmeans"]
GATES = LeaderboardSettings()


def three_groups(rows_each=5):
    """Return a matrix of three groups on a line and a revenue that is highest in the middle group."""
    positions = np.repeat([0.0, 10.0, 20.0], rows_each) + np.tile(np.arange(rows_each) / 10, 3)
    customers = [f"c{number:03d}" for number in range(len(positions))]
    revenue = pd.Series(np.repeat([50.0, 900.0, 200.0], rows_each), index=customers)
    return pd.DataFrame({"x": positions, "y": 0.0}, index=pd.Index(customers, name="customer_id")), revenue


def test_clusters_are_numbered_by_descending_mean_revenue_inside_the_estimator_too():
    matrix, revenue = three_groups()
    result = fit_clustering(matrix, revenue, KMEANS, SETTINGS, GATES)
    assert result.labels.tolist() == [2] * 5 + [0] * 5 + [1] * 5
    assert result.estimator.predict(matrix).tolist() == result.labels.tolist()
    np.testing.assert_allclose(result.estimator.cluster_centers_[:, 0], [10.2, 20.2, 0.2])


def test_clusters_of_equal_revenue_are_numbered_by_their_first_customer():
    matrix, revenue = three_groups()
    result = fit_clustering(matrix, revenue * 0 + 1.0, KMEANS, SETTINGS, GATES)
    assert result.labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5


def test_row_order_changes_nothing():
    matrix, revenue = three_groups()
    shuffled = matrix.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(
        assignments_frame(fit_clustering(shuffled, revenue, KMEANS, SETTINGS, GATES)),
        assignments_frame(fit_clustering(matrix, revenue, KMEANS, SETTINGS, GATES)),
    )


def test_frame_holds_customer_cluster_and_distance():
    matrix = pd.DataFrame({"x": [0.0, 2.0, 9.0, 11.0]}, index=pd.Index(list("abcd"), name="customer_id"))
    settings = ClusteringSettings.model_validate(
        {"algorithms": {"kmeans": {"k_min": 2, "k_max": 2}}, "evaluation": TRIALS}
    )
    result = fit_clustering(matrix, pd.Series([5.0, 5.0, 1.0, 1.0], index=list("abcd")), KMEANS, settings, GATES)
    found = assignments_frame(result)
    expected = pd.DataFrame({"customer_id": list("abcd"), "cluster": [0, 0, 1, 1], "centre_distance": 1.0})
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected, check_dtype=False)
    assert found["runner_up_cluster"].tolist() == [1, 1, 0, 0]
    assert found["confidence"].between(0, 1).all()
    assert found[["membership", "outlier_score", "is_outlier"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gaussian_mixture", {"membership", "confidence", "runner_up_cluster"}),
        ("dbscan", {"outlier_score", "is_outlier", "confidence"}),
        ("hybrid", {"outlier_score", "is_outlier", "confidence", "runner_up_cluster"}),
    ],
)
def test_frame_holds_what_the_algorithm_knows(name, known):
    matrix, revenue = three_groups(rows_each=40)
    settings = ClusteringSettings.model_validate({"evaluation": TRIALS})
    found = assignments_frame(fit_clustering(matrix, revenue, ALGORITHMS[name], settings, GATES))
    columns = ["runner_up_cluster", "confidence", "membership", "outlier_score", "is_outlier"]
    assert {column for column in columns if found[column].notna().all()} == known
    assert {column for column in columns if found[column].notna().any()} == known


def test_a_large_matrix_is_fitted_on_a_sample_and_everyone_is_assigned():
    matrix, revenue = three_groups(rows_each=50)
    settings = SETTINGS.model_copy(update={"fit_sample": 100})
    result = fit_clustering(matrix, revenue, KMEANS, settings, GATES)
    assert result.fitted_count == 100
    assert result.notes == ("fitted on a sample of 100 of 150 customers",)
    assert result.labels.tolist() == [2] * 50 + [0] * 50 + [1] * 50


@pytest.mark.parametrize(
    ("matrix", "note"),
    [
        (
            three_groups()[0].head(0),
            "nothing was fitted: a clustering needs at least two customers, the model matrix holds 0",
        ),
        (
            three_groups()[0].head(1),
            "nothing was fitted: a clustering needs at least two customers, the model matrix holds 1",
        ),
        (
            three_groups()[0][[]],
            "nothing was fitted: the model matrix has no column, as no chosen feature differs among its 15 customers",
        ),
    ],
)
def test_without_customers_or_columns_nothing_is_fitted_and_everyone_is_noise(matrix, note):
    result = fit_clustering(matrix, three_groups()[1], KMEANS, SETTINGS, GATES)
    assert (result.estimator, result.fitted_count, result.notes) == (None, 0, (note,))
    found = assignments_frame(result)
    assert found["customer_id"].tolist() == list(matrix.index)
    assert (found["cluster"] == -1).all()
    assert found.drop(columns=["customer_id", "cluster"]).isna().all(axis=None)
    assert found.dtypes.astype(str).tolist()[1:] == ["int64", "object", *["float64"] * 4, "object"]


def test_the_leaderboards_bounds_decide_which_number_of_clusters_is_chosen():
    """Two groups of 40 and one of 20, so k = 3 has the best silhouette and a smallest cluster of 20."""
    positions = np.concatenate([np.linspace(0, 1, 40), np.linspace(10, 11, 40), np.linspace(20, 21, 20)])
    matrix = pd.DataFrame({"x": positions}, index=pd.Index([f"c{n:03d}" for n in range(100)], name="customer_id"))
    revenue = pd.Series(1.0, index=matrix.index)
    settings = ClusteringSettings.model_validate(
        {"algorithms": {"kmeans": {"k_min": 2, "k_max": 4}}, "evaluation": TRIALS}
    )

    def count(**bounds):
        return fit_clustering(matrix, revenue, KMEANS, settings, LeaderboardSettings(**bounds)).estimator.n_clusters_

    assert count(min_segment_share=0.2, min_segment_customers=20) == 3
    assert count(min_segment_share=0.0, min_segment_customers=21) == 2
    assert count(min_segment_share=0.21, min_segment_customers=1) == 2


def test_the_bound_in_customers_is_of_all_customers_not_of_the_fitted_sample():
    matrix, revenue = three_groups(rows_each=100)
    matrix["x"] += np.repeat([0.0, 50.0, 100.0], 100)
    settings = ClusteringSettings.model_validate(
        {"fit_sample": 100, "algorithms": {"kmeans": {"k_min": 2, "k_max": 3}}, "evaluation": TRIALS}
    )
    gates = LeaderboardSettings(min_segment_share=0.0, min_segment_customers=45)
    result = fit_clustering(matrix, revenue, KMEANS, settings, gates)
    assert result.estimator.n_clusters_ == 3
    assert result.notes == ("fitted on a sample of 100 of 300 customers",)


def test_a_repeated_customer_is_refused():
    matrix, revenue = three_groups()
    with pytest.raises(DataError, match="customer c000 more than once"):
        fit_clustering(pd.concat([matrix, matrix.head(1)]), revenue, KMEANS, SETTINGS, GATES)


def test_a_number_that_is_not_finite_is_refused():
    matrix, revenue = three_groups()
    matrix.loc["c004", "y"] = np.nan
    with pytest.raises(DataError, match="no finite number for customer c004 in column y"):
        fit_clustering(matrix, revenue, KMEANS, SETTINGS, GATES)


def test_a_customer_without_revenue_is_refused():
    matrix, revenue = three_groups()
    with pytest.raises(DataError, match="1 customers of the model matrix have no net revenue, for example c014"):
        fit_clustering(matrix, revenue.drop("c014"), KMEANS, SETTINGS, GATES)


class _Breaks:
    """An algorithm that raises an error at one of its steps."""

    def __init__(self, error, *, at):
        self.error, self.at, self.n_clusters_, self.notes_ = error, at, 1, ()
        self.fitted_count_ = 15

    def get_params(self):
        return {}

    def fit_assign(self, X):
        self._reach("fit")
        zeros = np.zeros(len(X))
        return Assigned(zeros.astype("int64"), zeros, zeros.astype("int64") - 1, zeros)

    def reorder_clusters(self, order):
        self._reach("reorder")

    def _reach(self, step):
        if step == self.at:
            raise self.error


def fit_broken(monkeypatch, error, at="fit"):
    monkeypatch.setattr(AlgorithmEntry, "build", lambda *_: _Breaks(error, at=at))
    return fit_clustering(*three_groups(), KMEANS, SETTINGS, GATES)


@pytest.mark.parametrize("at", ["fit", "reorder"])
def test_an_algorithm_that_raises_makes_everyone_noise_and_says_why(monkeypatch, at):
    result = fit_broken(monkeypatch, ValueError("n_clusters=9 is too large"), at)
    assert (result.estimator, result.fitted_count) == (None, 0)
    assert result.failure == "ValueError: n_clusters=9 is too large"
    assert result.notes == ("could not be fitted: ValueError: n_clusters=9 is too large",)
    assert assignments_frame(result)["cluster"].tolist() == [-1] * 15
    assert assignments_frame(result)["centre_distance"].isna().all()


def test_an_algorithm_that_cannot_be_fitted_again_keeps_its_clusters_and_says_why(monkeypatch):
    def break_refit(*_):
        raise ValueError("too few rows")

    monkeypatch.setattr(KMeansClusterer, "refit_copy", break_refit)
    result = fit_clustering(*three_groups(), KMEANS, SETTINGS, GATES)
    assert (result.evaluation, result.failure, result.refit_failure) == (None, "", "ValueError: too few rows")
    found = assignments_frame(result)
    assert found["cluster"].nunique() == 3
    assert found["confidence"].isna().all()


def test_running_out_of_memory_is_the_algorithms_failure(monkeypatch):
    result = fit_broken(monkeypatch, MemoryError("Unable to allocate 9.0 GiB"))
    assert result.failure == "MemoryError: Unable to allocate 9.0 GiB"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PermissionError("model"), DataError("bad data")])
def test_interrupts_disk_and_data_errors_stop_the_fit(monkeypatch, error):
    with pytest.raises(type(error)):
        fit_broken(monkeypatch, error)


def test_having_nothing_to_fit_is_no_failure():
    assert fit_clustering(three_groups()[0].head(1), three_groups()[1], KMEANS, SETTINGS, GATES).failure == ""


def test_checkpoints_are_no_part_of_the_model(tmp_path):
    pytest.importorskip("jax", reason="the extra neural is not installed")
    matrix, revenue = three_groups(rows_each=40)
    small = {"autoencoder": {"epochs": 2, "seeds": 1, "hidden": (4,), "encoding_dim": 2, "checkpoint_every": 1}}
    settings = ClusteringSettings.model_validate({"algorithms": small, "evaluation": TRIALS})
    folder = tmp_path / "checkpoints"
    kept = fit_clustering(matrix, revenue, ALGORITHMS["autoencoder"], settings, GATES, folder)
    free = fit_clustering(matrix, revenue, ALGORITHMS["autoencoder"], settings, GATES)
    assert not folder.exists()
    hashes = {fitted_state_hash(result.estimator, {}, model_types()) for result in (kept, free)}
    assert len(hashes) == 1
    assert len(kept.evaluation.stability_scores) == 4


@pytest.mark.parametrize("name", ["kmeans", "gaussian_mixture", "ward", "dbscan"])
def test_description_of_a_fit_is_plain_and_complete(name):
    matrix, revenue = three_groups(rows_each=20)
    settings = ClusteringSettings.model_validate({"evaluation": TRIALS})
    result = fit_clustering(matrix, revenue, ALGORITHMS[name], settings, GATES)
    found = json.loads(json.dumps(describe_fit(result), allow_nan=False))
    assert (found["algorithm"], found["customer_count"], found["fitted_count"]) == (name, 60, 60)
    assert found["n_clusters"] == result.estimator.n_clusters_
    assert found["figures"].keys() == result.estimator.figures_.keys()
    assert found["curves"].keys() == result.estimator.curves_.keys()
    assert {len(column) for column in found["search"].values()} <= {len(found["search"].get("k", []))}


def test_description_of_what_was_not_fitted_says_why():
    result = fit_clustering(three_groups()[0].head(1), three_groups()[1], KMEANS, SETTINGS, GATES)
    found = describe_fit(result)
    assert (found["n_clusters"], found["figures"], found["search"]) == (0, {}, {})
    assert found["notes"] == ["nothing was fitted: a clustering needs at least two customers, the model matrix holds 1"]


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
@pytest.mark.parametrize("shape", ["noise", "two points", "one outlier"])
def test_no_number_of_the_frame_is_infinite(name, shape):
    rng = np.random.default_rng(0)
    values = {
        "noise": rng.normal(size=(60, 5)),
        "two points": np.repeat([[0.0] * 5, [1.0] * 5], 30, axis=0),
        "one outlier": np.vstack([np.zeros((59, 5)), np.full((1, 5), 9.0)]),
    }[shape]
    index = pd.Index([f"c{number:02d}" for number in range(60)], name="customer_id")
    small = {"autoencoder": {"epochs": 2, "seeds": 1, "hidden": (4,), "encoding_dim": 2}}
    settings = ClusteringSettings.model_validate({"algorithms": small, "evaluation": TRIALS})
    matrix, revenue = pd.DataFrame(values, index=index), pd.Series(1.0, index=index)
    result = fit_clustering(matrix, revenue, ALGORITHMS[name], settings, GATES)
    assert (result.failure, result.refit_failure) == ("", "")
    found = assignments_frame(result).select_dtypes("float64")
    assert not np.isinf(found.to_numpy()).any()
    assert found["confidence"].between(0, 1).all()
