"""Rows that stand in more than one delivered file, or sheet of a workbook: one of them holds, or the run stops.

The later one holds, or the earlier, as the settings say. The same content delivered again keeps the rows of its first
file in any case, so that it changes no table. The run stops where the settings refuse re-deliveries, and where order
ids seem to restart in each file, as one file would then hide other orders of another.

Equal lines within one file are never touched: without line numbers a repeat cannot be told from an error.
"""

from __future__ import annotations

from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError, noun, plural
from segmentation_assets.ingestion.scratch import Scratch, fault_number, own_columns, whole_row_fault
from segmentation_assets.storage.engine import Connection, quote_identifier
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.raw import RAW_ENGAGEMENT_EVENTS, RAW_ORDER_LINES

_SUPERSEDED, _REPEATED, _REUSED, _DROPPED = "superseded_rows", "repeated_keys", "reused_ids", "dropped_lines"
_MOST_DAYS_APART = 31
_ALLOWED_SHARE_PERCENT, _FEWEST_OTHERS = 10, 3


def find_superseded(connection: Connection, table: Table, scratch: Scratch, rows: str, source: SourceSettings) -> bool:
    """Note in a temporary table what gives way to the same in another file.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table.
    scratch : Scratch
        Typed rows; its parts are in delivery order.
    rows : str
        SQL table expression of those that can be used; a customer or product stands once in each part.
    source : SourceSettings

    Returns
    -------
    bool
        Whether there is any; if not, the table need not exist.

    Raises
    ------
    DataError
        There is some and ``source.redelivery`` is refuse; or more than 10 % of the orders that stand in several files,
        and three at least, are other orders there.

    Notes
    -----
    Orders, customers and products are known by their id. All rows of an id in one file are a version; two versions are
    equal when they hold the same rows as often, compared by the sum of 64-bit hashes over all delivered columns. Under
    replace a version that equals the one before gives way to it, and any other to the next that differs; under ignore
    every version gives way to the first.

    Events have no id. Of equal events as many stay as the file that holds most of them has, the first ones in delivery
    order.
    """
    if len(scratch.part_names) < 2:
        return False
    by_id = table is not RAW_ENGAGEMENT_EVENTS
    key = quote_identifier(_key(table)) if by_id else _content(table)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_REPEATED} AS SELECT {key} AS key, min(file_index) AS first_index, "
        f"max(file_index) AS last_index FROM {rows} GROUP BY ALL HAVING first_index < last_index"
    )
    first = connection.execute(f"SELECT *, count(*) OVER () FROM {_REPEATED} ORDER BY ALL LIMIT 1").fetchone()
    if first is None:
        return False
    if source.redelivery == "refuse":
        raise _refusal(table, scratch.part_names, *first)
    superseded = _other_versions(table, rows, source) if by_id else _events_again(table, rows)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SUPERSEDED} AS {superseded}")
    if table is RAW_ORDER_LINES:
        _mark_reused_ids(connection, scratch, rows)
        _mark_versions_in_part(connection, scratch)
        _note_dropped_lines(connection, rows)
    return True


def forget_superseded(connection: Connection) -> None:
    """Drop the temporary tables of `find_superseded`."""
    for name in (_SUPERSEDED, _REPEATED, _REUSED, _DROPPED):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def current_rows(table: Table, relation: str) -> str:
    """Make the SQL table expression of the rows that do not give way."""
    return (
        f"(SELECT * FROM {relation} AS line WHERE NOT EXISTS (SELECT 1 FROM {_SUPERSEDED} AS found WHERE {_at(table)}))"
    )


def superseded_rows(table: Table, relation: str) -> str:
    """Make the SQL table expression of the rows that give way, with their fault and value."""
    value = "NULL" if table is RAW_ENGAGEMENT_EVENTS else "found.key"
    fault, joined = "found.fault", ""
    if table is RAW_ORDER_LINES:
        dropped = fault_number(table, "order_id", "dropped_line")
        fault = f"CASE WHEN gone.key IS NULL THEN found.fault ELSE {dropped} END"
        joined = (
            f" LEFT JOIN {_DROPPED} AS gone "
            "ON gone.key = line.order_id AND gone.file_index = line.file_index AND gone.product_id = line.product_id"
        )
    return (
        f"(SELECT line.* REPLACE ({fault} AS fault, CAST({value} AS VARCHAR) AS value) FROM {relation} AS line "
        f"JOIN {_SUPERSEDED} AS found ON {_at(table)}{joined})"
    )


