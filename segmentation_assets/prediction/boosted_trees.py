"""XGBoost and LightGBM behind one face: fitted on one thread, kept as the text that they write themselves."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from segmentation_assets.errors import SettingsError

Floats = npt.NDArray[np.float64]


def load_boosting(package: str) -> Any:
    """Import a package of the extra `boosting`.

    Parameters
    ----------
    package : str
        ``xgboost`` or ``lightgbm``; algorithms have the same names.

    Raises
    ------
    SettingsError
        It is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as problem:
        if problem.name != package:
            raise
        setting = ("prediction", "segment_classifier", "algorithms", package, "enabled")
        raise SettingsError(
            f"{'.'.join(setting)} asks for {package}, which is not installed",
            "pip install 'segmentation-assets[boosting]', or set it to false.",
            setting=setting,
        ) from problem


class BoostedTrees(ClassifierMixin, BaseEstimator):
    """Boosted trees whose fitted state is text, so that a stored model runs no code and equals the one in memory.

    Parameters
    ----------
    parameters : dict
        As the package names them.
    n_estimators : int
        Trees per class.
    random_state : int

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    text_ : str
        The fitted trees.
    """

    package: ClassVar[str]

    def __init__(self, parameters: dict[str, Any], n_estimators: int = 100, random_state: int = 0) -> None:
        self.parameters = parameters
        self.n_estimators = n_estimators
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BoostedTrees:
        """Fit the trees.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_columns)
            May hold NaN.
        y : array-like, shape (n_rows,)
            At least two classes.
        """
        self.classes_, places = np.unique(np.asarray(y), return_inverse=True)
        self.text_ = self._train(np.ascontiguousarray(X, dtype="float64"), places)
        self._booster: Any = None
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the probabilities, of shape (n_rows, n_classes)."""
        if getattr(self, "_booster", None) is None:
            self._booster = self._read()
        return self._score(np.ascontiguousarray(X, dtype="float64"))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable class of each row."""
        found: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is read from the text."""
        return {name: part for name, part in super().__getstate__().items() if name != "_booster"}

    def _train(self, matrix: Floats, places: npt.NDArray[np.int64]) -> str:
        raise NotImplementedError

    def _read(self) -> Any:
        raise NotImplementedError

    def _score(self, matrix: Floats) -> Floats:
        raise NotImplementedError


class XGBoostTrees(BoostedTrees):
    """XGBoost, kept as JSON."""

    package = "xgboost"

    def _train(self, matrix: Floats, places: npt.NDArray[np.int64]) -> str:
        xgboost = load_boosting(self.package)
        fixed = {
            "objective": "multi:softprob",
            "num_class": len(self.classes_),
            "tree_method": "hist",
            "nthread": 1,
            "seed": self.random_state,
            "verbosity": 0,
        }
        booster = xgboost.train(
            {**self.parameters, **fixed}, xgboost.DMatrix(matrix, label=places, nthread=1), self.n_estimators
        )
        return bytes(booster.save_raw("json")).decode()

    def _read(self) -> Any:
        booster = load_boosting(self.package).Booster({"nthread": 1, "verbosity": 0})
        booster.load_model(bytearray(self.text_, "utf-8"))
        return booster

    def _score(self, matrix: Floats) -> Floats:
        rows = load_boosting(self.package).DMatrix(matrix, nthread=1)
        found: Floats = self._booster.predict(rows).astype("float64")
        return found


class LightGBMTrees(BoostedTrees):
    """LightGBM, kept in its own text format."""

    package = "lightgbm"

    def _train(self, matrix: Floats, places: npt.NDArray[np.int64]) -> str:
        lightgbm = load_boosting(self.package)
        fixed = {
            "objective": "multiclass",
            "num_class": len(self.classes_),
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": self.random_state,
            "verbosity": -1,
        }
        parameters = {**self.parameters, **fixed}
        rows = lightgbm.Dataset(matrix, label=places, params=parameters)
        return str(lightgbm.train(parameters, rows, self.n_estimators).model_to_string())

    def _read(self) -> Any:
        return load_boosting(self.package).Booster(model_str=self.text_)

    def _score(self, matrix: Floats) -> Floats:
        found: Floats = np.asarray(self._booster.predict(matrix, num_threads=1), dtype="float64")
        return found
