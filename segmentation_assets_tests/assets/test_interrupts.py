"""Interrupts that libraries swallow or turn into errors of their own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import dagster as dg
import pytest

from segmentation_assets.interrupts import as_interrupts
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets_tests.assets.conftest import Computed, Shop


def swallow(number: int = signal.SIGINT) -> None:
    """Be interrupted where the interrupt is lost."""
    found = signal.signal(number, lambda *_: None)
    os.kill(os.getpid(), number)
    signal.signal(number, found)


def swallow_and_fail() -> None:
    """Be interrupted where an error is made of it."""
    swallow()
    raise RuntimeError("Query interrupted")


def do(interrupt: type[BaseException], *work: Callable[[], None]) -> bool:
    """Do work that can be interrupted; return whether it was, if that ended nothing."""
    with as_interrupts(interrupt) as has_come:
        for part in work:
            part()
        return has_come()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_swallowed_interrupt_ends_the_work(number: int) -> None:
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        do(dg.DagsterExecutionInterruptedError, lambda: swallow(number))


def test_error_made_of_an_interrupt_ends_the_work_as_one() -> None:
    with pytest.raises(KeyboardInterrupt) as stopped:
        do(KeyboardInterrupt, swallow_and_fail)
    assert str(stopped.value.__cause__) == "Query interrupted"


def test_interrupt_of_dagster_becomes_the_one_that_was_asked_for() -> None:
    def stop_as_dagster_does() -> None:
        raise dg.DagsterExecutionInterruptedError

    with pytest.raises(KeyboardInterrupt):
        do(KeyboardInterrupt, swallow, stop_as_dagster_does)


def test_errors_and_other_signals_stay_what_they_are() -> None:
    def fail() -> None:
        raise RuntimeError("its own")

    with pytest.raises(RuntimeError, match="its own"):
        do(KeyboardInterrupt, fail)
    assert not do(KeyboardInterrupt, lambda: swallow(signal.SIGUSR1))


def test_work_ends_with_work_within_it_even_if_the_interrupt_is_lost_on_the_way() -> None:
    done: list[str] = []

    def lose() -> None:
        for work in (swallow, lambda: done.append("begun after the interrupt")):
            with pytest.raises(dg.DagsterExecutionInterruptedError):
                do(dg.DagsterExecutionInterruptedError, work)

    with pytest.raises(KeyboardInterrupt):
        do(KeyboardInterrupt, lose)
    assert done == []
    assert not do(KeyboardInterrupt, lambda: None), "later work is not interrupted by it"


def test_afterwards_signals_are_noted_where_they_were_before() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        do(KeyboardInterrupt, lambda: None)
        swallow()
        assert os.read(reader, 10) == bytes([signal.SIGINT])
    finally:
        assert signal.set_wakeup_fd(before) == writer
        os.close(reader)
        os.close(writer)


def test_work_of_another_thread_is_left_alone() -> None:
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(do(KeyboardInterrupt, lambda: None)))
    thread.start()
    thread.join()
    assert said == [False]


@pytest.mark.parametrize(
    ("moment", "fall", "status"),
    [
        (dg.DagsterEventType.ASSET_MATERIALIZATION, swallow, dg.DagsterRunStatus.SUCCESS),
        (dg.DagsterEventType.ASSET_MATERIALIZATION, swallow_and_fail, dg.DagsterRunStatus.CANCELED),
        (dg.DagsterEventType.PIPELINE_SUCCESS, swallow, dg.DagsterRunStatus.SUCCESS),
        (dg.DagsterEventType.PIPELINE_SUCCESS, swallow_and_fail, dg.DagsterRunStatus.SUCCESS),
    ],
)
def test_interrupt_while_dagster_notes_an_event_stops_the_command(
    shop: Shop,
    run: Callable[..., Computed],
    monkeypatch: pytest.MonkeyPatch,
    moment: dg.DagsterEventType,
    fall: Callable[[], None],
    status: dg.DagsterRunStatus,
) -> None:
    store_event = dg.DagsterInstance.handle_new_event

    def store_and_fall(instance: dg.DagsterInstance, entry: dg.EventLogEntry, **options: object) -> None:
        store_event(instance, entry, **options)
        if entry.dagster_event is not None and entry.dagster_event.event_type == moment:
            fall()

    monkeypatch.setattr(dg.DagsterInstance, "handle_new_event", store_and_fall)
    with pytest.raises(KeyboardInterrupt):
        run(shop.settings(), keys={"gold/rfm_segments"}, force=True)
    monkeypatch.undo()
    with open_instance(shop.data_dir) as instance:
        (stopped,) = instance.get_runs(limit=1)
    assert stopped.status == status
