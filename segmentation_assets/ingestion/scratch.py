"""The one pass over the delivered files: every row typed, or marked with its first fault, into scratch Parquet.

The scratch folder holds one folder per month (or ``whole``) of good rows and one, ``quarantine``, of rows set aside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segmentation_assets.config.contract import Rules
from segmentation_assets.config.source import DeliveredTable, SourceSettings
from segmentation_assets.ingestion.columns import mapped_columns
from segmentation_assets.ingestion.delivery import DeliveredFile
from segmentation_assets.ingestion.order_ids import qualified_order_id
from segmentation_assets.ingestion.parsing import LARGEST_AMOUNT, Notation, ParsedColumn, parse_column
from segmentation_assets.ingestion.parts import ReadablePart, Reader, refuse_unreadable
from segmentation_assets.ingestion.reading import open_file
from segmentation_assets.ingestion.rule_sql import rule_branches
from segmentation_assets.storage.engine import Connection, EngineError, parquet_scan, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Column, Table
from segmentation_assets.tables.raw import ERASED_REASON, QUARANTINE_REASONS

QUARANTINE_SLICE = "quarantine"
WHOLE_SLICE = "whole"
_PARTS_PER_STATEMENT = 64
_REASONS = tuple(QUARANTINE_REASONS)
_FAULT_BASE = 100
_UNREADABLE = ("unparseable_date", "not_a_number", "out_of_range", "future_date")


@dataclass(frozen=True)
class Scratch:
    """Typed rows on disk, by slice.

    Parameters
    ----------
    folder : Path
    slices : tuple of str
        Months as YYYY-MM-01, or ``whole``; sorted, without the quarantine.
    part_names : tuple of str
        Parts of the delivered files in delivery order: files, sheets of workbooks, tables of databases.
    empty_sql : str
        Query with the columns of the scratch and no row.
    hidden_names : tuple of str
        Those of the parts that are hidden sheets.
    part_rows : tuple of int
        Rows that each part was found to have when it was opened.
    lacking : tuple of str
        Our names of mapped columns that parts do not have, once for each of these.
    """

    folder: Path
    slices: tuple[str, ...]
    part_names: tuple[str, ...]
    empty_sql: str
    hidden_names: tuple[str, ...] = ()
    part_rows: tuple[int, ...] = ()
    lacking: tuple[str, ...] = ()

    def slice(self, name: str) -> str:
        """Make the SQL table expression of the good rows of one slice.

        Columns are the declared ones, file_index, fault, emptied, ahead, file_column, emptied_column and value.
        """
        return parquet_scan(self._paths(name))

    def good(self) -> str:
        """Make the SQL table expression of the good rows of all slices."""
        return self._rows([path for name in self.slices for path in self._paths(name)])

    def quarantine(self) -> str:
        """Make the SQL table expression of the rows with a fault."""
        return self._rows(self._paths(QUARANTINE_SLICE))

    def everything(self) -> str:
        """Make the SQL table expression of all delivered rows."""
        return self._rows([path for name in (*self.slices, QUARANTINE_SLICE) for path in self._paths(name)])

    def _paths(self, name: str) -> list[Path]:
        return sorted(self.folder.glob(f"rows-*/slice={name}/*.parquet"))

    def _rows(self, paths: list[Path]) -> str:
        return parquet_scan(paths) if paths else f"({self.empty_sql})"


def parse_delivery(
    connection: Connection,
    table: Table,
    mapping: DeliveredTable,
    files: Sequence[DeliveredFile],
    folder: Path,
    scratch: Path,
    *,
    source: SourceSettings,
    rules: Rules = (),
    latest: dt.date | None = None,
    erased: Collection[str] = (),
) -> Scratch:
    """Read all files of a delivered table once and write their rows, typed, into the scratch folder.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table.
    mapping : DeliveredTable
    files : sequence of DeliveredFile
    folder : Path
        Delivery folder.
    scratch : Path
        Existing, empty folder.
    source : SourceSettings
    rules : tuple of ColumnRule
        Rows that break one by themselves are marked.
    latest : date or None
        Rows with a date on this day or later are marked; none when absent.
    erased : collection of str
        Rows with a customer id of one of these SHA-256 are marked.

    Returns
    -------
    Scratch

    Raises
    ------
    DataError
        A file cannot be read, lacks a mapped column, or belongs to none of the sources of order ids.
    """
    texts = scratch / "texts"
    texts.mkdir()
    reader = Reader(connection, table, mapping, folder, texts)
    opened: list[ReadablePart] = []
    for file in files:
        opened += open_file(reader, file.file_name, len(opened))
    notation = Notation.of(mapping, source, latest)
    names = tuple(part.name for part in opened)
    order_id = qualified_order_id(connection, mapping, names)
    for number, group in enumerate(_statement_groups(opened)):
        sql = _typed_sql(table, mapping, group, notation, rules, erased)
        sql = sql if order_id is None else f"SELECT * REPLACE ({order_id} AS order_id) FROM ({sql})"
        target = scratch / f"rows-{number:06d}"
        try:
            connection.execute(f"COPY ({sql}) TO {quote_text(str(target))} (FORMAT parquet, PARTITION_BY (slice))")
        except EngineError:
            refuse_unreadable(connection, group)
            raise
    found = {path.name.removeprefix("slice=") for path in scratch.glob("rows-*/slice=*")}
    hidden = tuple(part.name for part in opened if part.is_hidden)
    slices = tuple(sorted(found - {QUARANTINE_SLICE}))
    part_rows = tuple(part.row_count for part in opened)
    lacking = tuple(column for part in opened for column in part.lacking)
    return Scratch(scratch, slices, names, _empty_sql(table, rules), hidden, part_rows, lacking)


def _empty_sql(table: Table, rules: Rules) -> str:
    types = {column.name: str(column.dtype) for column in table.columns}
    types |= {"file_index": "INTEGER", "fault": "INTEGER", "emptied": "INTEGER", "ahead": "DATE"}
    types |= dict.fromkeys(("file_column", "emptied_column", "value"), "VARCHAR")
    types |= {file_column_of(rule.column): "VARCHAR" for rule in rules}
    columns = ", ".join(f"CAST(NULL AS {dtype}) AS {quote_identifier(name)}" for name, dtype in types.items())
    return f"SELECT {columns} WHERE false"


def time_column(table: Table) -> str | None:
    """Name of the column whose month a table is sliced by, if it is sliced."""
    return next((column.name for column in table.columns if column.dtype == "TIMESTAMP"), None)


def file_column_of(column: str) -> str:
    """Name of the scratch column that names the column in the file of one with a rule."""
    return f"file_column_of_{column}"


def fault_column_sql(table: Table, fault: str) -> str:
    """Make the SQL of our name of the column that a fault number is about; empty for the row as a whole."""
    listed = ", ".join(quote_text(name) for name in ("", *table.column_names))
    return f"[{listed}][{fault} // {_FAULT_BASE} + 1]"


def fault_reason_sql(fault: str) -> str:
    """Make the SQL of the reason code of a fault number."""
    listed = ", ".join(quote_text(reason) for reason in _REASONS)
    return f"[{listed}][{fault} % {_FAULT_BASE} + 1]"


def fault_number(table: Table, column: str, reason: str) -> int:
    """Return the number that stands for a reason in a column."""
    return (table.column_names.index(column) + 1) * _FAULT_BASE + _REASONS.index(reason)


def whole_row_fault(reason: str) -> int:
    """Return the number that stands for a reason that is about no single column."""
    return _REASONS.index(reason)


def _positions(table: Table, mapping: DeliveredTable) -> dict[int, str]:
    return {table.column_names.index(name) + 1: name for name in mapped_columns(table, mapping)}


def _statement_groups(opened: Sequence[ReadablePart]) -> list[list[ReadablePart]]:
    """Group parts whose columns have equal names and types, in bounded groups."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[ReadablePart]] = {}
    for part in opened:
        alike.setdefault((part.columns, part.types), []).append(part)
    return [
        parts[start : start + _PARTS_PER_STATEMENT]
        for parts in alike.values()
        for start in range(0, len(parts), _PARTS_PER_STATEMENT)
    ]


