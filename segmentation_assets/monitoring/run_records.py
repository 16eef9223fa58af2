"""The record of one run: settings, what every step did, artifacts, versions."""

from __future__ import annotations

import hashlib
import json
import os
import platform as machine
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from segmentation_assets.config.settings import Settings
from segmentation_assets.monitoring.cost import Cost

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


@dataclass(frozen=True)
class RunRecord:
    """One run from start to end; times are UTC in ISO 8601."""

    run_id: str
    command: tuple[str, ...]
    started_at: str
    ended_at: str = ""
    succeeded: bool = False
    errors: tuple[str, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    cost: Cost | None = None


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
    folder = data_dir / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        **asdict(record),
        "computed_steps": sum(not step.kept for step in record.steps),
        "kept_steps": sum(step.kept for step in record.steps),
        "artifacts": sorted({path for step in record.steps for path in step.files if not path.startswith("tables/")}),
        "settings": settings.model_dump(mode="json"),
        "environment": describe_environment(),
    }
    path = folder / f"{record.run_id}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")
    os.replace(temporary, path)
    return path


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
