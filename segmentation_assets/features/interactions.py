"""Products and ratios of pairs of features that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.declaration import (
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
    no_such_feature,
)
from segmentation_assets.features.snapshot import Snapshot


def interactions_block(
    settings: FeatureSettings, known: Mapping[str, FeatureColumn], absent: Mapping[str, str]
) -> FeatureBlock:
    """Declare a product and a ratio for each pair in ``features.interactions``.

    Parameters
    ----------
    settings : FeatureSettings
    known : mapping of str to FeatureColumn
        The features that can be computed, by name.
    absent : mapping of str to str
        Name of each of the others to the reason.

    Returns
    -------
    FeatureBlock
        Without columns where no pair is named.

    Raises
    ------
    SettingsError
        A pair names something that is not a feature, or one that is no number, or stands there twice.
    """
    columns: list[FeatureColumn] = []
    for place, pair in enumerate(settings.interactions):
        setting = ("features", "interactions", place)
        for name in pair:
            _require_number(name, known, absent, setting)
        _require_new(pair, settings.interactions[:place], setting)
        columns += (replace(column, setting=setting) for column in _columns(*(known[name] for name in pair)))
    names = tuple(dict.fromkeys(name for pair in settings.interactions for name in pair))
    return FeatureBlock(
        name="interactions",
        columns=tuple(columns),
        select=_select,
        derives_from=names,
        named_by={"interactions": "<feature>_times_<feature>, <feature>_per_<feature>"},
    )


def _require_number(
    name: str, known: Mapping[str, FeatureColumn], absent: Mapping[str, str], setting: tuple[str | int, ...]
) -> None:
    if name not in known:
        raise no_such_feature("features.interactions", name, known, absent, setting)
    if known[name].is_category or known[name].imputation == "exempt":
        raise SettingsError(
            f"features.interactions names '{name}', which is no number", "name a numeric feature.", setting=setting
        )


def _require_new(pair: tuple[str, ...], earlier: Sequence[tuple[str, ...]], setting: tuple[str | int, ...]) -> None:
    for other in earlier:
        if set(pair) == set(other):
            raise SettingsError(
                f"features.interactions lists [{', '.join(pair)}] and [{', '.join(other)}], which have the same "
                "product",
                "list each pair once.",
                setting=setting,
            )


def _columns(first: FeatureColumn, second: FeatureColumn) -> tuple[FeatureColumn, FeatureColumn]:
    reads = tuple(dict.fromkeys((*first.reads, *second.reads)))
    missing = [column.null_rule for column in (first, second) if column.nullable]
    product = FeatureColumn(
        name=f"{first.name}_times_{second.name}",
        label=f"{first.label} times {second.label}",
        dtype="DOUBLE",
        unit=f"{first.unit} x {second.unit}",
        nullable=bool(missing),
        null_rule="; or ".join(missing),
        meaning=f"Product of {first.name} and {second.name}.",
        reads=reads,
        imputation="undefined" if missing else "ordinary",
        undefined_rule=FillRule(
            reason=ImputationReason.MADE_FROM_FILLED,
            description="the product of what is filled in for them",
            product_of=(first.name, second.name),
        )
        if missing
        else None,
    )
    ratio = FeatureColumn(
        name=f"{first.name}_per_{second.name}",
        label=f"{first.label} per {second.label}",
        dtype="DOUBLE",
        unit=f"{first.unit} per {second.unit}",
        nullable=True,
        null_rule="; or ".join((*missing, f"{second.name} is 0")),
        meaning=f"{first.name} divided by {second.name}.",
        reads=reads,
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.MADE_FROM_FILLED,
            description=f"the ratio of what is filled in for them, and 0 where {second.name} is 0",
            ratio_of=(first.name, second.name),
            zero_column=second.name,
            reason_at_zero=ImputationReason.UNDEFINED_DIVISION_BY_ZERO,
            value_at_zero=0.0,
        ),
    )
    return product, ratio


def _select(snapshot: Snapshot) -> str:
    values = "".join(
        f", CAST({first} AS DOUBLE) * CAST({second} AS DOUBLE) AS {first}_times_{second}"
        f", safe_div({first}, {second}) AS {first}_per_{second}"
        for first, second in snapshot.settings.interactions
    )
    return f"SELECT customer_id{values} FROM base_interactions"
