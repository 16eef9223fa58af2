"""Measures what Dagster itself costs: once per run, per computed step, per result told anew; and an idle run.

    python benchmarks/orchestration.py
    python benchmarks/orchestration.py --customers 15000 --months 24
    python benchmarks/orchestration.py --most-ms-per-step 50 --most-idle-seconds 2

The limit per step holds for a machine that does a fixed piece of Python work in one CPU second. On a slower one, or in
a slow hour of a shared one, it grows in proportion, which is printed.

Every run is a process of its own on one temporary data folder: the first computes everything, the second finds the
event log gone and tells a new one of every result, the others have nothing to do. Dagster's own CPU time is that of its
run without the bodies of the steps; what it costs once per run is measured apart and taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.storage.store import TableStore

LAST_MONTH = "2025-08"

ONCE_PER_RUN = """
import json, time
started = time.process_time()
import segmentation_assets.config.loading as loading
from segmentation_assets.storage import store
settings = loading.load_settings_from_environment().settings
before = time.process_time()
import segmentation_assets.orchestration.runner
from segmentation_assets.orchestration.pipeline import build_pipeline
from segmentation_assets.orchestration.instance import open_instance
imported = time.process_time()
list(build_pipeline(settings, observer=lambda *_: None).get_repository_def().get_all_jobs())
built = time.process_time()
with open_instance(settings.data_dir):
    opened = time.process_time()
print(json.dumps({"imports": imported - before, "definitions": built - imported, "instance": opened - built}))
"""

WORK_ROUNDS = 5_000
"""Chosen where a step took 72 ms and this work 2.2 s, so that a limit of 50 ms leaves half as much again."""


def main() -> int:
    """Run the benchmark; exit code 1 when a limit was given and is exceeded."""
    parsed = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(parsed, Path(folder) / "data")
        apart = {**environment, "SEGMENTATION_DATA_DIR": str(Path(folder) / "apart")}
        once = json.loads(_python(apart, "-c", ONCE_PER_RUN))
        computed = _run(environment, Path(folder) / "data")
        shutil.rmtree(Path(folder) / "data" / "dagster")
        told = _run(environment, Path(folder) / "data")
        reference = min(_reference_seconds() for _ in range(2))
        idle = min(_idle_seconds(environment) for _ in range(3))
        checks = _check_count(Path(folder) / "data", computed)
    if told["steps"]:
        sys.exit(f"{len(told['steps'])} steps ran although only the event log was gone")
    steps = len(computed["steps"])
    per_step = _milliseconds(computed, once) / steps
    _print_results(parsed, once, computed, per_step, _milliseconds(told, once) / steps, idle, checks)
    slowness = max(1.0, reference)
    print(f"reference work took {reference:.2f} CPU seconds: the limit per step holds {slowness:.2f} times")
    return int(per_step > slowness * parsed.most_ms_per_step or idle > parsed.most_idle_seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what Dagster itself costs, and a run with nothing to do.")
    parser.add_argument("--customers", type=int, default=1_500, help="customers of the synthetic shop")
    parser.add_argument(
        "--months", type=int, default=3, help="snapshot months, each with a year of order lines or more"
    )
    parser.add_argument("--most-ms-per-step", type=float, default=float("inf"), help="limit per computed step")
    parser.add_argument("--most-idle-seconds", type=float, default=float("inf"), help="limit of a run without work")
    return parser.parse_args()


def _environment(parsed: argparse.Namespace, data_dir: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SEGMENTATION", "DAGSTER"))}
    first_snapshot = shift_month(f"{LAST_MONTH}-01", 1 - parsed.months)
    return {
        **inherited,
        "SEGMENTATION_DATA_DIR": str(data_dir),
        "SEGMENTATION_PROFILE": "default",
        "SEGMENTATION__SYNTHETIC__CUSTOMERS": str(parsed.customers),
        "SEGMENTATION__SYNTHETIC__FIRST_MONTH": shift_month(f"{first_snapshot}-01", -12),
        "SEGMENTATION__SYNTHETIC__MONTHS": str(parsed.months + 12),
        "SEGMENTATION__CALENDAR__FIRST_SNAPSHOT": first_snapshot,
        "SEGMENTATION__CALENDAR__LAST_MONTH": LAST_MONTH,
    }


def _python(environment: dict[str, str], *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments], env=environment, check=False, capture_output=True, text=True
    )
    if finished.returncode:
        sys.exit(f"{' '.join(arguments)[:200]} failed:\n{finished.stdout}{finished.stderr}")
    return finished.stdout


def _reference_seconds() -> float:
    """CPU seconds of a fixed piece of Python work."""
    record = {f"key {number}": [number, str(number), {"a": number / 3}] for number in range(100)}
    started = time.process_time()
    total = 0
    for _ in range(WORK_ROUNDS):
        total += json.loads(json.dumps(record, sort_keys=True)) == record
        total += sum(len(text) for text in sorted(map(repr, record.items())))
    return time.process_time() - started


def _run(environment: dict[str, str], data_dir: Path) -> dict[str, Any]:
    """Run the pipeline and return the record of the run."""
    known = set((data_dir / "runs").glob("*.json"))
    _python(environment, "-m", "segmentation_assets.cli", "run")
    (path,) = set((data_dir / "runs").glob("*.json")) - known
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _idle_seconds(environment: dict[str, str]) -> float:
    """CPU seconds of a run that has nothing to do, in user and system mode, from the start of Python to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = _python(environment, "-m", "segmentation_assets.cli", "run")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if "nothing was computed" not in printed:
        sys.exit(f"a run with everything up to date computed something:\n{printed}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _check_count(data_dir: Path, record: dict[str, Any]) -> int:
    """Check results that the steps of a run reported."""
    manifests = (TableStore(data_dir).manifest(step["key"], step["partition"]) for step in record["steps"])
    return sum(len(manifest.checks) for manifest in manifests if manifest)


def _milliseconds(record: dict[str, Any], once: dict[str, float]) -> float:
    """CPU milliseconds of Dagster itself in a run, without what it costs once per run."""
    return 1000 * (record["dagster_cpu_seconds"] - sum(once.values()))


def _print_results(
    parsed: argparse.Namespace,
    once: dict[str, float],
    computed: dict[str, Any],
    per_step: float,
    per_result: float,
    idle: float,
    checks: int,
) -> None:
    rows = sum(step["row_count"] or 0 for step in computed["steps"] if step["key"] == "raw/order_lines")
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{parsed.customers:,} customers, {rows:,} order lines, {parsed.months} snapshot months")
    print(f"{len(computed['steps'])} steps, {checks} checks; {computed['kept_steps']} of them kept")
    print("\nCPU seconds of Dagster once per run")
    for name, seconds in once.items():
        print(f"  {name:<28}{seconds:>8.2f}")
    print("CPU milliseconds of Dagster")
    print(f"  {'per computed step':<28}{per_step:>8.1f}")
    print(f"  {'per result told anew':<28}{per_result:>8.1f}")
    print("CPU seconds of a whole run")
    print(f"  {'everything to compute':<28}{computed['cost']['cpu_seconds']:>8.2f}")
    print(f"  {'nothing to do':<28}{idle:>8.2f}")


if __name__ == "__main__":
    sys.exit(main())
