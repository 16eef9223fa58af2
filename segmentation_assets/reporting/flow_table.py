"""The way of rows and money from the delivered files to the segments, as one table to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.monitoring.flow import ANALYSED, ROWS, flow_order
from segmentation_assets.reporting.formatting import format_count, is_known

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot

PLACES = {
    "delivered": "delivered files",
    "raw": "raw/order_lines",
    "lines": "silver/order_lines",
    "counted": "gold/customer_segments",
}
"""Where the lines of a group were counted: group → words."""


@dataclass(frozen=True)
class FlowRow:
    """A line of the table.

    Parameters
    ----------
    place : str
        Where it was counted.
    words : str
    cells : tuple of str
        One per column; empty where nothing was counted.
    passed : bool or None
        Of a sum, whether its parts add up to it; None of a part.
    """

    place: str
    words: str
    cells: tuple[str, ...]
    passed: bool | None

    @property
    def is_sum(self) -> bool:
        """Whether it is a sum, and not a part of one."""
        return self.passed is not None


@dataclass(frozen=True)
class FlowTable:
    """The table: the headings of its columns of figures, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[FlowRow, ...]

    @property
    def passed(self) -> bool:
        """Whether every sum adds up."""
        return all(row.passed is not False for row in self.rows)


def flow_table(snapshot: Snapshot) -> FlowTable:
    """Arrange the lines of the way below each other, each measure in a column.

    Parameters
    ----------
    snapshot : Snapshot
        Its `flow` may be empty.

    Returns
    -------
    FlowTable
        Delivered money has a column per currency. It shares the one of analysed money where the two never differ.
    """
    figures: dict[str, dict[str, Any]] = {}
    for row in snapshot.flow.to_dict("records"):
        figures.setdefault(str(row["line"]), {})[str(row["measure"])] = row
    measures = list(dict.fromkeys(measure for line in figures.values() for measure in line))
    amounts = [measure for measure in measures if measure not in (ROWS, ANALYSED)]
    is_one = amounts == [f"amount in {snapshot.currency}"] and not any(map(_differs, figures.values()))
    columns = [name for name in (ROWS, *amounts, *(() if is_one else (ANALYSED,))) if name in measures]
    rows = [_row(code, figures[code], columns, is_one=is_one) for code in sorted(figures, key=flow_order)]
    headings = {ROWS: "Rows", ANALYSED: f"Analysed, {snapshot.currency}"}
    said = "" if is_one else "Delivered, "
    return FlowTable(
        tuple(headings.get(name) or f"{said}{name.removeprefix('amount ').removeprefix('in ')}" for name in columns),
        tuple(rows),
    )


def _differs(line: dict[str, Any]) -> bool:
    """Whether a line has delivered and analysed money that differ."""
    amounts = {float(row["found"]) for measure, row in line.items() if measure != ROWS}
    return len(amounts) > 1


def _row(code: str, line: dict[str, Any], columns: list[str], *, is_one: bool) -> FlowRow:
    cells = []
    for name in columns:
        found = line.get(name) or (line.get(ANALYSED) if is_one and name != ROWS else None)
        cells.append("" if found is None else format_count(found["found"]) if name == ROWS else _money(found["found"]))
    results = [bool(row["passed"]) for row in line.values() if is_known(row["passed"])]
    words = str(next(iter(line.values()))["words"])
    return FlowRow(PLACES[code.partition(":")[0]], words, tuple(cells), all(results) if results else None)


def _money(value: float) -> str:
    return f"{value:,.2f}".replace("-", "−")


def tell_flow(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Write the rows of the table as (place, sentence), for where there is no room for a table."""
    table = flow_table(snapshot)
    told = []
    for row in table.rows:
        figures = [f"{cell} {_unit(name, cell)}" for name, cell in zip(table.columns, row.cells, strict=True) if cell]
        verdict = {None: "", True: " (adds up)", False: " (does not add up)"}[row.passed]
        told.append((row.place, f"{'' if row.is_sum else '– '}{row.words}: {'; '.join(figures)}{verdict}"))
    return told


def _unit(name: str, cell: str) -> str:
    """Name what a cell counts: rows, or the money of its column."""
    if name != "Rows":
        return name
    return "row" if cell == "1" else "rows"
