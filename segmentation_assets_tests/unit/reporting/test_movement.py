"""Moves between segments: their causes, the list of who moved, and the diagram."""

import pytest

from segmentation_assets.config.settings import DashboardSettings
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets.reporting.figures import build_flows_figure, place_name
from segmentation_assets.reporting.movement import list_moves, moves_by_cause
from segmentation_assets_tests.unit.reporting.conftest import migration

NAMES = {"S001": "Loyal", "S002": "Lapsed"}


def test_moves_are_counted_by_cause(snapshot):
    found = {moves.cause: (moves.customer_count, moves.revenue_amount) for moves in moves_by_cause(snapshot.flows)}
    assert found["behaviour"] == (1, 300.0)
    assert found["ageing"] == (3, 600.0 + 700.0 + 800.0)
    assert found["restatement"] == found["model"] == (0, 0.0)
    assert moves_by_cause(snapshot.flows.head(0)) == ()


def test_the_list_names_both_places_and_orders_by_money():
    rows = list_moves(migration(), NAMES)
    assert rows[["customer_id", "direction", "before_name", "after_name", "cause"]].to_numpy().tolist() == [
        ["C6", "entry", "", "Lapsed", "ageing"],
        ["C8", "exit", "Lapsed", "", "ageing"],
        ["C7", "outside", "", "", "ageing"],
        ["C3", "upgrade", "Loyal", "Lapsed", "behaviour"],
    ]


def test_the_diagram_holds_every_customer_once_on_each_side(snapshot):
    figure = build_flows_figure(snapshot.flows, NAMES)
    (trace,) = figure["data"]
    link, labels = trace["link"], trace["node"]["label"]
    assert sum(link["value"]) == len(migration())
    assert set(link["source"]).isdisjoint(link["target"])
    assert labels == ["Loyal", "Lapsed", "not a customer", "Loyal", "Lapsed", "not a customer", "no purchases"]
    found = {(labels[a], labels[b]): n for a, b, n in zip(link["source"], link["target"], link["value"], strict=True)}
    assert found["Loyal", "Lapsed"] == 1
    assert found["not a customer", "no purchases"] == 1


def test_names_from_data_are_inert_in_the_diagram(snapshot):
    (trace,) = build_flows_figure(snapshot.flows, {"S001": "<b>x</b>"})["data"]
    assert "&lt;b&gt;x&lt;/b&gt;" in trace["node"]["label"]
    assert place_name("S003", NAMES) == "S003"


@pytest.mark.parametrize(
    "text",
    ["S001 (Loyal) goes on.", 'id="figure-flows"', "an order or a return", "to a segment whose customers bring less"],
)
def test_the_page_tells_moves_causes_and_events(snapshot, text):
    assert text in render_dashboard(snapshot, DashboardSettings())
