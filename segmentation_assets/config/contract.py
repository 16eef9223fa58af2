"""The settings of what a shop promises about its deliveries, column by column."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from segmentation_assets.config.section import Section
from segmentation_assets.config.source import DELIVERED_COLUMNS, AdvisedError, WantedError
from segmentation_assets.errors import closest_hint

NUMBER_COLUMNS = frozenset(
    {"quantity", "unit_price", "list_price", "cost_price", "vat_rate", "birth_year", "household_size"}
)
DATE_COLUMNS = frozenset({"order_at", "registered_on", "newsletter_since", "event_at"})
_LIMITS = ("minimum", "maximum")
_UNIQUE_IN = ("customers", "products")
_KNOWN_COLUMNS = {name for needed, optional in DELIVERED_COLUMNS.values() for name in needed + optional}

Limit = float | dt.date


class ColumnRule(Section):
    """What holds for one column; a row that breaks it is set aside with a reason of its own."""

    column: str = Field(min_length=1, description="our name of the column")
    required: bool = Field(False, description="whether every row needs a value")
    minimum: Limit | None = Field(None, description="smallest value of a number, first day of a date")
    maximum: Limit | None = Field(None, description="largest value of a number, last day of a date")
    allowed_values: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="the values a text may have, letter by letter; any when empty"
    )
    unique: bool = Field(False, description="whether no two rows may share a value; of those that do the first stays")
    max_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of delivered rows that may break the rule; above it the run stops, with 0 at the first. "
        "When absent they count in source.max_quarantine_share",
    )

    @field_validator(*_LIMITS)
    @classmethod
    def _check_limit(cls, limit: Limit | None, info: ValidationInfo) -> Limit | None:
        """Accept numbers as limits of numbers and dates as limits of dates."""
        column = info.data.get("column")
        if limit is None or column not in _KNOWN_COLUMNS:
            return limit
        if column not in NUMBER_COLUMNS | DATE_COLUMNS:
            raise AdvisedError(f"{column} is text and has no {info.field_name}", "write allowed_values.")
        if isinstance(limit, dt.date) != (column in DATE_COLUMNS):
            raise WantedError(kind_of_limit(column))
        return limit

    @model_validator(mode="after")
    def _check_kind(self) -> "ColumnRule":
        if self.allowed_values and self.column in NUMBER_COLUMNS | DATE_COLUMNS:
            raise AdvisedError(f"{self.column} is no text and has no allowed_values", "write minimum and maximum.")
        low, high = self.minimum, self.maximum
        is_alike = isinstance(low, dt.date) == isinstance(high, dt.date)
        if low is not None and high is not None and is_alike and low > high:  # type: ignore[operator]
            problem = f"minimum {_written(low)} of {self.column} is above its maximum {_written(high)}"
            raise AdvisedError(problem, "correct one of them.")
        if not (self.required or self.unique or self.allowed_values) and low is None and high is None:
            wanted = "required, minimum, maximum, allowed_values or unique"
            raise AdvisedError(f"nothing is asked of {self.column}", f"write {wanted}.")
        return self


def kind_of_limit(column: object) -> str:
    """Say what smallest and largest value of a column must be."""
    if column in DATE_COLUMNS:
        return f"an existing date written YYYY-MM-DD, as {column} holds dates"
    return f"a number, as {column} holds numbers" if column in NUMBER_COLUMNS else "a number or a date"


def _written(limit: Limit) -> str:
    return limit.isoformat() if isinstance(limit, dt.date) else f"{limit:g}"


def _check_table(rule: ColumnRule, info: ValidationInfo) -> ColumnRule:
    """Accept rules that the table they stand under can have."""
    table = str(info.field_name)
    needed, optional = DELIVERED_COLUMNS[table]
    if rule.column not in needed + optional:
        raise AdvisedError(f"{table} has no column '{rule.column}'", closest_hint(rule.column, needed + optional))
    if rule.unique and table not in _UNIQUE_IN:
        problem = f"nothing of {table} can be unique, and {rule.column} may repeat"
        raise AdvisedError(problem, f"leave unique out; it is for {' and '.join(_UNIQUE_IN)}.")
    return rule


Rules = tuple[Annotated[ColumnRule, AfterValidator(_check_table)], ...]


class ContractSettings(Section):
    """Rules for the delivered tables beyond what every table needs, checked while the files are read."""

    order_lines: Rules = Field((), description="rules for columns of the order lines")
    customers: Rules = Field((), description="rules for columns of the customers")
    products: Rules = Field((), description="rules for columns of the products")
    engagement_events: Rules = Field((), description="rules for columns of the engagement events")

    @field_validator(*DELIVERED_COLUMNS)
    @classmethod
    def _check_once(cls, rules: Rules) -> Rules:
        columns = [rule.column for rule in rules]
        for column in columns:
            if columns.count(column) > 1:
                raise AdvisedError(f"there are several rules for {column}", "write one.")
        return rules

    def of(self, table: str) -> Rules:
        """Rules of a delivered table."""
        rules: Rules = getattr(self, table)
        return rules
