"""Runs in separate processes at once on one data folder, and the executor with a process per step."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from segmentation_assets_tests.end_to_end.commands import (
    SEGMENTATION,
    SETTINGS,
    contents_of,
    make_workplace,
    materialize,
    said_by,
    segmentation,
    start,
)

MATERIALIZE = ("-m", "dagster", "asset", "materialize", "-m", "segmentation_assets.definitions", "--select", "*")


def computed(folder: Path, known: set[Path]) -> Counter[tuple[str, str]]:
    """Count what new runs computed, by their records."""
    records = [json.loads(path.read_text()) for path in (folder / "data" / "runs").glob("*.json") if path not in known]
    steps = [step for record in records for step in record["steps"] if not step["kept"]]
    return Counter((step["key"], step["partition"]) for step in steps)


def run_at_once(*commands: tuple[Path, tuple[str, ...]]) -> list[str]:
    """Start commands, each in its folder, at once, and return what each printed when it has ended well."""
    started = [start(folder, *command) for folder, command in commands]
    said = [said_by(process) for process in started]
    assert [process.returncode for process in started] == [0] * len(started), said
    return ["".join(texts) for texts in said]


@pytest.fixture
def changed(workplace: Path) -> Path:
    """A finished folder in which another setting makes the clusterings of all months stale."""
    (workplace / "segmentation.yaml").write_text(SETTINGS.replace("k_max: 4", "k_max: 5"), encoding="utf-8")
    return workplace


@pytest.fixture(scope="module")
def undisturbed(finished_workplace: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the changed setting leads to when nothing else runs."""
    folder = Path(shutil.copytree(finished_workplace, tmp_path_factory.mktemp("alone") / "w", symlinks=True))
    (folder / "segmentation.yaml").write_text(SETTINGS.replace("k_max: 4", "k_max: 5"), encoding="utf-8")
    assert segmentation(folder, "run").code == 0
    return contents_of(folder / "data")


def test_same_month_twice_at_once_is_computed_once(changed: Path, undisturbed: dict[str, str]) -> None:
    known = set((changed / "data" / "runs").glob("*.json"))
    june = (*MATERIALIZE, "--partition", "2025-06-01")
    run_at_once((changed, june), (changed, june))
    counted = computed(changed, known)
    assert counted["clusters/kmeans", "2025-06-01"] == 1
    assert set(counted.values()) == {1}
    assert segmentation(changed, "run").code == 0
    assert contents_of(changed / "data") == undisturbed


def test_dependent_months_at_once_both_succeed(changed: Path, undisturbed: dict[str, str]) -> None:
    june, july = ((*MATERIALIZE, "--partition", month) for month in ("2025-06-01", "2025-07-01"))
    said, _ = run_at_once((changed, june), (changed, july))
    assert "builds on" not in said
    assert segmentation(changed, "run").code == 0
    assert contents_of(changed / "data") == undisturbed


def test_dependent_months_at_once_both_succeed_without_a_common_dagster_storage(
    changed: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    make_workplace(elsewhere)
    settings = (changed / "segmentation.yaml").read_text(encoding="utf-8")
    (elsewhere / "segmentation.yaml").write_text(f"data_dir: {changed / 'data'}\n{settings}", encoding="utf-8")
    june, july = ((*MATERIALIZE, "--partition", month) for month in ("2025-06-01", "2025-07-01"))
    known = set((changed / "data" / "runs").glob("*.json"))
    run_at_once((changed, june), (elsewhere, july))
    first, second = (json.loads(path.read_text()) for path in set((changed / "data" / "runs").glob("*.json")) - known)
    assert max(first["started_at"], second["started_at"]) < min(first["ended_at"], second["ended_at"]), "not at once"
    assert (elsewhere / "data" / "dagster").is_dir()
    assert segmentation(changed, "run").code == 0
    assert contents_of(changed / "data") == undisturbed


def test_two_commands_run_at_once_leave_one_right_result(changed: Path, undisturbed: dict[str, str]) -> None:
    known = set((changed / "data" / "runs").glob("*.json"))
    run_at_once((changed, (*SEGMENTATION, "run")), (changed, (*SEGMENTATION, "run")))
    counted = computed(changed, known)
    assert counted.pop(("serving/warehouse", "all")) <= 2
    assert set(counted.values()) == {1}
    assert contents_of(changed / "data") == undisturbed


def test_process_per_step_gives_equal_bytes(finished_workplace: Path, tmp_path: Path) -> None:
    make_workplace(tmp_path)
    text = f"{SETTINGS}execution:\n  executor: multiprocess\n"
    (tmp_path / "segmentation.yaml").write_text(text, encoding="utf-8")
    ended = materialize(tmp_path, "2025-06-01")
    assert ended.code == 0, ended.err[-3000:]
    assert ended.cpu_seconds > 40, "each step starts Python, which takes its time"
    assert {name: hash_ for name, hash_ in contents_of(finished_workplace / "data").items() if _is_june(name)} == {
        name: hash_ for name, hash_ in contents_of(tmp_path / "data").items() if _is_june(name)
    }


def _is_june(name: str) -> bool:
    return "2025-06" in name
