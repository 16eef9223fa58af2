"""The Excel workbook: a summary, and the tables of `sheets.py`. Text stays text, and equal input gives equal bytes."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.settings import WorkbookSettings
from segmentation_assets.errors import plural
from segmentation_assets.reporting.caveats import list_caveats
from segmentation_assets.reporting.flow_table import tell_flow
from segmentation_assets.reporting.formatting import (
    format_count,
    format_date,
    format_month,
    format_share,
    strip_control,
)
from segmentation_assets.reporting.segment_cards import SegmentCard, describe_segments
from segmentation_assets.reporting.sheet_rows import render_rows
from segmentation_assets.reporting.sheets import Sheet, list_sheets
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    from openpyxl import Workbook

    from segmentation_assets.reporting.snapshot import Snapshot

MAX_CELL_CHARACTERS = 32_767
SUMMARY_WIDTH = 125
LINE_HEIGHT = 15.0
MAX_ROW_HEIGHT = 409.0
_FIXED_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class WorkbookSummary:
    """What was written.

    Parameters
    ----------
    customer_rows : int
        Customers listed; 0 where there are too many.
    removed_characters : int
        Control characters that Excel files cannot hold and that were left out.
    shortened_cells : int
        Texts cut at 32,767 characters, the limit of a cell.
    """

    customer_rows: int
    removed_characters: int
    shortened_cells: int


@dataclass
class _TextCleaner:
    """Makes texts fit into cells and counts what that took."""

    removed_characters: int = 0
    shortened_cells: int = 0

    def clean(self, text: str) -> str:
        """Return the text without characters a cell cannot hold, at most as long as a cell."""
        if len(text) <= MAX_CELL_CHARACTERS and not _ILLEGAL.search(text):
            return text
        kept, removed = _ILLEGAL.subn("", text)
        self.removed_characters += removed
        self.shortened_cells += len(kept) > MAX_CELL_CHARACTERS
        return kept[:MAX_CELL_CHARACTERS]


@dataclass(frozen=True)
class _Body:
    """A sheet with its header written, and the XML of the rows still to be put below it."""

    sheet: Any
    rows: bytes


def write_workbook(snapshot: Snapshot, settings: WorkbookSettings, path: Path) -> WorkbookSummary:
    """Write the workbook of one month.

    Parameters
    ----------
    snapshot : Snapshot
        The month.
    settings : WorkbookSettings
        Most customers listed; above it the sheet says where they are.
    path : Path
        File to write; an existing one is replaced.

    Returns
    -------
    WorkbookSummary
        Rows written and what was left out of texts.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    cleaner = _TextCleaner()
    cards = describe_segments(snapshot)
    summary = book.create_sheet("summary")
    bodies = [_write_table(book, sheet, cleaner) for sheet in list_sheets(snapshot, cards, settings)]
    _write_summary(summary, snapshot, cards, cleaner)
    path.write_bytes(_to_bytes(book, bodies, snapshot))
    listed = len(snapshot.customer_segments)
    customer_rows = listed if listed <= settings.max_customers else 0
    return WorkbookSummary(customer_rows, cleaner.removed_characters, cleaner.shortened_cells)


