"""Entry point of the `segmentation` command: exit code 0, 1 for data or settings, 2 for usage, 130 for Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence

from segmentation_assets.cli.parser import build_parser
from segmentation_assets.errors import SegmentationError

_STORAGE_HINT = "Hint: check that the data folder is a folder, that it can be written to, and that the disk has room."

_INTERRUPTED = 130
"""What shells expect of a program that SIGINT ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; problems a user can solve are told on stderr."""
    parsed = build_parser().parse_args(arguments)
    try:
        code = _COMMANDS[parsed.command](parsed)
        sys.stdout.flush()
        return code
    except SegmentationError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        from segmentation_assets.cli.progress import discard_output

        discard_output()
        return 1
    except OSError as problem:
        place = f"{problem.filename}: " if problem.filename else ""
        print(f"error: {place}{problem.strerror or problem}\n{_STORAGE_HINT}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("stopped; what was finished is stored, the rest is made by the next run.", file=sys.stderr)
        return _INTERRUPTED


def _init(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.init_command import init

    return init(parsed)


def _run(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.run_command import run

    return run(parsed)


def _status(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.status_command import status

    return status(parsed)


def _report(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.run_command import report

    return report(parsed)


def _promote(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.decision_commands import promote

    return promote(parsed)


def _rename(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.decision_commands import rename

    return rename(parsed)


def _suppress(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.decision_commands import suppress

    return suppress(parsed)


def _models(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.models_command import models

    return models(parsed)


def _predict(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.predict_command import predict

    return predict(parsed)


def _tune(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.tune_command import tune

    return tune(parsed)


def _runs(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.runs_command import runs

    return runs(parsed)


def _erase(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.decision_commands import erase

    return erase(parsed)


def _data(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.data_command import data

    return data(parsed)


def _backup(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.backup_command import backup

    return backup(parsed)


def _restore(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.backup_command import restore

    return restore(parsed)


def _explain(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.explain_command import explain

    return explain(parsed)


def _dictionary(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.dictionary_command import dictionary

    return dictionary(parsed)


def _reference(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.reference_command import reference

    return reference(parsed)


def _config(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.config_command import config

    return config(parsed)


def _ui(parsed: argparse.Namespace) -> int:
    from segmentation_assets.cli.ui_command import ui

    return ui(parsed)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "init": _init,
    "run": _run,
    "status": _status,
    "report": _report,
    "promote": _promote,
    "rename": _rename,
    "suppress": _suppress,
    "erase": _erase,
    "models": _models,
    "predict": _predict,
    "tune": _tune,
    "data": _data,
    "backup": _backup,
    "restore": _restore,
    "runs": _runs,
    "explain": _explain,
    "dictionary": _dictionary,
    "reference": _reference,
    "config": _config,
    "ui": _ui,
}
