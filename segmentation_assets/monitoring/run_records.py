"""The record of one run: settings, what every step did, artifacts, versions."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform as machine
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import plural
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.monitoring.tracked_steps import is_tracked
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import write_text_whole

_log = logging.getLogger("segmentation_assets.run_records")

_NEEDED = frozenset(
    {
        "command",
        "computed_steps",
        "ended_at",
        "errors",
        "kept_steps",
        "run_id",
        "settings",
        "started_at",
        "steps",
        "succeeded",
    }
)
_COSTS = frozenset(entry.name for entry in fields(Cost))
_STEP_NEEDED = frozenset({"key", "partition", "kept", "reasons", "cost", "metadata", "files"})
"""What a record, and a step in it, has without which it cannot be used; the rest came later or is not always known."""

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
    """What one step did.

    Parameters
    ----------
    key, partition : str
        Asset, and month as YYYY-MM-01 or ``all``.
    kept : bool
        Whether the stored result was kept.
    reasons : tuple of str
        Why it was computed.
    row_count : int
    cost : Cost
    metadata : dict
        Figures of the result.
    files : tuple of str
    ended_at : str
        UTC in ISO 8601.
    code_version, content_hash : str
        Of the result.
    inputs : dict of str to str
        Of a model or a clustering, the content hash of every input slice; empty otherwise.
    parameters : dict
        Of a model or a clustering, the settings it was made with, by dotted path; empty otherwise.
    customer_count : int or None
        Of a model or a clustering, the customers it was made of.
    """

    key: str
    partition: str
    kept: bool
    reasons: tuple[str, ...]
    row_count: int
    cost: Cost
    metadata: dict[str, Any]
    files: tuple[str, ...]
    ended_at: str = ""
    code_version: str = ""
    content_hash: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    customer_count: int | None = None

    @classmethod
    def of(
        cls, key: str, partition: str, outcome: Any, parameters: dict[str, Any], customer_count: int | None = None
    ) -> StepRecord:
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
            ended_at=utc_now(),
            code_version=manifest.code_version,
            content_hash=manifest.content_hash,
            inputs=manifest.inputs if is_tracked(key) else {},
            parameters=parameters,
            customer_count=customer_count,
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
        before = read_record(path)
        if before is not None:
            document |= {name: before[name] for name in ("command", "started_at")}
            document |= {name: [*before[name], *document[name]] for name in ("steps", "errors")}
            document["succeeded"] = before["succeeded"] and document["succeeded"]
        _write(path, document | _totals(document["steps"]))
        _append_log(data_dir / "logs" / f"{run.run_id}.jsonl", run)


def newest_run(data_dir: Path) -> RunSummary | None:
    """Return the run of a data folder that was recorded last; ``None`` when there is none."""
    paths = sorted(record_paths(data_dir), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    document = next((found for found in map(read_record, paths) if found is not None), None)
    return RunSummary(**{entry.name: document[entry.name] for entry in fields(RunSummary)}) if document else None


def record_paths(data_dir: Path) -> list[Path]:
    """List the records of a data folder by name."""
    return sorted((data_dir / "runs").glob("*.json"))


def read_record(path: Path) -> dict[str, Any] | None:
    """Read a run's record; ``None`` where there is none.

    One that is damaged is set aside, with a warning that names it: it gets the ending ``.damaged``.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _check(document)
    except FileNotFoundError:
        return None
    except ValueError as problem:
        _set_aside(path, str(problem))
        return None
    return document


def _check(document: Any) -> None:
    """Raise a ValueError where a record lacks what it has to hold."""
    if not isinstance(document, dict):
        raise ValueError("it is no mapping")
    lacking = _NEEDED - set(document)
    steps = document.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ValueError("its steps are no mappings")
    lacking |= {f"steps.{name}" for step in steps for name in _STEP_NEEDED - set(step)}
    lacking |= {f"steps.cost.{name}" for step in steps for name in _COSTS - set(step.get("cost") or ())}
    if lacking:
        raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
    for name in ("started_at", "ended_at"):
        datetime.fromisoformat(document[name] or document["started_at"])


def _set_aside(path: Path, problem: str) -> None:
    """Put a damaged record out of the way."""
    target = path.with_name(f"{path.name}.damaged")
    _log.warning("%s is not a readable run record (%s); it is set aside as %s", path, problem, target.name)
    with suppress(FileNotFoundError):
        path.replace(target)


def utc_now() -> str:
    """Return this instant in UTC, in ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


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


def versions_in_use() -> dict[str, str]:
    """Versions of Python and of the packages that decide results, read once per process."""
    environment = describe_environment()
    return {"python": environment["python"], **environment["packages"]}


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
