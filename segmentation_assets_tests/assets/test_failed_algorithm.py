"""An algorithm that raises an error is told and left out; too few that work stop the leaderboard."""

from __future__ import annotations

import dataclasses

import pytest
from dagster import DagsterExecutionInterruptedError

from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.clustering import AlgorithmSettings, KMeansSettings
from segmentation_assets.errors import DataError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.test_failed_checks import checks_in, last_run_events

FIRST, NEWEST = MONTHS[0], MONTHS[-1]
REASON = "ValueError: cannot make 99 clusters"
SECOND = {"clusters/second", "clusters/leaderboard", "gold/champion"}


class FailingClusterer(KMeansClusterer):
    """K-means that raises what it is told to."""

    error: BaseException | None = None

    def fit_assign(self, X):
        if self.error is not None:
            raise self.error
        return super().fit_assign(X)


@pytest.fixture
def fails(monkeypatch):
    """Register a second algorithm beside K-means; the function says what it raises from now on."""
    entry = dataclasses.replace(
        ALGORITHMS["kmeans"], name="second", module=FailingClusterer.__module__, class_name="FailingClusterer"
    )
    monkeypatch.setitem(ALGORITHMS, "second", entry)
    monkeypatch.setattr(AlgorithmSettings, "second", KMeansSettings(k_max=4), raising=False)
    monkeypatch.setattr(FailingClusterer, "error", ValueError("cannot make 99 clusters"))
    return lambda error: monkeypatch.setattr(FailingClusterer, "error", error)


@pytest.fixture
def kmeans_fails_too(monkeypatch, fails):
    """Let no algorithm work."""
    monkeypatch.setitem(
        ALGORITHMS, "kmeans", dataclasses.replace(ALGORITHMS["second"], name="kmeans", class_name="FailingClusterer")
    )


def table(shop, key, month=FIRST):
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month))


def test_one_failing_algorithm_is_reported_and_the_month_is_made_with_the_other(shop, run, fails):
    computed = run(shop.settings())

    assert {(f"clusters/{name}", month) for name in ("second", "leaderboard") for month in MONTHS} <= computed
    found = table(shop, "clusters/second")
    assert set(found["cluster"]) == {-1}
    board = table(shop, "clusters/leaderboard").set_index("candidate")
    assert set(board.index) == {"kmeans", "second", "rfm_map"}
    assert board.loc["kmeans", "rank"] == 1
    assert not board.loc["second", "passed_gates"]
    assert board.loc["second", "reason"] == f"Fails: fitted (could not be fitted: {REASON})"
    assert set(table(shop, "gold/champion")["algorithm"]) == {"kmeans"}
    report = (shop.data_dir / "reports" / NEWEST[:7] / "business_report.md").read_text(encoding="utf-8")
    assert f"**Failed algorithm.** Second could not be fitted: {REASON}" in report
    own = (shop.data_dir / "reports" / NEWEST[:7] / "clusterings" / "second.md").read_text(encoding="utf-8")
    assert f"**What failed.** {REASON}" in own
    page = (shop.data_dir / "reports" / NEWEST[:7] / "dashboard.html").read_text(encoding="utf-8")
    assert REASON in page
    assert run(shop.settings()) == set()


def test_the_failed_check_warns_in_the_event_log_and_the_result_is_stored(shop, run, fails):
    run(shop.settings(), keys={"clusters/second"}, month=NEWEST)

    check = checks_in(last_run_events(shop))["clusters/second", "fitted"]
    assert (check.passed, check.blocking, check.severity.value) == (False, False, "WARN")
    assert check.description.startswith(f"clusters/second: could not be fitted: {REASON}; see clusters/leaderboard.")
    assert "segmentation run --only clusters/second --month 2025-08 --force" in check.description
    assert Platform(shop.settings()).store.manifest("clusters/second", NEWEST) is not None


def test_a_fitted_algorithm_passes_its_check(shop, run):
    run(shop.settings(), keys={"clusters/kmeans"}, month=NEWEST, force=True)
    check = checks_in(last_run_events(shop))["clusters/kmeans", "fitted"]
    assert check.passed
    assert check.description.startswith("clusters/kmeans was fitted: ")


