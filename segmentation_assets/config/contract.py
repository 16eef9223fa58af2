"""The settings of what a shop promises about its deliveries, column by column."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from segmentation_assets.config.source import DELIVERED_COLUMNS

NUMBER_COLUMNS = frozenset(
    {"quantity", "unit_price", "list_price", "cost_price", "vat_rate", "birth_year", "household_size"}
)
DATE_COLUMNS = frozenset({"order_at", "registered_on", "newsletter_since", "event_at"})
_UNIQUE_IN = ("customers", "products")

Limit = float | dt.date


class ColumnRule(BaseModel):
    """What holds for one column; a row that breaks it is set aside with a reason of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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

    @model_validator(mode="after")
    def _check_kind(self) -> "ColumnRule":
        for name in ("minimum", "maximum"):
            _check_limit(self.column, name, getattr(self, name))
        if self.allowed_values and self.column in NUMBER_COLUMNS | DATE_COLUMNS:
            raise ValueError(f"{self.column} is no text; write minimum and maximum in place of allowed_values")
        low, high = self.minimum, self.maximum
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            raise ValueError(f"minimum {_written(low)} of {self.column} is above its maximum {_written(high)}")
        if not (self.required or self.unique or self.allowed_values) and low is None and high is None:
            raise ValueError(f"nothing is asked of {self.column}; write required, minimum, allowed_values or unique")
        return self


def _check_limit(column: str, name: str, limit: Limit | None) -> None:
    """Accept numbers as limits of numbers and dates as limits of dates."""
    if limit is None:
        return
    if column not in NUMBER_COLUMNS | DATE_COLUMNS:
        raise ValueError(f"{column} is text and has no {name}; write allowed_values")
    if isinstance(limit, dt.date) != (column in DATE_COLUMNS):
        wanted = "a date, written YYYY-MM-DD" if column in DATE_COLUMNS else "a number"
        raise ValueError(f"{name} of {column} must be {wanted}, got {_written(limit)}")


def _written(limit: Limit) -> str:
    return limit.isoformat() if isinstance(limit, dt.date) else f"{limit:g}"


Rules = tuple[ColumnRule, ...]


class ContractSettings(BaseModel):
    """Rules for the delivered tables beyond what every table needs, checked while the files are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_lines: Rules = Field((), description="rules for columns of the order lines")
    customers: Rules = Field((), description="rules for columns of the customers")
    products: Rules = Field((), description="rules for columns of the products")
    engagement_events: Rules = Field((), description="rules for columns of the engagement events")

    @model_validator(mode="after")
    def _check_columns(self) -> "ContractSettings":
        for table, (needed, optional) in DELIVERED_COLUMNS.items():
            _check_table(table, self.of(table), needed + optional)
        return self

    def of(self, table: str) -> Rules:
        """Rules of a delivered table."""
        rules: Rules = getattr(self, table)
        return rules


def _check_table(table: str, rules: Rules, known: tuple[str, ...]) -> None:
    columns = [rule.column for rule in rules]
    for rule in rules:
        if rule.column not in known:
            raise ValueError(f"{table} has no column '{rule.column}'; known are {', '.join(known)}")
        if columns.count(rule.column) > 1:
            raise ValueError(f"{table} has several rules for {rule.column}; write one")
        if rule.unique and table not in _UNIQUE_IN:
            raise ValueError(f"unique holds for {' and '.join(_UNIQUE_IN)}; {table} may repeat {rule.column}")
