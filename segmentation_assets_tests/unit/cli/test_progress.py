import json
import logging

import pytest

from segmentation_assets.cli.progress import JsonLines, Progress, close_log, open_log
from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.storage.manifest import CheckRecord, Manifest

PLATFORM = Platform(load_settings(profile="demo").settings)


class Outcome:
    """What a step reports."""

    def __init__(
        self,
        *,
        kept: bool,
        row_count: int,
        checks: tuple[CheckRecord, ...] = (),
        metadata: dict[str, int] | None = None,
    ) -> None:
        self.manifest = Manifest(
            "gold/x", "2025-06-01", "h", "1", {}, row_count=row_count, checks=checks, metadata=metadata or {}
        )
        self.kept = kept
        self.reasons = () if kept else ("raw/y changed",)
        self.cost = Cost(0.5, 1.25, 100.0)


@pytest.fixture
def log_file(tmp_path):
    handler = open_log(tmp_path, "run-1", "info")
    yield tmp_path / "logs" / "run-1.jsonl"
    close_log(handler)


def entries(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_log_line_is_one_json_object_with_its_own_fields():
    record = logging.LogRecord("a.b", logging.WARNING, "", 0, "took %s\nsecönds", (3,), None)
    record.fields = {"rows": 2}
    line = JsonLines().format(record)
    entry = json.loads(line)
    assert "\n" not in line
    assert {name: entry[name] for name in ("level", "logger", "message", "rows")} == {
        "level": "warning",
        "logger": "a.b",
        "message": "took 3\nsecönds",
        "rows": 2,
    }


def test_log_file_holds_lines_of_its_level_and_above(log_file):
    logger = logging.getLogger("segmentation_assets.example")
    logger.debug("no")
    logger.info("yes")
    assert [entry["message"] for entry in entries(log_file)] == ["yes"]


def test_exception_is_logged_with_its_trace(log_file):
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("segmentation_assets.example").exception("failed")
    (entry,) = entries(log_file)
    assert "ValueError: broken" in entry["exception"]


def test_step_is_told_remembered_and_logged(log_file, capsys):
    progress = Progress(PLATFORM)
    progress(Node(key="gold/x", description=""), "2025-06-01", Outcome(kept=False, row_count=1234))
    progress(Node(key="exports/y", description="", storage="files"), "all", Outcome(kept=True, row_count=2))
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("] ")[1].split() == ["gold/x", "2025-06", "made", "in", "1.2", "s", "1,234", "rows"]
    assert second.split("] ")[1].split() == ["exports/y", "kept", "2", "files"]
    assert [(step.key, step.partition, step.kept) for step in progress.steps] == [
        ("gold/x", "2025-06-01", False),
        ("exports/y", "all", True),
    ]
    assert entries(log_file)[0]["reasons"] == ["raw/y changed"]


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"quarantined_rows": 5, "redelivered_rows": 1105}, "568 rows, 5 set aside, 1,105 delivered again"),
        ({"quarantined_rows": 0, "redelivered_rows": 0}, "568 rows"),
    ],
)
def test_rows_set_aside_and_delivered_again_are_told_apart(metadata, told, capsys):
    outcome = Outcome(kept=True, row_count=568, metadata=metadata)
    Progress(PLATFORM)(Node(key="raw/order_lines", description=""), "all", outcome)
    assert capsys.readouterr().out.rstrip().endswith(f"kept            {told}")


@pytest.mark.parametrize("kept", [True, False])
def test_checks_that_warn_are_told_in_one_line_each_kept_or_not(kept, capsys):
    checks = (
        CheckRecord("contract", True, "As declared."),
        CheckRecord("fitted", False, "clusters/x: could not be fitted.\nHint: try again.", is_blocking=False),
        CheckRecord("coverage", True, "All of them.", is_blocking=False),
    )
    outcome = Outcome(kept=kept, row_count=3, checks=checks)
    Progress(PLATFORM)(Node(key="clusters/x", description=""), "2025-06-01", outcome)
    _, *warnings = capsys.readouterr().out.splitlines()
    assert [line.split("] ")[1] for line in warnings] == ["  warning: clusters/x: could not be fitted."]
