"""Every algorithm that can tell segments keeps the same promises."""

import sys

import numpy as np
import pytest
from skops.io import dumps, loads

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import SegmentAlgorithms
from segmentation_assets.errors import SettingsError
from segmentation_assets.prediction.classifiers import MODEL_TYPES, make_classifier
from segmentation_assets.storage.models import fitted_state_hash

SMALL = {
    "random_forest": {"n_estimators": 12},
    "gradient_boosting": {"max_iter": 6},
    "xgboost": {"n_estimators": 6},
    "lightgbm": {"n_estimators": 6},
}
SECTIONS = SegmentAlgorithms.model_validate(SMALL)
EXTRA = ("xgboost", "lightgbm")


@pytest.fixture(params=sorted(SMALL))
def section(request):
    if request.param in EXTRA:
        pytest.importorskip(request.param, reason=f"{request.param} of the extra boosting is not installed")
    return getattr(SECTIONS, request.param)


def rows(classes, count=300):
    """Columns of which the first tells the class; some values are unknown."""
    rng = np.random.default_rng(classes)
    codes = np.arange(count) % classes
    matrix = np.column_stack([codes + rng.normal(0, 0.2, count), rng.normal(size=(count, 3))])
    matrix[::11, 1] = np.nan
    return matrix, codes


def fitted(section, matrix, codes):
    with one_thread():
        return make_classifier(section, 5, len(matrix)).fit(matrix, codes)


def test_every_algorithm_has_settings_here():
    assert set(SegmentAlgorithms.model_fields) == set(SMALL)


def test_the_extras_are_not_tried_unless_asked_for():
    enabled = {name for name, one in SegmentAlgorithms() if one.enabled}
    assert enabled == {"random_forest", "gradient_boosting"}


@pytest.mark.parametrize("classes", [2, 3, 9])
def test_a_row_alone_is_as_in_the_batch(section, classes):
    matrix, codes = rows(classes)
    model = fitted(section, matrix, codes)
    with one_thread():
        batch = model.predict_proba(matrix)
        alone = np.vstack([model.predict_proba(matrix[place : place + 1]) for place in range(40)])
    assert batch.shape == (300, classes)
    assert (alone == batch[:40]).all()
    assert model.classes_.tolist() == list(range(classes))
    np.testing.assert_allclose(batch.sum(axis=1), 1.0, atol=1e-6)


def test_the_class_is_told(section):
    matrix, codes = rows(3)
    assert (fitted(section, matrix, codes).predict(matrix) == codes).mean() > 0.95


def test_classes_may_have_gaps(section):
    matrix, codes = rows(3)
    model = fitted(section, matrix, codes * 2)
    assert model.classes_.tolist() == [0, 2, 4]
    assert set(model.predict(matrix)) == {0, 2, 4}


def test_a_second_fit_is_the_same_and_a_stored_model_scores_alike(section):
    matrix, codes = rows(3)
    model, again = fitted(section, matrix, codes), fitted(section, matrix, codes)
    with one_thread():
        before = model.predict_proba(matrix)
        stored = loads(dumps(model), trusted=list(MODEL_TYPES))
        assert (stored.predict_proba(matrix) == before).all()
    hashes = {fitted_state_hash(one, {}, MODEL_TYPES) for one in (model, again, stored)}
    assert len(hashes) == 1


def test_a_copy_has_the_same_settings(section):
    from sklearn.base import clone

    model = make_classifier(section, 5, 300)
    assert repr(clone(model)) == repr(model)


@pytest.mark.parametrize("package", EXTRA)
def test_a_missing_package_is_told_with_the_extra_and_the_setting(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    wanted = (
        rf"prediction.segment_classifier.algorithms.{package}.enabled asks for {package}, which is not installed\n"
        r"Hint: pip install 'segmentation-assets\[boosting\]', or set it to false"
    )
    with pytest.raises(SettingsError, match=wanted) as caught:
        make_classifier(getattr(SECTIONS, package), 5, 300)
    assert caught.value.setting == ("prediction", "segment_classifier", "algorithms", package, "enabled")