def _typed_sql(
    table: Table,
    mapping: DeliveredTable,
    group: Sequence[ReadablePart],
    notation: Notation,
    rules: Rules,
    erased: Collection[str],
) -> str:
    """Make the SQL of all rows with declared columns, fault, value and slice: clean, parse, accept, judge."""
    delivered = " UNION ALL ".join(part.sql for part in group)
    mapped = mapped_columns(table, mapping)
    declared = {column.name: column for column in table.columns}
    parsed = {
        name: parse_column(declared[name], delivered_type, notation, _step_names(name))
        for name, delivered_type in zip(mapped, group[0].types, strict=True)
    }
    ahead = _ahead_sql(parsed)
    emptied = _empty_unreadable(table, rules, parsed)
    cleaned = ", ".join(f"{item.cleaned} AS {_step_names(name)[1]}" for name, item in parsed.items())
    parsing = ", ".join(f"{item.parsed} AS {_step_names(name)[2]}" for name, item in parsed.items())
    faults = _fault_sql(table, parsed)
    accepted = ", ".join(_accepted_sql(column, parsed.get(column.name)) for column in own_columns(table))
    raw_values = ", ".join(_step_names(name)[0] for name in mapped)
    judged = (
        f"SELECT source_file, file_index, source_row, malformed, {raw_values}, {accepted}, {faults} AS fault, "
        f"{emptied} AS emptied, {ahead} AS ahead, {_repairs_sql(parsed)} AS repairs FROM "
        f"(SELECT *, {parsing} FROM (SELECT *, {cleaned} FROM ({delivered})))"
    )
    own = ", ".join(quote_identifier(column.name) for column in own_columns(table))
    in_file = dict(zip(mapped, group[0].columns, strict=True))
    ruled = "".join(
        f", {quote_text(in_file[rule.column])} AS {quote_identifier(file_column_of(rule.column))}" for rule in rules
    )
    return (
        f"SELECT {own}, source_file, source_row, repairs, file_index, fault, emptied, ahead, "
        f"{_file_column_sql(table, mapping, group[0].columns)} AS file_column, "
        f"{_column_of_fault_sql('emptied', table, mapping, group[0].columns)} AS emptied_column, "
        f"{_value_sql(table, mapping)} AS value, "
        f"{_slice_sql(table)} AS slice{ruled} FROM "
        f"(SELECT * REPLACE ({_row_fault_sql(table, rules, erased)} AS fault) FROM ({judged}))"
    )


