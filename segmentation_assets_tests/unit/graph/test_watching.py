"""When a sensor acts on what it notices."""

from __future__ import annotations

import pytest

from segmentation_assets.graph.watching import Verdict, Watch, look

QUIET = 60.0


def looked(watch: Watch, cause: str, now: float, *, is_busy: bool = False) -> tuple[Verdict, Watch]:
    return look(watch, cause, now, quiet_seconds=QUIET, max_attempts=2, is_busy=is_busy)


def test_nothing_noticed_forgets_what_was() -> None:
    assert looked(Watch("a", 1.0, 2), "", 100.0) == (Verdict.NOTHING, Watch())


def test_new_cause_waits_until_it_has_stayed_the_same() -> None:
    verdict, watch = looked(Watch(), "a", 100.0)
    assert (verdict, watch) == (Verdict.WAIT, Watch("a", 100.0))
    assert looked(watch, "a", 159.0)[0] == Verdict.WAIT
    assert looked(watch, "a", 160.0) == (Verdict.ACT, Watch("a", 160.0, 1))


def test_growing_file_starts_the_wait_anew_with_every_change() -> None:
    watch = Watch()
    for second in range(0, 300, 30):
        verdict, watch = looked(watch, f"{second} bytes", float(second))
        assert verdict == Verdict.WAIT
    assert looked(watch, "270 bytes", 330.0)[0] == Verdict.ACT


def test_second_try_waits_twice_as_long() -> None:
    tried = Watch("a", 160.0, 1)
    assert looked(tried, "a", 279.0)[0] == Verdict.WAIT
    assert looked(tried, "a", 280.0) == (Verdict.ACT, Watch("a", 280.0, 2))


def test_tries_are_bounded_and_another_cause_starts_anew() -> None:
    spent = Watch("a", 280.0, 2)
    assert looked(spent, "a", 1e9) == (Verdict.GIVEN_UP, spent)
    assert looked(spent, "b", 1e9) == (Verdict.WAIT, Watch("b", 1e9))


def test_work_under_way_restarts_the_wait_and_counts_as_no_try() -> None:
    assert looked(Watch("a", 0.0, 1), "a", 500.0, is_busy=True) == (Verdict.WAIT, Watch("a", 500.0, 1))


@pytest.mark.parametrize("text", [None, "", "no json", "[]", '{"unknown": 1}'])
def test_cursor_that_cannot_be_read_starts_anew(text: str | None) -> None:
    assert Watch.from_json(text) == Watch()


def test_cursor_comes_back_as_it_was_written() -> None:
    assert Watch.from_json(Watch("a", 1.5, 2).to_json()) == Watch("a", 1.5, 2)
