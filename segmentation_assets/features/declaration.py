"""What a feature column and a feature block are; the blocks themselves lie in `blocks/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Literal

from segmentation_assets.errors import SettingsError, closest_hint
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.tables.declaration import Column, Table

ImputationClass = Literal["core", "returns", "undefined", "ordinary", "exempt"]
Direction = Literal["more_is_better", "more_is_worse", "neutral"]

LINES_OF_LOOKBACK = ("order_lines.line_type", "order_lines.order_at")
"""What every feature of order lines reads: whether a line is a sale or a return, and whether it counts yet."""


class ImputationReason(StrEnum):
    """Why a value was filled in, or why a row was set aside."""

    MISSING_CORE = "missing_core_metric"
    NO_RETURNS = "no_returns"
    UNDEFINED_FOR_THESE_RETURNS = "undefined_for_these_returns"
    UNDEFINED_ALL_CANCELLED = "undefined_all_cancelled"
    UNDEFINED_ONE_ORDER_DAY = "undefined_one_order"
    UNDEFINED_FEW_ORDER_DAYS = "undefined_few_orders"
    UNDEFINED_NO_NEWSLETTER = "undefined_no_newsletter"
    UNDEFINED_NO_SPEND = "undefined_no_spend"
    UNDEFINED_NO_ORDER_IN_WINDOW = "undefined_no_order_in_window"
    UNDEFINED_SHORT_HISTORY = "undefined_short_history"
    UNDEFINED_NO_EVENT = "undefined_no_event"
    UNDEFINED_NO_EVENT_IN_WINDOW = "undefined_no_event_in_window"
    UNDEFINED_GROUP_UNKNOWN = "undefined_product_group_unknown"
    UNDEFINED_NO_ORDER_BEFORE = "undefined_no_order_before"
    UNDEFINED_NO_STORE = "undefined_no_store"
    UNDEFINED_DIVISION_BY_ZERO = "undefined_division_by_zero"
    MADE_FROM_FILLED = "made_from_filled_values"
    MISSING_CATEGORY = "missing_category_unknown"
    ORDINARY_MEAN = "missing_filled_by_mean"
    ORDINARY_MEDIAN = "missing_filled_by_median"
    ORDINARY_KNN = "missing_filled_by_knn"
    ORDINARY_ITERATIVE = "missing_filled_by_iterative"


def name_in_words(name: str) -> str:
    """Write the name of a column as words, without the ending that tells its kind.

    Examples
    --------
    >>> name_in_words("order_count"), name_in_words("gross_revenue_amount"), name_in_words("household_size")
    ('Orders', 'Gross revenue', 'Household size')
    """
    words = re.sub(r"_(amount|count)$", "", name).replace("_", " ").strip()
    plural = "s" if name.endswith("_count") and not words.endswith("s") else ""
    return f"{words[:1].upper()}{words[1:]}{plural}"


@dataclass(frozen=True, kw_only=True)
class FillRule:
    """What stands in for a missing value; of one that does not exist for the customer never the mean of others.

    Parameters
    ----------
    reason : ImputationReason
        Why the value is missing.
    description : str
        The rule in words, without SQL.
    column : str or None
        Feature that holds the replacement.
    value : float, str or None
        The constant that replaces it; a text where the feature is a category.
    product_of, ratio_of : tuple of str
        Two features whose completed values are multiplied, or the first divided by the second.
    zero_column : str or None
        Feature that tells two reasons apart: where it is 0, `reason_at_zero` is the one.
    reason_at_zero : ImputationReason or None
        Given with `zero_column`.
    value_at_zero : float or None
        The constant in that case, where it is another one.
    """

    reason: ImputationReason
    description: str
    column: str | None = None
    value: float | str | None = None
    product_of: tuple[str, ...] = ()
    ratio_of: tuple[str, ...] = ()
    zero_column: str | None = None
    reason_at_zero: ImputationReason | None = None
    value_at_zero: float | None = None

    @property
    def operands(self) -> tuple[str, ...]:
        """The two features that are multiplied or divided."""
        return self.product_of or self.ratio_of

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Features that the replacement is or is made from."""
        return (self.column,) if self.column else self.operands

    @property
    def value_sources(self) -> tuple[str, ...]:
        """Features that decide which value is taken."""
        return self.stand_ins if self.value_at_zero is None else self.sources

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that the rule reads: stand-ins, and what tells reasons apart."""
        return tuple(dict.fromkeys((*self.stand_ins, *((self.zero_column,) if self.zero_column else ()))))


@dataclass(frozen=True, kw_only=True)
class FeatureColumn(Column):
    """One declared feature.

    Parameters
    ----------
    label : str
        What people read in place of the column name, such as ``Orders in the last 90 days``; the name in words where
        none is given.
    imputation : ImputationClass
        ``core``: a row without it is set aside; ``returns``: missing means 0; ``undefined``: `undefined_rule`;
        ``ordinary``: as ``imputation.method`` says, or the category ``unknown``; ``exempt``: keys and dates, never
        filled or clustered.
    undefined_rule : FillRule or None
        Required by the class ``undefined``; for ``returns`` where another reason than no returns is possible.
    direction : Direction
        How the shop sees a larger value.
    is_clustering_feature : bool
        Whether it is offered to the clusterings when `matrix.features` is ``auto``.
    requires : tuple of str
        Optional columns without which the feature is absent, beside what its block requires; written
        ``table.column`` as the delivered tables name them, such as ``order_lines.channel``.
    reference : str
        Paper or book whose definition it follows; empty where there is none.
    setting : tuple of str or int
        Path of the setting that asks for this column alone, such as ``("features", "interactions", 0)``; its place is
        told where the column cannot be made.
    """

    label: str = ""
    imputation: ImputationClass
    undefined_rule: FillRule | None = None
    direction: Direction = "neutral"
    is_clustering_feature: bool = False
    requires: tuple[str, ...] = ()
    reference: str = ""
    setting: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", name_in_words(self.name))

    @property
    def is_category(self) -> bool:
        """Whether its values are texts, not numbers."""
        return self.dtype == "VARCHAR"


RETURNS_NOT_TOLD = FillRule(
    reason=ImputationReason.UNDEFINED_FOR_THESE_RETURNS,
    description="0: no returns, or none that it can be told of",
    value=0.0,
    zero_column="return_order_count",
    reason_at_zero=ImputationReason.NO_RETURNS,
)
"""For what is said of some returns only; a customer can have others."""

ALL_CANCELLED = FillRule(
    reason=ImputationReason.UNDEFINED_ALL_CANCELLED, description="0: everything bought was cancelled", value=0.0
)
"""For what is a share of purchases that were not cancelled."""

share_feature = partial(FeatureColumn, dtype="DOUBLE", unit="share", nullable=True, minimum=0, maximum=1)
"""Declares a feature that is a part of 1."""


@dataclass(frozen=True, kw_only=True)
class FeatureBlock:
    """Features that are computed together by one query.

    Parameters
    ----------
    name : str
        Unique name; a lower-case SQL word.
    columns : tuple of FeatureColumn
        What the query yields beside `customer_id`, in order.
    select : callable of Snapshot to str
        Makes the query: one row per customer of `customer_totals`, from the relations of `shared_relations`.
    requires : tuple of str
        Optional tables and columns without which the block is absent, such as ``products`` or
        ``order_lines.channel``.
    derives_from : tuple of str
        Columns of earlier blocks that the query reads from `base_<name of the block>`, one row per customer.
    absent_reason : str
        Why the settings leave the block out; empty when they do not.
    named_by : mapping of str to str
        Fields of the settings that the names of its columns depend on, such as ``windows``, with the pattern of those
        names: ``<word>`` stands for an entry of the setting, ``*`` for any text.
    """

    name: str
    columns: tuple[FeatureColumn, ...]
    select: Callable[[Snapshot], str]
    requires: tuple[str, ...] = ()
    derives_from: tuple[str, ...] = ()
    absent_reason: str = ""
    named_by: Mapping[str, str] = field(default_factory=dict)


def feature_columns(table: Table) -> tuple[FeatureColumn, ...]:
    """List the features of a table: its declared columns without keys and dates."""
    return tuple(
        column for column in table.columns if isinstance(column, FeatureColumn) and column.imputation != "exempt"
    )


def no_such_feature(
    setting: str, name: str, known: Collection[str], absent: Mapping[str, str], path: tuple[str | int, ...]
) -> SettingsError:
    """Say that a setting names something that is no feature of the table, and why it is not there or what may be meant.

    Parameters
    ----------
    setting : str
        Name of the setting, for the message.
    name : str
        What it names.
    known : collection of str
        Features that may be named.
    absent : mapping of str to str
        Features that are left out, with the reason.
    path : tuple of str or int
        Where in the settings the name stands.
    """
    if name in absent:
        hint = "leave it out, or make it possible to compute the feature."
        return SettingsError(f"{setting} names '{name}', which is left out: {absent[name]}", hint, setting=path)
    return SettingsError(f"{setting} names '{name}', which is not a feature", closest_hint(name, known), setting=path)


def closed_over(names: Collection[str], sources: Mapping[str, Collection[str]]) -> set[str]:
    """Add to names what they read, what that reads, and so on."""
    closed: set[str] = set()
    new = set(names)
    while new:
        closed |= new
        new = {source for name in new for source in sources.get(name, ())} - closed
    return closed
