"""When a step waits for an earlier month, for how long, and what it says when nobody is making it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace

import dagster as dg
import pytest

from segmentation_assets.errors import PredecessorError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration import waiting
from segmentation_assets.orchestration.jobs import CATCH_UP_JOB, MONTHLY_JOB
from segmentation_assets.orchestration.run_tags import PARTITION_TAG
from segmentation_assets.orchestration.waiting import BETWEEN_STEPS_SECONDS, PATIENCE_SECONDS, compute_in_order
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

BRIEF = BETWEEN_STEPS_SECONDS["in_process"]


class Wait:
    """A step of July that fails until June is made, on a clock that only its waiting moves."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.platform = Platform(shop.settings())
        self.instance = dg.DagsterInstance.ephemeral()
        self.seconds = 0.0
        self.tries = 0
        self.at_pause: Callable[[], object] = lambda: None
        self.is_made = False
        clock = SimpleNamespace(monotonic=lambda: self.seconds, sleep=self._sleep)
        monkeypatch.setattr(waiting, "time", clock)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.at_pause()

    def _compute(self) -> str:
        self.tries += 1
        if not self.is_made:
            raise PredecessorError("builds on 2025-06, which is not up to date", "make the months in order.")
        return "computed"

    def add_run(self, job_name: str, **tags: str) -> None:
        """Have Dagster know of another run that has started."""
        run = dg.DagsterRun(job_name=job_name, status=dg.DagsterRunStatus.STARTED, tags=tags)
        self.instance.run_storage.add_run(run)

    def step_of_july(self) -> str:
        context = SimpleNamespace(instance=self.instance, run=dg.DagsterRun(job_name="own"))
        return compute_in_order(self.platform, context, MONTHS[1], self._compute, logging.getLogger("test"))


@pytest.fixture
def wait(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Wait:
    return Wait(shop, monkeypatch)


def test_month_that_nobody_makes_fails_within_seconds(wait: Wait) -> None:
    with pytest.raises(PredecessorError, match="builds on 2025-06"):
        wait.step_of_july()
    assert BRIEF <= wait.seconds < BRIEF + 1


def test_predecessor_that_is_finished_between_two_looks_is_not_missed(wait: Wait) -> None:
    """The other run may end, and Dagster forget it, right after this step found June out of date."""

    def finish() -> None:
        wait.is_made = True

    wait.at_pause = finish
    assert wait.step_of_july() == "computed"
    assert wait.tries == 2


def test_step_at_work_is_waited_for_without_dagster_knowing_of_its_run(wait: Wait) -> None:
    """As when the other command has a Dagster storage of its own."""
    with wait.platform.store.lock("step/gold/champion", MONTHS[0]):

        def finish_after_a_while() -> None:
            wait.is_made = wait.seconds > 100 * BRIEF

        wait.at_pause = finish_after_a_while
        assert wait.step_of_july() == "computed"
    assert wait.seconds > 100 * BRIEF


@pytest.mark.parametrize("month", MONTHS[1:])
def test_steps_of_this_month_or_a_later_one_are_no_reason_to_wait(wait: Wait, month: str) -> None:
    with wait.platform.store.lock("step/gold/champion", month), pytest.raises(PredecessorError):
        wait.step_of_july()
    assert wait.seconds < BRIEF + 1


@pytest.mark.parametrize(
    ("job", "tags"),
    [(MONTHLY_JOB, {PARTITION_TAG: MONTHS[0]}), (CATCH_UP_JOB, {})],
    ids=["earlier month", "all months"],
)
def test_run_between_two_of_its_steps_is_waited_for_longer(wait: Wait, job: str, tags: dict[str, str]) -> None:
    wait.add_run(job, **tags)
    with pytest.raises(PredecessorError):
        wait.step_of_july()
    assert PATIENCE_SECONDS <= wait.seconds < PATIENCE_SECONDS + 1


def test_run_in_the_queue_behind_this_one_is_named(wait: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    queued = SimpleNamespace(
        run_id="june", job_name="any", status=dg.DagsterRunStatus.QUEUED, tags={PARTITION_TAG: MONTHS[0]}
    )
    monkeypatch.setattr(waiting, "active_runs", lambda *_: [queued])
    with pytest.raises(PredecessorError) as caught:
        wait.step_of_july()
    assert caught.value.hint == (
        "the run of 2025-06 is in the queue behind this one: start this month again when that run has ended."
    )
