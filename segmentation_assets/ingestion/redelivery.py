"""Orders that stand in more than one delivered file, or sheet of a workbook: one of them holds, or the run stops.

The later one holds, or the earlier, as the settings say. Where a file repeats an order line by line, the earlier file
holds in any case, so that a file delivered twice changes no stored line. The run stops too where the order ids seem to
restart in each file, as one file would then hide other orders of another.

Equal lines within one file are never touched: without line numbers a repeat cannot be told from an error.
"""

from __future__ import annotations

from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.scratch import Scratch
from segmentation_assets.storage.engine import Connection, quote_identifier
from segmentation_assets.tables.raw import RAW_ORDER_LINES

SUPERSEDED = "superseded_orders"
"""Name of the temporary table of orders with the file that holds them."""

_MOST_DAYS_APART = 31
_ALLOWED_SHARE_PERCENT = 10


def find_superseded_orders(connection: Connection, scratch: Scratch, source: SourceSettings) -> bool:
    """Note the orders that stand in more than one file in a temporary table.

    Parameters
    ----------
    connection : Connection
    scratch : Scratch
        Typed order lines; its parts are in delivery order.
    source : SourceSettings

    Returns
    -------
    bool
        Whether there are any; if not, the table need not exist.

    Raises
    ------
    DataError
        There are some and ``source.redelivery`` is refuse; or more than 10 % of them are other orders in a later file.

    Notes
    -----
    Each version of an order is compared with the one in the file before. It is another order where their days lie more
    than 31 days apart; where both name customers, but none in common; and where one of them names no customer and
    their days differ.
    """
    names = scratch.part_names
    if len(names) < 2:
        return False
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {SUPERSEDED} AS SELECT order_id, min(file_index) AS first_index, "
        f"max(file_index) AS newest_index, first_index AS held_index FROM {scratch.good()} GROUP BY order_id "
        "HAVING first_index < newest_index"
    )
    first = connection.execute(
        f"SELECT order_id, first_index, newest_index, count(*) OVER () FROM {SUPERSEDED} ORDER BY order_id LIMIT 1"
    ).fetchone()
    if first is None:
        return False
    if source.redelivery == "refuse":
        order, earlier, later, count = first
        raise DataError(
            f"order {order} stands in {names[earlier]} and again in {names[later]}; {count} orders stand in more than "
            "one file",
            "deliver each order once, or set source.redelivery to replace: the later file then holds.",
        )
    _refuse_restarting_ids(connection, scratch, names)
    if source.redelivery == "replace":
        connection.execute(
            f"UPDATE {SUPERSEDED} AS several SET held_index = held.held_index FROM "
            f"({_HELD.format(lines=scratch.good())}) AS held WHERE held.order_id = several.order_id"
        )
    return True


def _refuse_restarting_ids(connection: Connection, scratch: Scratch, names: tuple[str, ...]) -> None:
    """Stop where too many orders are other ones in a later file."""
    others_sql = (
        f"SELECT order_id, earlier.file_index, earlier.first_day, earlier.customer, version.file_index, "
        f"version.first_day, version.customer FROM ({_VERSIONS.format(lines=scratch.good())}) WHERE {_IS_ANOTHER} "
        "QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY version.file_index) = 1"
    )
    example = connection.execute(
        f"SELECT *, count(*) OVER (), (SELECT count(*) FROM {SUPERSEDED}) FROM ({others_sql}) ORDER BY order_id LIMIT 1"
    ).fetchone()
    if example is None:
        return
    order, earlier, earlier_day, earlier_customer, later, day, customer, others, count = example
    if others * 100 <= count * _ALLOWED_SHARE_PERCENT:
        return
    raise DataError(
        f"order {order} of {names[earlier]} ({earlier_day}, {_customer_text(earlier_customer)}) is another one in "
        f"{names[later]} ({day}, {_customer_text(customer)}); so are {others} of {count} orders that stand in more "
        "than one file",
        "order ids seem to restart in each file; make them unique, for example with the store or the date in front, or "
        "set source.redelivery to refuse. If these are corrections, take the orders out of the earlier file.",
    )


def _customer_text(customer: str | None) -> str:
    return "a guest" if customer is None else f"customer {customer}"


def current_lines(relation: str) -> str:
    """Make the SQL table expression of the lines whose order no other file holds."""
    return f"(SELECT * FROM {relation} AS line WHERE NOT {_IS_SUPERSEDED})"


def superseded_lines(relation: str) -> str:
    """Make the SQL table expression of the lines whose order another file holds."""
    return f"(SELECT * FROM {relation} AS line WHERE {_IS_SUPERSEDED})"


_IS_SUPERSEDED = (
    f"EXISTS (SELECT 1 FROM {SUPERSEDED} AS several WHERE several.order_id = line.order_id "
    "AND several.held_index <> line.file_index)"
)

_CONTENT = ", ".join(
    quote_identifier(name)
    for name in RAW_ORDER_LINES.column_names
    if name not in ("source_file", "source_row", "repairs")
)

_HELD = (
    "SELECT order_id, max(file_index) FILTER (is_new) AS held_index FROM (SELECT order_id, file_index, "
    "content IS DISTINCT FROM lag(content) OVER (PARTITION BY order_id ORDER BY file_index) AS is_new FROM ("
    f"SELECT order_id, file_index, struct_pack(a := count(*), b := sum(CAST(hash({_CONTENT}) AS HUGEINT))) AS content "
    f"FROM {{lines}} AS line WHERE order_id IN (SELECT order_id FROM {SUPERSEDED}) GROUP BY order_id, file_index)) "
    "GROUP BY order_id"
)
"""SQL of the file that holds each order: the newest, or the earliest before it since which its lines are the same."""

_VERSIONS = (
    "SELECT order_id, version, lag(version) OVER (PARTITION BY order_id ORDER BY version.file_index) AS earlier FROM ("
    "SELECT order_id, struct_pack(file_index := file_index, first_day := CAST(min(order_at) AS DATE), "
    "last_day := CAST(max(order_at) AS DATE), customer := min(customer_id), "
    "customers := list(DISTINCT customer_id) FILTER (customer_id IS NOT NULL)) AS version FROM {lines} AS line "
    f"WHERE EXISTS (SELECT 1 FROM {SUPERSEDED} AS newer WHERE newer.order_id = line.order_id) "
    "GROUP BY order_id, file_index)"
)
"""SQL of every version of an order beside the version in the file before; days and customers of each."""

_DAYS_APART = "greatest(version.first_day - earlier.last_day, earlier.first_day - version.last_day)"

_IS_ANOTHER = (
    f"earlier IS NOT NULL AND ({_DAYS_APART} > {_MOST_DAYS_APART} "
    f"OR CASE WHEN version.customer IS NULL OR earlier.customer IS NULL THEN {_DAYS_APART} > 0 "
    "ELSE NOT list_has_any(version.customers, earlier.customers) END)"
)
