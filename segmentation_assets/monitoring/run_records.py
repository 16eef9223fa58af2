"""The record of one run: settings, what every step did, artifacts, versions."""

from __future__ import annotations

import hashlib
import json
import os
import platform as machine
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import plural
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import write_text_whole

_PACKAGES = (
    "segmentation-assets",
    "dagster",
    "dagster-duckdb",
    "duckdb",
    "numpy",
    "openpyxl",
    "pandas",
    "plotly",
    "scikit-learn",
    "scipy",
    "skops",
)


@dataclass(frozen=True)
class StepRecord:
    """What one step did: asset, partition, whether it was kept, why it was computed, rows and cost."""

    key: str
    partition: str
    kept: bool
    reasons: tuple[str, ...]
    row_count: int
    cost: Cost
    metadata: dict[str, Any]
    files: tuple[str, ...]

    @classmethod
    def of(cls, key: str, partition: str, outcome: Any) -> StepRecord:
        """Take down what became of a step."""
        manifest = outcome.manifest
        return cls(
            key=key,
            partition=partition,
            kept=outcome.kept,
            reasons=outcome.reasons,
            row_count=manifest.row_count,
            cost=outcome.cost,
            metadata=manifest.metadata,
            files=tuple(file.path for file in manifest.files),
        )


@dataclass(frozen=True)
class RunSummary:
    """How a run ended and how much it had to do."""

    run_id: str
    ended_at: str
    succeeded: bool
    computed_steps: int
    kept_steps: int

    def in_words(self) -> str:
        """Say it in a line."""
        how = "" if self.succeeded else ", failed"
        steps = plural(self.computed_steps, "step")
        return f"{self.ended_at}{how}: {steps} computed, {self.kept_steps} kept ({self.run_id})"


@dataclass(frozen=True)
class RunRecord:
    """One run from start to end; times are UTC in ISO 8601.

    `pruned` says in words what the retention settings let go at its end. `dagster_cpu_seconds` is what Dagster itself
    used: import, definitions, instance and events; ``None`` where it was not measured.
    """

    run_id: str
    command: tuple[str, ...]
    started_at: str
    ended_at: str = ""
    succeeded: bool = False
    errors: tuple[str, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    pruned: tuple[str, ...] = ()
    cost: Cost | None = None
    dagster_cpu_seconds: float | None = None


def write_run_record(record: RunRecord, settings: Settings, data_dir: Path) -> Path:
    """Write ``runs/<run_id>.json`` below the data folder, whole or not at all.

    Parameters
    ----------
    record : RunRecord
    settings : Settings
        The settings in force, written in full.
    data_dir : Path

    Returns
    -------
    Path
        The file written.
    """
    path = data_dir / "runs" / f"{record.run_id}.json"
    _write(path, _document(record, settings))
    return path


def add_to_run_record(run: RunRecord, settings: Settings, data_dir: Path) -> None:
    """Add the steps and errors of `run` to the record of that id, and a line for each to its log.

    For runs that no single process oversees, such as those that Dagster starts; the first call makes the record.

    Parameters
    ----------
    run : RunRecord
        What has ended since the last call.
    settings : Settings
    data_dir : Path
    """
    path = data_dir / "runs" / f"{run.run_id}.json"
    with TableStore(data_dir).lock("runs", "all"):
        document = _document(run, settings)
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            document |= {name: before[name] for name in ("command", "started_at")}
            document |= {name: [*before[name], *document[name]] for name in ("steps", "errors")}
            document["succeeded"] = before["succeeded"] and document["succeeded"]
        _write(path, document | _totals(document["steps"]))
        _append_log(data_dir / "logs" / f"{run.run_id}.jsonl", run)


def newest_run(data_dir: Path) -> RunSummary | None:
    """Return the run of a data folder that was recorded last; ``None`` when there is none."""
    records = sorted((data_dir / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    if not records:
        return None
    document = json.loads(records[-1].read_text(encoding="utf-8"))
    return RunSummary(**{field.name: document[field.name] for field in fields(RunSummary)})


def _document(record: RunRecord, settings: Settings) -> dict[str, Any]:
    plain = asdict(record)
    return {
        **plain,
        **_totals(plain["steps"]),
        "settings": settings.model_dump(mode="json"),
        "environment": describe_environment(),
    }


def _totals(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count computed and kept steps, and list the files for people."""
    return {
        "computed_steps": sum(not step["kept"] for step in steps),
        "kept_steps": sum(step["kept"] for step in steps),
        "artifacts": sorted({path for step in steps for path in step["files"] if not path.startswith("tables/")}),
    }


def _write(path: Path, document: dict[str, Any]) -> None:
    write_text_whole(path, json.dumps(document, indent=1, sort_keys=True, default=str) + "\n")


def _append_log(path: Path, run: RunRecord) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {"level": "info", "message": f"{step.key} {step.partition} {'kept' if step.kept else 'computed'}",
         "reasons": step.reasons}
        for step in run.steps
    ]  # fmt: skip
    lines += [{"level": "error", "message": error} for error in run.errors]
    with path.open("a", encoding="utf-8") as stream:
        for line in lines:
            stream.write(json.dumps({"at": run.ended_at, **line}, ensure_ascii=False) + "\n")


@cache
def describe_environment() -> dict[str, Any]:
    """Describe Python, machine, package versions, lock file and commit."""
    root = Path(__file__).resolve().parents[2]
    lock = root / "requirements.lock"
    return {
        "python": machine.python_version(),
        "platform": machine.platform(),
        "processor_count": os.cpu_count(),
        "packages": package_versions(),
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        "git_commit": _git_commit(root),
    }


def package_versions(names: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of the packages that decide results; those not installed are left out."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git_commit(root: Path) -> str | None:
    """Commit of the checkout the package runs from; ``None`` outside a checkout."""
    if not (root / ".git").exists():
        return None
    asked = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
    )
    return asked.stdout.strip() or None
