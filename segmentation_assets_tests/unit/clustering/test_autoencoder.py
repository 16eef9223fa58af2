"""K-means on the encoding of an autoencoder: what a fit finds, repeats, keeps and says."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segmentation_assets.clustering.autoencoder import ONE_THREAD, AutoencoderClusterer
from segmentation_assets.clustering.autoencoder_checkpoints import CheckpointFile
from segmentation_assets.clustering.autoencoder_comparison import compare, describe_comparison
from segmentation_assets.storage.models import ModelStore, fitted_state_hash

MODULE = "segmentation_assets.clustering.autoencoder"
SMALL = {"hidden": (8, 4), "encoding_dim": 2, "batch_size": 32, "learning_rate": 0.01, "epochs": 40}
CHECKPOINT = "autoencoder-1.npz"

AGAIN = """
import os, sys
import numpy as np
from pathlib import Path
from segmentation_assets.storage.models import ModelReference, ModelStore, fitted_state_hash
allowed = ("segmentation_assets.clustering.autoencoder.AutoencoderClusterer",)
folder = Path(sys.argv[1])
values = np.load(folder / "values.npy")
stored = ModelStore(folder, allowed).load(ModelReference("autoencoder", sys.argv[2])).estimator
assert (stored.predict(values) == np.load(folder / "labels.npy")).all()
print(sorted({"jax", "optax", "segmentation_assets.clustering.autoencoder_training"} & set(sys.modules)))
before = dict(os.environ)
print(fitted_state_hash(type(stored)(**stored.get_params()).fit(values), {}, allowed))
print(before == dict(os.environ))
"""


def blobs():
    """Draw four well separated blobs, in six columns of unlike means."""
    rng = np.random.default_rng(0)
    centres = rng.permuted(np.tile([-12.0, -4.0, 4.0, 12.0], (6, 1)), axis=1).T + np.arange(6.0)
    return make_blobs(240, centers=centres, cluster_std=1.0, random_state=0)


def clusterer(**changes):
    return AutoencoderClusterer(**{**SMALL, "random_state": 5, **changes})


def state_hash(fitted):
    return fitted_state_hash(fitted, {}, (f"{MODULE}.AutoencoderClusterer",))


def weights(fitted):
    return [array for layer in (*fitted.encoder_, *fitted.decoder_) for array in layer]


@pytest.fixture(scope="module")
def fitted():
    """A fit on the blobs; tests leave it as it is."""
    return clusterer().fit(blobs()[0])


def test_recovers_planted_clusters(fitted):
    _, truth = blobs()
    assert fitted.n_clusters_ == 4
    assert adjusted_rand_score(truth, fitted.labels_) > 0.9
    assert fitted.search_["k"][fitted.search_["is_chosen"]].tolist() == [4]


def test_rebuilds_rows_better_than_their_mean(fitted):
    values, _ = blobs()
    errors = fitted.reconstruction_errors(values)
    np.testing.assert_allclose(errors, np.square(values - fitted.reconstruct(values)).mean(axis=1))
    assert errors.mean() < 0.5 * np.square(values - values.mean(axis=0)).mean()


def test_history_is_of_the_kept_training_and_in_the_unit_of_the_rows(fitted):
    history = fitted.history_
    assert history["epoch"].tolist() == list(range(1, fitted.stopped_epoch_ + 1))
    assert fitted.holdout_error_ == pytest.approx(history["holdout_error"].min(), rel=1e-4)
    assert fitted.holdout_error_ == min(fitted.spread_["holdout_errors"])
    assert history["training_error"][-1] < history["training_error"][0]


@pytest.mark.parametrize("layout", ["C", "F"])
def test_one_row_gets_what_it_gets_in_the_batch(fitted, layout):
    values = np.asarray(blobs()[0], order=layout)
    for method in (fitted.embed, fitted.reconstruct, fitted.reconstruction_errors, fitted.transform, fitted.predict):
        alone = np.concatenate([method(values[row : row + 1]) for row in range(len(values))])
        np.testing.assert_array_equal(alone, method(values))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(values))


def test_a_row_in_a_later_block_gets_what_it_gets_alone(fitted):
    values = np.tile(blobs()[0], (10, 1))
    np.testing.assert_array_equal(fitted.embed(values), np.tile(fitted.embed(values[:240]), (10, 1)))


def test_numbers_keep_ten_significant_digits(fitted):
    for array in (*weights(fitted), fitted.feature_means_, fitted.latent_centers_):
        numbers = array.ravel().tolist()
        assert numbers == [float(f"{value:.9e}") for value in numbers]


def test_same_seed_gives_the_same_state(fitted):
    again = clusterer().fit(blobs()[0])
    assert state_hash(again) == state_hash(fitted)
    assert state_hash(clusterer(random_state=6).fit(blobs()[0])) != state_hash(fitted)


def test_another_process_predicts_without_jax_and_fits_the_same_state(fitted, tmp_path, repository):
    np.save(tmp_path / "values.npy", blobs()[0])
    np.save(tmp_path / "labels.npy", fitted.labels_)
    reference = ModelStore(tmp_path, (f"{MODULE}.AutoencoderClusterer",)).save("autoencoder", fitted, {})
    command = [sys.executable, "-c", AGAIN, str(tmp_path), reference.content_hash]
    environment = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["[]", state_hash(fitted), "True"], done.stderr


def test_stops_early_on_noise():
    noise = np.random.default_rng(0).normal(size=(240, 6))
    fitted = clusterer(seeds=1, patience=4, epochs=200).fit(noise)
    errors = fitted.history_["holdout_error"]
    assert fitted.stopped_epoch_ < 200
    assert errors.argmin() == len(errors) - 1 - 4


def test_a_training_that_only_grows_worse_is_an_error():
    with pytest.raises(FloatingPointError, match=r"learning rate of 1e\+30 ended with a finite error\nHint: lower"):
        clusterer(seeds=1, learning_rate=1e30).fit(blobs()[0])


@pytest.fixture
def stopped(monkeypatch, tmp_path):
    """A folder with the checkpoint of a fit that was stopped after ten epochs."""
    write = CheckpointFile.write

    def write_and_stop(file, arrays):
        write(file, arrays)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFile, "write", write_and_stop)
        with pytest.raises(KeyboardInterrupt):
            clusterer(checkpoint_dir=str(tmp_path / "kept")).fit(blobs()[0])
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [CHECKPOINT]
    return tmp_path / "kept"


def test_a_stopped_fit_goes_on_and_ends_as_if_never_stopped(fitted, stopped, monkeypatch):
    from segmentation_assets.clustering import autoencoder_training

    run_epoch, epochs = autoencoder_training.run_epoch, []
    monkeypatch.setattr(autoencoder_training, "run_epoch", lambda *given: epochs.append(1) or run_epoch(*given))
    resumed = clusterer(checkpoint_dir=str(stopped)).fit(blobs()[0])
    for one, other in zip(weights(resumed), weights(fitted), strict=True):
        np.testing.assert_array_equal(one, other)
    assert state_hash(resumed.set_params(checkpoint_dir=None)) == state_hash(fitted)
    assert not stopped.exists()
    epochs_resumed = len(epochs)
    clusterer().fit(blobs()[0])
    assert len(epochs) - epochs_resumed == epochs_resumed + 10


def test_a_checkpoint_of_another_fit_is_ignored_and_noted(stopped):
    fitted = clusterer(random_state=6).fit(blobs()[0])
    beside = clusterer(random_state=6, checkpoint_dir=str(stopped)).fit(blobs()[0])
    assert beside.notes_ == (
        f"the checkpoint {CHECKPOINT} is of another training; this one began anew",
        *fitted.notes_,
    )
    np.testing.assert_array_equal(beside.latent_centers_, fitted.latent_centers_)


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "text", "cut"])
def test_a_damaged_checkpoint_is_ignored_and_noted(fitted, stopped, content):
    file = stopped / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-100] if content is None else content)
    again = clusterer(checkpoint_dir=str(stopped)).fit(blobs()[0])
    assert again.notes_[0] == f"the checkpoint {CHECKPOINT} is damaged; the training began anew"
    np.testing.assert_array_equal(again.latent_centers_, fitted.latent_centers_)


def test_compares_itself_with_principal_components_and_other_seeds(fitted):
    found, spread = fitted.comparison_, fitted.spread_
    assert found["autoencoder_holdout_error"] == fitted.holdout_error_
    best = "autoencoder" if found["autoencoder_silhouette"] > found["pca_silhouette"] else "pca"
    assert found["winner"] == best
    assert len(spread["holdout_errors"]) == len(spread["n_clusters"]) == 3
    assert -0.5 <= spread["ari_min"] <= spread["ari_mean"] <= 1.0
    comparison, agreement = fitted.notes_
    for name in ("autoencoder_silhouette", "pca_silhouette"):
        assert f"{found[name]:.4f}" in comparison
    assert agreement.startswith("3 trainings with different seeds: held-out error ")


def test_principal_components_rebuild_a_plane_without_error():
    plane, _ = make_blobs(240, centers=[[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], random_state=0)
    fitted = clusterer(seeds=1, epochs=5).fit(plane @ np.random.default_rng(0).normal(size=(2, 6)) + 3.0)
    assert fitted.comparison_["pca_holdout_error"] < 1e-12
    assert fitted.comparison_["pca_holdout_error"] < fitted.comparison_["autoencoder_holdout_error"]


@pytest.mark.parametrize(
    ("silhouettes", "winner"), [((0.3, 0.2), "autoencoder"), ((0.2, 0.2), "pca"), ((0.1, None), "autoencoder")]
)
def test_the_larger_silhouette_on_the_features_wins_and_ties_go_to_principal_components(silhouettes, winner):
    comparison = compare([0.5, 0.25], silhouettes)
    assert comparison["winner"] == winner
    text = describe_comparison({**comparison, "autoencoder_silhouette": 0.25, "pca_silhouette": 0.125})
    texts = {
        "autoencoder": "the autoencoder wins over as many principal components: silhouette on the features 0.2500 "
        "against 0.1250, held-out error 0.5 against 0.25",
        "pca": "as many principal components win over the autoencoder: silhouette on the features 0.1250 against "
        "0.2500, held-out error 0.25 against 0.5",
    }
    assert text == texts[winner]


def test_a_fixed_number_is_neither_searched_nor_compared():
    fitted = clusterer(n_clusters=3, seeds=2).fit(blobs()[0])
    assert fitted.search_["k"].tolist() == [3]
    assert fitted.comparison_ == {}
    assert fitted.spread_["n_clusters"] == [3, 3]


def test_refit_copy_fixes_the_number_and_trains_once(fitted):
    copy = fitted.set_params(checkpoint_dir="somewhere").refit_copy(9)
    fitted.set_params(checkpoint_dir=None)
    changed = {name: value for name, value in copy.get_params().items() if value != fitted.get_params()[name]}
    assert changed == {"n_clusters": 4, "seeds": 1, "random_state": 9}
    again = copy.fit(blobs()[0])
    assert len(again.spread_["holdout_errors"]) == 1
    assert again.notes_ == ()


def test_reordering_moves_centres_labels_and_predictions_together():
    values, _ = blobs()
    fitted = clusterer(seeds=1, epochs=5, n_clusters=3).fit(values)
    before = fitted.labels_.copy()
    fitted.reorder_clusters([2, 0, 1])
    assert (np.array([2, 0, 1])[fitted.labels_] == before).all()
    np.testing.assert_array_equal(fitted.predict(values), fitted.labels_)


def test_equal_rows_are_one_cluster():
    fitted = clusterer(seeds=1, epochs=2).fit(np.ones((240, 6)))
    assert fitted.n_clusters_ == 1
    assert fitted.comparison_ == {}
    np.testing.assert_allclose(fitted.reconstruct(np.ones((1, 6))), np.ones((1, 6)), atol=0.1)


@pytest.mark.parametrize("package", ["jax", "optax"])
def test_a_missing_extra_is_a_clear_error(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"{MODULE}_training", raising=False)
    wanted = (
        rf"{package} is not installed; pip install 'segmentation-assets\[neural\]', or set .*autoencoder.enabled: false"
    )
    with pytest.raises(ModuleNotFoundError, match=wanted):
        clusterer().fit(blobs()[0])


def test_what_is_shown_are_numbers_and_curves_of_the_kept_training():
    fitted = clusterer(seeds=2, epochs=4).fit(blobs()[0])
    assert fitted.figures_["winner"] in ("autoencoder", "pca")
    assert fitted.figures_["holdout_error"] == fitted.holdout_error_
    assert fitted.figures_["seeds_ari_min"] <= fitted.figures_["seeds_ari_mean"]
    assert len(fitted.curves_["holdout_error"]) == fitted.figures_["epochs"]
