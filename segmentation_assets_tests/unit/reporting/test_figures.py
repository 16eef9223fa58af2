from __future__ import annotations

import json

import pandas as pd
import plotly.graph_objects as go
import pytest

from segmentation_assets.reporting.figures import (
    build_map_figure,
    build_shares_figure,
    embed_json,
    plotly_text,
)
from segmentation_assets.reporting.palette import segment_colour
from segmentation_assets.reporting.projection import project_customers
from segmentation_assets.reporting.snapshot import Snapshot
from segmentation_assets_tests.unit.reporting.conftest import HOSTILE


def test_shares_are_parts_of_each_month(snapshot: Snapshot) -> None:
    figure = build_shares_figure(snapshot.shares, "customer_count")
    assert [trace["meta"]["segment"] for trace in figure["data"]] == ["S001", "S002"]
    assert [trace["y"] for trace in figure["data"]] == [[0.5, 0.333333], [0.5, 0.666667]]
    assert figure["data"][0]["x"] == ["Jul 2025", "Aug 2025"]
    assert figure["data"][0]["hovertext"][1] == "<b>S001 Loyal</b><br>Aug 2025: 33.3%"


def test_a_month_without_a_segment_has_a_gap(snapshot: Snapshot) -> None:
    figure = build_shares_figure(snapshot.shares.iloc[1:], "net_revenue_amount")
    assert figure["data"][0]["y"] == [None, 0.800067]


def test_a_month_whose_money_is_not_positive_has_no_bars() -> None:
    shares = pd.DataFrame(
        {
            "month": ["2025-07-01", "2025-07-01"],
            "segment_key": ["S001", "S002"],
            "segment_name": ["A", "B"],
            "customer_count": [1, 1],
            "net_revenue_amount": [10.0, -20.0],
        }
    )
    figure = build_shares_figure(shares, "net_revenue_amount")
    assert [trace["y"] for trace in figure["data"]] == [[None], [None]]


def test_every_chart_gives_a_segment_the_same_colour(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    figures = [build_map_figure(customer_map), build_shares_figure(snapshot.shares, "customer_count")]
    for figure in figures:
        for trace in figure["data"]:
            assert trace["marker"]["color"] == segment_colour(trace["meta"]["segment"])


def test_the_largest_segment_is_drawn_first_and_hover_names_no_customer(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    traces = build_map_figure(customer_map)["data"]
    assert [trace["meta"]["segment"] for trace in traces] == ["S002", "S001"]
    assert traces[1]["hovertext"] == ["<b>S001 Loyal</b><br>RFM: Champions"] * 2


def test_figures_are_valid_plotly(snapshot: Snapshot) -> None:
    customer_map = project_customers(snapshot, n_points=100)
    assert customer_map is not None
    for figure in (build_map_figure(customer_map), build_shares_figure(snapshot.shares, "net_revenue_amount")):
        assert len(go.Figure(figure).data) == 2


def test_markup_in_names_is_inert_in_plotly_and_in_the_page(hostile: Snapshot) -> None:
    customer_map = project_customers(hostile, n_points=100)
    assert customer_map is not None
    text = embed_json([build_map_figure(customer_map), build_shares_figure(hostile.shares, "customer_count")])
    assert "<" not in text
    assert HOSTILE not in json.dumps(json.loads(text))
    assert "&lt;/script&gt;&lt;img" in json.loads(text)[0]["data"][0]["name"]


def test_embedded_json_reads_back_as_it_was() -> None:
    value = {"a": "</script><!-- & \u2028", "b": [1, 0.5, None]}
    assert json.loads(embed_json(value)) == value
    assert not set("<>&\u2028") & set(embed_json(value))


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        embed_json([float("nan")])


def test_plotly_text_escapes_tags_and_keeps_quotes() -> None:
    assert plotly_text('<a href="x">it\'s</a>\x00') == '&lt;a href="x"&gt;it\'s&lt;/a&gt;'
