"""The declaration of silver/model_matrix: before the fit as far as the settings tell, and of a fitted preparation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from segmentation_assets.config.features import ImputationSettings, MatrixSettings
from segmentation_assets.errors import SettingsError, plural
from segmentation_assets.features.components import PREFIX
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.features.imputed_table import imputed_features_table
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.features.selection import candidate_features
from segmentation_assets.features.transformation import MatrixColumn
from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table

_UNIT = "scales from the centre"
_SCALE_WORDS = {"as it is": "", "log": "on a log scale, ", "power": "on a power scale, "}


def model_matrix_table(preparation: Preparation) -> Table:
    """Declare what a preparation makes: the customer, and a DOUBLE per column."""
    if preparation.components is None:
        return _table([_column(column.name, _meaning(column)) for column in preparation.columns])
    shares = preparation.components.variance_shares
    return _table(
        [
            _column(name, f"Principal component with {share:.1%} of the variance of the scaled features.")
            for name, share in zip(preparation.column_names, shares, strict=True)
        ]
    )


def possible_matrix_table(features: Table, imputation: ImputationSettings, matrix: MatrixSettings) -> Table:
    """Declare the columns that the matrix may have, with what they are made from.

    Parameters
    ----------
    features : Table
        silver/customer_features as declared.
    imputation : ImputationSettings
    matrix : MatrixSettings

    Returns
    -------
    Table
        Columns that are left out when it is fitted are among them. As the categories are not known before, their
        columns stand under one name with a ``*``.
    """
    candidates = candidate_features(features, matrix)
    completed = {column.name: column.reads for column in imputed_features_table(features, imputation).columns}
    reads = {column.name: completed[column.name] for column in candidates}
    if matrix.pca is None:
        return _table([_possible_column(column, reads[column.name], matrix) for column in candidates])
    everything = tuple(dict.fromkeys(name for names in reads.values() for name in names))
    return _table(
        [
            _column(name, "Principal component of the scaled features.", everything)
            for name in _component_names(candidates, matrix)
        ]
    )


def require_components(candidates: Sequence[FeatureColumn], matrix: MatrixSettings) -> None:
    """Refuse more components than there can be columns.

    Raises
    ------
    SettingsError
        ``matrix.pca`` asks for them.
    """
    most = _most_columns(candidates, matrix)
    if matrix.pca is not None and matrix.pca > most:
        raise SettingsError(
            f"matrix.pca asks for {int(matrix.pca)} components, and there are {plural(most, 'column')} at most",
            "name fewer, or the share of the variance that they are to hold, such as 0.9.",
            setting=("matrix", "pca"),
        )


def _most_columns(candidates: Sequence[FeatureColumn], matrix: MatrixSettings) -> int:
    """Columns that the candidates make if none is left out."""
    wide = matrix.max_categories + 1 if matrix.encoding == "one_hot" else 1
    return sum(wide if column.is_category else 1 for column in candidates)


def _possible_column(column: FeatureColumn, reads: tuple[str, ...], matrix: MatrixSettings) -> Column:
    if not column.is_category:
        return _column(column.name, f"{column.name}, filled in and scaled.", reads)
    if matrix.encoding == "ordinal":
        return _column(column.name, f"Place of {column.name} by frequency, scaled.", reads)
    return _column(f"{column.name}_is_*", f"Whether {column.name} is a category, for each, scaled.", reads)


def _component_names(candidates: Sequence[FeatureColumn], matrix: MatrixSettings) -> Iterator[str]:
    """Names of as many components as there can be."""
    count = _most_columns(candidates, matrix)
    wanted = count if matrix.pca is None or matrix.pca < 1 else min(count, int(matrix.pca))
    yield from (f"{PREFIX}{number}" for number in range(1, wanted + 1))


def _meaning(column: MatrixColumn) -> str:
    subject = column.feature if column.name == column.feature else f"{column.name} of {column.feature}"
    limits = "" if column.limits is None else f"within {column.limits[0]:,.10g} to {column.limits[1]:,.10g}, "
    last = "as normal score" if column.references else "centred and scaled"
    return f"{subject}, filled in, {limits}{_SCALE_WORDS[column.scale]}{last}."


def _column(name: str, meaning: str, reads: tuple[str, ...] = ()) -> Column:
    return Column(name=name, dtype="DOUBLE", unit=_UNIT, meaning=meaning, reads=reads)


def _table(columns: Sequence[Column]) -> Table:
    return Table(
        key="silver/model_matrix",
        row="a customer with the scaled columns that clusterings are fitted on",
        primary_key=("customer_id",),
        columns=(replace(CUSTOMER_ID, reads=("customer_features.customer_id",)), *columns),
    )
