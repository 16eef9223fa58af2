"""Measures one fresh run of the whole pipeline: CPU seconds, wall seconds and peak memory per stage.

    python benchmarks/pipeline.py --customers 5000
    python benchmarks/pipeline.py --config examples/online_retail.yaml --deliveries FOLDER

Every run is a process of its own in an empty data folder. The row `dagster` is what Dagster itself used: its import,
definitions, instance and events; `start-up and planning` is the rest outside the bodies of the steps.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path


def main() -> int:
    """Run the benchmark that the arguments name and print its table."""
    parser = argparse.ArgumentParser(description="Measure one fresh run of the whole pipeline.")
    parser.add_argument("--customers", type=int, default=5_000, help="customers of the synthetic shop")
    parser.add_argument("--config", type=Path, help="settings file of another source")
    parser.add_argument("--deliveries", type=Path, help="delivery folder of that source")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(parsed, Path(folder))
        command = [sys.executable, "-m", "segmentation_assets.cli", "run"]
        command += ["--config", str(parsed.config)] if parsed.config else ["--customers", str(parsed.customers)]
        started = time.perf_counter()
        finished = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        wall = time.perf_counter() - started
        if finished.returncode:
            print(finished.stdout, finished.stderr, file=sys.stderr)
            return finished.returncode
        _print_table(Path(folder), wall)
    return 0


def _environment(parsed: argparse.Namespace, folder: Path) -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("SEGMENTATION", "DAGSTER"))
    }
    environment["SEGMENTATION_DATA_DIR"] = str(folder)
    if parsed.deliveries:
        environment["SEGMENTATION__SOURCE__FOLDER"] = str(parsed.deliveries.resolve())
    return environment


def _print_table(folder: Path, wall: float) -> None:
    (record_path,) = (folder / "runs").glob("*.json")
    record = json.loads(record_path.read_text())
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime
    stages: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for step in record["steps"]:
        stage = stages[step["key"]]
        stage[0] += 1
        stage[1] += step["cost"]["cpu_seconds"]
        stage[2] += step["cost"]["wall_seconds"]
        stage[3] = max(stage[3], step["cost"]["peak_megabytes"] or 0)
    rows = sum(step["row_count"] or 0 for step in record["steps"] if step["key"] == "raw/order_lines")
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, {rows:,} order lines"
    )
    print(f"{'stage':<30}{'steps':>6}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}")
    for key, (count, stage_cpu, stage_wall, peak) in stages.items():
        print(f"{key:<30}{count:>6}{stage_cpu:>9.2f}{stage_wall:>9.2f}{peak:>9.0f}")
    inside_cpu, inside_wall = (sum(stage[i] for stage in stages.values()) for i in (1, 2))
    dagster = record["dagster_cpu_seconds"]
    print(f"{'dagster':<30}{len(record['steps']):>6}{dagster:>9.2f}")
    print(f"{'start-up and planning':<30}{'':>6}{cpu - inside_cpu - dagster:>9.2f}")
    print(f"{'outside the steps':<30}{'':>6}{cpu - inside_cpu:>9.2f}{wall - inside_wall:>9.2f}")
    # A step begins with a new peak, which the system then takes for that of the process.
    highest = max(usage.ru_maxrss / 1024, *(stage[3] for stage in stages.values()))
    print(f"{'whole process':<30}{'':>6}{cpu:>9.2f}{wall:>9.2f}{highest:>9.0f}")


if __name__ == "__main__":
    sys.exit(main())
