"""The contract of a declared table, checked on the files before they are put in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.errors import plural
from segmentation_assets.storage.engine import Connection, fetch_row, parquet_scan, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Column, Table

SAMPLE_SIZE = 5


@dataclass(frozen=True)
class Rule:
    """One rule of a contract: a sentence, and the SQL condition that offending rows meet."""

    name: str
    violated_where: str


@dataclass(frozen=True)
class ContractResult:
    """What the contract check found.

    Parameters
    ----------
    row_count : int
    rules : tuple of str
        Every rule that was checked.
    violations : dict of str to int
        Rows that break a rule, by rule; rules that hold are left out.
    samples : dict of str to list of str
        Keys of up to five offending rows per broken rule.
    """

    row_count: int
    rules: tuple[str, ...]
    violations: dict[str, int]
    samples: dict[str, list[str]]

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return not self.violations

    def sentence(self, key: str) -> str:
        """Say which rules are broken, by how many rows and which."""
        broken = "; ".join(
            f"{rule}: {plural(count, 'row')}, for example {', '.join(self.samples.get(rule, []))}".rstrip(" ,")
            for rule, count in self.violations.items()
        )
        return f"{key} breaks its contract: {broken}"


def check_contract(connection: Connection, paths: Sequence[Path], table: Table) -> ContractResult:
    """Check schema, nulls, ranges, allowed values and the key of a table's files.

    Parameters
    ----------
    connection : Connection
    paths : sequence of Path
        Parquet files of one partition or slice.
    table : Table
        Declaration the files must keep.

    Returns
    -------
    ContractResult
        A wrong schema is the only violation reported then, as the other rules cannot be evaluated.
    """
    relation = parquet_scan(paths)
    found = tuple((row[0], row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall())
    wanted = tuple((column.name, column.dtype) for column in table.columns)
    rules = contract_rules(table)
    names = ("schema", *(rule.name for rule in rules), _key_rule(table))
    if found != wanted:
        different = sorted(f"{name} {dtype}" for name, dtype in set(found) ^ set(wanted)) or ["order of columns"]
        return ContractResult(0, names, {"schema": len(different)}, {"schema": different[:SAMPLE_SIZE]})
    return _check_rows(connection, relation, table, rules, names)


def contract_rules(table: Table) -> tuple[Rule, ...]:
    """List the row rules that follow from a table's declared columns."""
    return tuple(rule for column in table.columns for rule in _column_rules(column))


def _column_rules(column: Column) -> list[Rule]:
    name = quote_identifier(column.name)
    rules = []
    if not column.nullable:
        rules.append(Rule(f"{column.name} is not null", f"{name} IS NULL"))
    if column.minimum is not None:
        rules.append(Rule(f"{column.name} >= {column.minimum:g}", f"{name} < {column.minimum!r}"))
    if column.maximum is not None:
        rules.append(Rule(f"{column.name} <= {column.maximum:g}", f"{name} > {column.maximum!r}"))
    if column.allowed:
        listed = ", ".join(quote_text(value) for value in column.allowed)
        rules.append(Rule(f"{column.name} is one of {', '.join(column.allowed)}", f"{name} NOT IN ({listed})"))
    if column.dtype == "DOUBLE":
        rules.append(Rule(f"{column.name} is finite", f"NOT isfinite({name})"))
    return rules


def _key_rule(table: Table) -> str:
    return f"{', '.join(table.primary_key)} is unique"


def _check_rows(
    connection: Connection, relation: str, table: Table, rules: tuple[Rule, ...], names: tuple[str, ...]
) -> ContractResult:
    key = ", ".join(quote_identifier(name) for name in table.primary_key)
    violated_where = " OR ".join(f"({rule.violated_where})" for rule in rules) or "false"
    row_count, violating = fetch_row(
        connection, f"SELECT count(*), count(*) FILTER (WHERE {violated_where}) FROM {relation}"
    )
    violations = _count_violations(connection, relation, rules) if violating else {}
    samples = {
        rule.name: _sample(connection, f"SELECT {key} FROM {relation} WHERE {rule.violated_where}")
        for rule in rules
        if rule.name in violations
    }
    repeated = f"SELECT {key} FROM {relation} GROUP BY {key} HAVING count(*) > 1"
    (duplicates,) = fetch_row(connection, f"SELECT count(*) FROM ({repeated})")
    if duplicates:
        violations[_key_rule(table)] = int(duplicates)
        samples[_key_rule(table)] = _sample(connection, repeated)
    return ContractResult(int(row_count), names, violations, samples)


def _count_violations(connection: Connection, relation: str, rules: tuple[Rule, ...]) -> dict[str, int]:
    """Count rule by rule, which for a wide table takes longer to plan than to run."""
    counts = ", ".join(f"count(*) FILTER (WHERE {rule.violated_where})" for rule in rules)
    row = fetch_row(connection, f"SELECT {counts} FROM {relation}")
    return {rule.name: int(count) for rule, count in zip(rules, row, strict=True) if count}


def _sample(connection: Connection, sql: str) -> list[str]:
    rows = connection.execute(f"{sql} ORDER BY ALL LIMIT {SAMPLE_SIZE}").fetchall()
    return ["/".join(str(value) for value in row) for row in rows]
