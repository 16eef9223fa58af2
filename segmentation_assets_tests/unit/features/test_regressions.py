"""Missing numbers by chained regressions."""

import dataclasses
import json
import warnings

import numpy as np
import pytest

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.regressions import Regressions, fit_regressions
from segmentation_assets_tests.unit.features.test_neighbours import random_values

NAN = np.nan
NAMES = list("abcde")


def iterative(rounds: int = 3, penalty: float = 0.01) -> ImputationSettings:
    return ImputationSettings(method="iterative", rounds=rounds, ridge_penalty=penalty)


def test_single_regression_by_hand() -> None:
    values = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0], [1.5, NAN], [40.0, NAN]])
    fitted = fit_regressions(values, ["x", "y"], 1, ["y"], iterative(rounds=1, penalty=1e-12))
    assert fitted.complete(values)[:, 1].tolist() == pytest.approx([1.0, 3.0, 5.0, 4.0, 5.0])
    assert fitted.complete(values)[4, 1] == 5.0
    assert fitted.rule("y") == "estimate from the customer's other features, within the known values 1 to 5"


def test_fills_are_those_of_scikit_learn() -> None:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer
    from sklearn.linear_model import Ridge

    class SharedPenalty(RegressorMixin, BaseEstimator):
        def fit(self, features, target):
            self.fitted_ = Ridge(alpha=0.01 * len(target)).fit(features, target)
            return self

        def predict(self, features):
            return self.fitted_.predict(features)

    values = random_values(1, 150, 0.1)
    fitted = fit_regressions(values, NAMES, 5, NAMES, iterative(rounds=4))
    scaled = (values - fitted.centres) / fitted.scales
    low, high = np.nanmin(scaled, axis=0), np.nanmax(scaled, axis=0)
    imputer = IterativeImputer(SharedPenalty(), max_iter=4, tol=0, min_value=low, max_value=high)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        imputer.fit(scaled)
    later = random_values(6, 60, 0.3)
    for rows in (values, later):
        theirs = imputer.transform((rows - fitted.centres) / fitted.scales) * fitted.scales + fitted.centres
        np.testing.assert_allclose(fitted.complete(rows), theirs, rtol=1e-6, atol=1e-8)


def test_row_alone_is_filled_exactly_as_in_a_batch() -> None:
    values = random_values(2, 2000, 0.2)
    fitted = fit_regressions(values, NAMES, 4, NAMES[2:], iterative())
    batch = fitted.complete(values)
    assert not np.isnan(batch[:, 2:]).any()
    assert np.isnan(batch[:, :2]).any()
    for row in range(0, 2000, 37):
        np.testing.assert_array_equal(fitted.complete(values[[row]]), batch[[row]])


def test_columns_with_fewer_gaps_come_first_and_unknown_ones_are_no_targets() -> None:
    values = np.array([[NAN, 1.0, NAN, 1.0], [NAN, 2.0, NAN, 2.0], [1.0, NAN, NAN, 5.0], [3.0, 1.0, NAN, 1.0]])
    fitted = fit_regressions(values, list("abcd"), 4, list("abcd"), iterative())
    assert fitted.targets == ("d", "b", "a")
    assert np.isfinite(fitted.complete(np.array([[NAN, NAN, 7.0, NAN]]))).all()


def test_column_that_never_differs_is_filled_with_its_value() -> None:
    values = np.array([[1.0, 0.1], [2.0, 0.1], [3.0, NAN]])
    assert fit_regressions(values, ["x", "y"], 1, ["y"], iterative()).complete(values)[2, 1] == 0.1


def test_fitted_regressions_survive_json() -> None:
    fitted = fit_regressions(random_values(4, 30, 0.2), NAMES, 5, NAMES, iterative())
    assert Regressions.from_plain(json.loads(json.dumps(dataclasses.asdict(fitted)))) == fitted
