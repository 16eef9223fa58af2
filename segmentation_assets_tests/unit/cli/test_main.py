import os
import signal

import pytest

from segmentation_assets.cli import main as entry
from segmentation_assets.errors import DataError


@pytest.mark.parametrize(
    ("problem", "printed"),
    [
        (
            DataError("a.csv, row 3: 'x' is no number", "correct it."),
            "a.csv, row 3: 'x' is no number\nHint: correct it.",
        ),
        (
            NotADirectoryError(20, "Not a directory", "/data"),
            "/data: Not a directory\nHint: check that the data folder",
        ),
        (OSError(28, "No space left on device"), "No space left on device\nHint: check that the data folder"),
    ],
)
def test_problem_a_user_can_solve_is_one_error_and_code_1(monkeypatch, capsys, problem, printed):
    def command(_):
        raise problem

    monkeypatch.setitem(entry._COMMANDS, "status", command)
    assert entry.main(["status"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {printed}")
    assert said.out == ""


@pytest.fixture
def interrupts():
    """The handler of Ctrl-C is put back after the test."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interrupts")
def test_interrupt_says_that_what_was_finished_is_stored_and_another_one_does_not_disturb_it(monkeypatch, capsys):
    def command(_):
        raise KeyboardInterrupt

    monkeypatch.setitem(entry._COMMANDS, "run", command)
    assert entry.main(["run"]) == 130
    os.kill(os.getpid(), signal.SIGINT)
    assert capsys.readouterr().err == "stopped; what was finished is stored, the rest is made by the next run.\n"
