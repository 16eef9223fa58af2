"""Filling in missing feature values, openly: by class, with a flag, a reason and a tracking table."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.declaration import FeatureColumn, FillRule, ImputationReason, closed_over
from segmentation_assets.features.fills import ORDINARY_REASONS, Fill, fill_by_rules, fit_fill
from segmentation_assets.features.imputation_model import (
    ImputationModel,
    compared_features,
    fill_by_model,
    fit_model,
    is_ordinary_number,
    model_from_plain,
    model_to_plain,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

FLAG_PREFIX = "was_imputed_"
REASONS_COLUMN = "imputation_reasons"


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
        wanted = self._with_sources({*names, *(fill.feature for fill in self.fills if fill.imputation == "core")})
        model = self.model if self.model and wanted & set(self.model.targets) else None
        wanted = self._with_sources(wanted | set(model.columns)) if model else wanted
        return Imputation(tuple(fill for fill in self.fills if fill.feature in wanted), model)

    def _with_sources(self, names: Collection[str]) -> set[str]:
        """Add what the features are filled from, and what that is filled from."""
        return closed_over(names, {fill.feature: fill.rule.sources for fill in self.fills})

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        fills = [dataclasses.asdict(fill) for fill in self.fills]
        return {"fills": fills, "model": self.model and model_to_plain(self.model)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Imputation:
        """Rebuild from what `to_plain` returned."""
        return cls(tuple(map(Fill.from_plain, plain["fills"])), plain["model"] and model_from_plain(plain["model"]))


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
        A row per feature and reason: feature, imputation, reason, count (values filled for this reason or, for core
        metrics, rows set aside), value (the constant taken for it; None where there is none) and rule.
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
        sources = column.undefined_rule.sources if column.undefined_rule else ()
        for source in (name for name in sources if name not in names):
            raise DataError(
                f"{column.name} is filled from {source}, which is not among the features to complete",
                f"add {source} to them.",
            )
    core = [column.name for column in features if column.imputation == "core"]
    complete = frame[frame[core].notna().all(axis=1)]
    constant = "median" if settings.method == "median" else "mean"
    fills = tuple(fit_fill(column, complete, constant) for column in features)
    return _with_model(fills, features, complete, settings) if settings.reads_other_features else Imputation(fills)


def _with_model(
    fills: Sequence[Fill], columns: Sequence[FeatureColumn], complete: pd.DataFrame, settings: ImputationSettings
) -> Imputation:
    """Fill ordinary numbers by other features; those that nobody in the sample knows by the mean."""
    wanted = [column.name for column in columns if is_ordinary_number(column)]
    ordered = complete.sort_values("customer_id", kind="stable")
    late = _read_from(fills, wanted)
    by_rules = [fill for fill in fills if fill.feature not in {*wanted, *late}]
    known = fill_by_rules(ordered, by_rules, {}) | {name: ordered[name].astype("float64") for name in wanted}
    model = fit_model(known, compared_features(columns), wanted, settings)
    modelled = [
        dataclasses.replace(
            fill, rule=FillRule(reason=ORDINARY_REASONS[settings.method], description=model.rule(fill.feature))
        )
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
    filled_for = _filled_for(imputation, flags, completed)
    reasons = _reasons(filled_for, len(kept))
    filled = pd.DataFrame({"customer_id": kept["customer_id"], **completed, **flags, REASONS_COLUMN: reasons})
    return Imputed(filled, set_aside, _tracking(frame, filled_for))


def _set_aside(frame: pd.DataFrame, core: Sequence[str]) -> pd.DataFrame:
    missing = frame[list(core)].isna()
    lacking = missing[missing.any(axis=1)]
    names = [[name for name, absent in zip(core, row, strict=True) if absent] for row in lacking.to_numpy()]
    set_aside = frame.loc[lacking.index, ["customer_id"]]
    set_aside["reason"] = [f"{ImputationReason.MISSING_CORE}: {', '.join(absent)}" for absent in names]
    return set_aside.astype({"reason": "object"}).reset_index(drop=True)


def _fill(kept: pd.DataFrame, imputation: Imputation) -> dict[str, pd.Series]:
    """Fill by rules, then by the model, then what reads the model's values."""
    late = _read_from(imputation.fills, imputation.model.targets if imputation.model else ())
    completed = fill_by_rules(kept, [fill for fill in imputation.fills if fill.feature not in late], {})
    if imputation.model:
        completed |= fill_by_model(completed, imputation.model)
    completed |= fill_by_rules(kept, [fill for fill in imputation.fills if fill.feature in late], completed)
    return {name: completed[name] for name in imputation.features}


def _read_from(fills: Sequence[Fill], targets: Collection[str]) -> set[str]:
    """List the features that are filled from those named, directly or by way of others."""
    late: set[str] = set()
    while found := {fill.feature for fill in fills if {*targets, *late} & {*fill.rule.sources}} - late:
        late |= found
    return late


def _filled_for(
    imputation: Imputation, flags: Mapping[str, pd.Series], completed: Mapping[str, pd.Series]
) -> list[tuple[Fill, ImputationReason, npt.NDArray[np.bool_]]]:
    """Tell for each feature and reason which customers it holds for."""
    found = []
    for fill in imputation.fills:
        is_filled = flags[f"{FLAG_PREFIX}{fill.feature}"].to_numpy()
        zero = fill.rule.zero_column
        is_zero = is_filled & (completed[zero] == 0).to_numpy() if zero else None
        for reason in fill.reasons:
            rows = is_filled if is_zero is None else is_filled & (is_zero == (reason is fill.rule.reason_at_zero))
            found.append((fill, reason, rows))
    return found


def _reasons(filled_for: Sequence[tuple[Fill, ImputationReason, npt.NDArray[np.bool_]]], row_count: int) -> pd.Series:
    """Write the text of each set of filled features once; there are far fewer sets than customers."""
    import numpy as np
    import pandas as pd

    texts = [f"{fill.feature}={reason}" for fill, reason, _ in filled_for]
    filled = np.zeros((row_count, len(texts)), dtype=bool)
    for place, (_, _, rows) in enumerate(filled_for):
        filled[:, place] = rows
    if not filled.size:
        return pd.Series([None] * row_count, dtype="object")
    packed = np.packbits(filled, axis=1)
    _, first, which = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    sets = ["; ".join(text for text, is_filled in zip(texts, filled[row], strict=True) if is_filled) for row in first]
    return pd.Series(np.array([text or None for text in sets], dtype=object)[which], dtype="object")


def _tracking(
    frame: pd.DataFrame, filled_for: Sequence[tuple[Fill, ImputationReason, npt.NDArray[np.bool_]]]
) -> pd.DataFrame:
    import pandas as pd

    counts = [
        frame[fill.feature].isna().sum() if fill.imputation == "core" else rows.sum() for fill, _, rows in filled_for
    ]
    return pd.DataFrame(
        {
            "feature": [fill.feature for fill, _, _ in filled_for],
            "imputation": [fill.imputation for fill, _, _ in filled_for],
            "reason": [reason.value for _, reason, _ in filled_for],
            "count": [int(count) for count in counts],
            "value": pd.Series([fill.constant_for(reason) for fill, reason, _ in filled_for], dtype="object"),
            "rule": [fill.rule.description for fill, _, _ in filled_for],
        }
    )


def require_columns(frame: pd.DataFrame, names: Collection[str]) -> None:
    """Raise a DataError that lists the columns a frame lacks."""
    missing = sorted(set(names) - set(frame.columns))
    if missing:
        raise DataError(
            f"the features lack the columns {', '.join(missing)}", closest_hint(missing[0], map(str, frame.columns))
        )
