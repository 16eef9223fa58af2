"""The declaration of silver/imputed_features."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.declaration import FeatureColumn, closed_over, feature_columns
from segmentation_assets.features.imputation import FLAG_PREFIX, REASONS_COLUMN
from segmentation_assets.features.imputation_model import compared_features, is_ordinary_number
from segmentation_assets.tables.declaration import Column, ColumnType, Table


def imputed_features_table(features_table: Table, settings: ImputationSettings | None = None) -> Table:
    """Declare silver/imputed_features from silver/customer_features.

    Parameters
    ----------
    features_table : Table
        As `registry.features_table` declares it.
    settings : ImputationSettings or None
        Whether other features of the customer are read to fill ordinary ones; ``None`` is the default.

    Returns
    -------
    Table
        The key, every feature completed, a flag for each, and the reasons; dates are left out. Ordinary numbers are
        DOUBLE, as a mean of whole numbers has a fraction. They may stay null where no value is known at all, and so
        may products and ratios of them; nothing else may.
    """
    features = feature_columns(features_table)
    sources = _value_sources(features) | _read_by_model(features, settings or ImputationSettings())
    unknown = {column.name for column in features if is_ordinary_number(column)}
    unknown |= {column.name for column in features if unknown & _operands(column)}
    tell_reasons = closed_over(_told_apart_by(features), sources)
    return Table(
        key="silver/imputed_features",
        row="a customer with all core metrics, missing features filled in; for fitting only",
        primary_key=features_table.primary_key,
        columns=(
            *(
                dataclasses.replace(column, reads=_from_features(column.name))
                for column in features_table.columns
                if column.name in features_table.primary_key
            ),
            *(_completed(column, sources, unknown) for column in features),
            *(_flag(column) for column in features),
            Column(
                name=REASONS_COLUMN,
                dtype="VARCHAR",
                nullable=True,
                null_rule="nothing was filled in",
                meaning="Features filled in and why, written feature=reason.",
                reads=_from_features(
                    *(column.name for column in features if column.imputation != "core" or column.name in tell_reasons)
                ),
            ),
        ),
    )


def _from_features(*names: str | None) -> tuple[str, ...]:
    """What a column reads that is made from the features named."""
    return tuple(f"customer_features.{name}" for name in names if name)


def _value_sources(features: Sequence[FeatureColumn]) -> dict[str, Sequence[str]]:
    return {column.name: column.undefined_rule.value_sources for column in features if column.undefined_rule}


def _told_apart_by(features: Sequence[FeatureColumn]) -> set[str]:
    """List the features whose completed values tell the reasons of others apart."""
    return {c.undefined_rule.zero_column for c in features if c.undefined_rule and c.undefined_rule.zero_column}


def _operands(column: FeatureColumn) -> set[str]:
    return set(column.undefined_rule.operands) if column.undefined_rule else set()


def _read_by_model(features: Sequence[FeatureColumn], settings: ImputationSettings) -> dict[str, Sequence[str]]:
    """List, for each feature that the settings fill by others, those others."""
    if not settings.reads_other_features:
        return {}
    read = compared_features(features)
    return {column.name: read for column in features if is_ordinary_number(column)}


def _completed(
    column: FeatureColumn, sources: Mapping[str, Sequence[str]], may_stay_null: Collection[str]
) -> FeatureColumn:
    reads = tuple(dict.fromkeys(_from_features(column.name, *closed_over([column.name], sources))))
    dtype: ColumnType = "DOUBLE" if column.dtype == "BOOLEAN" or is_ordinary_number(column) else column.dtype
    if column.name not in may_stay_null:
        return dataclasses.replace(column, dtype=dtype, nullable=False, null_rule="", reads=reads)
    rule = "no customer of the snapshot has a known value"
    return dataclasses.replace(column, dtype=dtype, nullable=True, null_rule=rule, reads=reads)


def _flag(column: FeatureColumn) -> Column:
    name, meaning = f"{FLAG_PREFIX}{column.name}", f"Whether {column.name} was filled in."
    return Column(name=name, dtype="BOOLEAN", meaning=meaning, reads=_from_features(column.name))
