from __future__ import annotations

import dataclasses
import datetime as dt
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from segmentation_assets.config.settings import WorkbookSettings
from segmentation_assets.reporting.sheet_rows import render_rows
from segmentation_assets.reporting.snapshot import FeatureText, Snapshot
from segmentation_assets.reporting.tabular import export_frame
from segmentation_assets.reporting.workbook import WorkbookSummary, write_workbook
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE

SETTINGS = WorkbookSettings()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "segmentation.xlsx"


def read(path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path)


def test_segments_hold_key_statistics(snapshot: Snapshot, path: Path) -> None:
    write_workbook(snapshot, SETTINGS, path)
    rows = list(read(path)["segments"].values)
    assert rows[0][:5] == (
        "segment_key",
        "segment_name",
        "customer_count",
        "customer_share",
        "net_revenue_amount (EUR)",
    )
    assert rows[1][:3] == ("S001", "Loyal", 2)
    assert rows[1][4:15] == (1200.5, 0.8, 600.25, 6, 11, 55, 4, -2, 5, 5, 5)
    assert rows[1][15] == "Bought very recently, ordered very often, spent a great deal."
    assert rows[1][16].startswith("Orders far above average: 11 against 2; ")
    assert len(rows) == 3


def test_customers_equal_the_exported_frame_without_the_flags(snapshot: Snapshot, path: Path) -> None:
    assert write_workbook(snapshot, SETTINGS, path) == WorkbookSummary(7, 0, 0)
    labels, header, *rows = read(path)["customers"].values
    frame = export_frame(snapshot).filter(regex="^(?!was_imputed_)")
    assert list(header) == list(frame.columns)
    expected = frame.astype(object).where(frame.notna(), None).values.tolist()
    assert [_plain(row) for row in rows] == [_plain(row) for row in expected]
    called = dict(zip(header, labels, strict=True))
    assert called["department_share_shoes"] == "Share spent on Shoes"
    assert called["average_order_value_amount"] == "Average order value (EUR)"
    assert (called["segment_key"], called["rfm_code"]) == ("Segment key", "RFM code")


def test_features_that_no_clustering_is_offered_stand_on_their_own_sheet(snapshot: Snapshot, path: Path) -> None:
    texts = {name: text._replace(block="rhythm") for name, text in snapshot.feature_columns.items()}
    texts["gap_days_mean"] = texts["gap_days_mean"]._replace(is_main=False)
    write_workbook(dataclasses.replace(snapshot, feature_columns=texts), SETTINGS, path)
    book = read(path)
    blocks, labels, header, *rows = book["features"].values
    assert header == ("customer_id", *snapshot.feature_columns)
    assert blocks[1:] == ("rhythm",) * 5
    assert labels[4] == "Days between orders"
    assert len(rows) == 7
    assert (book["features"].freeze_panes, book["features"].auto_filter.ref) == ("B4", "A3:F10")
    (_, customers, *_) = book["customers"].values
    assert "gap_days_mean" not in customers
    assert "order_count" in customers


def test_flags_stand_on_their_own_sheet_where_one_is_set(snapshot: Snapshot, path: Path) -> None:
    write_workbook(snapshot, SETTINGS, path)
    labels, header, *rows = read(path)["filled_in"].values
    assert header == ("customer_id", "imputation_reasons", "was_imputed_gap_days_mean")
    assert labels[2] == "Filled in: Days between orders"
    assert rows[2] == ("C3", "gap_days_mean=undefined_one_order", True)


def test_the_dictionary_defines_every_feature(snapshot: Snapshot, path: Path) -> None:
    write_workbook(snapshot, SETTINGS, path)
    header, *rows = read(path)["dictionary"].values
    by_name = {row[1]: dict(zip(header, row, strict=True)) for row in rows}
    assert list(by_name) == list(snapshot.feature_columns)
    gaps = by_name["gap_days_mean"]
    assert (gaps["label"], gaps["unit"], gaps["definition"]) == (
        "Days between orders",
        "days",
        "Mean days between orders.",
    )
    assert (gaps["filled_in_by"], gaps["customers_filled_in"]) == ("the days since the only order day", 2)
    assert by_name["average_order_value_amount"]["unit"] == "EUR"
    assert by_name["recency_days"]["direction"] == "more is worse"


