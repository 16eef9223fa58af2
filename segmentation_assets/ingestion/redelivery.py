"""Orders that stand in more than one delivered file: the later file holds, or the run stops.

Equal lines within one file are never touched: without line numbers a repeat cannot be told from an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.delivery import DeliveredFile
from segmentation_assets.ingestion.scratch import Scratch
from segmentation_assets.storage.engine import Connection

SUPERSEDED = "superseded_orders"
"""Name of the temporary table of orders with the newest file that holds them."""


def find_superseded_orders(
    connection: Connection, scratch: Scratch, files: Sequence[DeliveredFile], source: SourceSettings
) -> bool:
    """Note the orders that stand in more than one file in a temporary table.

    Parameters
    ----------
    connection : Connection
    scratch : Scratch
        Typed order lines.
    files : sequence of DeliveredFile
        Files in delivery order.
    source : SourceSettings

    Returns
    -------
    bool
        Whether there are any; if not, the table need not exist.

    Raises
    ------
    DataError
        There are some and ``source.redelivery`` is refuse.
    """
    if len(files) < 2:
        return False
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {SUPERSEDED} AS SELECT order_id, min(file_index) AS first_index, "
        f"max(file_index) AS newest_index FROM {scratch.good()} GROUP BY order_id HAVING first_index < newest_index"
    )
    first = connection.execute(f"SELECT *, count(*) OVER () FROM {SUPERSEDED} ORDER BY order_id LIMIT 1").fetchone()
    if first is None:
        return False
    if source.redelivery == "refuse":
        order, earlier, later, count = first
        names = {file.file_index: file.file_name for file in files}
        raise DataError(
            f"order {order} stands in {names[earlier]} and again in {names[later]}; {count} orders stand in more than "
            "one file",
            "deliver each order once, or set source.redelivery to replace: the later file then holds.",
        )
    return True


def current_lines(relation: str) -> str:
    """Make the SQL table expression of the lines that no later file delivers again."""
    return f"(SELECT * FROM {relation} AS line WHERE NOT {_IS_SUPERSEDED})"


def superseded_lines(relation: str) -> str:
    """Make the SQL table expression of the lines that a later file delivers again."""
    return f"(SELECT * FROM {relation} AS line WHERE {_IS_SUPERSEDED})"


_IS_SUPERSEDED = (
    f"EXISTS (SELECT 1 FROM {SUPERSEDED} AS newer WHERE newer.order_id = line.order_id "
    "AND newer.newest_index > line.file_index)"
)
