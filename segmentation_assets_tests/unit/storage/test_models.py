"""The model store."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.registry import model_types
from segmentation_assets.errors import DataError
from segmentation_assets.storage.models import ModelReference, ModelStore, fitted_state_hash

POINTS = [[0.0, 0.0], [0.0, 1.0], [9.0, 9.0], [9.0, 8.0]]


@pytest.fixture
def store(tmp_path):
    """Return a store that allows the registered algorithms."""
    return ModelStore(tmp_path, allowed_types=model_types())


def fitted(**parameters):
    """Fit a small K-means."""
    return KMeansClusterer(n_clusters=2, random_state=1, **parameters).fit(POINTS)


def test_a_stored_model_comes_back_with_the_same_predictions_state_and_description(store):
    reference = store.save("kmeans", fitted(), {"month": "2025-06"}, state={"preparation": {"columns": ["x", "y"]}})
    model = store.load(reference)
    assert model.reference == reference
    assert model.state == {"preparation": {"columns": ["x", "y"]}}
    assert model.description == {"month": "2025-06"}
    assert model.estimator.predict(POINTS).tolist() == fitted().predict(POINTS).tolist()
    assert fitted_state_hash(model.estimator, model.state, model_types()) == reference.content_hash


def test_the_same_model_has_the_same_bytes_whenever_it_is_stored(tmp_path):
    kept_alive = [fitted() for _ in range(3)]
    stores = [ModelStore(tmp_path / str(place), allowed_types=model_types()) for place in range(3)]
    for store, estimator in zip(stores, kept_alive, strict=True):
        store.save("kmeans", estimator, {"month": "2025-06"})
    written = [{path.name: path.read_bytes() for path in (store.root / "models").rglob("*.*")} for store in stores]
    assert "model.skops" in written[0]
    assert written[1] == written[0]
    assert written[2] == written[0]


def test_a_model_fitted_on_a_frame_keeps_its_column_names(store):
    import pandas as pd

    frame = pd.DataFrame(POINTS, columns=["x", "y"])
    reference = store.save("kmeans", KMeansClusterer(n_clusters=2, random_state=1).fit(frame), {})
    assert store.load(reference).estimator.feature_names_in_.tolist() == ["x", "y"]


def test_a_rule_without_estimator_is_stored_by_its_state(store):
    reference = store.save("champion", None, {}, state={"thresholds": [1.0, 2.5]})
    model = store.load(reference)
    assert model.estimator is None
    assert model.state == {"thresholds": [1.0, 2.5]}


def test_the_hash_follows_the_fitted_state_and_nothing_else(store):
    first = store.save("kmeans", fitted(), {"month": "2025-06"})
    assert store.save("kmeans", fitted(), {"month": "2025-07"}) == first
    assert store.save("kmeans", fitted(max_iter=7), {}) != first
    assert store.save("kmeans", fitted(), {}, state={"a": 1}) != first


def test_predicting_leaves_the_hash_unchanged():
    model = fitted()
    before = fitted_state_hash(model, {}, model_types())
    model.predict(POINTS)
    assert fitted_state_hash(model, {}, model_types()) == before


def test_the_last_bit_of_an_array_changes_the_hash():
    model = fitted()
    before = fitted_state_hash(model, {}, model_types())
    model.cluster_centers_[0, 0] = np.nextafter(model.cluster_centers_[0, 0], np.inf)
    assert fitted_state_hash(model, {}, model_types()) != before


def test_saving_again_keeps_the_stored_files(store):
    reference = store.save("kmeans", fitted(), {"month": "2025-06"})
    before = {path: path.stat().st_mtime_ns for path in store.folder(reference).iterdir()}
    store.save("kmeans", fitted(), {"month": "2025-07"})
    assert {path: path.stat().st_mtime_ns for path in store.folder(reference).iterdir()} == before
    assert list((store.root / "staging").iterdir()) == []


def test_saving_over_a_damaged_model_repairs_it(store):
    reference = store.save("kmeans", fitted(), {})
    (store.folder(reference) / "model.skops").write_bytes(b"cut")
    store.save("kmeans", fitted(), {})
    assert store.load(reference).estimator.n_clusters_ == 2


def test_a_missing_model_is_named(store):
    stored = store.save("kmeans", fitted(), {})
    with pytest.raises(DataError, match=rf"model kmeans 0+ is not in the model store\nHint: .*{stored.content_hash}"):
        store.load(ModelReference("kmeans", "0" * 32))


@pytest.mark.parametrize("name", ["model.skops", "metadata.json"])
def test_a_changed_file_is_refused(store, name):
    reference = store.save("kmeans", fitted(), {})
    path = store.folder(reference) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match=f"is damaged: {name} differs from its SHA-256\nHint: remove the folder"):
        store.load(reference)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("manifest.sha256", "manifest.sha256 is missing"),
        ("model.skops", "the files are metadata.json; the manifest lists metadata.json, model.skops"),
    ],
)
def test_a_missing_file_is_refused(store, name, complaint):
    reference = store.save("kmeans", fitted(), {})
    (store.folder(reference) / name).unlink()
    with pytest.raises(DataError, match=complaint):
        store.load(reference)


def test_an_empty_manifest_is_refused(store):
    reference = store.save("kmeans", fitted(), {})
    (store.folder(reference) / "manifest.sha256").write_text("")
    with pytest.raises(DataError, match=r"manifest\.sha256 does not list metadata.json"):
        store.load(reference)


def test_a_model_in_the_place_of_another_is_refused(store):
    first, second = store.save("kmeans", fitted(), {}), store.save("kmeans", fitted(max_iter=7), {})
    for path in store.folder(second).iterdir():
        (store.folder(first) / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=f"holds another model, with hash {second.content_hash}"):
        store.load(first)


def test_a_type_that_is_not_allowed_is_not_loaded(store, tmp_path):
    reference = store.save("kmeans", fitted(), {})
    with pytest.raises(DataError, match=r"model kmeans holds a type that is not on the allow-list: .*KMeansClusterer"):
        ModelStore(tmp_path).load(reference)


def test_a_type_that_is_not_allowed_is_not_saved(store):
    model = LinearRegression()
    model.extra_ = Path("somewhere")
    with pytest.raises(DataError, match=r"the model holds a pathlib.*Path, a type that is not on the allow-list"):
        store.save("classifier", model, {})
    assert store.hashes("classifier") == ()


def test_scikit_learns_own_estimators_are_allowed(store):
    reference = store.save("line", LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), {})
    assert store.load(reference).estimator.predict([[2.0]]).tolist() == pytest.approx([5.0])


def test_an_alias_points_at_the_model_it_was_last_given(store):
    first, second = store.save("kmeans", fitted(), {}), store.save("kmeans", fitted(max_iter=7), {})
    assert store.aliases() == {}
    store.set_alias("champion", first)
    store.set_alias("challenger", first)
    store.set_alias("champion", second)
    assert store.aliases() == {"champion": second, "challenger": first}
    store.set_alias("challenger", None)
    store.set_alias("absent", None)
    assert store.aliases() == {"champion": second}
    assert sorted(path.name for path in (store.root / "models").iterdir()) == ["aliases.json", "kmeans"]


def test_an_alias_for_a_model_that_is_not_stored_is_refused(store):
    with pytest.raises(DataError, match=r"alias champion cannot point at model kmeans 0+, which is not stored"):
        store.set_alias("champion", ModelReference("kmeans", "0" * 32))


def test_an_unreadable_aliases_file_is_named(store):
    (store.root / "models").mkdir()
    (store.root / "models" / "aliases.json").write_text(json.dumps(["champion"]))
    with pytest.raises(DataError, match=r"aliases\.json is not a readable list of aliases"):
        store.aliases()


@pytest.mark.parametrize("name", ["../kmeans", "KMeans", "", "a/b"])
def test_a_name_that_could_leave_the_store_is_refused(store, name):
    with pytest.raises(DataError, match="cannot name a model"):
        store.save(name, None, {})


def test_a_hash_that_could_leave_the_store_is_refused(store):
    with pytest.raises(DataError, match=r"'\.\./\.\./x' is not a model hash"):
        store.load(ModelReference("kmeans", "../../x"))
