from __future__ import annotations

import csv
import dataclasses
import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation_assets.errors import DataError
from segmentation_assets.reporting.snapshot import Snapshot
from segmentation_assets.reporting.tabular import FORMULA_STARTS, defuse, export_frame, write_csv


def read_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_the_frame_has_a_row_per_customer_and_all_column_groups(snapshot: Snapshot) -> None:
    frame = export_frame(snapshot)
    assert list(frame.columns) == [
        "customer_id",
        "state",
        "segment_key",
        "segment_name",
        "runner_up_segment_key",
        "previous_segment_key",
        "changed_at",
        "rfm_segment",
        "recency_score",
        "frequency_score",
        "monetary_score",
        "rfm_code",
        "recency_days",
        "order_count",
        "average_order_value_amount",
        "gap_days_mean",
        "department_share_shoes",
        "imputed_share",
        "imputation_reasons",
        "was_imputed_gap_days_mean",
        "was_imputed_order_count",
        "as_of_date",
    ]
    assert frame["customer_id"].tolist() == ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]
    assert frame["order_count"].dtype == "Int64"
    assert frame["order_count"].isna().tolist() == [False] * 6 + [True]
    assert frame["was_imputed_gap_days_mean"].tolist()[:4] == [False, False, True, True]
    assert frame["imputation_reasons"].tolist()[2] == "gap_days_mean=undefined_one_order"


def test_the_frame_does_not_depend_on_the_order_of_rows(snapshot: Snapshot) -> None:
    turned = dataclasses.replace(
        snapshot, customer_segments=snapshot.customer_segments.iloc[::-1], features=snapshot.features.iloc[::-1]
    )
    pd.testing.assert_frame_equal(export_frame(snapshot), export_frame(turned))


def test_a_customer_that_stands_twice_is_refused(snapshot: Snapshot) -> None:
    twice = dataclasses.replace(snapshot, features=pd.concat([snapshot.features, snapshot.features.head(1)]))
    with pytest.raises(DataError, match="'features' holds 1 customers more than once, first 'C1'"):
        export_frame(twice)


def test_without_flags_the_flag_columns_are_absent(rfm_only: Snapshot) -> None:
    assert not [name for name in export_frame(rfm_only).columns if name.startswith("was_imputed")]


def test_the_file_equals_the_frame(snapshot: Snapshot, tmp_path: Path) -> None:
    frame = export_frame(snapshot)
    write_csv(frame, tmp_path / "customers.csv")
    header, *rows = read_rows(tmp_path / "customers.csv")
    assert header == list(frame.columns)
    first, fourth, last = (dict(zip(header, rows[position], strict=True)) for position in (0, 3, 6))
    assert first["average_order_value_amount"] == "50.00"
    assert first["changed_at"] == "2025-07-01"
    assert first["order_count"] == "10"
    assert first["was_imputed_gap_days_mean"] == "false"
    assert fourth["department_share_shoes"] == repr(1 / 3)
    assert float(fourth["department_share_shoes"]) == 1 / 3
    assert (last["customer_id"], last["segment_key"], last["order_count"]) == ("C7", "", "")
    reread = pd.read_csv(tmp_path / "customers.csv", dtype={"rfm_code": str})
    for name in frame.columns:
        if name not in ("changed_at", "as_of_date"):
            assert reread[name].astype(object).where(reread[name].notna(), None).tolist() == (
                frame[name].astype(object).where(frame[name].notna(), None).tolist()
            )


def test_lines_end_in_crlf_and_quotes_follow_rfc_4180(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ['a "b"', "c,d", "e\nf"], "n": [1, 2, 3]})
    write_csv(frame, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_bytes() == b'name,n\r\n"a ""b""",1\r\n"c,d",2\r\n"e\nf",3\r\n'


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_texts_that_a_spreadsheet_would_run_are_defused(start: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({f"{start}header": [f"{start}1+1"], "number": [-1.5], "whole": [-2]})
    write_csv(frame, tmp_path / "x.csv")
    header, row = read_rows(tmp_path / "x.csv")
    assert header[0] == f"'{start}header"
    assert row == [f"'{start}1+1", "-1.5", "-2"]


def test_types_are_written_plainly(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "flag": [True, False],
            "day": [dt.date(2025, 9, 1), None],
            "instant": pd.to_datetime(["2025-09-01 10:30:00", None]),
            "midnight": pd.to_datetime(["2025-09-01", "2025-09-02"]),
            "whole": pd.array([1, None], dtype="Int64"),
            "share": [0.1, float("inf")],
            "spend_amount": [2.0, -0.5],
        }
    )
    write_csv(frame, tmp_path / "x.csv")
    assert read_rows(tmp_path / "x.csv")[1:] == [
        ["true", "2025-09-01", "2025-09-01T10:30:00", "2025-09-01", "1", "0.1", "2.00"],
        ["false", "", "", "2025-09-02", "", "", "-0.50"],
    ]


def test_money_is_rounded_to_cents_in_the_frame_too(snapshot: Snapshot) -> None:
    finer = snapshot.features.assign(average_order_value_amount=[1.005001, 2, 3, 4, 5, 6])
    assert export_frame(dataclasses.replace(snapshot, features=finer))["average_order_value_amount"].iloc[0] == 1.01


@given(st.text())
def test_no_defused_text_starts_like_a_formula(text: str) -> None:
    assert not defuse(text).startswith(FORMULA_STARTS)
    assert defuse(text).endswith(text)


def test_the_same_frame_gives_the_same_bytes(hostile: Snapshot, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write_csv(export_frame(hostile), tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert "'=HYPERLINK(1)" in (tmp_path / "a.csv").read_text(encoding="utf-8")