def test_the_command_ends_well_and_warns_in_a_line(shop, segmentation, write_settings, monkeypatch, tmp_path, fails):
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings())
    told = segmentation("run", "--month", "2025-06")
    assert told.code == 0, told.err
    line = f"warning: clusters/second: could not be fitted: {REASON}; see clusters/leaderboard."
    assert next(text for text in told.out.splitlines() if "second" in text and "warning" in text).endswith(line)


def test_a_failure_is_kept_until_it_is_forced_as_its_check_says(
    shop, segmentation, write_settings, monkeypatch, tmp_path, fails
):
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings())
    segmentation("run", "--month", "2025-06")
    fails(None)
    assert "nothing was computed" in segmentation("run", "--month", "2025-06").out

    hint = Platform(shop.settings()).store.manifest("clusters/second", FIRST).checks[-1].description
    forced, then = (command.split()[1:] for command in hint.split("'")[1::2])
    assert segmentation(*forced).code == 0
    told = segmentation(*then)

    assert told.code == 0
    assert "clusters/leaderboard         2025-06  made" in told.out
    assert table(shop, "clusters/leaderboard").set_index("candidate").loc["second", "n_clusters"] >= 3
    assert set(table(shop, "clusters/second")["cluster"]) >= {0, 1, 2}


def test_another_reason_makes_the_leaderboard_again_and_the_same_one_does_not(shop, run, fails):
    scope = {"keys": SECOND, "month": FIRST}
    run(shop.settings(), **scope)
    run(shop.settings(), keys={"clusters/second"}, month=FIRST, force=True)
    assert run(shop.settings(), **scope) == set()
    fails(MemoryError())
    run(shop.settings(), keys={"clusters/second"}, month=FIRST, force=True)
    assert ("clusters/leaderboard", FIRST) in run(shop.settings(), **scope)
    assert "MemoryError" in table(shop, "clusters/leaderboard").set_index("candidate").loc["second", "failure"]


def test_when_all_fail_the_leaderboard_stops_and_keeps_what_was_stored(
    shop, segmentation, write_settings, monkeypatch, tmp_path, kmeans_fails_too
):
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings())
    store = Platform(shop.settings()).store
    before = store.manifest("clusters/leaderboard", FIRST)
    segmentation("run", "--only", "clusters/kmeans", "--month", "2025-06", "--force")

    told = segmentation("run", "--month", "2025-06")

    assert told.code == 1
    assert "0 of 2 algorithms could be fitted, at least 1 must be (leaderboard.min_candidates)" in told.err
    assert f"kmeans ({REASON}); second ({REASON})" in told.err
    assert "--only clusters/kmeans --only clusters/second --force" in told.err
    assert store.manifest("clusters/leaderboard", FIRST) == before
    assert store.manifest("clusters/second", FIRST) is not None


def test_more_candidates_can_be_asked_for(shop, run, fails):
    settings = shop.settings(leaderboard__min_candidates=2)
    with pytest.raises(DataError, match="1 of 2 algorithms could be fitted, at least 2 must be"):
        run(settings, keys=SECOND, month=FIRST)


def test_with_none_asked_for_the_rfm_map_is_in_force_when_all_fail(shop, run, kmeans_fails_too):
    settings = shop.settings(leaderboard__min_candidates=0)
    run(settings, keys={"clusters/kmeans"}, month=FIRST, force=True)
    run(settings, keys=SECOND, month=FIRST)
    assert set(table(shop, "gold/champion")["algorithm"]) == {"rfm_map"}


def test_an_interrupt_is_no_failure_of_the_algorithm(shop, run, fails):
    fails(DagsterExecutionInterruptedError())
    with pytest.raises(KeyboardInterrupt):
        run(shop.settings(), keys={"clusters/second"}, month=FIRST)
    assert Platform(shop.settings()).store.manifest("clusters/second", FIRST) is None