def own_columns(table: Table) -> list[Column]:
    """Columns that hold what a row says: those that are delivered, without its file, row and repairs."""
    return [column for column in table.columns if column.name not in ("source_file", "source_row", "repairs")]


def _step_names(name: str) -> tuple[str, str, str]:
    """Column names of the delivered, the cleaned and the parsed value."""
    return quote_identifier(f"raw_{name}"), quote_identifier(f"cleaned_{name}"), quote_identifier(f"parsed_{name}")


def _accepted_sql(column: Column, parsed: ParsedColumn | None) -> str:
    name = quote_identifier(column.name)
    if parsed is None:
        return f"CAST(NULL AS {column.dtype}) AS {name}"
    value = _step_names(column.name)[2]
    typed = value if column.dtype == "VARCHAR" else f"TRY_CAST({value} AS {column.dtype})"
    return f"{typed if parsed.accepted == 'true' else f'CASE WHEN {parsed.accepted} THEN {typed} END'} AS {name}"


def _fault_sql(table: Table, parsed: dict[str, ParsedColumn]) -> str:
    """Make the SQL of a row's first fault: the row as a whole, then column by column in declared order."""
    malformed = f"WHEN malformed IS NOT NULL THEN {whole_row_fault('malformed_row')}"
    return f"CAST(CASE {malformed} {_fault_branches(table, parsed)} END AS INTEGER)"


def _fault_branches(table: Table, parsed: dict[str, ParsedColumn]) -> str:
    return " ".join(
        f"WHEN {condition} THEN {fault_number(table, name, reason)}"
        for name, item in parsed.items()
        for reason, condition in item.faults
    )


def _ahead_sql(parsed: dict[str, ParsedColumn]) -> str:
    """Make the SQL of the first day of a row that lies after the delivery."""
    days = [
        f"CASE WHEN {condition} THEN CAST({_step_names(name)[2]} AS DATE) END"
        for name, item in parsed.items()
        for reason, condition in item.faults
        if reason == "future_date"
    ]
    return f"least({', '.join(days)})" if days else "CAST(NULL AS DATE)"


def _empty_unreadable(table: Table, rules: Rules, parsed: dict[str, ParsedColumn]) -> str:
    """Let the fields of a profile that may be empty become so where they cannot be read, as a repair.

    The rest of the row counts, the account type above all. A field with a rule of the settings is needed, and its row
    set aside. Return the SQL of the first such fault of a row.
    """
    nullable = {column.name for column in table.columns if column.nullable}
    forgiving = nullable - {rule.column for rule in rules} if "source_row" not in table.primary_key else set()
    forgiven: dict[str, ParsedColumn] = {}
    for name, item in parsed.items():
        unread = tuple(fault for fault in item.faults if fault[0] in _UNREADABLE)
        if name not in forgiving or not unread:
            continue
        forgiven[name] = replace(item, faults=unread)
        strict = tuple(fault for fault in item.faults if fault not in unread)
        is_emptied = " OR ".join(f"({condition})" for _, condition in unread)
        repairs = (*item.repairs, ("unreadable", is_emptied))
        accepted = f"({item.accepted}) AND NOT coalesce({is_emptied}, false)"
        parsed[name] = replace(item, faults=strict, accepted=accepted, repairs=repairs)
    return f"CAST(CASE {_fault_branches(table, forgiven)} END AS INTEGER)" if forgiven else "CAST(NULL AS INTEGER)"