def _key(table: Table) -> str:
    """Column that a row is known by among those of its file."""
    return "order_id" if table is RAW_ORDER_LINES else table.primary_key[-1]


def _at(table: Table) -> str:
    return f"found.key = line.{quote_identifier(_key(table))} AND found.file_index = line.file_index"


def _delivered(table: Table) -> str:
    return ", ".join(quote_identifier(column.name) for column in own_columns(table))


def _content(table: Table) -> str:
    return f"hash({_delivered(table)})"


def _refusal(table: Table, names: tuple[str, ...], key: object, first: int, last: int, count: int) -> DataError:
    thing = "event" if table is RAW_ENGAGEMENT_EVENTS else _key(table).removesuffix("_id")
    name = "an event" if table is RAW_ENGAGEMENT_EVENTS else f"{thing} {key}"
    return DataError(
        f"{name} stands in {names[first]} and again in {names[last]}; {plural(count, thing)} "
        f"{noun(count, 'stands', 'stand')} in more than one file",
        f"deliver each {thing} once, or set source.redelivery to replace: the later file then holds.",
    )


def _other_versions(table: Table, rows: str, source: SourceSettings) -> str:
    """Make the query of the versions that give way, each with the one that differs and holds instead, if one does."""
    key = quote_identifier(_key(table))
    versions = (
        f"SELECT {key} AS key, file_index, (sum({_content(table)}), count(*)) AS content FROM {rows} "
        f"WHERE {key} IN (SELECT key FROM {_REPEATED}) GROUP BY ALL"
    )
    fault = fault_number(table, _key(table), "redelivered")
    return f"SELECT key, file_index, {fault} AS fault, other_index FROM ({_GIVING_WAY[source.redelivery]})".format(
        versions=versions
    )


_GIVING_WAY = {
    "replace": (
        "SELECT *, CASE WHEN NOT is_equal THEN lead(file_index) OVER (PARTITION BY key, is_equal ORDER BY file_index) "
        "END AS other_index FROM (SELECT key, file_index, content IS NOT DISTINCT FROM lag(content) OVER (PARTITION BY "
        "key ORDER BY file_index) AS is_equal FROM ({versions})) QUALIFY is_equal OR other_index IS NOT NULL"
    ),
    "ignore": (
        "SELECT *, CASE WHEN content <> first_value(content) OVER version THEN first_value(file_index) OVER version "
        "END AS other_index FROM ({versions}) WINDOW version AS (PARTITION BY key ORDER BY file_index) "
        "QUALIFY row_number() OVER version > 1"
    ),
}
"""SQL of the versions of an id that give way, by rule; other_index is the file of the one that holds and differs."""


def _events_again(table: Table, rows: str) -> str:
    """Make the query of the events that stand in a file before, as often as there."""
    columns = _delivered(table)
    counted = (
        f"SELECT *, row_number() OVER (PARTITION BY {columns}, file_index ORDER BY source_row) AS place FROM {rows} "
        f"WHERE {_content(table)} IN (SELECT key FROM {_REPEATED})"
    )
    return (
        f"SELECT source_row AS key, file_index, {whole_row_fault('redelivered')} AS fault FROM ({counted}) "
        f"QUALIFY row_number() OVER (PARTITION BY {columns}, place ORDER BY file_index) > 1"
    )


def _mark_versions_in_part(connection: Connection, scratch: Scratch) -> None:
    """Tell of orders that give way to a version with lines that cannot be used."""
    redelivered, in_part = (
        fault_number(RAW_ORDER_LINES, "order_id", reason) for reason in ("redelivered", "redelivered_in_part")
    )
    connection.execute(
        f"UPDATE {_SUPERSEDED} AS version SET fault = {in_part} FROM (SELECT DISTINCT order_id, file_index "
        f"FROM {scratch.quarantine()}) AS unread WHERE unread.order_id = version.key "
        f"AND unread.file_index = version.other_index AND version.fault = {redelivered}"
    )


