"""The Markdown report of one algorithm."""

from __future__ import annotations

import dataclasses

import pytest

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.reporting.clustering_profile import profile_clustering
from segmentation_assets.reporting.clustering_report import REWARDS_LEAVING_OUT, render_clustering_report
from segmentation_assets.reporting.wording import algorithm_label
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    NOT_FITTED,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

REFUSED = {"rank": None, "passed_gates": False, "coverage": 0.75, "reason": "Fails: coverage 75.0% (below the 80.0%)"}


def report_of(name="kmeans", labels=None, decision=(), pictures=(), **fit):
    month = made_up_month(**{name: dict(decision)})
    result = made_up_result(name, month, *([labels] if labels else []), **fit)
    return render_clustering_report(profile_clustering(result, month), pictures)


@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_every_algorithm_has_a_report(name):
    lines = report_of(name, search=SEARCH).splitlines()
    assert lines[0] == f"# {algorithm_label(name)}: June 2025"
    assert f"What {name} does." in lines
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert headings == [
        "Decision",
        "Scores",
        "Fit",
        "Numbers of clusters tried",
        "Stability",
        "Confidence",
        "Beside data without clusters",
        "Clusters",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "**Rank 1.** Rank 1 of 1. Passes every gate.",
        "| Silhouette | 0.500 | −1 to 1, larger is better; noise is a group of its own |",
        "Fitted on 6 of 8 customers, 2 columns of the model matrix.",
        "- fitted on a sample of 6 of 8 customers",
        "| eps | automatic |",
        "| eps | 1.25 |",
        "Chosen: k = 2.",
        "| k | Silhouette | Inertia | Smallest cluster | Chosen |",
        "| 4 | – | 10 | 12.5% |  |",
        "| Cluster 1 | 0.550 | not to be trusted |",
        "| 4 | 0.500 | 0.750 |",
        "| Silhouette | 0.400 | – |",
        "| Cluster 0 | 4 | 50.0% | EUR 700.00 | 70.0% | 0.95 |",
        "| Confidence | Cluster 0 | 0.875 | 0.5 | 0.875 | 1 | 1 | 1 |",
        "| Orders | 3.5 | 2 | 2.6 | 2 | 3.5 | 1.25 |",
        "| Channel a | – | – | – | – | – | 0.5 |",
        "![Overview](kmeans.png)",
    ],
)
def test_the_report_says(line):
    assert line in report_of(search=SEARCH, pictures=[("Overview", "kmeans.png")]).splitlines()


@pytest.mark.parametrize(("observed", "warned"), [(0.75, True), (0.54, False)])
def test_a_confidence_that_refits_contradict_is_to_be_read_with_care(observed, warned):
    month = made_up_month(kmeans={})
    result = made_up_result("kmeans", month)
    half, sure = result.evaluation["reliability"]
    found = result.evaluation | {"reliability": [half | {"observed_share": observed}, sure]}
    text = render_clustering_report(profile_clustering(dataclasses.replace(result, evaluation=found), month), ())
    assert ("**Read it with care.** The difference is above 0.05" in text) == warned


def test_scores_stand_beside_coverage_and_sample():
    text = report_of()
    assert "On 6 of 8 customers, with a coverage of 100.0%. Silhouette, Davies-Bouldin and Calinski-Harabasz" in text


def test_components_are_listed_by_criterion_and_covariance():
    search = {
        "covariance_type": ["full", "tied"],
        "k": [2, 2],
        "bic": [1234.5, 2000.0],
        "aic": [1000.0, 1900.0],
        "log_likelihood": [-1.5, -2.0],
        "is_chosen": [True, False],
    }
    lines = report_of("gaussian_mixture", search=search).splitlines()
    assert "Chosen: k = 2, covariance full." in lines
    assert "| 2 | full | 1,234 | 1,000 | −1.5 | yes |" in lines


@pytest.mark.parametrize("name", ["dbscan", "hdbscan"])
def test_a_refused_density_clustering_says_why_and_what_its_silhouette_rewards(name):
    text = report_of(name, WITH_NOISE, REFUSED)
    assert "**Not ranked.** Fails: coverage 75.0% (below the 80.0%)." in text
    assert f"It covers 75.0% of the customers. {REWARDS_LEAVING_OUT}" in text
    assert "| Noise | 2 | 25.0% | EUR 100.00 | 10.0% | – |" in text
    assert "2 customers (25.0%) with 10.0% of the net revenue belong to no cluster." in text
    assert "| Newcomers: first order within 90 days | 1 | 12.5% | 5.0% |" in text


def test_a_candidate_that_passes_is_not_warned_of():
    assert REWARDS_LEAVING_OUT not in report_of("hdbscan", WITH_NOISE, {"coverage": 0.9})


def test_a_failed_algorithm_says_what_failed():
    failed = {"rank": None, "passed_gates": False, "coverage": 0.0, "failure": "could not be fitted: ValueError"}
    text = report_of("kmeans", (-1,) * 8, failed, **NOT_FITTED)
    assert "**What failed.** ValueError: no luck" in text
    assert "- could not be fitted: ValueError: no luck" in text
    assert "## Clusters" not in text


def test_a_month_in_which_it_is_not_due_points_to_the_last_comparison():
    month = made_up_month(kmeans={"compared_month": "2025-05"})
    result = dataclasses.replace(made_up_result("kmeans", month), fit={"not_due": "not due: last in 2025-05"})
    document = profile_clustering(result, month)
    assert "clusters" not in document
    lines = render_clustering_report(document).splitlines()
    assert "Nothing was fitted this month; not due: last in 2025-05." in lines
    assert "Decision of May 2025: Rank 1 of 1. Passes every gate." in lines
    assert lines[-1] == "[The report of May 2025](../../2025-05/clusterings/kmeans.md)"


def test_an_algorithm_that_never_was_compared_is_only_not_due():
    month = made_up_month(kmeans={})
    never = dataclasses.replace(made_up_result("kmeans", month), fit={"not_due": "not due: later"}, decision={})
    assert render_clustering_report(profile_clustering(never, month)).endswith("this month; not due: later.\n")


def test_text_from_errors_is_inert():
    text = report_of("kmeans", (-1,) * 8, {"rank": None}, **NOT_FITTED | {"failure": "<b>|x|</b>"})
    assert "**What failed.** &lt;b&gt;\\|x\\|&lt;/b&gt;" in text


def test_the_same_input_gives_the_same_text():
    assert report_of(search=SEARCH) == report_of(search=SEARCH)
