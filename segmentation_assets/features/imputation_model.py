"""Filling ordinary numbers by the customer's other features: which are read, and by which of two models."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.features.neighbours import Neighbours, fit_neighbours
from segmentation_assets.features.regressions import Regressions, fit_regressions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

ImputationModel = Neighbours | Regressions

_MODELS: dict[str, type[ImputationModel]] = {"knn": Neighbours, "iterative": Regressions}


def is_ordinary_number(column: FeatureColumn) -> bool:
    """Whether the settings say how a feature is filled."""
    return column.imputation == "ordinary" and not column.is_category


def compared_features(columns: Sequence[FeatureColumn]) -> list[str]:
    """List the features that tell how alike two customers are: core metrics and numbers meant for clustering.

    Left out are those that an ordinary feature stands in for, as that may itself be missing.
    """
    ordinary = {column.name for column in columns if is_ordinary_number(column)}
    return [
        column.name
        for column in columns
        if column.imputation == "core"
        or (
            column.is_clustering_feature
            and not column.is_category
            and not (column.undefined_rule and ordinary & {*column.undefined_rule.sources})
        )
    ]


def fit_model(
    known: Mapping[str, pd.Series], compared: Sequence[str], wanted: Sequence[str], settings: ImputationSettings
) -> ImputationModel:
    """Fit what fills ordinary numbers.

    Parameters
    ----------
    known : mapping of str to Series of float
        Values per feature, of customers with all core metrics, in the order of their ids; NaN is missing.
    compared : sequence of str
        Features that tell how alike two customers are.
    wanted : sequence of str
        Features to fill.
    settings : ImputationSettings
        With the method ``knn`` or ``iterative``.

    Returns
    -------
    ImputationModel
        Its targets are those of the features wanted of which the sample knows a value.
    """
    names = list(dict.fromkeys((*compared, *wanted)))
    values = _side_by_side(known, names)
    if settings.method == "knn":
        return fit_neighbours(values, names, len(compared), wanted, settings)
    return fit_regressions(values, names, len(compared), wanted, settings)


def fill_by_model(completed: Mapping[str, pd.Series], model: ImputationModel) -> dict[str, pd.Series]:
    """Fill the targets of the customers who lack one; a customer alone is filled as in a batch."""
    import numpy as np
    import pandas as pd

    values = _side_by_side(completed, model.columns)
    places = [model.columns.index(name) for name in model.targets]
    lacking = np.isnan(values[:, places]).any(axis=1)
    values[lacking] = model.complete(values[lacking])
    return {model.columns[place]: pd.Series(values[:, place]) for place in places}


def model_to_plain(model: ImputationModel) -> dict[str, Any]:
    """Return what JSON can hold."""
    (method,) = (name for name, kind in _MODELS.items() if isinstance(model, kind))
    return dataclasses.asdict(model) | {"method": method}


def model_from_plain(plain: Mapping[str, Any]) -> ImputationModel:
    """Rebuild from what `model_to_plain` returned."""
    return _MODELS[plain["method"]].from_plain({name: part for name, part in plain.items() if name != "method"})


def _side_by_side(columns: Mapping[str, pd.Series], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Put columns into one array of shape (n_customers, n_columns)."""
    import numpy as np

    return np.column_stack([columns[name].to_numpy(dtype=np.float64) for name in names])
