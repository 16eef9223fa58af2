"""What every clusterer must do, whatever its algorithm."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from segmentation_assets.clustering.autoencoder import AutoencoderClusterer
from segmentation_assets.clustering.dbscan import DbscanClusterer
from segmentation_assets.clustering.fuzzy import FuzzyCMeansClusterer
from segmentation_assets.clustering.hdbscan import HdbscanClusterer
from segmentation_assets.clustering.hybrid import HybridClusterer
from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.mixture import GaussianMixtureClusterer
from segmentation_assets.clustering.registry import model_types
from segmentation_assets.clustering.ward import WardClusterer
from segmentation_assets.storage.models import ModelStore, fitted_state_hash

CLUSTERERS = [
    KMeansClusterer(),
    HybridClusterer(),
    GaussianMixtureClusterer(n_init=2),
    WardClusterer(),
    FuzzyCMeansClusterer(n_init=1),
    DbscanClusterer(),
    HdbscanClusterer(),
    AutoencoderClusterer(hidden=(16, 8), encoding_dim=4, batch_size=32, learning_rate=0.01, epochs=40, seeds=1),
]
QUICK = [*CLUSTERERS[:-1], AutoencoderClusterer(hidden=(), encoding_dim=2, epochs=2, seeds=1)]


@parametrize_with_checks(QUICK)
def test_keeps_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.fixture(params=CLUSTERERS, ids=lambda clusterer: type(clusterer).__name__)
def clusterer(request):
    """Each clusterer in turn, unfitted, with a seed."""
    return type(request.param)(**{**request.param.get_params(), "random_state": 4})


@pytest.fixture(scope="module")
def blobs():
    """Four groups that every algorithm tells apart, with their truth."""
    return make_blobs(400, centers=np.eye(4, 6) * 12, random_state=0)


def test_finds_groups_that_lie_apart(clusterer, blobs):
    values, truth = blobs
    fitted = clusterer.fit(values)
    assert fitted.n_clusters_ == 4
    is_covered = fitted.labels_ >= 0
    assert is_covered.mean() > 0.9
    assert adjusted_rand_score(truth[is_covered], fitted.labels_[is_covered]) == 1.0


def test_one_row_gets_what_it_gets_in_the_batch(clusterer):
    values = np.asfortranarray(np.random.default_rng(3).normal(size=(120, 17)))
    fitted = clusterer.fit(values)
    batch = fitted.assign(values)
    alone = [fitted.assign(values[row : row + 1]) for row in range(len(values))]
    for name, found in vars(batch).items():
        if found is not None:
            np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in alone]), found)
    if not isinstance(fitted, WardClusterer):  # its tree decides on the rows it is built on
        np.testing.assert_array_equal(fitted.labels_, batch.labels)


def test_assigning_changes_nothing_in_the_model(clusterer, blobs):
    values, _ = blobs
    fitted = clusterer.fit(values)
    before = fitted_state_hash(fitted, {}, model_types())
    fitted.assign(values[:50])
    fitted.predict(values[50:])
    assert fitted_state_hash(fitted, {}, model_types()) == before


def test_same_seed_gives_the_same_model_and_another_the_same_groups(clusterer, blobs):
    values, _ = blobs
    first = clusterer.fit(values)
    again = type(clusterer)(**clusterer.get_params()).fit(values)
    assert fitted_state_hash(first, {}, model_types()) == fitted_state_hash(again, {}, model_types())
    other = type(clusterer)(**{**clusterer.get_params(), "random_state": 99}).fit(values)
    assert adjusted_rand_score(first.labels_, other.labels_) > 0.95


@pytest.mark.parametrize("permuted", ["rows", "columns"])
def test_order_of_rows_and_columns_changes_no_group(clusterer, blobs, permuted):
    values, _ = blobs
    order = np.random.default_rng(1).permutation(values.shape[0 if permuted == "rows" else 1])
    changed = values[order] if permuted == "rows" else values[:, order]
    before = clusterer.fit(values).labels_
    after = type(clusterer)(**clusterer.get_params()).fit(changed).labels_
    assert adjusted_rand_score(before[order] if permuted == "rows" else before, after) > 0.95


def test_certainties_lie_between_0_and_1_and_are_low_between_groups(clusterer):
    values = np.concatenate([np.random.default_rng(0).normal(centre, 1.0, (200, 2)) for centre in (0.0, 9.0)])
    fitted = type(clusterer)(**{**clusterer.get_params(), **two_groups(clusterer)}).fit(values)
    found = fitted.assign(values).certainties
    assert ((found >= 0) & (found <= 1)).all()
    inside, between = fitted.assign([[0.0, 0.0], [4.3, 4.3]]).certainties
    assert inside > between or fitted.predict([[4.3, 4.3]])[0] == -1


def two_groups(clusterer):
    """Parameters that let a clusterer find two groups."""
    known = clusterer.get_params()
    return {"k_min": 2} if "k_min" in known else {}


def test_renumbering_moves_everything_together(clusterer, blobs):
    values, _ = blobs
    fitted = clusterer.fit(values)
    before = fitted.assign(values)
    order = np.roll(np.arange(fitted.n_clusters_), 1)
    after = fitted.reorder_clusters(order).assign(values)
    is_covered = before.labels >= 0
    np.testing.assert_array_equal(order[after.labels[is_covered]], before.labels[is_covered])
    np.testing.assert_array_equal(fitted.labels_, after.labels)
    np.testing.assert_array_equal(after.distances, before.distances)
    np.testing.assert_allclose(after.certainties, before.certainties)
    if before.memberships is not None:
        np.testing.assert_allclose(after.memberships, before.memberships[:, order])


def test_what_a_fit_says_of_its_rows_is_what_they_are_assigned_later(clusterer, blobs):
    values, _ = blobs
    found = clusterer.fit_assign(values)
    order = np.roll(np.arange(clusterer.n_clusters_), 1)
    later = clusterer.reorder_clusters(order).assign(values)
    for name, numbers in vars(found.renumbered(order)).items():
        if numbers is None:
            assert getattr(later, name) is None
        else:
            np.testing.assert_allclose(numbers, getattr(later, name), rtol=1e-12)
    np.testing.assert_array_equal(clusterer.predict(values), later.labels)


def test_a_row_half_way_between_two_clusters_goes_to_the_first_in_any_order():
    values = np.array([[0.0], [0.0], [2.0], [1.0], [2.0], [2.0], [0.0]])
    fitted = KMeansClusterer(n_clusters=2, random_state=0).fit(values)
    fitted.cluster_centers_ = np.array([[0.0], [2.0]])
    before = fitted.assign(values)
    order = np.array([1, 0])
    after = fitted.reorder_clusters(order).assign(values)
    found = before.renumbered(order)
    assert (found.labels[3], found.runners_up[3]) == (0, 1)
    np.testing.assert_array_equal(found.labels, after.labels)
    np.testing.assert_array_equal(found.runners_up, after.runners_up)


@pytest.mark.parametrize("clusterer", [GaussianMixtureClusterer(random_state=0), FuzzyCMeansClusterer(random_state=0)])
def test_memberships_sum_to_one_and_are_largest_for_the_own_cluster(clusterer, blobs):
    values, _ = blobs
    found = clusterer.fit(values).assign(values)
    np.testing.assert_allclose(found.memberships.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.memberships.argmax(axis=1), found.labels)


@pytest.mark.parametrize("clusterer", [GaussianMixtureClusterer(random_state=0), FuzzyCMeansClusterer(random_state=0)])
def test_memberships_of_the_fitted_rows_are_at_hand_and_are_not_stored(clusterer, blobs):
    values, _ = blobs
    fitted = clusterer.fit(values)
    np.testing.assert_array_equal(fitted.membership_, fitted.assign(values).memberships)
    fitted.reorder_clusters(np.array([2, 0, 3, 1]))
    np.testing.assert_allclose(fitted.membership_, fitted.assign(values).memberships)
    stored = fitted_state_hash(fitted, {}, model_types())
    assert not hasattr(pickle.loads(pickle.dumps(fitted)), "membership_")
    del fitted.membership_
    assert fitted_state_hash(fitted, {}, model_types()) == stored


def test_only_algorithms_with_degrees_have_memberships(clusterer, blobs):
    fitted = clusterer.fit(blobs[0])
    assert hasattr(fitted, "membership_") == (fitted.assign(blobs[0]).memberships is not None)


def test_refit_copy_finds_the_same_number_on_half_of_the_rows(clusterer, blobs):
    values, _ = blobs
    fitted = clusterer.fit(values)
    again = fitted.refit_copy(9)
    assert not hasattr(again, "labels_")
    assert again.fit(values[::2]).n_clusters_ == fitted.n_clusters_
    assert again.random_state == 9


def test_more_rows_than_the_sample_are_all_assigned(clusterer, blobs):
    values, truth = blobs
    fitted = clusterer.set_params(fit_sample=200).fit(values)
    assert fitted.fitted_count_ == 200
    assert len(fitted.labels_) == 400
    is_covered = fitted.labels_ >= 0
    assert is_covered.mean() > 0.8
    assert adjusted_rand_score(truth[is_covered], fitted.labels_[is_covered]) == 1.0


def test_what_is_drawn_and_shown_is_small_and_plain(clusterer, blobs):
    fitted = clusterer.fit(blobs[0])
    assert all(isinstance(figure, bool | int | float | str) for figure in fitted.figures_.values())
    assert all(curve.size <= 500 for curve in fitted.curves_.values())
    assert all(isinstance(note, str) for note in fitted.notes_)


def test_rows_that_are_all_alike_make_at_most_one_cluster(clusterer):
    fitted = clusterer.fit(np.ones((40, 3)))
    assert fitted.n_clusters_ <= 1
    assert set(fitted.labels_) <= {-1, 0}


def test_a_saved_model_gives_one_row_what_the_fit_gave_it_in_the_batch(clusterer, tmp_path):
    values = np.random.default_rng(3).normal(size=(120, 6))
    batch = clusterer.fit_assign(values)
    store = ModelStore(tmp_path, model_types())
    saved = store.load(store.save("saved", clusterer, {})).estimator
    alone = [saved.assign(values[row : row + 1]) for row in range(0, len(values), 7)]
    for name, found in vars(batch).items():
        if found is not None:
            np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in alone]), found[::7])


def test_stored_model_holds_nothing_of_the_rows_it_was_given_and_predicts_the_same(clusterer, blobs):
    values, _ = blobs
    fitted = clusterer.fit(values)
    labels = fitted.labels_
    again = pickle.loads(pickle.dumps(fitted))
    assert not {"labels_", "membership_"} & set(vars(again))
    np.testing.assert_array_equal(again.predict(values), labels)
    np.testing.assert_array_equal(fitted.labels_, labels)