def _write_summary(sheet: Any, snapshot: Snapshot, cards: tuple[SegmentCard, ...], cleaner: _TextCleaner) -> None:
    """Write what the snapshot is, the segments found, caveats and run facts."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    _fit_to_page(sheet)
    sheet.column_dimensions["A"].width = 36
    sheet.column_dimensions["B"].width = SUMMARY_WIDTH
    styles = {"title": Font(bold=True, size=16), "heading": Font(bold=True, size=12), "": Font()}
    for number, (style, name, value) in enumerate(_summary_lines(snapshot, cards, cleaner), start=1):
        lines = 1.5 if style == "title" else -(-len(value) // (SUMMARY_WIDTH - 5)) or 1
        sheet.row_dimensions[number].height = min(LINE_HEIGHT * lines, MAX_ROW_HEIGHT)
        cells = []
        for text, font in ((name, styles[style]), (value, styles[""])):
            cell = WriteOnlyCell(sheet)
            _set_text(cell, cleaner.clean(text))
            cell.font = font
            cell.alignment = Alignment(vertical="top", wrap_text=style == "")
            cells.append(cell)
        sheet.append(cells if value else cells[:1])


def _summary_lines(
    snapshot: Snapshot, cards: tuple[SegmentCard, ...], cleaner: _TextCleaner
) -> Iterable[tuple[str, str, str]]:
    """Give the lines of the summary as (style, name, value)."""
    yield "title", snapshot.title, ""
    yield "", "Month", format_month(snapshot.month) + (" (unfinished)" if snapshot.is_partial else "")
    yield "", "As of", f"{format_date(snapshot.as_of_date)}; what happened before that day"
    yield "", "Customers with a segment", format_count(len(snapshot.assigned))
    yield "", "Model in force", algorithm_label(snapshot.algorithm)
    yield "", "Currency", snapshot.currency
    yield "", "Orders and money", f"counted {snapshot.lookback}"
    yield "heading", "Segments found", ""
    for card in cards:
        yield "", f"{card.key} {card.name}", _segment_line(card)
    yield "heading", "Caveats", ""
    for topic, sentence in list_caveats(snapshot):
        yield "", topic, sentence
    if len(snapshot.flow):
        yield "heading", "Rows and money from the delivered files to the segments", ""
    for place, sentence in tell_flow(snapshot):
        yield "", place, sentence
    if snapshot.findings or snapshot.repairs:
        yield "heading", "What the delivered data shows, and what was changed in order to read it", ""
    for table, _, sentence in (*snapshot.findings, *snapshot.repairs):
        yield "", table, sentence
    yield "heading", "Run", ""
    for name, value in sorted(snapshot.run_facts.items()):
        yield "", name, value
    if cleaner.removed_characters or cleaner.shortened_cells:
        sentence = (
            f"{plural(cleaner.removed_characters, 'control character')} left out and "
            f"{plural(cleaner.shortened_cells, 'text')} cut at the length of a cell; the CSV and Parquet files hold "
            "them whole."
        )
        yield "", "Texts", sentence


def _segment_line(card: SegmentCard) -> str:
    """Say how large a segment is and what it is like."""
    money = "" if card.net_revenue_share is None else f", {format_share(card.net_revenue_share)} of net revenue"
    size = f"{plural(card.customer_count, 'customer')} ({format_share(card.customer_share)}){money}."
    return " ".join(part for part in (size, card.meaning) if part)


def _write_table(book: Workbook, table: Sheet, cleaner: _TextCleaner) -> _Body:
    """Write frozen, bold header rows, the last of them filtered, and render the rows below."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(table.name)
    last = get_column_letter(len(table.header))
    head_count = len(table.titles) + 1
    row_count = len(table.columns[0]) if table.columns else 0
    sheet.freeze_panes = f"{'B' if len(table.header) > 1 else 'A'}{head_count + 1}"
    sheet.auto_filter.ref = f"A{head_count}:{last}{row_count + head_count}"
    for position, width in enumerate(table.widths, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    for names in (*table.titles, table.header):
        sheet.append([_header_cell(sheet, cleaner.clean(name), is_title=names is not table.header) for name in names])
    style_ids = []
    for number_format in table.formats:
        style = WriteOnlyCell(sheet)
        style.number_format = number_format
        style_ids.append(int(style.style_id))
    columns = [
        [cleaner.clean(value) if isinstance(value, str) else value for value in column] for column in table.columns
    ]
    return _Body(sheet, render_rows(columns, style_ids, first_row=head_count + 1))


def _header_cell(sheet: Any, text: str, *, is_title: bool) -> Any:
    """Make a bold cell; titles wrap, as they are longer than the columns are wide."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    cell = WriteOnlyCell(sheet)
    cell.font = Font(bold=True)
    cell.alignment = Alignment(vertical="top", wrap_text=is_title)
    _set_text(cell, text)
    return cell


def _fit_to_page(sheet: Any) -> None:
    """Print the sheet across, as wide as a page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _set_text(cell: Any, text: str) -> None:
    """Store a text as text, whatever it looks like."""
    cell.value = text
    cell.data_type = "s"


def _to_bytes(book: Workbook, bodies: list[_Body], snapshot: Snapshot) -> bytes:
    """Serialise with fixed dates in the properties and in the archive."""
    from openpyxl.writer.excel import ExcelWriter

    instant = dt.datetime.combine(snapshot.as_of_date, dt.time())
    book.properties.created = instant
    book.properties.title = strip_control(snapshot.title)
    book.properties.creator = "segmentation_assets"
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        ExcelWriter(book, archive).save()
    rows = {body.sheet.path.lstrip("/"): body.rows for body in bodies}
    return _finish_archive(plain, rows, f"{instant:%Y-%m-%dT%H:%M:%SZ}")


def _finish_archive(plain: io.BytesIO, rows: Mapping[str, bytes], instant: str) -> bytes:
    """Copy an archive, compressed, with the rows put in, fixed entry dates and a fixed date of modification."""
    target = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as finished:
        for name in source.namelist():
            content = source.read(name)
            if name in rows:
                content = content.replace(b"</sheetData>", rows[name] + b"</sheetData>", 1)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + instant.encode(), content)
            entry = zipfile.ZipInfo(name, date_time=_FIXED_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            finished.writestr(entry, content)
    return target.getvalue()
