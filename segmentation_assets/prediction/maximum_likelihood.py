"""Maximum likelihood over positive parameters: the climb, the standard errors, and whether both can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.optimize import minimize

from segmentation_assets.prediction.purchase_histories import Floats

Objective = Callable[[Floats], tuple[float, Floats]]
"""Log-likelihood and its gradient, both by the logarithms of the parameters."""

LOG_BOUND = 7.0
"""Logarithms of parameters stay within plus and minus this; times are in units of the mean observation time."""

_AT_BOUND = 0.01
_STEP = 1e-4
_ROUGH_TOLERANCE = 1e-7
_TOLERANCE = 1e-13
_POLISHING_STEPS = 4
_LARGEST_DECREMENT = 1e-4
_LEAST_CURVATURE = 1e-10


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a log-likelihood is largest.

    Parameters
    ----------
    log_parameters : ndarray of shape (n_parameters,)
    covariance : ndarray of shape (n_parameters, n_parameters) or None
        Inverse of minus the Hessian by the logarithms; ``None`` where it has no such inverse.
    loglik : float
    problem : str
        Why the estimate is not to be trusted; empty where it is sound.
    """

    log_parameters: Floats
    covariance: Floats | None
    loglik: float
    problem: str


def find_maximum(
    objective: Objective, starts: Sequence[Floats], names: Sequence[str], size: float, rough: Objective | None = None
) -> Maximum:
    """Maximise a log-likelihood from several starts.

    Parameters
    ----------
    objective : callable
        Takes the logarithms of the parameters; returns log-likelihood and gradient.
    starts : sequence of ndarray of shape (n_parameters,)
        Logarithms of parameters to begin from.
    names : sequence of str
        Parameters, for the words of a problem.
    size : float, above 0
        Customers behind the log-likelihood; makes tolerances those of a mean.
    rough : callable, optional
        A cheaper likelihood, of a part of the customers, that the starts are compared on. The climb goes on from the
        best of them with `objective` itself.

    Returns
    -------
    Maximum
        Never an error: what went wrong is its `problem`.

    Notes
    -----
    L-BFGS-B (Byrd et al. 1995), then steps of Newton's method, whose Hessian (central differences of the gradient)
    also gives the standard errors. A fit counts as converged if half the Newton decrement, by which the log-likelihood
    would still rise, is below 0.0001; the estimate is then within 0.02 standard errors of the maximum.

    References
    ----------
    Byrd, Lu, Nocedal, Zhu (1995), A Limited Memory Algorithm for Bound Constrained Optimization, doi:10.1137/0916069.

    Examples
    --------
    >>> def objective(logs):
    ...     return 10 * float(logs[0] - np.exp(logs[0]) / 3), 10 * (1 - np.exp(logs) / 3)
    >>> found = find_maximum(objective, [np.zeros(1)], ["mean"], 10)
    >>> round(float(np.exp(found.log_parameters[0])), 6), round(float(found.covariance[0, 0]), 4), found.problem
    (3.0, 0.1, '')
    """
    first = rough or objective
    begun = [_climb(first, start, size, _ROUGH_TOLERANCE) for start in starts]
    best = max(begun, key=lambda point: first(point)[0])
    return _polish(objective, _climb(objective, best, size, _TOLERANCE), names)


def _climb(objective: Objective, start: Floats, size: float, tolerance: float) -> Floats:
    def descend(logs: Floats) -> tuple[float, Floats]:
        value, gradient = objective(logs)
        return -value / size, -gradient / size

    bounds = [(-LOG_BOUND, LOG_BOUND)] * len(start)
    options = {"maxiter": 500, "maxcor": 20, "ftol": tolerance, "gtol": sqrt(tolerance)}
    begin = np.clip(start, -LOG_BOUND, LOG_BOUND)
    found: Floats = minimize(descend, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return found


def _polish(objective: Objective, point: Floats, names: Sequence[str]) -> Maximum:
    """Go the last steps by Newton's method where that is possible, and judge the result."""
    curvature = _curvature(objective, point)
    covariance = _invert(curvature)
    value, gradient = objective(point)
    is_held = LOG_BOUND - np.abs(point) < _AT_BOUND
    if covariance is not None and not is_held.any():
        point, value, gradient = _step_on(objective, point, covariance)
    problem = "; ".join(_problems(point, gradient, covariance, names))
    return Maximum(point, covariance, value, problem)


def _step_on(objective: Objective, point: Floats, covariance: Floats) -> tuple[Floats, float, Floats]:
    """Take steps of Newton's method with one Hessian while the gradient falls."""
    value, gradient = objective(point)
    for _ in range(_POLISHING_STEPS):
        moved = point + covariance @ gradient
        if np.abs(moved).max() >= LOG_BOUND:
            break
        further, slope = objective(moved)
        if not slope @ covariance @ slope < gradient @ covariance @ gradient:
            break
        point, value, gradient = moved, further, slope
    return point, value, gradient


def _curvature(objective: Objective, point: Floats) -> Floats:
    """Minus the Hessian, by central differences of the gradient."""
    steps = np.eye(len(point)) * _STEP
    rows = [(objective(point - step)[1] - objective(point + step)[1]) / (2 * _STEP) for step in steps]
    half = np.array(rows)
    curvature: Floats = (half + half.T) / 2
    return curvature


def _invert(curvature: Floats) -> Floats | None:
    """Invert a matrix that is positive definite by more than rounding; ``None`` for any other."""
    if not np.isfinite(curvature).all():
        return None
    values, vectors = np.linalg.eigh(curvature)
    if values[0] <= _LEAST_CURVATURE * max(values[-1], 1.0):
        return None
    inverse: Floats = (vectors / values) @ vectors.T
    return inverse


def _problems(point: Floats, gradient: Floats, covariance: Floats | None, names: Sequence[str]) -> list[str]:
    at_bound = [name for name, value in zip(names, point, strict=True) if LOG_BOUND - abs(value) < _AT_BOUND]
    found = []
    if at_bound:
        found.append(f"{', '.join(at_bound)} ran to the bound of what is searched")
    if covariance is None:
        found.append("the Hessian is singular or no maximum, so there are no standard errors")
    elif not at_bound and not gradient @ covariance @ gradient / 2 < _LARGEST_DECREMENT:
        found.append(f"the climb did not converge, gradient {np.abs(gradient).max():.3g}")
    return found
