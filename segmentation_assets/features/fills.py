"""How single features are completed: by a constant, by another feature of the customer, or from two of them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError
from segmentation_assets.features.declaration import FeatureColumn, ImputationClass, ImputationReason
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


@dataclass(frozen=True, kw_only=True)
class Fill:
    """How one feature is filled.

    Parameters
    ----------
    feature : str
    imputation : ImputationClass
    reason : ImputationReason
        What is recorded where a value is filled in or, for core metrics, where the row is set aside.
    rule : str
        The rule in words.
    column : str or None
        Feature whose value of the same customer is taken.
    value : float, str or None
        Constant that is taken; ``None`` where there is none: for core metrics, for ordinary numbers that the model
        fills, and for those of which no value is known. A text where the feature is a category.
    product_of, ratio_of : tuple of str
        Two features from whose completed values it is made.
    zero_column : str or None
        Feature where whose completed value is 0 another reason is recorded.
    reason_at_zero : ImputationReason or None
        That reason.
    value_at_zero : float or None
        Constant that is taken there, where it is another one.
    """

    feature: str
    imputation: ImputationClass
    reason: ImputationReason
    rule: str
    column: str | None = None
    value: float | str | None = None
    product_of: tuple[str, ...] = ()
    ratio_of: tuple[str, ...] = ()
    zero_column: str | None = None
    reason_at_zero: ImputationReason | None = None
    value_at_zero: float | None = None

    @property
    def is_category(self) -> bool:
        """Whether the feature is a category, not a number."""
        return isinstance(self.value, str)

    @property
    def operands(self) -> tuple[str, ...]:
        """Features from whose completed values it is made."""
        return self.product_of or self.ratio_of

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Features whose values the filled one is or is made from."""
        return (self.column,) if self.column else self.operands

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that filling it and telling the reason reads."""
        return tuple(dict.fromkeys((*self.stand_ins, *((self.zero_column,) if self.zero_column else ()))))

    @property
    def reasons(self) -> tuple[ImputationReason, ...]:
        """Every reason that may be recorded."""
        return (self.reason,) if self.reason_at_zero is None else (self.reason, self.reason_at_zero)

    def constant_for(self, reason: ImputationReason) -> float | str | None:
        """Return the constant that is taken for a reason; ``None`` where there is none."""
        is_other = reason is self.reason_at_zero and self.value_at_zero is not None
        return self.value_at_zero if is_other else self.value

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Fill:
        """Rebuild from the fields as JSON holds them.

        Raises
        ------
        DataError
            They are not those of this version.
        """
        if set(plain) != {field.name for field in fields(cls)}:
            raise DataError("the stored imputation does not have the fields of this version", "fit the model again.")
        at_zero = plain["reason_at_zero"]
        return cls(
            **{
                **plain,
                "reason": ImputationReason(plain["reason"]),
                "reason_at_zero": at_zero and ImputationReason(at_zero),
                "product_of": tuple(plain["product_of"]),
                "ratio_of": tuple(plain["ratio_of"]),
            }
        )


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
    fill = partial(Fill, feature=column.name, imputation=column.imputation)
    rule = column.undefined_rule
    if rule is not None:
        return fill(
            reason=rule.reason,
            rule=rule.description,
            column=rule.column,
            value=rule.value,
            product_of=rule.product_of,
            ratio_of=rule.ratio_of,
            zero_column=rule.zero_column,
            reason_at_zero=rule.reason_at_zero,
            value_at_zero=rule.value_at_zero,
        )
    if column.imputation == "core":
        return fill(reason=ImputationReason.MISSING_CORE, rule="the row is set aside")
    if column.imputation == "returns":
        return fill(reason=ImputationReason.NO_RETURNS, rule="0: no returns", value=0.0)
    if column.is_category:
        words = f"the category '{UNKNOWN_CATEGORY}'"
        return fill(reason=ImputationReason.MISSING_CATEGORY, rule=words, value=UNKNOWN_CATEGORY)
    value = _centre(known_values(complete, column.name), method)
    return fill(reason=ORDINARY_REASONS[method], rule=f"{method} of the known values", value=value)


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
    for fill in sorted(fills, key=lambda fill: (bool(fill.operands), bool(fill.sources))):
        values = kept[fill.feature].astype("object" if fill.is_category else "float64")
        sources = [known[name] for name in fill.stand_ins]
        if fill.zero_column and fill.value_at_zero is not None:
            is_zero = np.logical_and.reduce([known[fill.zero_column] == 0, *(source.notna() for source in sources)])
            values = values.where(values.notna() | ~is_zero, fill.value_at_zero)
        if fill.operands:
            values = values.where(values.notna(), _made_from(fill, *sources))
        elif sources:
            values = values.where(values.notna(), sources[0])
            _require_filled(values, kept, fill)
        elif fill.value is not None:
            values = values.where(values.notna(), fill.value)
        filled[fill.feature] = values
    return filled


def _made_from(fill: Fill, first: pd.Series, second: pd.Series) -> pd.Series:
    """Multiply or divide completed values; missing where one of them is, as nobody has a value of it."""
    return first * second if fill.product_of else first / second.where(second != 0)


def _require_filled(values: pd.Series, kept: pd.DataFrame, fill: Fill) -> None:
    unfilled = kept.loc[values.isna(), "customer_id"]
    if len(unfilled):
        raise DataError(
            f"{fill.feature} of customer {unfilled.iloc[0]} is undefined, and {fill.column}, which stands in for it, "
            f"is missing too ({len(unfilled)} customers)",
            f"give {fill.column} an imputation class that always yields a value.",
        )