@pytest.mark.parametrize(
    ("unit", "shown"), [("currency", "#,##0.00"), ("share", "0.0%"), ("rate", "0.0%"), ("orders per rate", "0.00")]
)
def test_cells_are_formatted_by_the_declared_unit(snapshot: Snapshot, path: Path, unit: str, shown: str) -> None:
    name = "orders_per_return_rate"
    features = snapshot.features.assign(**{name: 0.5})
    texts = {**snapshot.feature_columns, name: FeatureText("A ratio.", unit, "", "Orders per return")}
    write_workbook(dataclasses.replace(snapshot, features=features, feature_columns=texts), SETTINGS, path)
    sheet = read(path)["features"]
    (cell,) = [cell for cell in sheet[4] if sheet.cell(3, cell.column).value == name]
    assert cell.number_format == shown


def _plain(row: object) -> list[object]:
    """Write dates alike; cells hold instants where frames hold dates."""
    return [value.date() if isinstance(value, dt.datetime) else value for value in row]  # type: ignore[attr-defined]


def test_the_header_is_frozen_filtered_bold_and_columns_have_formats(snapshot: Snapshot, path: Path) -> None:
    write_workbook(snapshot, SETTINGS, path)
    book = read(path)
    assert book.sheetnames == ["summary", "segments", "customers", "features", "filled_in", "dictionary"]
    sheet = book["customers"]
    assert sheet.freeze_panes == "B3"
    assert sheet.auto_filter.ref == f"A2:{openpyxl.utils.get_column_letter(sheet.max_column)}9"
    assert all(cell.font.bold for row in (1, 2) for cell in sheet[row])
    assert sheet["A1"].alignment.wrap_text
    formats = {sheet.cell(2, column).value: sheet.cell(3, column).number_format for column in range(1, 20)}
    assert formats["changed_at"] == "yyyy-mm-dd"
    assert formats["recency_days"] == "#,##0"
    assert formats["average_order_value_amount"] == "#,##0.00"
    assert formats["department_share_shoes"] == "0.0%"
    assert formats["customer_id"] == "General"
    assert sheet.column_dimensions["A"].width >= 12


def test_the_summary_names_date_segments_caveats_and_run(snapshot: Snapshot, path: Path) -> None:
    write_workbook(snapshot, SETTINGS, path)
    lines = {row[0]: row[1] for row in read(path)["summary"].values}
    assert lines["As of"] == "1 September 2025; what happened before that day"
    assert lines["Customers with a segment"] == "6"
    assert lines["S001 Loyal"].startswith("2 customers (33.3%), 80.0% of net revenue. Bought very recently")
    assert lines["Orders and money"] == "counted in the last 24 months"
    assert lines["Quarantine"] == "3 delivered rows could not be used and were set aside."
    assert lines["seed"] == "7"


def test_the_summary_tells_findings_and_repairs(snapshot: Snapshot, path: Path) -> None:
    write_workbook(snapshot, SETTINGS, path)
    rows = list(read(path)["summary"].values)
    assert ("Guests", "3 order lines have no customer.") in rows, "a caveat"
    for table, _, sentence in (*snapshot.findings, *snapshot.repairs):
        assert (table, sentence) in rows


def test_the_summary_follows_rows_and_money_from_the_files_to_the_segments(snapshot: Snapshot, path: Path) -> None:
    figures = {"measure": "rows", "found": 12.0, "expected": 12.0, "passed": True}
    flow = pd.DataFrame([{"line": "delivered", "words": "Delivered in 2 files", **figures}])
    write_workbook(dataclasses.replace(snapshot, flow=flow), SETTINGS, path)
    assert ("delivered files", "Delivered in 2 files: 12 rows (adds up)") in list(read(path)["summary"].values)


def test_rows_of_the_summary_are_as_high_as_their_text(snapshot: Snapshot, path: Path) -> None:
    long = "word " * 40
    write_workbook(dataclasses.replace(snapshot, run_facts={"long": long, "short": "x"}), SETTINGS, path)
    sheet = read(path)["summary"]
    heights = {sheet.cell(row, 1).value: sheet.row_dimensions[row].height for row in range(1, sheet.max_row + 1)}
    assert (heights["Customer segments"], heights["long"], heights["short"]) == (22.5, 30.0, 15.0)


