"""From features to a model matrix, from there to a fitted clusterer, and what it is worth beside others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.evaluation import Evaluation
from segmentation_assets.clustering.evaluation import evaluate as evaluate_by_refits
from segmentation_assets.clustering.fitting import fit_clustering
from segmentation_assets.clustering.leaderboard import Entrant, compare_candidates
from segmentation_assets.clustering.registry import AlgorithmEntry, Clusterer, enabled_algorithms, find_algorithm
from segmentation_assets.config.clustering import ClusteringSettings, EvaluationSettings
from segmentation_assets.config.loading import load_profile
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError, SettingsError, closest_hint
from segmentation_assets.features.preparation import Preparation, fit_preparation, prepare
from segmentation_assets.features.registry import features_table
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.segments.rfm import score_rfm
from segmentation_assets.tables.declaration import Table

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.clustering.estimator import BaseClusterer

_REVENUE = "net_revenue_amount"


def prepare_matrix(
    features: pd.DataFrame, preparation: Preparation | None = None, *, settings: Settings | None = None
) -> tuple[pd.DataFrame, Preparation]:
    """Fill, transform and scale features, as ``silver/model_matrix`` does.

    Parameters
    ----------
    features : DataFrame
        customer_id and columns of ``silver/customer_features``.
    preparation : Preparation, optional
        An earlier one, which is applied unchanged; fitted on `features` where it is absent.
    settings : Settings, optional
        Those the features were made with; the packaged profile ``default`` where absent. Ignored with `preparation`.

    Returns
    -------
    tuple of (DataFrame, Preparation)
        The matrix, index customer_id, finite numbers; customers without core metrics have no row. And how it was made.

    Raises
    ------
    DataError
        A column is missing or no feature of the settings, or no customer has all core metrics.

    Examples
    --------
    >>> from segmentation_assets.api import generate_shop
    >>> matrix, preparation = prepare_matrix(generate_shop(customers=40, months=3).features)
    >>> matrix.index.name, bool(matrix.notna().all(axis=None)), list(matrix) == list(preparation.column_names)
    ('customer_id', True, True)
    """
    fitted = preparation
    if fitted is None:
        chosen = settings or load_profile()
        fitted = fit_preparation(features, table_of(features, chosen), chosen.imputation, chosen.matrix)
    return prepare(features, fitted).matrix, fitted


def table_of(features: pd.DataFrame, settings: Settings) -> Table:
    """Declare the columns of a frame of features.

    Raises
    ------
    DataError
        One of them is no feature of the settings.
    """
    table = features_table(settings.features, optional_inputs(settings))
    unknown = sorted(set(map(str, features.columns)) - set(table.column_names))
    if unknown:
        raise DataError(
            f"the frame holds {', '.join(unknown)}, which these settings make no feature of",
            f"leave it out, or hand over the settings it was made with; {closest_hint(unknown[0], table.column_names)}",
        )
    return replace(table, columns=tuple(column for column in table.columns if column.name in features.columns))


def make_clusterer(name: str, **parameters: Any) -> BaseClusterer:
    """Make the unfitted scikit-learn estimator of an algorithm.

    Parameters
    ----------
    name : str
        Name in the registry, such as ``kmeans``.
    **parameters
        Of the estimator; the others have the defaults of its class, `random_state` the seed of the default settings.

    Returns
    -------
    BaseClusterer
        With ``fit``, ``fit_predict``, ``predict``, ``assign`` and ``labels_``; with ``cluster_centers_`` where there
        are centres, and ``membership_`` where there are degrees of membership.

    Raises
    ------
    SettingsError
        There is no such algorithm or parameter.

    Examples
    --------
    >>> clusterer = make_clusterer("fuzzy_cmeans", n_clusters=2, fuzzifier=2.0)
    >>> labels = clusterer.fit_predict([[0.0], [1.0], [9.0], [10.0]])
    >>> bool(labels[0] == labels[1] != labels[2]), clusterer.cluster_centers_.shape, clusterer.membership_.shape
    (True, (2, 1), (4, 2))
    """
    entry = find_algorithm(name)
    estimator = getattr(import_module(entry.module), entry.class_name)
    known = estimator().get_params()
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise SettingsError(f"{name} has no parameter '{unknown[0]}'", closest_hint(unknown[0], known))
    built: BaseClusterer = estimator(**{"random_state": ClusteringSettings().seed, **parameters})
    return built


def evaluate(
    estimator: Clusterer, matrix: pd.DataFrame, *, settings: EvaluationSettings | None = None, seed: int = 7
) -> Evaluation:
    """Fit a clusterer again on resampled customers and on reference data, as every algorithm of the platform is.

    Parameters
    ----------
    estimator : Clusterer
        Fitted on `matrix`.
    matrix : DataFrame of shape (n_customers, n_features)
    settings : EvaluationSettings, optional
        Number and size of the resamples and draws; 20 each by default.
    seed : int

    Returns
    -------
    Evaluation
        Among others stability, `resampled` and `reference` scores, `stands_out`, and `confidence`, whose ``apply``
        turns what ``estimator.assign`` says of customers into probabilities.

    Examples
    --------
    >>> from segmentation_assets.api import generate_shop
    >>> matrix, _ = prepare_matrix(generate_shop(customers=40, months=3).features)
    >>> few = EvaluationSettings(resamples=4, reference_draws=2)
    >>> found = evaluate(make_clusterer("kmeans", n_clusters=2).fit(matrix), matrix, settings=few)
    >>> len(found.stability_scores), len(found.reference.silhouettes)
    (4, 2)
    """
    return evaluate_by_refits(estimator, matrix, settings or EvaluationSettings(), seed)


def compare(
    matrix: pd.DataFrame,
    features: pd.DataFrame,
    names: Sequence[str] | None = None,
    *,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Fit algorithms, try each out and rank them beside the RFM map, as ``clusters/leaderboard`` does.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features), index customer_id
    features : DataFrame
        customer_id, net_revenue_amount, recency_days and order_count of at least the customers of the matrix: for the
        money of the clusters, and for the RFM map.
    names : sequence of str, optional
        Algorithms; all that the settings switch on where absent.
    settings : Settings, optional
        Their sections ``clustering`` and ``leaderboard`` count; the packaged profile ``default`` where absent.

    Returns
    -------
    DataFrame
        Columns of ``clusters/leaderboard``: ranked candidates first, then those that fail a gate, then the RFM map.
        ``reason`` says in words what decided.

    Raises
    ------
    SettingsError
        There is no such algorithm.
    DataError
        A customer is missing, or too few algorithms could be fitted.
    """
    chosen = settings or load_profile()
    entries = [find_algorithm(name) for name in (enabled_algorithms(chosen.clustering) if names is None else names)]
    revenue = features.set_index("customer_id")[_REVENUE]
    scored, _ = score_rfm(features)
    return compare_candidates(
        matrix,
        {entry.name: _fit(matrix, revenue, entry, chosen) for entry in entries},
        scored.set_index("customer_id")["rfm_segment"],
        revenue,
        chosen.leaderboard,
        chosen.clustering.score_sample,
        chosen.clustering.seed,
    )


def _fit(matrix: pd.DataFrame, revenue: pd.Series, entry: AlgorithmEntry, settings: Settings) -> Entrant:
    """Fit one algorithm and try it out."""
    import pandas as pd

    result = fit_clustering(matrix, revenue, entry, settings.clustering, settings.leaderboard)
    return Entrant(
        labels=pd.Series(result.labels, index=result.customers),
        evaluation=result.evaluation,
        failure=result.failure,
        refit_failure=result.refit_failure,
    )
