"""The part of the dashboard that compares the clusterings."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest

from segmentation_assets.config.settings import DashboardSettings, MapSettings
from segmentation_assets.reporting.clustering_charts import ClusteringCharts, make_charts
from segmentation_assets.reporting.clustering_comparison import measure_agreement
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets.reporting.dashboard_clusterings import clusterings_part
from segmentation_assets_tests.unit.reporting.test_dashboard import Page, words
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    NOT_FITTED,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

CONTINUUM = {"rank": 2, "structure": "useful cut through a continuum", "coverage": 0.75, "stability": 0.625}
REFUSED = {"rank": None, "passed_gates": False, "reason": "Fails: <b>coverage"}


@pytest.fixture
def month():
    return made_up_month(kmeans={}, ward=CONTINUUM, dbscan=REFUSED)


@pytest.fixture
def charts(month):
    results = [
        made_up_result("kmeans", month, search=SEARCH),
        made_up_result("ward", month, (-1,) * 8, **NOT_FITTED),
        made_up_result("dbscan", month, WITH_NOISE),
    ]
    made = make_charts(results, month, measure_agreement(results, month), MapSettings())
    return ClusteringCharts.from_json(made.to_json())


@pytest.fixture
def compared(snapshot, month):
    """The snapshot with the leaderboard of the made-up month."""
    return dataclasses.replace(snapshot, month="2025-06", leaderboard=month.leaderboard)


def page_of(snapshot, charts):
    return Page(render_dashboard(snapshot, DashboardSettings(), charts=charts))


def test_every_candidate_has_scores_gates_label_and_reason(compared, charts):
    text = words(page_of(compared, charts))
    assert "Ward failed" not in text
    scores = "75.0% 0.500 0.600 1.500 12.2 0.625 0.550 – 0 0.0% 6"
    assert f"Ward passed 2 2 4 (50.0%) {scores} useful cut through a continuum Rank 1 of 1." in text
    assert "DBSCAN failed – 2" in text
    assert "separate groups Fails: <b>coverage" in text
    assert "K-means ranks first of 3 algorithms" in text


def test_scores_are_drawn_beside_coverage_and_sample(compared, charts):
    figures = clusterings_part(compared, charts).figures
    drawn = [name for name in figures if name.startswith("figure-score-")]
    assert drawn == [
        "figure-score-coverage",
        "figure-score-silhouette",
        "figure-score-davies-bouldin",
        "figure-score-stability",
    ]
    hover = figures["figure-score-stability"]["data"][0]["hovertext"]
    assert hover[1] == "Ward: 0.625, coverage 75.0%, scored on 6 customers"


def test_a_further_score_is_one_more_entry(compared, charts, monkeypatch):
    from segmentation_assets.reporting import leaderboard_scores

    more = leaderboard_scores.Score("usefulness", "Usefulness", str, "of models made of it", is_drawn=True)
    monkeypatch.setattr(leaderboard_scores, "SCORES", (*leaderboard_scores.SCORES, more))
    assert "figure-score-usefulness" not in clusterings_part(compared, charts).figures
    board = compared.leaderboard.assign(usefulness=[0.5, 0.25, 0.125, None])
    part = clusterings_part(dataclasses.replace(compared, leaderboard=board), charts)
    assert part.figures["figure-score-usefulness"]["data"][0]["x"] == [0.5, 0.25, 0.125]
    assert part.view["headings"][-1] == ("Usefulness", "of models made of it")


def test_algorithms_are_chosen_from_a_list_that_begins_with_the_one_in_force(compared, charts):
    page = page_of(compared, charts)
    options = [value for tag, name, value in page.attributes if (tag, name) == ("option", "value")]
    assert options == ["kmeans", "dbscan"]
    other = dataclasses.replace(compared, champion=compared.champion.assign(algorithm="dbscan"))
    shown = [part["name"] for part in clusterings_part(other, charts).view["algorithms"] if part["is_shown"]]
    assert shown == ["dbscan"]


def test_every_chart_has_an_element_and_every_element_a_chart(compared, charts):
    page = page_of(compared, charts)
    figures = set(json.loads(page.scripts[0]))
    elements = {value for _, name, value in page.attributes if name == "id" and value.startswith("figure-")}
    assert figures == elements
    assert {"figure-kmeans-map", "figure-kmeans-search-inertia", "figure-dbscan-silhouettes"} <= figures
    assert page.open == []


def test_what_an_algorithm_found_is_said_in_words(compared, charts):
    text = words(page_of(compared, charts))
    assert "K-means: 2 clusters, separate groups; rank 1; 100.0% of the customers in a segment." in text
    assert "DBSCAN: 2 clusters, separate groups; not ranked, a gate failed; 100.0% of the customers" in text


def test_a_month_in_which_none_is_due_says_so_and_shows_the_last_comparison(compared, charts):
    waiting = ClusteringCharts(
        not_due="not due: candidates are fitted later", map=charts.map, comparison={}, algorithms={}
    )
    champion = compared.champion.assign(trained_month="2025-06")
    later = dataclasses.replace(compared, month="2025-08", champion=champion)
    text = words(page_of(later, waiting))
    assert (
        "Nothing was fitted this month; not due: candidates are fitted later. So there is nothing new to draw" in text
    )
    assert "charts of the last comparison are on the page of June 2025." in text
    assert "The candidates below were fitted in June 2025, the last month in which any was due" in text
    assert "K-means in force passed 1 2" in text
    assert "these figures are not its own" not in text


@pytest.mark.parametrize("empty", [True, False], ids=["no charts", "nothing fitted"])
def test_without_charts_the_table_stands_alone(compared, charts, empty):
    given = None if empty else dataclasses.replace(charts, algorithms={})
    part = clusterings_part(compared, given)
    assert part.view["algorithms"] == []
    assert part.view["absent"] == (
        "No charts were made of this month's clusterings."
        if empty
        else "No algorithm has found clusters this month, so there are none to draw."
    )
    assert len(part.view["candidates"]) == 4


def test_a_month_without_a_leaderboard_has_a_sentence(rfm_only, charts):
    for given in (None, charts):
        text = words(page_of(rfm_only, given))
        assert "No candidate was scored this month." in text


def test_when_nothing_passes_the_section_says_that_nothing_is_usable(compared, charts):
    board = compared.leaderboard.assign(passed_gates=False, rank=pd.array([None] * 4, dtype="Int64"))
    text = words(page_of(dataclasses.replace(compared, leaderboard=board), charts))
    assert "No candidate passed every gate: there is no usable clustering this month." in text


def test_markup_in_a_reason_is_no_markup(compared, charts):
    page = page_of(compared, charts)
    assert "Fails: <b>coverage" in words(page)
