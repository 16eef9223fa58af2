"""The climb to the maximum and its verdicts."""

import numpy as np
import pytest

from segmentation_assets.prediction import maximum_likelihood
from segmentation_assets.prediction.maximum_likelihood import LOG_BOUND, find_maximum

CURVATURE = np.array([[4.0, 1.0], [1.0, 2.0]])
CENTRE = np.array([0.5, -1.0])


def bowl(logs):
    away = logs - CENTRE
    return 3.0 - away @ CURVATURE @ away / 2, -CURVATURE @ away


def test_a_quadratic_is_met_exactly():
    found = find_maximum(bowl, [np.zeros(2), np.full(2, 5.0)], ["a", "b"], 1.0)
    assert found.log_parameters == pytest.approx(CENTRE, abs=1e-9)
    assert found.covariance == pytest.approx(np.linalg.inv(CURVATURE), abs=1e-7)
    assert (found.loglik, found.problem) == (pytest.approx(3.0), "")


def test_the_best_of_several_starts_wins():
    def hills(logs):
        near, far = np.exp(-((logs[0] - 2) ** 2)), 2 * np.exp(-((logs[0] + 2) ** 2))
        return near + far, np.array([-2 * (logs[0] - 2) * near - 2 * (logs[0] + 2) * far])

    found = find_maximum(hills, [np.array([2.1]), np.array([-1.5])], ["a"], 1.0)
    assert found.log_parameters[0] == pytest.approx(-2, abs=1e-3)


def test_the_climb_goes_on_from_a_rough_maximum():
    def rough(logs):
        value, gradient = bowl(logs + 0.3)
        return value, gradient

    found = find_maximum(bowl, [np.zeros(2)], ["a", "b"], 1.0, rough)
    assert found.log_parameters == pytest.approx(CENTRE, abs=1e-9)


def test_a_parameter_without_a_maximum_is_named():
    found = find_maximum(lambda logs: (logs[1] - logs[0] ** 2, np.array([-2 * logs[0], 1.0])), [np.ones(2)], "ab", 1.0)
    assert found.problem.startswith("b ran to the bound of what is searched; the Hessian is singular")
    assert found.covariance is None
    assert found.log_parameters[1] == pytest.approx(LOG_BOUND)


def test_a_flat_likelihood_has_no_standard_errors():
    found = find_maximum(lambda logs: (-(logs.sum() ** 2), np.full(2, -2 * logs.sum())), [np.ones(2)], "ab", 1.0)
    assert found.problem == "the Hessian is singular or no maximum, so there are no standard errors"


def test_a_climb_that_stops_short_is_named(monkeypatch):
    monkeypatch.setattr(maximum_likelihood, "_climb", lambda objective, start, size, tolerance: start)
    found = find_maximum(lambda logs: (-float(logs[0] ** 4), -4 * logs**3), [np.full(1, 3.0)], ["a"], 1.0)
    assert found.problem.startswith("the climb did not converge, gradient ")
