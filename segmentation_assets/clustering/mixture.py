"""Gaussian mixtures: number of components and shape of their covariance chosen by an information criterion."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from segmentation_assets.clustering.distances import ROWS_AT_ONCE
from segmentation_assets.clustering.estimator import (
    Assigned,
    BaseClusterer,
    Floats,
    Integers,
    lead,
    two_smallest,
)
from segmentation_assets.clustering.search import numbers_to_try
from segmentation_assets.tables.rounding import round_number, round_significant
from segmentation_assets.tables.sampling import draw_sample

CovarianceType = Literal["full", "tied", "diag", "spherical"]

COVARIANCE_TYPES: tuple[CovarianceType, ...] = ("full", "tied", "diag", "spherical")
REFIT_STARTS = 1
"""Restarts from spread rows of a fit on resampled rows, beside the one from K-means."""

HIGH_POSTERIOR = 0.9


class GaussianMixtureClusterer(BaseClusterer):
    """A mixture of Gaussians; each row belongs to the component with the largest posterior.

    Parameters
    ----------
    k_min, k_max : int, default 2 and 8
        Numbers of components tried, both included; one component, which means no groups, is always tried too.
    covariance_types : sequence of str, default all four
        ``full``, ``tied``, ``diag`` and ``spherical``.
    criterion : {"bic", "aic"}, default "bic"
        By which number and covariance type are chosen; both are shown.
    n_components : int or None, default None
        Fit exactly this number with the first of the covariance types, without a search.
    n_init : int, default 10
        Restarts of the final fit from spread rows, beside one from K-means, on `search_sample` rows at most; all rows
        go on from the best one.
    max_iter : int, default 200
        Iterations of one fit at most.
    reg_covar : float, default 1e-3
        Added to the diagonal of every covariance, so that values that many rows share do not become a component.
    search_sample : int, default 5000
        Rows that the search is made on at most, with one restart each.
    fit_sample : int, default 20000
        Rows fitted on at most.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    weights_ : ndarray of shape (n_clusters_,)
    means_ : ndarray of shape (n_clusters_, n_features)
    precision_factors_ : ndarray of shape (n_clusters_, n_features, n_features) or (n_clusters_, n_features)
        Upper triangular factors of the inverse covariances, or their diagonals.
    covariance_type_ : str
    search_ : dict of str to ndarray
        A row per fit of the search: covariance_type, k, bic, aic, log_likelihood (mean per row), is_chosen.
    labels_, membership_, n_clusters_, fitted_count_, n_iter_, figures_, notes_
        As for `BaseClusterer`. Figures: bic and aic of the final fit, mean_entropy of the posteriors as a share of the
        largest possible, and high_posterior_share, the share of rows with a posterior above 0.9.

    Notes
    -----
    A posterior is no confidence: on noise without groups a full covariance gives posteriors near 1.

    References
    ----------
    Dempster, Laird and Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x; Schwarz (1978),
    doi:10.1214/aos/1176344136 (BIC).
    """

    def __init__(
        self,
        *,
        k_min: int = 2,
        k_max: int = 8,
        covariance_types: Sequence[CovarianceType] = COVARIANCE_TYPES,
        criterion: Literal["bic", "aic"] = "bic",
        n_components: int | None = None,
        n_init: int = 10,
        max_iter: int = 200,
        reg_covar: float = 1e-3,
        search_sample: int = 5_000,
        fit_sample: int = 20_000,
        random_state: Any = None,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.covariance_types = covariance_types
        self.criterion = criterion
        self.n_components = n_components
        self.n_init = n_init
        self.max_iter = max_iter
        self.reg_covar = reg_covar
        self.search_sample = search_sample
        self.fit_sample = fit_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        part = values[draw_sample(len(values), self.search_sample, seed)]
        start, notes = self._start(part, seed)
        if self.n_components is None and len(part) < len(values):
            notes.append(f"number and covariance type were searched on a sample of {len(part)} of {len(values)} rows")
        fitted = self._best_of(values, part, start, seed)
        self.covariance_type_ = fitted.covariance_type
        self.n_iter_ = int(fitted.n_iter_)
        self._keep(fitted)
        self.figures_ = {
            "covariance_type": fitted.covariance_type,
            "bic": round_number(fitted.bic(values)),
            "aic": round_number(fitted.aic(values)),
            **posterior_figures(self._posteriors(values)),
        }
        if not fitted.converged_:
            notes.append(f"the fit had not converged after {self.max_iter} iterations")
        return notes

    def _start(self, part: Floats, seed: int) -> tuple[GaussianMixture, list[str]]:
        """Fit a part of the rows once, from K-means, with the number and covariance type that are given or found."""
        if self.n_components is None:
            return self._search(part, seed)
        return self._fitted(part, self.n_components, self.covariance_types[0], seed), []

    def _search(self, part: Floats, seed: int) -> tuple[GaussianMixture, list[str]]:
        """Try every number and covariance type, and return the best fit."""
        tried, notes = numbers_to_try(part, self.k_min, self.k_max)
        ways = [(kind, k) for kind in self.covariance_types for k in sorted({1, *tried})]
        fits = [self._fitted(part, k, kind, seed) for kind, k in ways]
        scores = {name: round_significant([getattr(one, name)(part) for one in fits]) for name in ("bic", "aic")}
        best = int(scores[self.criterion].argmin())
        self.search_ = {
            "covariance_type": [kind for kind, _ in ways],
            "k": np.array([k for _, k in ways]),
            **scores,
            "log_likelihood": round_significant([one.lower_bound_ for one in fits]),
            "is_chosen": np.arange(len(ways)) == best,
        }
        if fits[best].n_components == 1:
            notes.append(f"by {self.criterion.upper()} one component describes the rows best: there are no groups")
        return fits[best], notes

    def _best_of(self, values: Floats, part: Floats, by_kmeans: GaussianMixture, seed: int) -> GaussianMixture:
        """Start several times more on the part, and go on with all rows from the start of the largest likelihood."""
        k, kind = by_kmeans.n_components, by_kmeans.covariance_type
        spread = self._fitted(part, k, kind, seed, n_init=self.n_init, init_params="k-means++")
        best = max(by_kmeans, spread, key=lambda fitted: fitted.lower_bound_)
        if len(part) == len(values):
            return best
        start = {
            "weights_init": best.weights_,
            "means_init": best.means_,
            "precisions_init": best.precisions_,
        }
        return self._fitted(values, k, kind, seed, **start)

    def _fitted(self, values: Floats, k: int, kind: CovarianceType, seed: int, **further: Any) -> GaussianMixture:
        """Fit a mixture; whether it converged is looked at later."""
        mixture = GaussianMixture(
            k,
            covariance_type=kind,
            reg_covar=self.reg_covar,
            max_iter=self.max_iter,
            random_state=seed,
            **further,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return mixture.fit(values)

    def _keep(self, fitted: GaussianMixture) -> None:
        """Take over the components that some row may fall to, rounded."""
        k, columns = fitted.means_.shape
        factors = fitted.precisions_cholesky_
        shapes = {"tied": (k, columns, columns), "spherical": (k, columns)}
        if self.covariance_type_ in shapes:
            spread = factors[None] if self.covariance_type_ == "tied" else factors[:, None]
            factors = np.broadcast_to(spread, shapes[self.covariance_type_])
        self.weights_ = round_significant(fitted.weights_)
        self.means_ = round_significant(fitted.means_)
        self.precision_factors_ = round_significant(factors)
        self.n_clusters_ = k

    def _posteriors(self, values: Floats) -> Floats:
        """Return the posterior of each component for each row, shape (n_rows, n_clusters_)."""
        logs = np.empty((len(values), self.n_clusters_))
        for number in range(self.n_clusters_):
            factor = self.precision_factors_[number]
            diagonal = factor if factor.ndim == 1 else np.diagonal(factor)
            constant = np.log(diagonal).sum() + np.log(self.weights_[number])
            for start in range(0, len(values), ROWS_AT_ONCE):
                part = slice(start, start + ROWS_AT_ONCE)
                scaled = _scale(values[part] - self.means_[number], factor)
                logs[part, number] = constant - 0.5 * np.square(scaled).sum(axis=1)
        logs -= logs.max(axis=1, keepdims=True)
        shares = np.exp(logs)
        posteriors: Floats = shares / shares.sum(axis=1, keepdims=True)
        return posteriors

    def _assign(self, values: Floats) -> Assigned:
        posteriors = self._posteriors(values)
        first, second = two_smallest(-posteriors)
        return Assigned(
            labels=first,
            distances=np.sqrt(np.square(values - self.means_[first]).sum(axis=1)),
            runners_up=second,
            certainties=lead(posteriors, first, second),
            memberships=posteriors,
        )

    def _reorder(self, numbers: Integers) -> None:
        self.weights_ = self.weights_[numbers]
        self.means_ = self.means_[numbers]
        self.precision_factors_ = self.precision_factors_[numbers]

    def _choices(self) -> dict[str, Any]:
        return {"n_components": self.n_clusters_, "covariance_types": (self.covariance_type_,), "n_init": REFIT_STARTS}


def posterior_figures(memberships: Floats) -> dict[str, float]:
    """Summarise degrees of membership of shape (n_rows, n_clusters)."""
    k = memberships.shape[1]
    safe = np.where(memberships > 0, memberships, 1.0)
    entropy = -(memberships * np.log(safe)).sum(axis=1).mean()
    return {
        "mean_entropy": round_number(entropy / np.log(k)) if k > 1 else 0.0,
        "high_posterior_share": round_number((memberships.max(axis=1) > HIGH_POSTERIOR).mean()),
    }


def _scale(centred: Floats, factor: Floats) -> Floats:
    """Multiply rows by a factor column by column, so that a row alone comes out as in a batch."""
    if factor.ndim == 1:
        scaled: Floats = centred * factor
        return scaled
    scaled = np.zeros_like(centred)
    for place in range(len(factor)):
        scaled[:, place:] += centred[:, place, None] * factor[place, place:]
    return scaled
