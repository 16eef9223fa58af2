"""The Dagster instance of a data folder: SQLite storage, logs and artifacts under ``<data>/dagster``."""

import json
import os
from pathlib import Path

import dagster as dg

from segmentation_assets.errors import SettingsError
from segmentation_assets.storage.text_files import write_text_whole

_TEMPLATE = """# Written by segmentation_assets, which replaces changes; for settings of your own set DAGSTER_HOME.
run_storage:
  module: segmentation_assets.orchestration.sqlite_storage
  class: OpenRunStorage
  config:
    base_dir: {storage}
event_log_storage:
  module: segmentation_assets.orchestration.sqlite_storage
  class: OpenEventLogStorage
  config:
    base_dir: {storage}
schedule_storage:
  module: dagster._core.storage.schedules
  class: SqliteScheduleStorage
  config:
    base_dir: {storage}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: {artifacts}
{compute_logs}
concurrency:
  runs:
    max_concurrent_runs: 3
    tag_concurrency_limits:
      - key: dagster/partition
        value: {{applyLimitPerUniqueValue: true}}
        limit: 1
telemetry:
  enabled: false
nux:
  enabled: false
"""

_CAPTURED = """compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: {folder}"""

_NOT_CAPTURED = """compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager"""

_SERVED, _IN_PROCESS = "dagster.yaml", "in_process.yaml"
"""Settings of what Dagster starts itself, and of runs in a process whose output somebody sees: capturing it would take
processes of its own per run, between the run and the console."""

_PATTERN_SIGNS = ("*", "?", "[")


def instance_home(data_dir: Path) -> Path:
    """Return the folder that serves as DAGSTER_HOME of a data folder, with its dagster.yaml in place.

    Raises
    ------
    SettingsError
        Dagster would take the path for a pattern of file names, not find its settings and use its own.
    """
    root = data_dir.resolve() / "dagster"
    if any(sign in str(root) for sign in _PATTERN_SIGNS):
        raise SettingsError(
            f"data_dir {data_dir} has one of {' '.join(_PATTERN_SIGNS)} in its path, which Dagster cannot work in",
            "choose a data folder without these signs.",
        )
    home = root / "home"
    home.mkdir(parents=True, exist_ok=True)
    folders = {name: json.dumps(str(root / name)) for name in ("storage", "artifacts")}
    captured = _CAPTURED.format(folder=json.dumps(str(root / "compute_logs")))
    for name, compute_logs in ((_SERVED, captured), (_IN_PROCESS, _NOT_CAPTURED)):
        _write_if_other(home / name, _TEMPLATE.format(**folders, compute_logs=compute_logs))
    return home


def _write_if_other(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text_whole(path, text)


def open_instance(data_dir: Path) -> dg.DagsterInstance:
    """Open the instance of a data folder for runs in this process; a DAGSTER_HOME set from outside wins.

    Raises
    ------
    SettingsError
        Dagster cannot use DAGSTER_HOME.
    """
    home = os.environ.get("DAGSTER_HOME")
    if home:
        try:
            return dg.DagsterInstance.get()
        except dg.DagsterInvariantViolationError as problem:
            raise SettingsError(
                f"DAGSTER_HOME is {home}, which Dagster cannot use: {str(problem).strip().splitlines()[0]}",
                "set it to the absolute path of a folder that exists, with the dagster.yaml of this project in it, or "
                "leave it unset.",
            ) from problem
    return dg.DagsterInstance.from_config(str(instance_home(data_dir)), _IN_PROCESS)
