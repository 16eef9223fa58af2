"""From features to the model matrix: fitted once, stored as plain numbers, applied unchanged ever after."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.settings import ImputationSettings, MatrixSettings
from segmentation_assets.errors import DataError
from segmentation_assets.features.declaration import FeatureColumn, feature_columns
from segmentation_assets.features.imputation import (
    FLAG_PREFIX,
    Imputation,
    apply_imputation,
    fit_imputation,
    known_values,
    require_columns,
)
from segmentation_assets.features.selection import DroppedFeature, candidate_features, find_redundant
from segmentation_assets.features.transformation import fit_scaling, is_log_useful, signed_log1p
from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table
from segmentation_assets.tables.rounding import round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Preparation:
    """How features become a model matrix. Plain names and numbers, rounded to 10 significant digits before use.

    Parameters
    ----------
    imputation : Imputation
        Fills of the kept features, of all core metrics, and of what they are filled from.
    features : tuple of str
        Columns of the matrix, in declared order.
    dropped : tuple of DroppedFeature
        Candidates that were left out, with the reason.
    log_features : tuple of str
        Those of `features` that pass through `signed_log1p` first.
    centres, scales : tuple of float
        Per column of `features`: what is taken off, and what is divided by.
    fitted_count, set_aside_count : int
        Customers it was fitted on, and customers without core metrics.
    """

    imputation: Imputation
    features: tuple[str, ...]
    dropped: tuple[DroppedFeature, ...]
    log_features: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    fitted_count: int
    set_aside_count: int

    def to_json(self) -> str:
        """Write as JSON with sorted keys."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["imputation"] = self.imputation.to_plain()
        plain["dropped"] = [dataclasses.asdict(dropped) for dropped in self.dropped]
        return json.dumps(plain, sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Preparation:
        """Read what `to_json` wrote.

        Raises
        ------
        DataError
            The text does not hold the fields of a preparation.
        """
        plain = json.loads(text)
        wanted = {field.name for field in dataclasses.fields(cls)}
        if set(plain) != wanted:
            different = ", ".join(sorted(set(plain) ^ wanted))
            raise DataError(
                f"the stored preparation does not have the fields of this version: {different}", "fit the model again."
            )
        lists = {name: tuple(plain[name]) for name in ("features", "log_features", "centres", "scales")}
        dropped = tuple(DroppedFeature(**entry) for entry in plain["dropped"])
        return cls(**(plain | lists | {"imputation": Imputation.from_plain(plain["imputation"]), "dropped": dropped}))


@dataclass(frozen=True)
class Prepared:
    """Customers as a clustering sees them.

    Parameters
    ----------
    matrix : DataFrame of float64, shape (n_customers, n_features)
        Indexed by customer_id, in the order of the features given; rounded to 10 significant digits.
    imputed_share : Series of float64, shape (n_customers,)
        Share of the matrix's features that were filled in for the customer; same index.
    set_aside : DataFrame
        customer_id and reason of customers that lack a core metric.
    """

    matrix: pd.DataFrame
    imputed_share: pd.Series
    set_aside: pd.DataFrame


def fit_preparation(
    features: pd.DataFrame, table: Table, imputation: ImputationSettings, matrix: MatrixSettings
) -> Preparation:
    """Choose the columns to cluster on and determine how they are filled, transformed and scaled.

    Parameters
    ----------
    features : DataFrame, shape (n_customers, n_features)
        customer_id and the columns of `table`; the order of rows does not matter.
    table : Table
        silver/customer_features as declared.
    imputation : ImputationSettings
    matrix : MatrixSettings

    Returns
    -------
    Preparation

    Raises
    ------
    DataError
        A column is missing, or no customer has all core metrics.
    SettingsError
        ``matrix.features`` names something that is not a feature.

    Notes
    -----
    All-null columns go first, then constant ones, then, after transformation, those correlated more than
    ``matrix.max_correlation`` with an earlier declared column that is kept. Where no column remains, as with a single
    customer, the preparation has no features and its matrix no columns: nothing can be clustered then.
    """
    candidates = candidate_features(table, matrix)
    require_columns(features, ["customer_id"])
    ordered = features.sort_values("customer_id", kind="stable")
    fills = fit_imputation(ordered, _needed(table, candidates), imputation)
    imputed = apply_imputation(ordered, fills)
    if imputed.frame.empty:
        raise DataError(
            f"none of {len(features)} customers has all core metrics, so there is nothing to fit on",
            "check that silver/order_lines holds sales in the lookback of this snapshot.",
        )
    names, unusable = _split_usable(ordered, imputed.frame, [column.name for column in candidates])
    log_features = tuple(name for name in names if is_log_useful(_values(imputed.frame, name), matrix.skew_threshold))
    transformed = _transform(imputed.frame, names, log_features)
    redundant = find_redundant(transformed, names, matrix.max_correlation)
    kept = [name for name in names if name not in {dropped.feature for dropped in redundant}]
    scaling = [fit_scaling(transformed[:, names.index(name)], matrix.scaling) for name in kept]
    needed = {column.name for column in _needed(table, [c for c in candidates if c.name in kept])}
    return Preparation(
        imputation=Imputation(tuple(fill for fill in fills.fills if fill.feature in needed)),
        features=tuple(kept),
        dropped=(*unusable, *redundant),
        log_features=tuple(name for name in log_features if name in kept),
        centres=tuple(centre for centre, _ in scaling),
        scales=tuple(scale for _, scale in scaling),
        fitted_count=len(imputed.frame),
        set_aside_count=len(imputed.set_aside),
    )


def _needed(table: Table, chosen: Sequence[FeatureColumn]) -> list[FeatureColumn]:
    """List the chosen features, all core metrics and what undefined values are taken from, in declared order."""
    names = {column.name for column in chosen}
    names |= {column.undefined_rule.column or "" for column in chosen if column.undefined_rule}
    return [column for column in feature_columns(table) if column.name in names or column.imputation == "core"]


def _split_usable(
    features: pd.DataFrame, completed: pd.DataFrame, names: Sequence[str]
) -> tuple[list[str], tuple[DroppedFeature, ...]]:
    """Part the names into those with values that differ, and the rest with the reason."""
    fitted = features[features["customer_id"].isin(completed["customer_id"])]
    dropped = []
    for name in names:
        if not known_values(fitted, name).size:
            dropped.append(DroppedFeature(name, "all_null"))
        elif completed[name].min() == completed[name].max():
            dropped.append(DroppedFeature(name, "constant"))
    unusable = {entry.feature for entry in dropped}
    return [name for name in names if name not in unusable], tuple(dropped)


def _values(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = frame[name].to_numpy(dtype="float64")
    return values


def _transform(completed: pd.DataFrame, names: Sequence[str], log_features: Sequence[str]) -> npt.NDArray[np.float64]:
    """Columns side by side, the skewed ones on a log scale; shape (n_customers, n_features)."""
    import numpy as np

    if not names:
        return np.empty((len(completed), 0))
    logged = set(log_features)
    columns = [signed_log1p(_values(completed, n)) if n in logged else _values(completed, n) for n in names]
    return np.column_stack(columns)


def prepare(features: pd.DataFrame, preparation: Preparation) -> Prepared:
    """Turn features into the matrix a fitted model expects; a row alone comes out as it does in a batch.

    Parameters
    ----------
    features : DataFrame
        customer_id and at least the columns the preparation uses, of any snapshot.
    preparation : Preparation

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        A column is missing.
    """
    import pandas as pd

    imputed = apply_imputation(features, preparation.imputation)
    index = pd.Index(imputed.frame["customer_id"], name="customer_id")
    names = list(preparation.features)
    scaled = (_transform(imputed.frame, names, preparation.log_features) - preparation.centres) / preparation.scales
    matrix = pd.DataFrame(round_significant(scaled), index=index, columns=names)
    flags = imputed.frame[[f"{FLAG_PREFIX}{name}" for name in names]].to_numpy(dtype="float64")
    share = pd.Series(round_significant(flags.sum(axis=1) / max(len(names), 1)), index=index, name="imputed_share")
    return Prepared(matrix, share, imputed.set_aside)


def model_matrix_table(features: Sequence[str], log_features: Sequence[str] = ()) -> Table:
    """Declare silver/model_matrix: the customer, and a DOUBLE per feature.

    Parameters
    ----------
    features : sequence of str
        Those that a preparation keeps, or all candidates where there is no preparation yet.
    log_features : sequence of str
        Those of `features` that are on a log scale.
    """
    logged = set(log_features)
    return Table(
        key="silver/model_matrix",
        row="a customer with the scaled columns that clusterings are fitted on",
        primary_key=("customer_id",),
        columns=(
            CUSTOMER_ID,
            *(
                Column(
                    name=name,
                    dtype="DOUBLE",
                    unit="scales from the centre",
                    meaning=f"{name}, filled in, {'on a log scale, ' if name in logged else ''}centred and scaled.",
                )
                for name in features
            ),
        ),
    )
