"""The charts of the clusterings on the dashboard."""

from __future__ import annotations

import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest

from segmentation_assets.reporting.clustering_charts import chart_clustering, chart_map, make_backdrop
from segmentation_assets.reporting.clustering_plots import list_panels
from segmentation_assets.reporting.comparison_plots import (
    build_agreement_figure,
    build_score_figure,
    build_sizes_figure,
)
from segmentation_assets.reporting.figures import embed_json
from segmentation_assets.reporting.palette import UNKNOWN_COLOUR, cluster_colour
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    CRITERIA,
    CURVES,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

LABELS = {"kmeans": "K-means", "dbscan": "DBSCAN", "rfm_map": "<b>RFM"}


@pytest.fixture
def panels_of():
    """Return the panels of a result by their names."""
    month = made_up_month(kmeans={})
    backdrop = make_backdrop(month)

    def build(labels=None, memberships=None, **fit):
        given = {} if labels is None else {"labels": labels}
        result = dataclasses.replace(made_up_result("kmeans", month, **given, **fit), memberships=memberships)
        return {panel.name: panel for panel in list_panels(chart_clustering(result, backdrop), chart_map(backdrop))}

    return build


def test_an_algorithm_without_more_has_map_silhouettes_and_reliability(panels_of):
    assert list(panels_of()) == ["map", "silhouettes", "reliability"]


def test_the_map_draws_every_customer_once_with_noise_in_grey(panels_of):
    panel = panels_of(WITH_NOISE)["map"]
    traces = panel.figure["data"]
    assert [(trace["name"], len(trace["x"])) for trace in traces] == [("0", 3), ("1", 3), ("noise", 2)]
    assert [trace["marker"]["color"] for trace in traces] == [cluster_colour(0), cluster_colour(1), UNKNOWN_COLOUR]
    assert panel.title == "Map of 8 customers, PCA, seed 7"
    assert panel.note.startswith("The two axes keep 100% of the differences")


def test_silhouettes_stand_below_each_other_with_a_gap(panels_of):
    panel = panels_of(WITH_NOISE)["silhouettes"]
    assert [(trace["name"], min(trace["y"]), max(trace["y"])) for trace in panel.figure["data"]] == [
        ("0", 0, 2),
        ("1", 5, 7),
        ("noise", 10, 11),
    ]
    assert panel.figure["layout"]["yaxis"]["ticktext"] == ["0", "1", "noise"]
    assert panel.title.startswith("Silhouette of 8 customers, mean ")


def test_memberships_are_a_heat_map_by_cluster(panels_of):
    degrees = np.where(np.arange(8)[:, None] // 4 == np.arange(2), 0.75, 0.25)
    (trace,) = panels_of(memberships=degrees)["memberships"].figure["data"]
    assert trace["z"] == [[0.75] * 4 + [0.25] * 4, [0.25] * 4 + [0.75] * 4]


@pytest.mark.parametrize(
    ("curves", "panel", "note"),
    [
        ("k_distance", "k-distance", "Dashed: the radius that was taken, eps 1.25."),
        ("dendrogram", "dendrogram", "The upper tree. Dashed: the cut."),
        ("training", "training", ""),
    ],
)
def test_curves_add_a_panel(panels_of, curves, panel, note):
    found = panels_of(curves=CURVES[curves])
    assert list(found) == ["map", "silhouettes", panel, "reliability"]
    assert found[panel].note == note


def test_a_dendrogram_says_how_many_customers_each_branch_holds(panels_of):
    layout = panels_of(curves=CURVES["dendrogram"])["dendrogram"].figure["layout"]
    assert layout["xaxis"]["ticktext"] == ["2", "3", "3"]
    assert [shape["y0"] for shape in layout["shapes"]] == [1.5]


def test_a_search_has_a_small_panel_per_score_with_the_chosen_number_marked(panels_of):
    found = panels_of(search=SEARCH)
    small = [panel.name for panel in found.values() if panel.is_small]
    assert small == ["search-silhouette", "search-inertia", "search-smallest-share"]
    (trace,) = found["search-silhouette"].figure["data"]
    assert (trace["x"], trace["y"], trace["marker"]["size"]) == ([2, 3], [0.5, 0.4], [11, 6])


def test_criteria_have_a_line_per_shape_and_a_ring_at_the_chosen(panels_of):
    found = panels_of(search=CRITERIA)
    traces = found["search-bic"].figure["data"]
    assert [(trace["name"], trace["y"]) for trace in traces] == [
        ("full", [4.0, 3.0]),
        ("tied", [5.0, 6.0]),
        ("chosen", [3.0]),
    ]
    assert "search-aic" in found


def test_sizes_are_stacked_by_cluster_with_noise_last():
    sizes = [
        {"candidate": "kmeans", "clusters": [{"cluster": 0, "name": "0", "share": 1.0}]},
        {
            "candidate": "rfm_map",
            "clusters": [
                {"cluster": 0, "name": "<i>Lost", "share": 0.25},
                {"cluster": -1, "name": "noise", "share": 0.75},
            ],
        },
    ]
    traces = build_sizes_figure(sizes, LABELS)["data"]
    assert [(trace["name"], trace["x"]) for trace in traces] == [("0", [1.0, 0.25]), ("noise", [0.75])]
    assert traces[0]["hovertext"] == ["K-means, cluster 0: 100.0%", "&lt;b&gt;RFM, &lt;i&gt;Lost: 25.0%"]


def test_agreement_shows_its_numbers_and_a_dash_where_there_is_no_model():
    agreement = {"candidates": ["kmeans", "dbscan"], "values": [[1.0, None], [None, None]]}
    (trace,) = build_agreement_figure(agreement, LABELS)["data"]
    assert trace["text"] == [["1.00", "–"], ["–", "–"]]
    assert trace["x"] == ["K-means", "DBSCAN"]


def test_bars_of_a_score_are_grey_where_a_candidate_is_not_ranked():
    figure = build_score_figure([("A", 0.5, "0.500", True), ("B", None, "–", False), ("C", -0.25, "−0.250", False)])
    (trace,) = figure["data"]
    assert (trace["x"], trace["y"]) == ([0.5, -0.25], ["A", "C"])
    assert trace["marker"]["color"][1] == UNKNOWN_COLOUR
    assert figure["layout"]["yaxis"]["categoryarray"] == ["A", "B", "C"]


def test_panels_are_valid_plotly_and_fit_into_the_page(panels_of):
    curves = {name: values for part in CURVES.values() for name, values in part.items()}
    degrees = np.full((8, 2), 0.5)
    for panel in (
        *panels_of(search=SEARCH, curves=curves, memberships=degrees).values(),
        *panels_of(search=CRITERIA).values(),
    ):
        assert len(go.Figure(panel.figure).data) == len(panel.figure["data"])
        assert embed_json(panel.figure)
