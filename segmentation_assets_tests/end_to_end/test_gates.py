"""Gates for continuous integration: exit codes of `segmentation status`, and the commands of the shipped workflow."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from segmentation_assets_tests.end_to_end.commands import (
    REPOSITORY,
    SETTINGS,
    Finished,
    finish,
    make_workplace,
    segmentation,
)

MODULES = {"dagster": "dagster", "segmentation": "segmentation_assets.cli"}


def gate(folder: Path, *options: str) -> Finished:
    return segmentation(folder, "status", "--exit-code", *options)


def test_gate_passes_while_everything_is_up_to_date_and_fails_when_something_is_not(workplace: Path) -> None:
    assert gate(workplace).code == 0
    (workplace / "segmentation.yaml").write_text(SETTINGS.replace("k_max: 4", "k_max: 5"), encoding="utf-8")
    failed = gate(workplace)
    assert failed.code == 1
    assert "clusters/kmeans" in failed.out
    assert segmentation(workplace, "status").code == 0, "without the option, status only tells"


def test_gate_of_a_month_leaves_later_months_out(workplace: Path) -> None:
    (workplace / "data" / "manifests" / "reports" / "dashboard" / "2025-08-01.json").unlink()
    assert gate(workplace, "--month", "2025-06").code == 0
    assert gate(workplace, "--month", "2025-08").code == 1
    assert gate(workplace).code == 1


def test_unknown_month_is_refused_with_the_known_ones(workplace: Path) -> None:
    refused = gate(workplace, "--month", "2030-01")
    assert refused.code == 1
    assert "2030-01 is not a snapshot month" in refused.err
    assert "2025-06 to 2025-08" in refused.err


def test_run_that_computed_something_fails_the_gate_until_one_computes_nothing(workplace: Path) -> None:
    assert gate(workplace, "--nothing-computed").code == 1
    assert segmentation(workplace, "run").code == 0
    assert gate(workplace, "--nothing-computed").code == 0


def test_gate_fails_where_nothing_has_been_made(tmp_path: Path) -> None:
    make_workplace(tmp_path)
    assert gate(tmp_path).code == 1


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    """Steps of the workflow's job that materialises, after the installation."""
    text = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["jobs"]["materialise"]["steps"]
    return [step for step in found if "run" in step and step["run"] != "make setup"]


def run_step(folder: Path, step: dict[str, Any]) -> Finished:
    """Run a step's command with this Python instead of the one in .venv."""
    command, *arguments = shlex.split(step["run"])
    return finish(folder, "-m", MODULES[Path(command).name], *arguments)


def test_workflow_passes_on_a_sound_checkout(steps: list[dict[str, Any]], tmp_path: Path) -> None:
    make_workplace(tmp_path)
    ended = [run_step(tmp_path, step) for step in steps]
    assert [found.code for found in ended] == [0, 0, 0], [found.err[-2000:] for found in ended]
    assert ", 0 stale, 0 missing" in ended[-1].out
    assert ": 0 steps computed, " in ended[-1].out


def test_workflow_fails_when_the_second_run_computes(steps: list[dict[str, Any]], tmp_path: Path) -> None:
    make_workplace(tmp_path)
    first, second, last = steps
    assert run_step(tmp_path, first).code == 0
    (tmp_path / "segmentation.yaml").write_text(SETTINGS.replace("k_max: 4", "k_max: 5"), encoding="utf-8")
    assert run_step(tmp_path, second).code == 0
    assert run_step(tmp_path, last).code == 1


def test_own_gate_runs_the_same_commands_as_the_workflow(steps: list[dict[str, Any]]) -> None:
    own = (REPOSITORY / ".ci" / "materialise_twice").read_text(encoding="utf-8")
    make, again, check = (step["run"] for step in steps)
    assert make == again
    assert make.replace("2025-06-01", '"$month-01"') in own
    assert check.replace("2025-06", '"$month"') in own
