"""SQL of the rules of the settings: which typed rows break one."""

from __future__ import annotations

import datetime as dt

from segmentation_assets.config.contract import ColumnRule, Limit, Rules
from segmentation_assets.storage.engine import quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table


def rule_branches(rule: ColumnRule) -> list[tuple[str, str]]:
    """Make the SQL conditions under which a typed row breaks a rule by itself.

    Parameters
    ----------
    rule : ColumnRule

    Returns
    -------
    list of (str, str)
        Reason code and condition on the declared column; a row without a value breaks only what is required.

    Examples
    --------
    >>> rule_branches(ColumnRule(column="quantity", required=True, maximum=1000))
    [('required', '"quantity" IS NULL'), ('above_maximum', '"quantity" > 1000.0')]
    """
    name = quote_identifier(rule.column)
    branches = [("required", f"{name} IS NULL")] if rule.required else []
    if rule.minimum is not None:
        branches.append(("below_minimum", f"{name} < {_limit_sql(rule.minimum)}"))
    if rule.maximum is not None:
        branches.append(("above_maximum", _above_sql(name, rule.maximum)))
    if rule.allowed_values:
        listed = ", ".join(quote_text(value) for value in rule.allowed_values)
        branches.append(("not_allowed", f"{name} NOT IN ({listed})"))
    return branches


def unique_columns(rules: Rules) -> tuple[str, ...]:
    """List the columns whose values may stand once."""
    return tuple(rule.column for rule in rules if rule.unique)


def row_id_column(table: Table) -> str:
    """Name of the column by which people know a row: the order, the customer, the product."""
    return next(name for name in ("order_id", "customer_id", "product_id") if name in table.column_names)


def _limit_sql(limit: Limit) -> str:
    return f"TIMESTAMP '{limit.isoformat()}'" if isinstance(limit, dt.date) else f"{limit!r}"


def _above_sql(name: str, limit: Limit) -> str:
    """Make the condition of lying above a maximum; the whole of a last day is still allowed."""
    if isinstance(limit, dt.date):
        return f"{name} >= {_limit_sql(limit + dt.timedelta(days=1))}"
    return f"{name} > {_limit_sql(limit)}"
