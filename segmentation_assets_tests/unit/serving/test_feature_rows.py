"""Rows of features from files: types, and what is refused with file, row, column and value."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.errors import DataError
from segmentation_assets.serving.feature_rows import read_feature_rows
from segmentation_assets.serving.input_file import look_at_input
from segmentation_assets.storage.engine import Engine, read_frame
from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table

TABLE = Table(
    key="silver/customer_features",
    row="a customer",
    primary_key=("customer_id",),
    columns=(
        CUSTOMER_ID,
        Column(name="order_count", dtype="BIGINT", unit="orders", minimum=0, meaning="Orders."),
        Column(name="net_revenue_amount", dtype="DECIMAL(18,2)", unit="currency", meaning="Money."),
        Column(name="return_rate", dtype="DOUBLE", minimum=0, maximum=1, meaning="Returns."),
        Column(name="last_order_date", dtype="DATE", meaning="Day."),
        Column(name="gender", dtype="VARCHAR", allowed=("f", "m"), meaning="Gender."),
        Column(name="repeat_spend_amount_mean", dtype="DECIMAL(18,2)", unit="currency", meaning="Money."),
    ),
)
DAYS = ("btyd_frequency", "btyd_recency", "btyd_T")
GOOD = (
    "customer_id,order_count,net_revenue_amount,return_rate,last_order_date,gender,repeat_spend_amount_mean\n"
    "B,2,10.50,0.25,2026-05-30,f,5.25\n"
    "A,3.0,,nan,2026-05-31,,\n"
)


@pytest.fixture
def read(tmp_path):
    """Read a file of features."""

    def rows(path: Path, needed: tuple[str, ...] = ("order_count",)) -> pd.DataFrame:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        with Engine(EngineSettings(), tmp_path / "spill").connect() as connection:
            file = look_at_input(path, scratch, None, TABLE)
            return read_frame(connection, [read_feature_rows(connection, file, TABLE, needed, scratch)])

    return rows


@pytest.fixture
def features(tmp_path) -> Path:
    return tmp_path / "features.csv"


def test_values_are_typed_and_rows_sorted(read, features):
    features.write_text(GOOD, encoding="utf-8")
    found = read(features)
    assert found["customer_id"].tolist() == ["A", "B"]
    assert found["order_count"].tolist() == [3, 2]
    assert found["net_revenue_amount"].isna().tolist() == [True, False]
    assert found["return_rate"].isna().tolist() == [True, False]
    assert found["last_order_date"].astype("str").tolist() == ["2026-05-31", "2026-05-30"]
    assert found["btyd_monetary_value"].tolist()[1] == 5.25


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_other_kinds_of_files_hold_the_same(read, features, tmp_path, form):
    frame = pd.DataFrame({"customer_id": ["B", "A"], "order_count": [2, 3], "return_rate": [0.25, float("nan")]})
    path = tmp_path / f"features.{form}"
    if form == "xlsx":
        frame.to_excel(path, index=False)
    else:
        with Engine(EngineSettings(), tmp_path / "spill").connect() as connection:
            connection.register("given", frame)
            connection.execute(f"COPY given TO '{path}' (FORMAT parquet)")
    found = read(path)
    assert found["order_count"].tolist() == [3, 2]
    assert found["return_rate"].isna().tolist() == [True, False]


def test_semicolons_and_other_encodings_are_found(read, features):
    features.write_bytes("customer_id;order_count;return_rate\nÄ;2;0.5\nB;1;0.5\n".encode("cp1252"))
    assert read(features)["customer_id"].tolist() == ["B", "Ä"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order_count", "ordre_count", r"has the column ordre_count, which is no feature\nHint: did you mean 'order_c"),
        ("gender", "colour", r"has the column colour, which is no feature\nHint: leave out what is no feature"),
        ("B,2,", "B,many,", r"row 1 of features.csv: order_count is 'many' and must be a whole number, 0 or more"),
        ("B,2,", "B,2.5,", r"order_count is '2.5' and must be a whole number, 0 or more\nHint: write it in orders"),
        ("B,2,", "B,-1,", r"order_count is '-1' and must be a whole number, 0 or more"),
        ("10.50", '"10,50"', r"net_revenue_amount is '10,50' and must be a number\nHint: .* a point as decimal mark"),
        ("0.25", "inf", r"return_rate is 'inf' and must be a number from 0 to 1"),
        ("0.25", "25", r"return_rate is '25' and must be a number from 0 to 1\nHint: rates are written from 0 to 1"),
        ("2026-05-30", "30.05.2026", r"last_order_date is '30.05.2026' and must be a date such as 2026-05-31"),
        (",f,", ",x,", r"gender is 'x' and must be one of f, m"),
        ("\nA,", "\n,", r"1 row cannot be read, the first is row 2 of features.csv, which has no customer_id"),
        ("\nA,", "\nB,", r"has customer 'B' in 2 rows, for example 1 and 2\nHint: keep one row per customer"),
        ("31,,\n", "31,,,x\n", r"the first is row 2 of features.csv, which does not fit the header"),
    ],
)
def test_what_cannot_be_used_is_refused(read, features, old, new, message):
    features.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read(features)


def test_what_the_model_goes_by_must_be_there(read, features):
    features.write_text(GOOD, encoding="utf-8")
    with pytest.raises(DataError, match="lacks the columns order_counts, recency_days, which the model in force goes"):
        read(features, ("order_counts", "recency_days"))


def test_a_file_with_neither_is_refused(read, features):
    features.write_text("colour,weight\nred,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="has neither the columns of order lines"):
        read(features)


def test_a_column_twice_is_refused(read, features):
    features.write_text("customer_id,order_count,order_count\nA,2,3\n", encoding="utf-8")
    with pytest.raises(DataError, match="has several columns called 'order_count'"):
        read(features)


def test_sheets_with_different_columns_are_refused(read, tmp_path):
    path = tmp_path / "features.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"customer_id": ["A"], "order_count": [1]}).to_excel(book, sheet_name="one", index=False)
        pd.DataFrame({"customer_id": ["B"], "foo": [1]}).to_excel(book, sheet_name="two", index=False)
    with pytest.raises(
        DataError, match=r"features.xlsx\[two\] and features.xlsx\[one\] do not have the same columns: on"
    ):
        read(path)


@pytest.mark.parametrize("row", ["A,1,90,60", "A,0,5,60", "A,1,0,60", "A,1,,60"])
def test_a_history_that_cannot_be_is_refused_with_its_row(read, features, row, monkeypatch):
    days = [Column(name=name, dtype="BIGINT", minimum=0, meaning="Days.") for name in DAYS]
    monkeypatch.setattr(sys.modules[__name__], "TABLE", replace(TABLE, columns=(CUSTOMER_ID, *days)))
    features.write_text(f"customer_id,btyd_frequency,btyd_recency,btyd_T\nB,0,0,9\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match="row 2 of features.csv has a history that cannot be: btyd_frequency"):
        read(features, ())
