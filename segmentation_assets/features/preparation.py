"""From features to the model matrix: fitted once, stored as plain numbers, applied unchanged ever after."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.features import ImputationSettings, MatrixSettings
from segmentation_assets.errors import DataError
from segmentation_assets.features.components import Components, fit_components
from segmentation_assets.features.declaration import FeatureColumn, closed_over, feature_columns
from segmentation_assets.features.encoding import Encoding, fit_encoding
from segmentation_assets.features.imputation import (
    FLAG_PREFIX,
    Imputation,
    apply_imputation,
    fit_imputation,
    require_columns,
)
from segmentation_assets.features.selection import DroppedFeature, candidate_features, find_redundant
from segmentation_assets.features.transformation import (
    MatrixColumn,
    fit_limits,
    fit_references,
    fit_scale,
    fit_scaling,
)
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.rounding import round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

Numbers = dict[str, "npt.NDArray[np.float64]"]
"""Complete values by name of the column; each of shape (n_customers,)."""


@dataclass(frozen=True)
class Preparation:
    """How features become a model matrix. Plain names and numbers, rounded to 10 significant digits before use.

    Parameters
    ----------
    imputation : Imputation
        Fills of the kept features, of all core metrics, and of what they are filled from.
    encodings : tuple of Encoding
        One per kept feature that is a category.
    columns : tuple of MatrixColumn
        The columns, in declared order of their features.
    components : Components or None
        Principal components that are the matrix instead of `columns`.
    dropped : tuple of DroppedFeature
        Candidates that were left out, with the reason.
    fitted_count, set_aside_count : int
        Customers it was fitted on, and customers without core metrics.
    """

    imputation: Imputation
    encodings: tuple[Encoding, ...]
    columns: tuple[MatrixColumn, ...]
    components: Components | None
    dropped: tuple[DroppedFeature, ...]
    fitted_count: int
    set_aside_count: int

    @property
    def features(self) -> tuple[str, ...]:
        """Features that the matrix rests on, in declared order."""
        return tuple(dict.fromkeys(column.feature for column in self.columns))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns of the matrix."""
        return self.components.names if self.components else tuple(column.name for column in self.columns)

    def to_json(self) -> str:
        """Write as JSON with sorted keys."""
        return json.dumps(dataclasses.asdict(self) | {"imputation": self.imputation.to_plain()}, sort_keys=True)

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
        parts = {
            "imputation": Imputation.from_plain(plain["imputation"]),
            "encodings": tuple(map(Encoding.from_plain, plain["encodings"])),
            "columns": tuple(map(MatrixColumn.from_plain, plain["columns"])),
            "components": plain["components"] and Components.from_plain(plain["components"]),
            "dropped": tuple(DroppedFeature(**entry) for entry in plain["dropped"]),
        }
        return cls(**(plain | parts))


@dataclass(frozen=True)
class Prepared:
    """Customers as a clustering sees them.

    Parameters
    ----------
    matrix : DataFrame of float64, shape (n_customers, n_columns)
        Indexed by customer_id, in the order of the features given; rounded to 10 significant digits.
    imputed_share : Series of float64, shape (n_customers,)
        Share of the features behind the matrix that were filled in for the customer; same index.
    set_aside : DataFrame
        customer_id and reason of customers that lack a core metric.
    adjustments : tuple of dict
        What was changed in order to fit in, where anything was: ``feature`` and, as counts of customers,
        ``winsorised_low``, ``winsorised_high``, ``beyond_reference_low``, ``beyond_reference_high``,
        ``rare_category``, ``unseen_category``.
    """

    matrix: pd.DataFrame
    imputed_share: pd.Series
    set_aside: pd.DataFrame
    adjustments: tuple[dict[str, str | int], ...]


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
    fills = fit_imputation(ordered, _to_fill(table, candidates, imputation), imputation)
    imputed = apply_imputation(ordered, fills)
    if imputed.frame.empty:
        raise DataError(
            f"none of {len(features)} customers has all core metrics, so there is nothing to fit on",
            "check that silver/order_lines holds sales in the lookback of this snapshot.",
        )
    names, unusable = _split_usable(imputed.frame, [column.name for column in candidates])
    encodings = tuple(
        fit_encoding(fill.feature, imputed.frame[fill.feature], matrix.encoding, matrix.max_categories)
        for fill in fills.fills
        if fill.is_category and fill.feature in names
    )
    columns, dropped = _fit_columns(imputed.frame, names, encodings, matrix)
    kept = {column.feature for column in columns}
    return Preparation(
        imputation=fills.limited_to(kept),
        encodings=tuple(encoding for encoding in encodings if encoding.feature in kept),
        columns=columns,
        components=_fit_components(imputed.frame, encodings, columns, matrix),
        dropped=(*unusable, *dropped),
        fitted_count=len(imputed.frame),
        set_aside_count=len(imputed.set_aside),
    )


def _to_fill(table: Table, chosen: Sequence[FeatureColumn], imputation: ImputationSettings) -> Sequence[FeatureColumn]:
    """List what has to be complete for the chosen features: all core metrics and what stands in for undefined values.

    Where values are filled by what other features say, all features have to be, as in silver/imputed_features.
    """
    if imputation.reads_other_features:
        return feature_columns(table)
    columns = feature_columns(table)
    sources = {column.name: column.undefined_rule.sources for column in columns if column.undefined_rule}
    names = closed_over([column.name for column in chosen], sources)
    return [column for column in columns if column.name in names or column.imputation == "core"]