def _repairs_sql(parsed: dict[str, ParsedColumn]) -> str:
    """Make the SQL of what is not as delivered in a row, as the column ``repairs`` says it."""
    cases = ", ".join(
        f"CASE WHEN {condition} THEN {quote_text(f'{name}:{kind}')} END"
        for name, item in parsed.items()
        for kind, condition in item.repairs
    )
    return f"nullif(concat_ws(' ', {cases}), '')" if cases else "CAST(NULL AS VARCHAR)"


def _row_fault_sql(table: Table, rules: Rules, erased: Collection[str]) -> str:
    """Extend the fault by rules over typed values: the money of an order line, then those of the settings.

    Before any fault comes that the customer is erased.

    Rules with a share of their own come last: a row counts for the table's share where it must.
    """
    branches = []
    if "unit_price" in table.column_names:
        number = fault_number(table, "unit_price", "out_of_range")
        branches.append(f"WHEN abs({line_amount_sql()}) > {LARGEST_AMOUNT} THEN {number}")
    branches += [
        f"WHEN {condition} THEN {fault_number(table, rule.column, reason)}"
        for rule in sorted(rules, key=lambda rule: rule.max_share is not None)
        for reason, condition in rule_branches(rule)
    ]
    first = [f"WHEN {_is_erased_sql(erased)} THEN {whole_row_fault(ERASED_REASON)}"] if erased else []
    return f"CASE {' '.join([*first, 'WHEN fault IS NOT NULL THEN fault', *branches])} END"


def _is_erased_sql(erased: Collection[str]) -> str:
    """Make the condition that a row is of an erased customer; a malformed one where any word of it is the id."""
    hashes = f"[{', '.join(quote_text(digest) for digest in sorted(erased))}]"
    words = r"regexp_split_to_array(malformed, '[^\w.@+-]+')"
    return (
        f"(list_contains({hashes}, sha256(customer_id)) OR (malformed IS NOT NULL AND "
        f"list_has_any({hashes}, list_transform({words}, lambda word: sha256(word)))))"
    )


def line_amount_sql() -> str:
    """Make the SQL of the exact money of an order line; 19 digits make the engine multiply in 128 bits."""
    return "(CAST(quantity AS DECIMAL(19,0)) * unit_price)"


def _file_column_sql(table: Table, mapping: DeliveredTable, columns: Sequence[str]) -> str:
    """Make the SQL of the column in the file that a fault is about; of a good row that of its order or own id."""
    by_id = [name for name in ("order_id", *table.primary_key) if name in mapping.columns]
    of_good = quote_text(columns[mapped_columns(table, mapping).index(by_id[0])]) if by_id else "NULL"
    return f"CASE WHEN fault IS NULL THEN {of_good} ELSE {_column_of_fault_sql('fault', table, mapping, columns)} END"


def _column_of_fault_sql(fault: str, table: Table, mapping: DeliveredTable, columns: Sequence[str]) -> str:
    positions = zip(_positions(table, mapping), columns, strict=True)
    branches = " ".join(f"WHEN {position} THEN {quote_text(name)}" for position, name in positions)
    return f"CASE {fault} // {_FAULT_BASE} {branches} END"


def _value_sql(table: Table, mapping: DeliveredTable) -> str:
    branches = " ".join(
        f"WHEN {position} THEN CAST({_step_names(name)[0]} AS VARCHAR)"
        for position, name in _positions(table, mapping).items()
    )
    place = f"coalesce(fault, emptied) // {_FAULT_BASE}"
    is_shown = f"{place} IS NOT NULL AND fault IS DISTINCT FROM {whole_row_fault(ERASED_REASON)}"
    return f"CASE WHEN {is_shown} THEN nullif(CASE {place} {branches} ELSE malformed END, '') END"


def month_sql(table: Table) -> str:
    """Make the SQL of the slice that a readable row belongs to: its month, or ``whole``; null without an instant."""
    column = time_column(table)
    return quote_text(WHOLE_SLICE) if column is None else f"strftime({quote_identifier(column)}, '%Y-%m-01')"


def _slice_sql(table: Table) -> str:
    return f"CASE WHEN fault IS NULL THEN {month_sql(table)} ELSE {quote_text(QUARANTINE_SLICE)} END"
