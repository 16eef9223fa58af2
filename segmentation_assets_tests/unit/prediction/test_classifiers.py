"""The classifiers that are tried: one row as in the batch, the same twice, storable."""

import numpy as np
import pytest
from sklearn.datasets import make_classification

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import (
    GradientBoostingSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from segmentation_assets.prediction.classifiers import MODEL_TYPES, make_classifier
from segmentation_assets.storage.models import ModelStore, fitted_state_hash

SECTIONS = [RandomForestSettings(n_estimators=20), GradientBoostingSettings(max_iter=30), LogisticRegressionSettings()]


@pytest.fixture(scope="module")
def rows():
    """Rows with unknown values, and one column without any."""
    matrix, outcome = make_classification(600, 12, n_informative=6, flip_y=0.2, random_state=0)
    matrix[np.random.default_rng(0).random(matrix.shape) < 0.05] = np.nan
    matrix[:, 3] = np.nan
    return matrix, outcome.astype(bool)


@pytest.fixture(params=SECTIONS, ids=lambda section: type(section).__name__)
def section(request):
    return request.param


def test_one_row_gets_what_it_gets_in_the_batch(section, rows):
    matrix, outcome = rows
    fitted = make_classifier(section, 7, len(matrix)).fit(matrix, outcome)
    batch = fitted.predict_proba(matrix)
    with one_thread():
        alone = np.concatenate([fitted.predict_proba(matrix[at : at + 1]) for at in range(100)])
    np.testing.assert_array_equal(alone, batch[:100])
    np.testing.assert_array_equal(fitted.predict_proba(np.asfortranarray(matrix)), batch)


def test_three_classes_are_told_apart_too(section, rows):
    matrix, outcome = rows
    classes = outcome + np.where(np.nan_to_num(matrix[:, 0]) > 1, 1, 0)
    fitted = make_classifier(section, 7, len(matrix)).fit(matrix, classes)
    found = fitted.predict_proba(matrix)
    assert found.shape == (600, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    with one_thread():
        alone = np.concatenate([fitted.predict_proba(row[None]) for row in matrix[:50]])
    np.testing.assert_array_equal(alone, found[:50])


def test_the_same_fit_is_the_same_model_and_comes_back_from_the_store(section, rows, tmp_path):
    matrix, outcome = rows
    first, second = (make_classifier(section, 7, len(matrix)).fit(matrix, outcome) for _ in range(2))
    assert fitted_state_hash(first, {}, MODEL_TYPES) == fitted_state_hash(second, {}, MODEL_TYPES)
    other = make_classifier(section, 7, len(matrix)).fit(matrix, ~outcome)
    assert fitted_state_hash(other, {}, MODEL_TYPES) != fitted_state_hash(first, {}, MODEL_TYPES)
    store = ModelStore(tmp_path, allowed_types=MODEL_TYPES)
    again = store.load(store.save("churn", first, {})).estimator
    np.testing.assert_array_equal(again.predict_proba(matrix), first.predict_proba(matrix))


def test_a_forest_has_its_own_seed_where_one_is_set():
    seeds = [make_classifier(RandomForestSettings(random_state=seed), 7, 600).random_state for seed in (None, 3)]
    assert seeds == [7, 3]
    assert make_classifier(RandomForestSettings(class_weight="none"), 7, 600).class_weight is None
    assert make_classifier(RandomForestSettings(max_samples=5_000), 7, 600).max_samples == 600