def _note_dropped_lines(connection: Connection, rows: str) -> None:
    """Note the lines that give way to a version of their order without their product: no file holds them again."""
    redelivered = fault_number(RAW_ORDER_LINES, "order_id", "redelivered")
    giving_way = f"SELECT key, file_index FROM {_SUPERSEDED} WHERE other_index IS NOT NULL AND fault = {redelivered}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_DROPPED} AS WITH version AS ({giving_way}), kept AS ("
        f"SELECT DISTINCT order_id AS key, lower(product_id) AS product FROM {current_rows(RAW_ORDER_LINES, rows)} "
        "WHERE order_id IN (SELECT key FROM version)) "
        f"SELECT DISTINCT version.key, version.file_index, product_id FROM {rows} AS line JOIN version "
        "ON version.key = line.order_id AND version.file_index = line.file_index "
        "WHERE NOT EXISTS (SELECT 1 FROM kept WHERE kept.key = line.order_id AND product = lower(product_id))"
    )


def _mark_reused_ids(connection: Connection, scratch: Scratch, rows: str) -> None:
    """Tell of orders that give way to another order with the same id; stop where there are too many.

    It is another order where their days lie more than 31 days apart; where both name customers, but none in common; and
    where one of them names no customer and their days differ, or they share no product.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_REUSED} AS WITH versions AS ({_VERSIONS.format(rows=rows)}) "
        f"SELECT key, file_index, other_index, own, other FROM {_SUPERSEDED} "
        "JOIN (SELECT key, file_index, version AS own FROM versions) USING (key, file_index) "
        "JOIN (SELECT key, file_index AS other_index, version AS other FROM versions) USING (key, other_index) "
        f"WHERE {_IS_ANOTHER}"
    )
    _refuse_restarting_ids(connection, scratch.part_names)
    fault = fault_number(RAW_ORDER_LINES, "order_id", "order_id_reused")
    connection.execute(
        f"UPDATE {_SUPERSEDED} AS version SET fault = {fault} FROM {_REUSED} AS reused "
        "WHERE reused.key = version.key AND reused.file_index = version.file_index"
    )


def _refuse_restarting_ids(connection: Connection, names: tuple[str, ...]) -> None:
    """Stop where too many orders are other ones in another file."""
    example = connection.execute(
        f"SELECT key, file_index, {_SHOWN.format('own')}, other_index, {_SHOWN.format('other')}, "
        f"(SELECT count(DISTINCT key) FROM {_REUSED}), (SELECT count(*) FROM {_REPEATED}) FROM {_REUSED} "
        "ORDER BY key, file_index LIMIT 1"
    ).fetchone()
    if example is None:
        return
    order, own_index, own, other_index, other, others, count = example
    if others < _FEWEST_OTHERS or others * 100 <= count * _ALLOWED_SHARE_PERCENT:
        return
    (earlier, earlier_shown), (later, later_shown) = sorted(((own_index, own), (other_index, other)))
    raise DataError(
        f"order {order} of {names[earlier]} ({earlier_shown}) is another one in {names[later]} ({later_shown}); so are "
        f"{others} of {count} orders that stand in more than one file",
        "order ids seem to restart in each file; name the files or the column that they are unique in by "
        "source.order_lines.order_id_sources or order_id_within, or make them unique, for example by the date behind. "
        "If these are corrections, take the orders out of the earlier file.",
    )


_VERSIONS = (
    "SELECT order_id AS key, file_index, struct_pack(first_day := CAST(min(order_at) AS DATE), "
    "last_day := CAST(max(order_at) AS DATE), customers := list_sort(list(DISTINCT customer_id) "
    "FILTER (customer_id IS NOT NULL)), product := min(product_id), products := list(DISTINCT lower(product_id))) "
    f"AS version FROM {{rows}} WHERE order_id IN (SELECT key FROM {_SUPERSEDED} WHERE other_index IS NOT NULL) "
    "GROUP BY ALL"
)
"""SQL of the versions of orders that differ between files: days, customers and products of each."""

_SHOWN = "concat({0}.first_day, ', ', coalesce('customer ' || {0}.customers[1], 'a guest'), ', product ', {0}.product)"

_DAYS_APART = "greatest(other.first_day - own.last_day, own.first_day - other.last_day)"

_IS_ANOTHER = (
    f"({_DAYS_APART} > {_MOST_DAYS_APART} OR CASE WHEN own.customers IS NULL OR other.customers IS NULL "
    f"THEN {_DAYS_APART} > 0 OR NOT list_has_any(own.products, other.products) "
    "ELSE NOT list_has_any(own.customers, other.customers) END)"
)
