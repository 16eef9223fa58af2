"""Progress lines, the log file and the collected steps of a run."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segmentation_assets.errors import plural
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.tracked import record_of_step
from segmentation_assets.monitoring.run_records import StepRecord
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.store import WHOLE

_log = logging.getLogger("segmentation_assets.run")


class JsonLines(logging.Formatter):
    """Formats a log record as one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def open_log(data_dir: Path, run_id: str, level: str) -> logging.Handler:
    """Send the package's log lines to ``logs/<run_id>.jsonl``; return the handler to close."""
    folder = data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / f"{run_id}.jsonl", encoding="utf-8")
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("segmentation_assets")
    logger.setLevel(level.upper())
    logger.propagate = False
    logger.addHandler(handler)
    return handler


def close_log(handler: logging.Handler) -> None:
    """Close the log file."""
    logging.getLogger("segmentation_assets").removeHandler(handler)
    handler.close()


def warnings_of(manifest: Manifest) -> tuple[str, ...]:
    """Return what the failed checks of a result say that did not stop it, without their hints."""
    failed = (check for check in manifest.checks if not check.passed and not check.is_blocking)
    return tuple(check.description.partition("\nHint: ")[0] for check in failed)


def _not_taken(manifest: Manifest) -> str:
    """Say how many delivered rows were set aside, and how many another file holds as well."""
    measures = {"quarantined_rows": "set aside", "redelivered_rows": "delivered again"}
    told = [f"{manifest.metadata[name]:,} {words}" for name, words in measures.items() if manifest.metadata.get(name)]
    return "".join(f", {part}" for part in told)


@dataclass
class Progress:
    """Observer of a run: prints a line per step and remembers what each did."""

    platform: Platform
    started: float = field(default_factory=time.perf_counter)
    steps: list[StepRecord] = field(default_factory=list)
    pruned: list[str] = field(default_factory=list)
    dagster_cpu_seconds: float = 0.0

    def __call__(self, node: Node, partition: str, outcome: Any) -> None:
        """Take note of a step that ended."""
        manifest = outcome.manifest
        self.steps.append(record_of_step(self.platform, node, partition, outcome))
        month = "" if partition == WHOLE else partition[:7]
        rows = plural(manifest.row_count, "file" if node.storage == "files" else "row")
        what = "kept" if outcome.kept else f"made in {outcome.cost.wall_seconds:.1f} s"
        self.say(f"{node.key:<28} {month:<8} {what:<15} {rows}{_not_taken(manifest)}")
        for warning in warnings_of(manifest):
            self.say(f"  warning: {warning}")
        _log.info("%s %s %s", node.key, partition, what, extra={"fields": {"reasons": outcome.reasons}})

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        elapsed = time.perf_counter() - self.started
        try:
            print(f"[{elapsed:6.1f} s] {text}".rstrip(), file=sys.stdout, flush=True)
        except BrokenPipeError:
            discard_output()


def discard_output() -> None:
    """Send what is still printed nowhere, because whoever read it has gone, as in ``segmentation run | head``."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
