"""Comparison of candidates: gates, ranking and reasons."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.clustering.fitting import fit_clustering
from segmentation_assets.clustering.leaderboard import Entrant, compare_candidates, ranking_rule
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.clustering.usefulness import Usefulness
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.errors import DataError
from segmentation_assets.tables.clusters import LEADERBOARD

SETTINGS = LeaderboardSettings()
TRIED = ClusteringSettings.model_validate(
    {"evaluation": {"resamples": 6, "reference_draws": 20, "resample_customers": 400}}
)


def frame_of(values):
    """Index rows by customer."""
    return pd.DataFrame(values, index=pd.Index([f"c{n:04d}" for n in range(len(values))], name="customer_id"))


def halves(matrix):
    """Return a baseline of two equal halves."""
    names = np.where(np.arange(len(matrix)) % 2 == 0, "Champions", "Lost")
    return pd.Series(names, index=matrix.index)


def compare_fitted(matrix, name="kmeans", tried=TRIED):
    """Fit an algorithm, compare it with the baseline and return its row."""
    revenue = pd.Series(1.0, index=matrix.index)
    fitted = fit_clustering(matrix, revenue, ALGORITHMS[name], tried, SETTINGS)
    entrant = Entrant(pd.Series(fitted.labels, index=fitted.customers), fitted.evaluation)
    board = compare_candidates(matrix, {name: entrant}, halves(matrix), revenue, SETTINGS, 500, 7)
    assert list(board.columns) == list(LEADERBOARD.column_names)
    return board.set_index("candidate").loc[name]


def compare_fixed(matrix, sample=500, revenue=None, settings=SETTINGS, **candidates):
    """Compare given labels without refits."""
    entrants = {name: Entrant(pd.Series(values, index=matrix.index)) for name, values in candidates.items()}
    money = pd.Series(1.0, index=matrix.index) if revenue is None else revenue
    board = compare_candidates(matrix, entrants, halves(matrix), money, settings, sample, 7)
    return board.set_index("candidate")


@pytest.fixture(scope="module")
def two_groups():
    """Return 1,000 customers in two far groups."""
    rng = np.random.default_rng(1)
    return frame_of(np.concatenate([rng.normal(0, 1, (500, 2)), rng.normal(9, 1, (500, 2))]))


def test_planted_clusters_pass_and_are_ranked():
    rng = np.random.default_rng(0)
    row = compare_fitted(frame_of(np.concatenate([rng.normal(mean, 1, (100, 4)) for mean in (0, 8, 16, 24)])))
    assert row[["rank", "n_clusters", "stability", "smallest_jaccard"]].tolist() == [1, 4, 1.0, 1.0]
    assert row["reason"].startswith("Rank 1 of 1. Passes every gate: number of segments 4")
    assert row["structure"] == "separate groups"
    assert ". Separate groups: silhouette 0." in row["reason"]
    assert "stability 1.000 (at least 0.600)" in row["reason"]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_uniform_noise_is_refused(name):
    row = compare_fitted(frame_of(np.random.default_rng(0).uniform(size=(500, 10))), name)
    assert not row["passed_gates"]
    assert pd.isna(row["rank"])
    assert row["structure"] is None
    assert "Fails: " in row["reason"]


def test_uniform_noise_fails_stability():
    row = compare_fitted(frame_of(np.random.default_rng(0).uniform(size=(500, 10))))
    assert row["stability"] < 0.6
    assert "Fails: stability 0." in row["reason"]
    assert "(below the 0.600)" in row["reason"]
    assert ". Silhouette 0." in row["reason"]


def correlated_gaussian(seed):
    """Draw 1,000 customers of one cloud without groups."""
    spread = np.array([[3.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.5]])
    return frame_of(np.random.default_rng(seed).normal(size=(1000, 3)) @ spread)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "autoencoder"])
def test_a_single_correlated_gaussian_is_a_continuum_or_refused(name, seed):
    row = compare_fitted(correlated_gaussian(seed), name)
    assert (row["structure"] == "useful cut through a continuum") == row["passed_gates"]
    assert row["structure"] != "separate groups"
    if row["n_clusters"] >= 2:
        assert " of the refits is not above " in row["reason"]


def test_the_autoencoder_too_calls_a_single_gaussian_a_continuum_or_is_refused():
    row = compare_fitted(correlated_gaussian(0), "autoencoder")
    assert (row["structure"] == "useful cut through a continuum") == row["passed_gates"]


def test_with_few_draws_nothing_is_labelled():
    few = TRIED.model_copy(update={"evaluation": TRIED.evaluation.model_copy(update={"reference_draws": 19})})
    row = compare_fitted(correlated_gaussian(0), "kmeans", few)
    assert row["passed_gates"]
    assert row["structure"] is None
    assert row["reason"].endswith("(too few draws for a label, it takes 20)")


def test_tiny_clusters_are_no_segments_whatever_their_silhouette(two_groups):
    matrix = two_groups.copy()
    matrix.iloc[0] = 5000.0
    revenue = pd.Series([999.0] + [1.0] * 999, index=matrix.index)
    board = compare_fixed(matrix, sample=1000, revenue=revenue, tiny=[0] + [1] * 999)
    assert board.loc["tiny", "silhouette"] > 0.99
    assert not board.loc["tiny", "passed_gates"]
    assert board.loc["tiny", "reason"] == (
        "Fails: number of segments 1 (below the 2). 1 of 2 clusters are smaller than 2.00% or 30 customers and no "
        "segments"
    )
    assert board.loc["tiny", ["exceptional_count", "exceptional_revenue_share"]].tolist() == [1, 0.5]


def test_customers_of_tiny_clusters_are_exceptional_and_the_others_compete(two_groups):
    labels = [2] * 10 + [0] * 490 + [1] * 500
    board = compare_fixed(two_groups, three=labels)
    assert board.loc["three", ["n_clusters", "coverage", "exceptional_count"]].tolist() == [2, 0.99, 10]
    assert board.loc["three", "rank"] == 1
    assert board.loc["three", "covered_silhouette"] > board.loc["three", "silhouette"]
    assert board.loc["three", "reason"].endswith(
        "1 of 3 clusters are smaller than 2.00% or 30 customers and no segments"
    )


def test_mostly_noise_fails_the_coverage_gate(two_groups):
    board = compare_fixed(two_groups, sparse=[0] * 100 + [-1] * 800 + [1] * 100)
    assert board.loc["sparse", "coverage"] == 0.2
    assert board.loc["sparse", "reason"] == "Fails: coverage 20.0% (below the 80.0%)"


def test_one_cluster_fails_and_has_no_scores(two_groups):
    board = compare_fixed(two_groups, one=[0] * 1000)
    assert pd.isna(board.loc["one", "silhouette"])
    assert board.loc["one", "reason"] == "Fails: number of segments 1 (below the 2)"


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (frame_of(np.zeros((40, 0))), "the model matrix has no column, as no chosen feature differs among its 40"),
        (frame_of(np.zeros((1, 2))), "a clustering needs at least two customers, the model matrix holds 1"),
    ],
)
def test_a_candidate_that_could_not_be_fitted_fails_its_gates_and_says_why(matrix, why):
    board = compare_fixed(matrix, kmeans=[-1] * len(matrix))
    assert board.loc["kmeans", ["n_clusters", "coverage", "smallest_segment_count"]].tolist() == [0, 0.0, 0]
    assert board.loc["kmeans", ["rank", "silhouette", "stability"]].isna().all()
    assert not board.loc["kmeans", "passed_gates"]
    assert board.loc["kmeans", "reason"].startswith(f"Nothing could be fitted: {why}")
    assert ". Fails: number of segments 0 (below the 2); coverage 0.0%" in board.loc["kmeans", "reason"]
    assert "fitted" not in board.loc["rfm_map", "reason"]
    assert pd.isna(board.loc["rfm_map", "silhouette"])


def compare_with_failures(matrix, candidates, failures, *, refit_failures=None, **settings):
    """Compare candidates some of which raised an error."""
    again = refit_failures or {}
    entrants = {
        name: Entrant(
            pd.Series(values, index=matrix.index), failure=failures.get(name, ""), refit_failure=again.get(name, "")
        )
        for name, values in candidates.items()
    }
    gates = SETTINGS.model_copy(update=settings)
    revenue = pd.Series(1.0, index=matrix.index)
    return compare_candidates(matrix, entrants, halves(matrix), revenue, gates, 300, 7).set_index("candidate")


def test_an_algorithm_that_failed_is_listed_with_its_error_and_the_others_are_ranked(two_groups):
    candidates = {"broken": [-1] * 1000, "good": [0] * 500 + [1] * 500}
    board = compare_with_failures(two_groups, candidates, {"broken": "ValueError: no"})
    assert board.index.tolist() == ["good", "broken", "rfm_map"]
    assert board.loc["good", "rank"] == 1
    assert pd.isna(board.loc["broken", "rank"])
    assert not board.loc["broken", "passed_gates"]
    assert board.loc["broken", "reason"] == "Fails: fitted (could not be fitted: ValueError: no)"
    assert board["failure"].dropna().to_dict() == {"broken": "could not be fitted: ValueError: no"}
    assert board.loc["good", "reason"] == compare_fixed(two_groups, 300, good=candidates["good"]).loc["good", "reason"]


def test_an_algorithm_that_cannot_be_fitted_again_is_not_ranked(two_groups):
    good = [0] * 500 + [1] * 500
    board = compare_with_failures(two_groups, {"good": good, "once": good}, {}, refit_failures={"once": "MemoryError"})
    why = "could not be fitted again on a part of the customers: MemoryError"
    assert board["rank"].tolist()[:1] == [1]
    assert board.loc["once", "reason"] == f"Fails: fitted again ({why})"
    assert board.loc["once", "failure"] == why
    assert not board.loc["once", "passed_gates"]


def test_too_few_fitted_algorithms_stop_with_all_reasons(two_groups):
    candidates = {"b": [-1] * 1000, "a": [-1] * 1000, "good": [0] * 500 + [1] * 500}
    failures = {"b": "ValueError: no", "a": "MemoryError"}
    with pytest.raises(
        DataError,
        match=r"1 of 3 algorithms could be fitted, at least 2 must be \(leaderboard.min_candidates\); these failed: a "
        r"\(MemoryError\); b \(ValueError: no\)",
    ) as caught:
        compare_with_failures(two_groups, candidates, failures, min_candidates=2)
    assert "'segmentation run --only clusters/a --only clusters/b --force'" in caught.value.hint
    assert compare_with_failures(two_groups, candidates, failures, min_candidates=1).loc["good", "rank"] == 1


def test_none_asked_for_lets_all_algorithms_fail(two_groups):
    board = compare_with_failures(two_groups, {"b": [-1] * 1000}, {"b": "ValueError: no"}, min_candidates=0)
    assert board["rank"].isna().all()


def test_having_nothing_to_fit_is_not_counted_as_a_failure():
    matrix = frame_of(np.zeros((40, 0)))
    board = compare_with_failures(matrix, {"kmeans": [-1] * 40}, {}, min_candidates=1)
    assert pd.isna(board.loc["kmeans", "failure"])
    assert not board.loc["kmeans", "passed_gates"]


def test_ranking_weighs_the_scores_as_the_settings_say(two_groups):
    good, poor = [0] * 500 + [1] * 500, [0] * 250 + [1] * 750
    covering = LeaderboardSettings(
        weights={"silhouette": 0, "stability": 0, "usefulness": 0, "coverage": 2, "calinski_harabasz": 1}
    )
    board = compare_fixed(two_groups, settings=covering, noisy=[-1] * 100 + good[100:], poor=poor)
    assert board.index[0] == "poor"
    assert board.loc["poor", "reason"].startswith("Rank 1 of 2, beats 67% of the others. ")
    assert ranking_rule(covering) == (
        "Candidates that pass every gate are ranked by the weighted share of the others that they beat in "
        "calinski-harabasz (weight 1), coverage (weight 2); what none has been measured for counts nothing, and "
        "equal ones are ranked by name."
    )


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(ValueError, match="all weights are 0"):
        LeaderboardSettings(weights={"silhouette": 0, "stability": 0, "usefulness": 0})


def test_passing_candidates_are_ranked_by_silhouette_and_the_baseline_never(two_groups):
    good, poor = [0] * 500 + [1] * 500, [0] * 250 + [1] * 750
    board = compare_fixed(two_groups, poor=poor, good=good)
    assert board.index.tolist() == ["good", "poor", "rfm_map"]
    assert board["rank"].tolist()[:2] == [1, 2]
    assert pd.isna(board.loc["rfm_map", "rank"])
    assert board["is_baseline"].tolist() == [False, False, True]
    assert board.loc["rfm_map", "reason"].startswith("Baseline, not ranked; passes every gate: number of segments 2")
    assert board["score_sample_count"].tolist() == [500] * 3


def test_row_order_changes_nothing(two_groups):
    labels = pd.Series([0] * 500 + [1] * 500, index=two_groups.index)
    shuffled = two_groups.sample(frac=1, random_state=0)
    revenue = pd.Series(1.0, index=two_groups.index)
    first, second = (
        compare_candidates(matrix, {"a": Entrant(labels)}, halves(two_groups), revenue, SETTINGS, 300, 7)
        for matrix in (two_groups, shuffled)
    )
    pd.testing.assert_frame_equal(first, second)


def test_a_candidate_that_lacks_a_customer_is_refused(two_groups):
    short = {"short": Entrant(pd.Series(0, index=two_groups.index[:-1]))}
    revenue = pd.Series(1.0, index=two_groups.index)
    with pytest.raises(DataError, match="candidate short lacks 1 customers of the model matrix, for example c0999"):
        compare_candidates(two_groups, short, halves(two_groups), revenue, SETTINGS, 300, 7)


def test_finding_nothing_in_the_reference_is_told():
    rng = np.random.default_rng(0)
    matrix = frame_of(np.concatenate([rng.normal(mean, 1, (150, 6)) for mean in (0, 6, 12)]))
    fitted = fit_clustering(matrix, pd.Series(1.0, index=matrix.index), ALGORITHMS["hdbscan"], TRIED, SETTINGS)
    nothing = dataclasses.replace(fitted.evaluation.reference, silhouette=None, silhouettes=(None,) * 20)
    tried = dataclasses.replace(fitted.evaluation, reference=nothing)
    entrants = {"hdbscan": Entrant(pd.Series(fitted.labels, index=fitted.customers), tried)}
    revenue = pd.Series(1.0, index=matrix.index)
    board = compare_candidates(matrix, entrants, halves(matrix), revenue, SETTINGS, 300, 7).set_index("candidate")
    assert board.loc["hdbscan", "structure"] == "separate groups"
    assert board.loc["hdbscan", "reason"].endswith(
        "of the refits is above 0; in 20 draws of data without clusters nothing is found"
    )


def earlier(usefulness, rfm_usefulness, margin_high):
    """Return what segments of an earlier month were worth."""
    return Usefulness("2025-02", 900, 2, usefulness, 2, rfm_usefulness, usefulness - rfm_usefulness - 0.1, margin_high)


def board_with(matrix, useful):
    entrants = {name: Entrant(pd.Series(np.arange(len(matrix)) % 2, index=matrix.index)) for name in ("a", "b", "c")}
    money = pd.Series(1.0, index=matrix.index)
    board = compare_candidates(matrix, entrants, halves(matrix), money, SETTINGS, 500, 7, usefulness=useful)
    return board.set_index("candidate")


def test_segments_that_separated_less_than_the_rfm_map_fail(two_groups):
    useful = {"a": earlier(0.1, 0.2, -0.01), "b": earlier(0.19, 0.2, 0.02), "rfm_map": earlier(0.3, 0.3, 0)}
    board = board_with(two_groups, useful)
    assert board["passed_gates"].to_dict() == {"a": False, "b": True, "c": True, "rfm_map": True}
    start = "on 900 customers of 2025-02"
    assert f"usefulness 0.100 {start} (below the RFM map's 0.200 with 2 groups)" in board.loc["a", "reason"]
    assert (
        f"usefulness 0.190 {start} (below, but by no more than chance, the RFM map's 0.200" in board.loc["b", "reason"]
    )
    assert "usefulness not measured" in board.loc["c", "reason"]
    assert board.loc["rfm_map", "reason"].endswith(f"usefulness 0.300 {start}")
    assert board[["usefulness", "rfm_usefulness"]].loc[["a", "b"]].to_numpy().tolist() == [[0.1, 0.2], [0.19, 0.2]]
    assert board.loc["c", ["usefulness", "rfm_usefulness"]].isna().all()


def test_what_is_not_below_the_rfm_map_says_so(two_groups):
    board = board_with(two_groups, {"a": earlier(0.2, 0.2, 0.02)})
    assert "(not below the RFM map's 0.200 with 2 groups)" in board.loc["a", "reason"]


def test_ranking_weighs_usefulness(two_groups):
    useful = {"a": earlier(0.2, 0.1, 0.2), "b": earlier(0.4, 0.1, 0.4), "c": earlier(0.3, 0.1, 0.3)}
    assert board_with(two_groups, useful)["rank"].dropna().to_dict() == {"b": 1, "c": 2, "a": 3}
    assert set(board_with(two_groups, {})["reason"].str.extract(r"beats (\d+%)", expand=False).dropna()) == {"50%"}
    assert board_with(two_groups, {})["rank"].dropna().to_dict() == {"a": 1, "b": 2, "c": 3}
