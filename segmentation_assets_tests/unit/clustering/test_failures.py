"""What an algorithm raises becomes a reason; what is not its fault passes through."""

from __future__ import annotations

import logging

import pytest

from segmentation_assets.clustering.failures import attempt, describe_failure
from segmentation_assets.errors import DataError, SettingsError


def raising(problem):
    def work():
        raise problem

    return work


def test_a_result_is_handed_on():
    tried = attempt(lambda: 3, "kmeans")
    assert (tried.found, tried.failure) == (3, "")


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (ValueError("k is too large"), "ValueError: k is too large"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (MemoryError(), "MemoryError"),
        (ModuleNotFoundError("No module named 'jax'"), "ModuleNotFoundError: No module named 'jax'"),
        (RuntimeError("one\n\ttwo\x1b[31m three"), "RuntimeError: one two [31m three"),
        (TypeError("<Thing object at 0x7f00ab12cd>"), "TypeError: <Thing object at (address)>"),
        (ValueError("cannot load '/home/x/a b.so' now"), "ValueError: cannot load (path) now"),
        (ValueError("see /tmp/tmp1234/model.bin: bad"), "ValueError: see (path) bad"),
        (ValueError(r"see C:\Users\x\model.bin now"), "ValueError: see (path) now"),
        (ValueError("3 and/or 4 of 1/2, shape (3, 4)"), "ValueError: 3 and/or 4 of 1/2, shape (3, 4)"),
        (ValueError("x" * 500), f"ValueError: {'x' * 199}…"),
    ],
)
def test_reason_is_one_short_line_without_addresses_and_paths(problem, reason):
    assert describe_failure(problem) == reason
    assert attempt(raising(problem), "kmeans").failure == reason


def test_reason_can_always_be_written_as_utf8():
    assert describe_failure(RuntimeError("one \ud800two")).encode() == b"RuntimeError: one two"


@pytest.mark.parametrize(
    "problem",
    [DataError("no"), SettingsError("no"), OSError("disk"), FileNotFoundError("x"), KeyboardInterrupt(), SystemExit(2)],
)
def test_what_is_not_the_algorithms_fault_passes_through(problem):
    with pytest.raises(type(problem)):
        attempt(raising(problem), "kmeans")


def test_traceback_goes_to_the_log(caplog):
    with caplog.at_level(logging.WARNING, logger="segmentation_assets.clustering"):
        attempt(raising(ValueError("k is too large")), "kmeans")
    (record,) = caplog.records
    assert record.getMessage() == "kmeans failed: ValueError: k is too large"
    assert record.exc_info[2] is not None
