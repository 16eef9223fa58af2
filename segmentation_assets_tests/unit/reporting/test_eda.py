"""Figures of a shop by hand, and the page that shows them."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from benchmarks.realism import as_text, find_problems
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.reporting.correlations import correlate_ranks
from segmentation_assets.reporting.eda import profile_shop, render_eda
from segmentation_assets.reporting.eda_data import DataProfile
from segmentation_assets.reporting.month_quality import MissingShares, MonthQuality
from segmentation_assets.reporting.shop_figures import (
    MEASURES,
    ComparedFigure,
    compare_figures,
    measure_shop,
    read_reference,
)
from segmentation_assets.storage.engine import Engine

AS_OF = dt.date(2025, 1, 1)
LINES = [
    ("o1", "2024-01-02 10:00", "ann", "sale", 60.0),
    ("o1", "2024-01-02 10:00", "ann", "sale", 20.0),
    ("o2", "2024-01-12 10:00", "ann", "sale", 10.0),
    ("o3", "2024-11-05 11:00", "bob", "sale", 10.0),
    ("r1", "2024-11-06 11:00", "bob", "return", -5.0),
    ("o4", "2024-11-06 11:00", "bob", "non_product", 900.0),
    ("o5", "2024-11-07 11:00", None, "sale", 700.0),
    ("o6", "2023-12-31 11:00", "cid", "sale", 700.0),
    ("o7", "2025-01-01 00:00", "cid", "sale", 700.0),
]


@pytest.fixture
def connection(tmp_path):
    with Engine(EngineSettings(), tmp_path / "spill").connect() as opened:
        yield opened


def register(connection, rows, name="given"):
    frame = pd.DataFrame(rows, columns=["order_id", "order_at", "customer_id", "line_type", "amount"])
    frame = frame.astype({"order_id": "str", "order_at": "datetime64[us]", "line_type": "str", "amount": "float64"})
    connection.register("frame", frame)
    connection.execute(
        f"CREATE TABLE {name} AS SELECT * REPLACE (CAST(customer_id AS VARCHAR) AS customer_id) FROM frame"
    )
    return name


def page(profile, **changes):
    content = {"title": "<b>Shop</b>", "month": "2024-12", "currency": "EUR", "is_synthetic": False, "left_out": {}}
    content["amounts"] = "Amounts are in EUR, net of VAT"
    quarantine = pd.DataFrame({"table_name": ["order_lines"], "explanation": ["no <date>"], "row_count": [3]})
    data = DataProfile(
        tables=(),
        correlations=correlate_ranks(pd.DataFrame({"one": [1.0]}), 1),
        quality=(MonthQuality(month="2024-12"),),
        missing=MissingShares(("2024-12",), ("<store>",), ((0.5,),)),
    )
    return render_eda(profile, data, **(content | {"quarantine": quarantine} | changes))


def test_figures_count_a_year_of_goods_of_identified_customers(connection):
    found = measure_shop(connection, register(connection, LINES), AS_OF)
    assert found.reasons == {}
    assert found.values == pytest.approx(
        {
            "single_order_share": 0.5,
            "top_tenth_share": 0.9,
            "top_hundredth_share": 0.9,
            "gap_lower_days": 10,
            "gap_median_days": 10,
            "gap_upper_days": 10,
            "orders_per_customer": 1.5,
            "november_ratio": 4,
            "weekday_ratio": 4 / 3,
            "returned_line_rate": 0.25,
            "returned_value_rate": 0.05,
            "returning_customer_share": 0.5,
        }
    )


def test_a_shop_shorter_than_a_year_has_only_figures_that_need_no_year(connection):
    found = measure_shop(connection, register(connection, LINES[3:6]), AS_OF)
    known = {key for key, value in found.values.items() if value is not None}
    assert known == {measure.key for measure in MEASURES if not measure.needs_year}
    assert found.reasons["november_ratio"] == "the order lines reach back 57 days; twelve months are compared"


def test_a_shop_without_sales_has_a_reason_for_every_figure_and_a_page(connection):
    profile = profile_shop(connection, register(connection, LINES[:0]), AS_OF)
    assert [(row.value, row.ratio) for row in profile.compared] == [(None, None)] * len(MEASURES)
    assert all(row.reason and not row.is_beyond for row in profile.compared)
    assert "No identified customer bought anything" in page(profile)


def test_only_what_differs_by_more_than_a_factor_of_two_is_beyond(connection):
    found = measure_shop(connection, register(connection, LINES), AS_OF)
    reference = {key: value * 2 for key, value in found.values.items()}
    reference |= {"november_ratio": 8.01, "orders_per_customer": 0.74, "gap_median_days": 0.0}
    rows = {row.measure.key: row for row in compare_figures(found, reference)}
    assert {key for key, row in rows.items() if row.is_beyond} == {"november_ratio", "orders_per_customer"}
    assert rows["gap_median_days"].ratio is None


@pytest.mark.parametrize(
    ("value", "measured", "problems"),
    [
        (4.0, 4.0, []),
        (None, 4.0, ["no sale"]),
        (8.1, 4.0, ["outside"]),
        (4.0, 4.1, ["not as kept"]),
        (1.9, None, ["not as kept", "outside"]),
    ],
)
def test_the_benchmark_fails_on_what_is_unknown_outside_or_no_longer_as_kept(value, measured, problems):
    ratio = None if value is None else value / 4
    row = ComparedFigure(measure=MEASURES[0], value=value, reference=4.0, ratio=ratio, reason="no sale")
    assert find_problems(row, measured) == problems
    assert (as_text(None), as_text(0.0)) == ("unknown", "0.0000")


def test_the_reference_has_a_figure_for_every_measure_and_says_where_it_comes_from():
    reference = read_reference()
    assert list(reference["figures"]) == [measure.key for measure in MEASURES]
    assert reference["doi"] == "10.1057/dbm.2012.17"
    assert reference["command"].startswith("python benchmarks/realism.py")


def test_the_page_escapes_data_and_links_only_within_itself(connection):
    profile = profile_shop(connection, register(connection, LINES), AS_OF)
    html = page(profile, left_out={"other <brand>": 4})
    text = html[: html.index('<script type="application/json"')]
    assert "&lt;b&gt;Shop" in text
    assert "no &lt;date&gt;" in text
    assert "other &lt;brand&gt;" in text
    assert "&lt;store&gt;" in text
    assert text.count("href=") == text.count('href="#') + text.count('href="feature_report.html"')
    assert 'class="badge warn">beyond' in text
    assert "is no fault" in text
    assert "should lie between half and twice" in page(profile, is_synthetic=True)


def test_the_page_says_which_amounts_it_is_about_and_which_the_other_shop_has(connection):
    text = page(profile_shop(connection, register(connection, LINES), AS_OF))
    assert "Amounts are in EUR, net of VAT." in text
    assert "its amounts are in pounds sterling, as delivered; whether they include VAT is not said." in text


def test_months_cover_all_lines_and_the_lorenz_curve_ends_at_all_value(connection):
    profile = profile_shop(connection, register(connection, LINES), AS_OF)
    november = profile.months.set_index("month").loc["2024-11"]
    assert november.tolist() == [2, 1, 2, 1, 1, 710.0, 5.0]
    assert profile.months["month"].tolist() == ["2023-12", "2024-01", "2024-11"]
    assert profile.lorenz.iloc[-1].tolist() == [1.0, 1.0]
