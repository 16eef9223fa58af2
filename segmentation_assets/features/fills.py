"""How single features are completed: by a constant, by another feature of the customer, or from two of them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError
from segmentation_assets.features.declaration import FeatureColumn, FillRule, ImputationClass, ImputationReason
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

UNKNOWN_CATEGORY = "unknown"
"""What stands for a missing category."""

ORDINARY_REASONS = {
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
    rule : FillRule
        As declared, or as fitted. Nothing stands in for core metrics, for ordinary numbers that the model fills, and
        for those of which no value is known.
    """

    feature: str
    imputation: ImputationClass
    rule: FillRule

    @property
    def is_category(self) -> bool:
        """Whether the feature is a category, not a number."""
        return isinstance(self.rule.value, str)

    @property
    def reasons(self) -> tuple[ImputationReason, ...]:
        """Every reason that may be recorded."""
        rule = self.rule
        return (rule.reason,) if rule.reason_at_zero is None else (rule.reason, rule.reason_at_zero)

    def constant_for(self, reason: ImputationReason) -> float | str | None:
        """Return the constant that is taken for a reason; ``None`` where there is none."""
        is_other = reason is self.rule.reason_at_zero and self.rule.value_at_zero is not None
        return self.rule.value_at_zero if is_other else self.rule.value

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Fill:
        """Rebuild from the fields as JSON holds them.

        Raises
        ------
        DataError
            They are not those of this version.
        """
        rule = plain.get("rule")
        if not isinstance(rule, Mapping) or set(rule) != {field.name for field in fields(FillRule)}:
            raise DataError("the stored imputation does not have the fields of this version", "fit the model again.")
        reasons = {name: rule[name] and ImputationReason(rule[name]) for name in ("reason", "reason_at_zero")}
        operands = {name: tuple(rule[name]) for name in ("product_of", "ratio_of")}
        return cls(plain["feature"], plain["imputation"], FillRule(**{**rule, **reasons, **operands}))


def fit_fill(column: FeatureColumn, complete: pd.DataFrame, method: str) -> Fill:
    """Determine how a feature is filled.

    Parameters
    ----------
    column : FeatureColumn
    complete : DataFrame
        Customers with all core metrics.
    method : {"mean", "median"}
        What stands for an ordinary number.

    Returns
    -------
    Fill
    """
    return Fill(column.name, column.imputation, column.undefined_rule or _fit_rule(column, complete, method))


def _fit_rule(column: FeatureColumn, complete: pd.DataFrame, method: str) -> FillRule:
    if column.imputation == "core":
        return FillRule(reason=ImputationReason.MISSING_CORE, description="the row is set aside")
    if column.imputation == "returns":
        return FillRule(reason=ImputationReason.NO_RETURNS, description="0: no returns", value=0.0)
    if column.is_category:
        words = f"the category '{UNKNOWN_CATEGORY}'"
        return FillRule(reason=ImputationReason.MISSING_CATEGORY, description=words, value=UNKNOWN_CATEGORY)
    value = _centre(known_values(complete, column.name), method)
    return FillRule(reason=ORDINARY_REASONS[method], description=f"{method} of the known values", value=value)


def _centre(known: npt.NDArray[np.float64], method: str) -> float | None:
    """Mean or median rounded to 10 significant digits; ``None`` of nothing."""
    import numpy as np

    if not known.size:
        return None
    return round_number(float(np.median(known) if method == "median" else np.mean(known)))


def known_values(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """Known values of a column, sorted, so that sums over them do not depend on the order of rows."""
    import numpy as np

    values = frame[name].astype("float64").to_numpy()
    return np.sort(values[~np.isnan(values)])


def fill_by_rules(
    kept: pd.DataFrame, fills: Sequence[Fill], completed: Mapping[str, pd.Series]
) -> dict[str, pd.Series]:
    """Complete features: constants first, then values of other features, last what is made from two of them.

    Parameters
    ----------
    kept : DataFrame
        customer_id and the features.
    fills : sequence of Fill
    completed : mapping of str to Series
        Features that are complete already, by name.

    Returns
    -------
    dict of str to Series
        Those of `fills`.

    Raises
    ------
    DataError
        What stands in for an undefined value is missing too.
    """
    import numpy as np

    filled: dict[str, pd.Series] = {}
    known = ChainMap(filled, dict(completed))
    for fill in sorted(fills, key=lambda fill: (bool(fill.rule.operands), bool(fill.rule.sources))):
        rule, values = fill.rule, kept[fill.feature].astype("object" if fill.is_category else "float64")
        sources = [known[name] for name in rule.stand_ins]
        if rule.zero_column and rule.value_at_zero is not None:
            is_zero = np.logical_and.reduce([known[rule.zero_column] == 0, *(source.notna() for source in sources)])
            values = values.where(values.notna() | ~is_zero, rule.value_at_zero)
        if rule.operands:
            values = values.where(values.notna(), _made_from(rule, *sources))
        elif sources:
            values = values.where(values.notna(), sources[0])
            _require_filled(values, kept, fill)
        elif rule.value is not None:
            values = values.where(values.notna(), rule.value)
        filled[fill.feature] = values
    return filled


def _made_from(rule: FillRule, first: pd.Series, second: pd.Series) -> pd.Series:
    """Multiply or divide completed values; missing where one of them is, as nobody has a value of it."""
    return first * second if rule.product_of else first / second.where(second != 0)


def _require_filled(values: pd.Series, kept: pd.DataFrame, fill: Fill) -> None:
    unfilled, source = kept.loc[values.isna(), "customer_id"], fill.rule.column
    if len(unfilled):
        raise DataError(
            f"{fill.feature} of customer {unfilled.iloc[0]} is undefined, and {source}, which stands in for it, is "
            f"missing too ({len(unfilled)} customers)",
            f"give {source} an imputation class that always yields a value.",
        )
