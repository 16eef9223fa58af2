"""The classifiers that are tried, made from their settings; each scores one row alone as in a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.prediction import (
    GradientBoostingSettings,
    LightGBMSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
    XGBoostSettings,
)
from segmentation_assets.config.section import Section

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

MODEL_TYPES = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "segmentation_assets.prediction.boosted_trees.LightGBMTrees",
    "segmentation_assets.prediction.boosted_trees.XGBoostTrees",
    "segmentation_assets.prediction.rowwise_boosting.RowwiseGradientBoosting",
    "segmentation_assets.prediction.rowwise_logistic.RowwiseLogisticRegression",
    "segmentation_assets.prediction.varying_columns.VaryingColumns",
)
"""What a stored classifier may hold beside what skops trusts anyway."""

_QUANTILES = 200


def make_classifier(settings: Section, seed: int, customers: int) -> BaseEstimator:
    """Make an unfitted classifier.

    Parameters
    ----------
    settings : Section
        Its section of the settings, which says which one it is.
    seed : int
    customers : int
        That it will be fitted on.

    Returns
    -------
    BaseEstimator
        With ``fit``, ``predict_proba`` and ``classes_``. Matrices may hold NaN.

    Raises
    ------
    SettingsError
        It needs a package that is not installed.
    """
    return _MAKERS[type(settings)](settings, seed, customers)


def _random_forest(settings: RandomForestSettings, seed: int, customers: int) -> BaseEstimator:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=settings.n_estimators,
        max_depth=settings.max_depth,
        min_samples_leaf=settings.min_samples_leaf,
        max_samples=min(settings.max_samples, customers),
        class_weight=None if settings.class_weight == "none" else settings.class_weight,
        random_state=seed if settings.random_state is None else settings.random_state,
    )


def _gradient_boosting(settings: GradientBoostingSettings, seed: int, customers: int) -> BaseEstimator:
    from sklearn.pipeline import make_pipeline

    from segmentation_assets.prediction.rowwise_boosting import RowwiseGradientBoosting
    from segmentation_assets.prediction.varying_columns import VaryingColumns

    return make_pipeline(
        VaryingColumns(),
        RowwiseGradientBoosting(
            learning_rate=settings.learning_rate,
            max_iter=settings.max_iter,
            max_leaf_nodes=settings.max_leaf_nodes,
            min_samples_leaf=settings.min_samples_leaf,
            l2_regularization=settings.l2_regularization,
            early_stopping=False,
            random_state=seed,
        ),
    )


def _logistic_regression(settings: LogisticRegressionSettings, seed: int, customers: int) -> BaseEstimator:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    from segmentation_assets.prediction.rowwise_logistic import RowwiseLogisticRegression

    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        QuantileTransformer(
            n_quantiles=min(_QUANTILES, customers), output_distribution="normal", subsample=None, random_state=seed
        ),
        RowwiseLogisticRegression(C=settings.C, max_iter=1_000),
    )


def _xgboost(settings: XGBoostSettings, seed: int, customers: int) -> BaseEstimator:
    from segmentation_assets.prediction.boosted_trees import XGBoostTrees, load_boosting

    load_boosting(XGBoostTrees.package)
    parameters = settings.model_dump(exclude={"enabled", "n_estimators"})
    return XGBoostTrees(parameters, settings.n_estimators, seed)


def _lightgbm(settings: LightGBMSettings, seed: int, customers: int) -> BaseEstimator:
    from segmentation_assets.prediction.boosted_trees import LightGBMTrees, load_boosting

    load_boosting(LightGBMTrees.package)
    parameters = settings.model_dump(exclude={"enabled", "n_estimators"})
    return LightGBMTrees(parameters, settings.n_estimators, seed)


_MAKERS: dict[type[Section], Callable[[Any, int, int], BaseEstimator]] = {
    RandomForestSettings: _random_forest,
    GradientBoostingSettings: _gradient_boosting,
    LogisticRegressionSettings: _logistic_regression,
    XGBoostSettings: _xgboost,
    LightGBMSettings: _lightgbm,
}
