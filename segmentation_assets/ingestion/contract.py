"""What was found of the rules of the settings for one delivered table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from segmentation_assets.config.contract import ColumnRule, Rules
from segmentation_assets.errors import noun
from segmentation_assets.ingestion.rule_sql import row_id_column, rule_branches
from segmentation_assets.ingestion.scratch import fault_column_sql, fault_reason_sql, file_column_of
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
        return self.max_share is None or not exceeds_share(self.row_count, self.delivered_rows, self.max_share)

    def sentence(self, table_name: str) -> str:
        """Say how many rows break the rule, how many may, and which is the first."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.reasons.items())
        broken = f"{self.row_count} of {self.delivered_rows} delivered rows {noun(self.row_count, 'breaks', 'break')}"
        return (
            f"{broken} the rule of contract.{table_name} for {self.column} ({reasons}); allowed is a share of "
            f"{self.max_share:g}. The first is {self.first}. Correct the file, or raise max_share of the rule."
        )


def exceeds_share(count: int, total: int, share: float) -> bool:
    """Whether a count is above a share of a total, the share taken as it is written.

    Example
    -------
    >>> exceeds_share(29, 100, 0.29), exceeds_share(30, 100, 0.29)
    (False, True)
    """
    return count > Decimal(str(share)) * total


def judged_apart(rules: Rules, column: str, reason: str) -> bool:
    """Whether rows of a column and reason have a share of their own that they may not exceed."""
    return reason in CONTRACT_REASONS and any(r.column == column and r.max_share is not None for r in rules)


def find_broken_rules(
    connection: Connection, table: Table, rules: Rules, typed: str, repeated: str, delivered_rows: int
) -> tuple[RuleFinding, ...]:
    """Tell of each rule how many rows break it, and which, whatever else is wrong with them.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table.
    rules : tuple of ColumnRule
    typed : str
        SQL table expression of all delivered rows in the scratch.
    repeated : str
        Query of the rows set aside with the columns row_id, source_file, source_row, reason, our_column,
        file_column and value; of these count the ones that repeat a value.
    delivered_rows : int

    Returns
    -------
    tuple of RuleFinding
        One per rule, in the order of the settings.
    """
    return tuple(
        _finding(connection, rule, _broken_rows(table, rule, typed, repeated), delivered_rows) for rule in rules
    )


def _broken_rows(table: Table, rule: ColumnRule, typed: str, repeated: str) -> str:
    """Make the query of the rows that break a rule; a value that could not be typed breaks none."""
    column = quote_identifier(rule.column)
    branches = rule_branches(rule)
    parts = [
        f"SELECT row_id, source_file, source_row, reason, file_column, value FROM ({repeated}) "
        f"WHERE our_column = {quote_text(rule.column)} AND reason = 'not_unique'"
    ]
    if branches:
        reasons = " ".join(f"WHEN {condition} THEN {quote_text(reason)}" for reason, condition in branches)
        is_own = f"{fault_column_sql(table, 'fault')} IN ('', {quote_text(rule.column)})"
        is_ruled = f"{fault_reason_sql('fault')} IN ({', '.join(map(quote_text, CONTRACT_REASONS))})"
        parts.append(
            f"SELECT {quote_identifier(row_id_column(table))} AS row_id, source_file, source_row, "
            f"CASE {reasons} END AS reason, {quote_identifier(file_column_of(rule.column))} AS file_column, "
            f"CASE WHEN {is_own} THEN value ELSE CAST({column} AS VARCHAR) END AS value "
            f"FROM {typed} WHERE reason IS NOT NULL AND (fault IS NULL OR NOT {is_own} OR {is_ruled})"
        )
    return " UNION ALL ".join(parts)


def _finding(connection: Connection, rule: ColumnRule, broken: str, delivered_rows: int) -> RuleFinding:
    counted = dict(connection.execute(f"SELECT reason, count(*) FROM ({broken}) GROUP BY ALL").fetchall())
    reasons = {reason: int(counted[reason]) for reason in CONTRACT_REASONS if reason in counted}
    found = connection.execute(
        f"SELECT * FROM ({broken}) ORDER BY source_file, source_row LIMIT {SAMPLE_SIZE}"
    ).fetchall()
    samples = tuple(f"{row_id} ({file}, row {row})" for row_id, file, row, *_ in found)
    first = ""
    if found:
        _, file, row, reason, column, value = found[0]
        shown = f"'{value}'" if value is not None else "no value"
        first = f"{file}, row {row}, column '{column}': {shown}, {QUARANTINE_REASONS[reason]}"
    return RuleFinding(rule.column, sum(reasons.values()), delivered_rows, rule.max_share, reasons, samples, first)
