"""Order ids that are unique within a source only: the source is written behind them, so that they stay different."""

from __future__ import annotations

import re
from collections.abc import Sequence

from segmentation_assets.config.source import DeliveredTable, OrderLinesTable
from segmentation_assets.errors import DataError
from segmentation_assets.storage.engine import Connection, quote_identifier, quote_text

_SEPARATOR = "'@'"


def qualified_order_id(connection: Connection, mapping: DeliveredTable, part_names: Sequence[str]) -> str | None:
    """Make the SQL of the order id with the source it is unique in, over order_id, source_file and other columns.

    Parameters
    ----------
    connection : Connection
    mapping : DeliveredTable
        That of the order lines says by order_id_sources and order_id_within what order ids are unique in.
    part_names : sequence of str
        Parts of the delivered files, such as ``orders.csv`` and ``orders.xlsx[2011]``.

    Returns
    -------
    str or None
        ``0001@store1``; nothing where order ids are unique by themselves.

    Raises
    ------
    DataError
        A file belongs to none of the sources, or to several.
    """
    if not isinstance(mapping, OrderLinesTable):
        return None
    behind = []
    if mapping.order_id_sources:
        known = _sources_of(connection, mapping.order_id_sources, part_names)
        branches = " ".join(f"WHEN {quote_text(part)} THEN {quote_text(source)}" for part, source in known.items())
        behind.append(f"CASE source_file {branches} END")
    if mapping.order_id_within is not None:
        behind.append(quote_identifier(mapping.order_id_within))
    return " || ".join(["order_id", *(f"coalesce({_SEPARATOR} || {sql}, '')" for sql in behind)]) if behind else None


def _sources_of(connection: Connection, sources: dict[str, str], part_names: Sequence[str]) -> dict[str, str]:
    """Name the one source of each part; patterns match the path of its file as those of the crosswalk do."""
    files = {part: re.sub(r"\[[^\]]*\]$", "", part) for part in part_names}
    matches: dict[str, list[str]] = {file: [] for file in files.values()}
    found = connection.execute(
        "SELECT file_name, source FROM (SELECT unnest(?) AS file_name), (SELECT unnest(?) AS source, unnest(?) AS "
        "pattern) WHERE file_name GLOB pattern ORDER BY ALL",
        [list(matches), list(sources), list(sources.values())],
    ).fetchall()
    for file, source in found:
        matches[file].append(source)
    for file, matching in matches.items():
        if len(matching) != 1:
            listed = f"both '{matching[0]}' and '{matching[1]}'" if matching else "none"
            raise DataError(
                f"{file} belongs to {listed} of source.order_lines.order_id_sources",
                "give each file of order lines one source: correct the patterns, or add a source.",
            )
    return {part: matches[file][0] for part, file in files.items()}
