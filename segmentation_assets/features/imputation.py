"""Filling in missing feature values, openly: by class, with a flag, a reason and a tracking table."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.declaration import (
    FeatureColumn,
    ImputationClass,
    ImputationReason,
)
from segmentation_assets.features.imputation_model import (
    ImputationModel,
    compared_features,
    fill_by_model,
    fit_model,
    is_ordinary_number,
    model_from_plain,
    model_to_plain,
)
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

UNKNOWN_CATEGORY = "unknown"
"""What stands for a missing category."""

FLAG_PREFIX = "was_imputed_"
REASONS_COLUMN = "imputation_reasons"

_REASONS = {
    "mean": ImputationReason.ORDINARY_MEAN,
    "median": ImputationReason.ORDINARY_MEDIAN,
    "knn": ImputationReason.ORDINARY_KNN,
    "iterative": ImputationReason.ORDINARY_ITERATIVE,
}


@dataclass(frozen=True)
class Fill:
    """How one feature is filled.

    Parameters
    ----------
    feature : str
    imputation : ImputationClass
    reason : ImputationReason
        What is recorded where a value is filled in or, for core metrics, where the row is set aside.
    column : str or None
        Feature whose value of the same customer is taken.
    value : float, str or None
        Constant that is taken; ``None`` where there is none: for core metrics, for ordinary numbers that the model
        fills, and for those of which no value is known. A text where the feature is a category.
    rule : str
        The rule in words.
    """

    feature: str
    imputation: ImputationClass
    reason: ImputationReason
    column: str | None
    value: float | str | None
    rule: str

    @property
    def is_category(self) -> bool:
        """Whether the feature is a category, not a number."""
        return isinstance(self.value, str)


@dataclass(frozen=True)
class Imputation:
    """A fitted imputation. Plain names and numbers.

    Parameters
    ----------
    fills : tuple of Fill
        One per feature, in declared order.
    model : ImputationModel or None
        What fills ordinary numbers by other features of the customer; ``None`` where constants do.
    """

    fills: tuple[Fill, ...]
    model: ImputationModel | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features it completes."""
        return tuple(fill.feature for fill in self.fills)

    def limited_to(self, names: Collection[str]) -> Imputation:
        """Keep the fills of the features named, of all core metrics, and of what these are filled from."""
        sources = {fill.feature: fill.column for fill in self.fills}
        wanted = {*names, *(fill.feature for fill in self.fills if fill.imputation == "core")}
        wanted |= {sources[name] or name for name in wanted}
        model = self.model if self.model and wanted & set(self.model.targets) else None
        wanted |= set(model.columns) if model else set()
        wanted |= {sources[name] or name for name in wanted}
        return Imputation(tuple(fill for fill in self.fills if fill.feature in wanted), model)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        fills = [dataclasses.asdict(fill) for fill in self.fills]
        return {"fills": fills, "model": self.model and model_to_plain(self.model)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Imputation:
        """Rebuild from what `to_plain` returned."""
        fills = tuple(Fill(**(fill | {"reason": ImputationReason(fill["reason"])})) for fill in plain["fills"])
        return cls(fills, plain["model"] and model_from_plain(plain["model"]))


@dataclass(frozen=True)
class Imputed:
    """What `apply_imputation` made.

    Parameters
    ----------
    frame : DataFrame
        A row per customer that was not set aside: customer_id, the features, a ``was_imputed_*`` flag for each, and
        `imputation_reasons`, such as ``gap_days_mean=undefined_one_order``, null where nothing was filled.
    set_aside : DataFrame
        customer_id and reason of each row that lacks a core metric.
    tracking : DataFrame
        A row per feature: feature, imputation, reason, count (values filled or, for core metrics, rows set aside),
        value (the constant used; None where there is none) and rule.
    """

    frame: pd.DataFrame
    set_aside: pd.DataFrame
    tracking: pd.DataFrame


def fit_imputation(frame: pd.DataFrame, columns: Sequence[FeatureColumn], settings: ImputationSettings) -> Imputation:
    """Determine how each feature is filled.

    Parameters
    ----------
    frame : DataFrame, shape (n_customers, >= n_features)
        Features of a snapshot.
    columns : sequence of FeatureColumn
        Features to complete, with the columns their undefined rules refer to; exempt ones are left out.
    settings : ImputationSettings
        How ordinary numbers are filled, fitted on the rows with all core metrics.

    Returns
    -------
    Imputation

    Raises
    ------
    DataError
        The frame lacks a column, or a rule refers to a feature that is not among `columns`.
    """
    features = [column for column in columns if column.imputation != "exempt"]
    names = [column.name for column in features]
    require_columns(frame, names)
    for column in features:
        source = column.undefined_rule.column if column.undefined_rule else None
        if source is not None and source not in names:
            raise DataError(
                f"{column.name} is filled from {source}, which is not among the features to complete",
                f"add {source} to them.",
            )
    core = [column.name for column in features if column.imputation == "core"]
    complete = frame[frame[core].notna().all(axis=1)]
    constant = "median" if settings.method == "median" else "mean"
    fills = tuple(_fit_fill(column, complete, constant) for column in features)
    return _with_model(fills, features, complete, settings) if settings.reads_other_features else Imputation(fills)


def _fit_fill(column: FeatureColumn, complete: pd.DataFrame, method: str) -> Fill:
    if column.undefined_rule is not None:
        rule = column.undefined_rule
        return Fill(column.name, column.imputation, rule.reason, rule.column, rule.value, rule.description)
    if column.imputation == "core":
        rule_text = "the row is set aside"
        return Fill(column.name, column.imputation, ImputationReason.MISSING_CORE, None, None, rule_text)
    if column.imputation == "returns":
        return Fill(column.name, column.imputation, ImputationReason.NO_RETURNS, None, 0.0, "0: no returns")
    if column.is_category:
        rule_text = f"the category '{UNKNOWN_CATEGORY}'"
        return Fill(
            column.name, column.imputation, ImputationReason.MISSING_CATEGORY, None, UNKNOWN_CATEGORY, rule_text
        )
    value = _centre(known_values(complete, column.name), method)
    return Fill(column.name, column.imputation, _REASONS[method], None, value, f"{method} of the known values")


def _centre(known: npt.NDArray[np.float64], method: str) -> float | None:
    """Mean or median rounded to 10 significant digits; ``None`` of nothing."""
    import numpy as np

    if not known.size:
        return None
    return round_number(float(np.median(known) if method == "median" else np.mean(known)))


def _with_model(
    fills: Sequence[Fill], columns: Sequence[FeatureColumn], complete: pd.DataFrame, settings: ImputationSettings
) -> Imputation:
    """Fill ordinary numbers by other features; those that nobody in the sample knows by the mean."""
    wanted = [column.name for column in columns if is_ordinary_number(column)]
    ordered = complete.sort_values("customer_id", kind="stable")
    by_rules = [fill for fill in fills if fill.feature not in wanted and fill.column not in wanted]
    known = _fill_by_rules(ordered, by_rules, {}) | {name: ordered[name].astype("float64") for name in wanted}
    model = fit_model(known, compared_features(columns), wanted, settings)
    modelled = [
        dataclasses.replace(fill, reason=_REASONS[settings.method], value=None, rule=model.rule(fill.feature))
        if fill.feature in model.targets
        else fill
        for fill in fills
    ]
    return Imputation(tuple(modelled), model)


def apply_imputation(frame: pd.DataFrame, imputation: Imputation) -> Imputed:
    """Set rows without core metrics aside and fill the rest.

    Parameters
    ----------
    frame : DataFrame
        customer_id and at least the features of the imputation; not changed.
    imputation : Imputation
        Fitted on this snapshot or an earlier one; a row is filled alone as it is in a batch.

    Returns
    -------
    Imputed

    Raises
    ------
    DataError
        The frame lacks a column, or a value cannot be filled because its replacement is missing too.
    """
    import pandas as pd

    require_columns(frame, ["customer_id", *imputation.features])
    set_aside = _set_aside(frame, [fill.feature for fill in imputation.fills if fill.imputation == "core"])
    kept = frame[~frame["customer_id"].isin(set_aside["customer_id"])].reset_index(drop=True)
    missing = {fill.feature: kept[fill.feature].isna() for fill in imputation.fills}
    completed = _fill(kept, imputation)
    flags = {
        f"{FLAG_PREFIX}{fill.feature}": missing[fill.feature] & completed[fill.feature].notna()
        for fill in imputation.fills
    }
    reasons = _reasons(imputation, flags, len(kept))
    filled = pd.DataFrame({"customer_id": kept["customer_id"], **completed, **flags, REASONS_COLUMN: reasons})
    return Imputed(filled, set_aside, _tracking(frame, imputation, flags))


def _set_aside(frame: pd.DataFrame, core: Sequence[str]) -> pd.DataFrame:
    missing = frame[list(core)].isna()
    lacking = missing[missing.any(axis=1)]
    names = [[name for name, absent in zip(core, row, strict=True) if absent] for row in lacking.to_numpy()]
    set_aside = frame.loc[lacking.index, ["customer_id"]]
    set_aside["reason"] = [f"{ImputationReason.MISSING_CORE}: {', '.join(absent)}" for absent in names]
    return set_aside.astype({"reason": "object"}).reset_index(drop=True)


def _fill(kept: pd.DataFrame, imputation: Imputation) -> dict[str, pd.Series]:
    """Fill by rules, then by the model, then what the model's values stand in for."""
    targets = imputation.model.targets if imputation.model else ()
    late = [fill for fill in imputation.fills if fill.column in targets]
    completed = _fill_by_rules(kept, [fill for fill in imputation.fills if fill not in late], {})
    if imputation.model:
        completed |= fill_by_model(completed, imputation.model)
    completed |= _fill_by_rules(kept, late, completed)
    return {name: completed[name] for name in imputation.features}


def _fill_by_rules(
    kept: pd.DataFrame, fills: Sequence[Fill], completed: Mapping[str, pd.Series]
) -> dict[str, pd.Series]:
    """Fill constants first, then values taken from other features."""
    filled: dict[str, pd.Series] = {}
    for fill in sorted(fills, key=lambda fill: fill.column is not None):
        values = kept[fill.feature].astype("object" if fill.is_category else "float64")
        if fill.column is not None:
            source = filled[fill.column] if fill.column in filled else completed[fill.column]
            values = values.where(values.notna(), source)
            _require_filled(values, kept, fill)
        elif fill.value is not None:
            values = values.where(values.notna(), fill.value)
        filled[fill.feature] = values
    return filled


def _require_filled(values: pd.Series, kept: pd.DataFrame, fill: Fill) -> None:
    unfilled = kept.loc[values.isna(), "customer_id"]
    if len(unfilled):
        raise DataError(
            f"{fill.feature} of customer {unfilled.iloc[0]} is undefined, and {fill.column}, which stands in for it, "
            f"is missing too ({len(unfilled)} customers)",
            f"give {fill.column} an imputation class that always yields a value.",
        )


def _reasons(imputation: Imputation, flags: dict[str, pd.Series], row_count: int) -> pd.Series:
    """Write the text of each set of filled features once; there are far fewer sets than customers."""
    import numpy as np
    import pandas as pd

    texts = [f"{fill.feature}={fill.reason}" for fill in imputation.fills]
    filled = np.zeros((row_count, len(texts)), dtype=bool)
    for place, fill in enumerate(imputation.fills):
        filled[:, place] = flags[f"{FLAG_PREFIX}{fill.feature}"]
    if not filled.size:
        return pd.Series([None] * row_count, dtype="object")
    packed = np.packbits(filled, axis=1)
    _, first, which = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    sets = ["; ".join(text for text, is_filled in zip(texts, filled[row], strict=True) if is_filled) for row in first]
    return pd.Series(np.array([text or None for text in sets], dtype=object)[which], dtype="object")


def _tracking(frame: pd.DataFrame, imputation: Imputation, flags: dict[str, pd.Series]) -> pd.DataFrame:
    import pandas as pd

    counts = [
        frame[fill.feature].isna().sum() if fill.imputation == "core" else flags[f"{FLAG_PREFIX}{fill.feature}"].sum()
        for fill in imputation.fills
    ]
    return pd.DataFrame(
        {
            "feature": [fill.feature for fill in imputation.fills],
            "imputation": [fill.imputation for fill in imputation.fills],
            "reason": [fill.reason.value for fill in imputation.fills],
            "count": [int(count) for count in counts],
            "value": pd.Series([fill.value for fill in imputation.fills], dtype="object"),
            "rule": [fill.rule for fill in imputation.fills],
        }
    )


def known_values(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """Known values of a column, sorted, so that sums over them do not depend on the order of rows."""
    import numpy as np

    values = frame[name].astype("float64").to_numpy()
    return np.sort(values[~np.isnan(values)])


def require_columns(frame: pd.DataFrame, names: Collection[str]) -> None:
    """Raise a DataError that lists the columns a frame lacks."""
    missing = sorted(set(names) - set(frame.columns))
    if missing:
        raise DataError(
            f"the features lack the columns {', '.join(missing)}", closest_hint(missing[0], map(str, frame.columns))
        )