def test_texts_stay_texts_and_no_cell_is_a_formula(hostile: Snapshot, path: Path) -> None:
    formulas = ["=1+1", "+1", "@x", "#N/A", "2025-01-01", "0012", HOSTILE]
    segments = hostile.customer_segments.assign(customer_id=formulas)
    risky = dataclasses.replace(
        hostile,
        customer_segments=segments.replace({"Loyal": "=2+2"}),
        champion=hostile.champion.replace({"Loyal": "=2+2"}),
        title="=3+3",
        run_facts={"=4+4": "=5+5"},
    )
    write_workbook(risky, SETTINGS, path)
    book = read(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} == {"s"}
    values = {cell.value for cell in cells}
    assert values >= {*formulas, "=2+2", "=3+3", "=4+4", "=5+5"}
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if b"<f>" in archive.read(name)]


def test_control_characters_are_left_out_and_counted(snapshot: Snapshot, path: Path) -> None:
    segments = snapshot.customer_segments.replace({"C1": "C\x001\x0b"})
    dirty = dataclasses.replace(snapshot, customer_segments=segments, run_facts={"seed": "\ud8007"})
    assert write_workbook(dirty, SETTINGS, path).removed_characters == 7, "two on each of three sheets, and one"
    assert read(path)["customers"]["A3"].value == "C1"
    lines = {row[0]: row[1] for row in read(path)["summary"].values}
    assert lines["Texts"].startswith("7 control characters")
    assert lines["seed"] == "7"


def test_texts_longer_than_a_cell_are_cut_and_counted(snapshot: Snapshot, path: Path) -> None:
    long = dataclasses.replace(snapshot, run_facts={"long": "x" * 40_000})
    assert write_workbook(long, SETTINGS, path).shortened_cells == 1
    assert {row[0]: row[1] for row in read(path)["summary"].values}["long"] == "x" * 32_767


def test_too_many_customers_give_a_pointer_to_the_files(snapshot: Snapshot, path: Path) -> None:
    summary = write_workbook(snapshot, WorkbookSettings(max_customers=6), path)
    assert summary.customer_rows == 0
    (_, note) = [row[0] for row in read(path)["customers"].values]
    assert note.startswith("7 customers are more than the 6 this sheet lists")
    assert "customer_segments.parquet" in note


def test_the_same_snapshot_gives_the_same_bytes(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_workbook(snapshot, SETTINGS, tmp_path / "a.xlsx")
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    write_workbook(snapshot, SETTINGS, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    properties = read(tmp_path / "a.xlsx").properties
    assert properties.created == properties.modified == dt.datetime(2025, 9, 1)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("case", ["first_snapshot", "one_segment", "rfm_only"])
def test_thin_snapshots_are_written(case: str, request: pytest.FixtureRequest, path: Path) -> None:
    assert write_workbook(request.getfixturevalue(case), SETTINGS, path).customer_rows == 7


def test_a_month_without_segments_is_written(snapshot: Snapshot, path: Path) -> None:
    nobody = dataclasses.replace(
        snapshot, champion=snapshot.champion.head(0), customer_segments=snapshot.customer_segments.head(0)
    )
    assert write_workbook(nobody, SETTINGS, path).customer_rows == 0
    assert len(list(read(path)["segments"].values)) == 1


def test_rows_of_every_type() -> None:
    rows = render_rows(
        [["<&>", None], [True, False], [3, dt.date(2025, 9, 1)], [0.1, -2]], [0, 0, 1, 2], first_row=5
    ).decode()
    assert rows == (
        '<row r="5"><c r="A5" s="0" t="inlineStr"><is><t xml:space="preserve">&lt;&amp;&gt;</t></is></c>'
        '<c r="B5" s="0" t="b"><v>1</v></c><c r="C5" s="1"><v>3</v></c><c r="D5" s="2"><v>0.1</v></c></row>'
        '<row r="6"><c r="B6" s="0" t="b"><v>0</v></c><c r="C6" s="1"><v>45901.0</v></c>'
        '<c r="D6" s="2"><v>-2</v></c></row>'
    )
