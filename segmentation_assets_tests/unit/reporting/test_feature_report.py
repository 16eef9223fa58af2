"""What a month shows of features: six customers, and every reason for which a feature is not clustered on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from segmentation_assets.config.features import MatrixSettings
from segmentation_assets.reporting.column_cells import draw_bars
from segmentation_assets.reporting.column_statistics import Histogram
from segmentation_assets.reporting.feature_page import render_feature_report
from segmentation_assets.reporting.feature_report import to_plain
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE
from segmentation_assets_tests.unit.reporting.toy_features import COLUMNS, toy_report


@pytest.fixture
def report(tmp_path):
    return toy_report(tmp_path)


def test_every_feature_has_its_state_and_the_reason(report):
    assert {name: (facts.use.state, facts.use.words) for name, facts in report.facts.items()} == {
        "orders": ("clustered_on", "clustered on, winsorised high for 2 customers"),
        "twin": ("redundant", "left out: says the same as orders, which is kept: Pearson's r = 1.00 over 5 customers"),
        "flat": ("constant", "left out: all customers have the same value"),
        "empty": ("all_null", "left out: no customer has a value"),
        "gappy": ("clustered_on", "clustered on"),
        "aside": ("not_offered", "not offered to clusterings by matrix.features"),
        "town": ("not_offered", "not offered to clusterings by matrix.features"),
        "since": ("not_offered", "not offered to clusterings by matrix.features"),
    }


def test_counts_say_of_how_many_customers(report):
    orders, gappy, since = (report.facts[name].filling for name in ("orders", "gappy", "since"))
    assert (orders.count, orders.customer_count) == (1, 6)
    assert (gappy.count, gappy.customer_count, gappy.values) == (1, 5, {"missing_filled_by_mean": 4.0})
    assert since is None


def test_the_plain_report_is_json_with_all_that_is_known(report):
    plain = json.loads(json.dumps(to_plain(report), allow_nan=False))
    by_name = {entry["name"]: entry for entry in plain["features"]}
    assert list(by_name) == [column.name for column in COLUMNS]
    assert plain["absent"] == {"engagement": "the source delivers no <events>"}
    assert (plain["customers"], plain["correlation_sample"]) == (6, 6)
    assert by_name["gappy"]["distribution"]["missing_share"] == pytest.approx(1 / 6)
    assert by_name["gappy"]["imputed"]["share"] == 0.2
    assert by_name["town"]["distribution"]["top_values"][0] == {"value": "Ulm", "customers": 2}
    assert by_name["since"]["distribution"]["quantiles"]["maximum"] == "2025-01-06"
    assert by_name["orders"]["rank_correlations"] == []
    assert by_name["twin"]["matrix"]["correlation"] == pytest.approx(1)


def test_the_page_names_every_feature_and_runs_nothing_that_came_with_the_data(report):
    html = render_feature_report(report, f"Shop {HOSTILE}")
    assert all(f'id="feature-{column.name}"' in html for column in COLUMNS)
    assert HOSTILE not in html
    assert "&lt;events&gt;" in html
    assert "1 of 5, 20.0% (missing filled by mean): mean of the known values" in html
    assert "says the same as orders" in html
    assert html.count("<script") == 1
    assert "http" not in html.replace("http-equiv", "")


def test_what_lies_in_the_middle_is_where_the_table_sorts_it(report):
    html = render_feature_report(report, "Shop")
    row = next(line for line in html.splitlines() if 'href="#feature-gappy"' in line)
    assert '<td class="n" data-order="3.0">3</td>' in row
    assert f'data-order="{1 / 6:.10g}">16.7%</td>' in row


def test_a_bin_with_few_values_can_still_be_seen():
    drawn = draw_bars(Histogram(low=0, width=1, counts=(1000, 1, 0)))
    assert drawn["path"] == "M0 40V0H9V40ZM10 40V39H19V40Z"


def test_the_way_into_the_matrix_is_told(tmp_path: Path) -> None:
    report = toy_report(tmp_path, MatrixSettings(features=("gappy", "town"), pca=2))
    words = {name: facts.use.words for name, facts in report.facts.items() if facts.use.state == "clustered_on"}
    assert words == {
        "gappy": "clustered on, as part of the principal components",
        "town": "clustered on, as 3 columns, as part of the principal components",
    }


@pytest.mark.parametrize(("skew", "scale"), [("log1p", "log"), ("yeo_johnson", "power")])
def test_the_scale_of_a_skewed_feature_is_told(tmp_path: Path, skew: str, scale: str) -> None:
    report = toy_report(tmp_path, MatrixSettings(features=("twin",), skew=skew, skew_threshold=0.0), [1, 2, 3, 90, 900])
    assert report.facts["twin"].use.words == f"clustered on, on a {scale} scale"
