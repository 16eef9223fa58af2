"""Commands as a user types them, each in a process of its own, in a folder without DAGSTER_HOME."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets_tests.assets.stored import paths_of

REPOSITORY = Path(__file__).resolve().parents[2]

SEGMENTATION = ("-m", "segmentation_assets.cli")

SETTINGS = """\
calendar:
  first_snapshot: 2025-06
  last_month: 2025-08
synthetic:
  customers: 200
  first_month: 2024-12
  months: 9
clustering:
  refit_every_months: 1
  evaluation: {resamples: 4, reference_draws: 2}
  algorithms:
    kmeans: {k_max: 4, n_init: 2}
"""
SETTINGS += "".join(f"    {name}: {{enabled: false}}\n" for name in ALGORITHMS if name != "kmeans")


PATIENCE_SECONDS = 1200
"""Longest wait for anything that must happen: long enough for a loaded machine, so that what ends a wait is a fault."""

WARNINGS = "default,ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"
"""All are shown, but that of Dagster 1.13 on Python 3.12 and later, as in pyproject.toml."""


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str
    cpu_seconds: float


def environment() -> dict[str, str]:
    """The environment of a command: this one without settings, and the checkout on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEGMENTATION_", "DAGSTER_"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": WARNINGS}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Python with the arguments in a folder; the process leads a group of its own."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def said_by(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait until a process has ended and return what it printed; end its group when it does not come to an end."""
    try:
        return process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise


def finish(folder: Path, *arguments: str) -> Finished:
    """Run Python with the arguments in a folder to its end."""
    before = os.times()
    process = start(folder, *arguments)
    out, err = said_by(process)
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return Finished(process.returncode, out, err, used)


def segmentation(folder: Path, *arguments: str) -> Finished:
    """Run the `segmentation` command."""
    return finish(folder, *SEGMENTATION, *arguments)


def materialize(folder: Path, month: str) -> Finished:
    """Materialise everything for one month, as the README says."""
    selected = ("-m", "segmentation_assets.definitions", "--select", "*", "--partition", month)
    return finish(folder, "-m", "dagster", "asset", "materialize", *selected)


def make_workplace(folder: Path) -> None:
    """Put the settings of a small shop and the Dagster files of the repository into a folder."""
    (folder / "segmentation.yaml").write_text(SETTINGS, encoding="utf-8")
    for name in ("dagster.yaml", "workspace.yaml"):
        (folder / name).write_bytes((REPOSITORY / name).read_bytes())


def contents_of(data_dir: Path) -> dict[str, str]:
    """SHA-256 of every table, model, report and export in force; the database's pages differ from run to run."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths_of(data_dir)
        if (name := str(path.relative_to(data_dir))).startswith(("tables/", "models/", "reports/", "exports/"))
    }
