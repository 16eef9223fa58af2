"""The rules of the settings for one delivered table: SQL of what breaks them, and what was found."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from segmentation_assets.config.contract import ColumnRule, Limit, Rules
from segmentation_assets.errors import noun
from segmentation_assets.storage.contract import SAMPLE_SIZE
from segmentation_assets.storage.engine import Connection, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.raw import CONTRACT_REASONS, QUARANTINE_REASONS


@dataclass(frozen=True)
class RuleFinding:
    """What was found of the rule for one column.

    Parameters
    ----------
    column : str
        Our name of the column.
    row_count : int
        Rows that break the rule.
    delivered_rows : int
    max_share : float or None
        Share of delivered rows that may break it; None where the table's share of rows set aside decides.
    reasons : dict of str to int
        Rows by reason code.
    samples : tuple of str
        Up to five rows that break it: id, file and row.
    first : str
        File, row, column and value of the first one in words; empty where there is none.
    """

    column: str
    row_count: int
    delivered_rows: int
    max_share: float | None
    reasons: dict[str, int]
    samples: tuple[str, ...]
    first: str

    @property
    def passed(self) -> bool:
        """Whether no more rows break the rule than may."""
        return self.max_share is None or self.row_count <= self.max_share * self.delivered_rows

    def sentence(self, table_name: str) -> str:
        """Say how many rows break the rule, how many may, and which is the first."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.reasons.items())
        broken = f"{self.row_count} of {self.delivered_rows} delivered rows {noun(self.row_count, 'breaks', 'break')}"
        return (
            f"{broken} the rule of contract.{table_name} for {self.column} ({reasons}); allowed is a share of "
            f"{self.max_share:g}. The first is {self.first}. Correct the file, or raise max_share of the rule."
        )


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


def judged_apart(rules: Rules, column: str, reason: str) -> bool:
    """Whether rows of a column and reason have a share of their own that they may not exceed."""
    return reason in CONTRACT_REASONS and any(r.column == column and r.max_share is not None for r in rules)


def find_broken_rules(
    connection: Connection,
    rules: Rules,
    rows: str,
    counts: dict[tuple[str, str], int],
    delivered_rows: int,
) -> tuple[RuleFinding, ...]:
    """Tell of each rule how many rows break it, and which.

    Parameters
    ----------
    connection : Connection
    rules : tuple of ColumnRule
    rows : str
        Query of the rows set aside with the columns row_id, source_file, source_row, reason, our_column,
        file_column and value.
    counts : dict of (str, str) to int
        Rows set aside by our column and reason code.
    delivered_rows : int

    Returns
    -------
    tuple of RuleFinding
        One per rule, in the order of the settings.
    """
    return tuple(_finding(connection, rule, rows, counts, delivered_rows) for rule in rules)


def _finding(
    connection: Connection, rule: ColumnRule, rows: str, counts: dict[tuple[str, str], int], delivered_rows: int
) -> RuleFinding:
    broken = {reason: counts[rule.column, reason] for reason in CONTRACT_REASONS if (rule.column, reason) in counts}
    found = _first_rows(connection, rule.column, rows) if broken else []
    samples = tuple(f"{row_id} ({file}, row {row})" for row_id, file, row, *_ in found)
    first = ""
    if found:
        _, file, row, reason, column, value = found[0]
        shown = f"'{value}'" if value is not None else "no value"
        first = f"{file}, row {row}, column '{column}': {shown}, {QUARANTINE_REASONS[reason]}"
    return RuleFinding(rule.column, sum(broken.values()), delivered_rows, rule.max_share, broken, samples, first)


def _first_rows(connection: Connection, column: str, rows: str) -> list[tuple[str, str, int, str, str, str | None]]:
    listed = ", ".join(quote_text(reason) for reason in CONTRACT_REASONS)
    found: list[tuple[str, str, int, str, str, str | None]] = connection.execute(
        f"SELECT row_id, source_file, source_row, reason, file_column, value FROM ({rows}) "
        f"WHERE our_column = {quote_text(column)} AND reason IN ({listed}) "
        f"ORDER BY source_file, source_row LIMIT {SAMPLE_SIZE}"
    ).fetchall()
    return found


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