def _split_usable(completed: pd.DataFrame, names: Sequence[str]) -> tuple[list[str], tuple[DroppedFeature, ...]]:
    """Part the names into those with values that differ, and the rest with the reason."""
    dropped = []
    for name in names:
        if completed[name].isna().all() or completed[f"{FLAG_PREFIX}{name}"].all():
            dropped.append(DroppedFeature(name, "all_null"))
        elif completed[name].nunique() == 1:
            dropped.append(DroppedFeature(name, "constant"))
    unusable = {entry.feature for entry in dropped}
    return [name for name in names if name not in unusable], tuple(dropped)


def _numbers(completed: pd.DataFrame, names: Sequence[str], encodings: Sequence[Encoding]) -> Numbers:
    """Return complete features as numbers, by column; those of a category in the place of the category."""
    encoding_of = {encoding.feature: encoding for encoding in encodings}
    numbers: Numbers = {}
    for name in names:
        if name in encoding_of:
            numbers |= encoding_of[name].encode(completed[name])
        else:
            numbers[name] = completed[name].to_numpy(dtype="float64")
    return numbers


def _fit_columns(
    completed: pd.DataFrame, names: Sequence[str], encodings: Sequence[Encoding], matrix: MatrixSettings
) -> tuple[tuple[MatrixColumn, ...], tuple[DroppedFeature, ...]]:
    """Fit the columns of the usable features; return those that are kept, and the others with the reason."""
    import numpy as np

    feature_of = {name: encoding.feature for encoding in encodings for name in encoding.column_names}
    fitted: list[MatrixColumn] = []
    bent: list[npt.NDArray[np.float64]] = []
    dropped: list[DroppedFeature] = []
    for name, values in _numbers(completed, names, encodings).items():
        column = MatrixColumn(name, feature_of.get(name, name))
        column = column if name in feature_of else _with_shape(column, values, matrix)
        shaped = column.limit_and_bend(values)
        if shaped.min() == shaped.max():
            dropped.append(DroppedFeature(name, "constant" if column.limits is None else "constant_within_limits"))
        else:
            fitted.append(column)
            bent.append(shaped)
    together = np.column_stack(bent) if bent else np.empty((len(completed), 0))
    redundant = find_redundant(together, [column.name for column in fitted], matrix.max_correlation)
    repeating = {entry.feature for entry in redundant}
    kept = tuple(
        _with_scaling(column, shaped, matrix, is_category=column.name in feature_of)
        for column, shaped in zip(fitted, bent, strict=True)
        if column.name not in repeating
    )
    left_out = tuple(
        dataclasses.replace(entry, feature=feature_of[entry.feature], column=entry.feature)
        if entry.feature in feature_of
        else entry
        for entry in (*dropped, *redundant)
    )
    return kept, left_out


def _with_shape(column: MatrixColumn, values: npt.NDArray[np.float64], matrix: MatrixSettings) -> MatrixColumn:
    """Add limits for outliers and a scale that is less skewed."""
    limited = dataclasses.replace(column, limits=fit_limits(values, matrix))
    within = limited.limit_and_bend(values)
    if within.min() == within.max():
        return limited
    scale, exponent = fit_scale(within, matrix)
    return dataclasses.replace(limited, scale=scale, exponent=exponent)


def _with_scaling(
    column: MatrixColumn, shaped: npt.NDArray[np.float64], matrix: MatrixSettings, *, is_category: bool
) -> MatrixColumn:
    """Add centre and unit, or the quantiles to compare with; categories are always standardised."""
    if matrix.scaling == "quantile" and not is_category:
        return dataclasses.replace(column, references=fit_references(shaped))
    centre, unit = fit_scaling(shaped, "robust" if matrix.scaling == "robust" and not is_category else "standard")
    return dataclasses.replace(column, centre=centre, unit=unit)


def _fit_components(
    completed: pd.DataFrame, encodings: Sequence[Encoding], columns: Sequence[MatrixColumn], matrix: MatrixSettings
) -> Components | None:
    if matrix.pca is None or not columns:
        return None
    return fit_components(_scaled(completed, encodings, columns)[0], matrix.pca)


def _scaled(
    completed: pd.DataFrame, encodings: Sequence[Encoding], columns: Sequence[MatrixColumn]
) -> tuple[npt.NDArray[np.float64], Numbers]:
    """Return the rounded columns side by side, shape (n_customers, n_columns), and the numbers they are made from."""
    import numpy as np

    names = list(dict.fromkeys(column.feature for column in columns))
    numbers = _numbers(completed, names, encodings)
    if not columns:
        return np.empty((len(completed), 0)), numbers
    return round_significant(np.column_stack([column.apply(numbers[column.name]) for column in columns])), numbers


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
    values, numbers = _scaled(imputed.frame, preparation.encodings, preparation.columns)
    if preparation.components:
        values = round_significant(preparation.components.project(values))
    names = preparation.features
    flags = imputed.frame[[f"{FLAG_PREFIX}{name}" for name in names]].to_numpy(dtype="float64")
    share = pd.Series(round_significant(flags.sum(axis=1) / max(len(names), 1)), index=index, name="imputed_share")
    return Prepared(
        matrix=pd.DataFrame(values, index=index, columns=list(preparation.column_names)),
        imputed_share=share,
        set_aside=imputed.set_aside,
        adjustments=_adjustments(imputed.frame, numbers, preparation),
    )


def _adjustments(
    completed: pd.DataFrame, numbers: Mapping[str, npt.NDArray[np.float64]], preparation: Preparation
) -> tuple[dict[str, str | int], ...]:
    """Count per feature the customers whose value was changed in order to fit in."""
    moved = {column.name: column.count_moved(numbers[column.name]) for column in preparation.columns}
    other = {encoding.feature: encoding.count_other(completed[encoding.feature]) for encoding in preparation.encodings}
    return tuple({"feature": name, **counts} for name, counts in (moved | other).items() if counts)
