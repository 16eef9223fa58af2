"""`segmentation ui` becomes `dagster dev` on the same settings and the same event log."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml

from segmentation_assets.cli.main import main
from segmentation_assets.orchestration.instance import instance_home


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Arguments and environment of the process that takes over."""
    found: list[tuple[list[str], dict[str, str]]] = []

    def take_over(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        assert program == sys.executable
        found.append((arguments[1:], environment))
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", take_over)
    return found


def test_dagster_gets_port_settings_and_home(started, tmp_path: Path, capsys) -> None:
    (tmp_path / "own.yaml").write_text("data_dir: elsewhere\n")
    with pytest.raises(SystemExit):
        main(["ui", "--profile", "demo", "--config", "own.yaml", "--port", "3456"])
    ((arguments, environment),) = started
    assert arguments == [
        "-m",
        "dagster",
        "dev",
        "-m",
        "segmentation_assets.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        "3456",
    ]
    assert {name: value for name, value in environment.items() if name.startswith(("SEGMENTATION", "DAGSTER"))} == {
        "SEGMENTATION_CONFIG": str(tmp_path / "own.yaml"),
        "SEGMENTATION_DATA_DIR": str(tmp_path / "elsewhere"),
        "SEGMENTATION_PROFILE": "demo",
        "DAGSTER_HOME": str(tmp_path / "elsewhere" / "dagster" / "home"),
    }
    assert "http://127.0.0.1:3456" in capsys.readouterr().out


def test_home_from_the_environment_wins(started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(SystemExit):
        main(["ui", "--profile", "demo"])
    assert started[0][1]["DAGSTER_HOME"] == str(tmp_path)


def test_home_keeps_everything_in_the_data_folder_and_tells_nobody(tmp_path: Path) -> None:
    home = instance_home(tmp_path / "da'ta #1")
    described = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    root = tmp_path / "da'ta #1" / "dagster"
    for part in ("run_storage", "event_log_storage", "schedule_storage"):
        assert described[part]["config"]["base_dir"] == str(root / "storage")
    assert described["local_artifact_storage"]["config"]["base_dir"] == str(root / "artifacts")
    assert described["compute_logs"]["config"]["base_dir"] == str(root / "compute_logs")
    assert (described["telemetry"], described["nux"]) == ({"enabled": False}, {"enabled": False})
