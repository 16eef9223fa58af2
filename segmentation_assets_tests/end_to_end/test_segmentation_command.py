"""`segmentation run` in processes of its own: once, twice, and with what a newcomer gets wrong."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets_tests.assets.stored import every_file_of
from segmentation_assets_tests.end_to_end.commands import (
    SEGMENTATION,
    contents_of,
    finish,
    make_workplace,
    said_by,
    segmentation,
    start,
)

MOST_CPU_SECONDS = 3.0

TELL_MODULES = """
import sys
from segmentation_assets.cli.main import main
code = main(sys.argv[1:])
print("imported:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def only(folder: Path, pattern: str) -> Path:
    """The one file that matches."""
    (path,) = folder.glob(pattern)
    return path


def test_second_run_says_within_seconds_that_all_is_up_to_date(workplace: Path) -> None:
    before = every_file_of(workplace / "data")

    ended = finish(workplace, "-c", TELL_MODULES, "run")

    assert (ended.code, ended.err) == (0, "")
    assert "everything is up to date; nothing was computed" in ended.out
    assert "Segments of 2025-08" in ended.out
    assert every_file_of(workplace / "data") == before
    assert len(before) > 100
    imported = set(ended.out.splitlines()[-1].split()[1:])
    assert imported & {"dagster", "dagster_duckdb", "pandas", "sklearn", "plotly"} == set()
    assert ended.cpu_seconds < MOST_CPU_SECONDS


def test_run_leaves_a_record_of_settings_steps_and_artifacts(finished_workplace: Path) -> None:
    data_dir = finished_workplace / "data"
    record = json.loads(only(data_dir / "runs", "*.json").read_text(encoding="utf-8"))
    assert record["succeeded"]
    assert (record["computed_steps"], record["kept_steps"]) == (len(record["steps"]), 0)
    assert {step["partition"] for step in record["steps"]} == {"all", "2025-06-01", "2025-07-01", "2025-08-01"}
    assert record["settings"]["synthetic"]["customers"] == 200
    assert "reports/2025-08/dashboard.html" in record["artifacts"]
    assert [path for path in record["artifacts"] if not (data_dir / path).is_file()] == []


def test_run_leaves_a_log_with_a_line_per_step(finished_workplace: Path) -> None:
    data_dir = finished_workplace / "data"
    record = json.loads(only(data_dir / "runs", "*.json").read_text(encoding="utf-8"))
    text = (data_dir / "logs" / f"{record['run_id']}.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    assert len([entry for entry in entries if "made in" in entry["message"]]) == record["computed_steps"]


def test_latest_leads_to_the_newest_month(finished_workplace: Path) -> None:
    for part in ("reports", "exports"):
        assert (finished_workplace / "data" / part / "latest").readlink() == Path("2025-08")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "--profile", "demos"), 1, "error: there is no profile 'demos'.\nHint: did you mean 'demo'?\n"),
        (("run", "--months", "none"), 2, "'none' is not a whole number above zero"),
        (("run", "--config", "other.yaml"), 1, "error: other.yaml: there is no such settings file"),
    ],
)
def test_mistake_ends_with_its_code_and_without_a_trace(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = segmentation(tmp_path, *arguments)
    assert ended.code == code
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_run_goes_on_when_nobody_reads_its_output_any_more(workplace: Path) -> None:
    changed = (workplace / "segmentation.yaml").read_text(encoding="utf-8") + "reports: {dashboard: {title: Ours}}\n"
    (workplace / "segmentation.yaml").write_text(changed, encoding="utf-8")
    with start(workplace, *SEGMENTATION, "run", "--month", "2025-08", "--only", "reports") as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (0, "")
    assert "Ours" in (workplace / "data" / "reports" / "2025-08" / "dashboard.html").read_text(encoding="utf-8")


def test_newest_months_come_with_those_they_build_on_and_have_the_bytes_of_a_whole_run(
    finished_workplace: Path, tmp_path: Path
) -> None:
    make_workplace(tmp_path)
    assert segmentation(tmp_path, "run", "--months", "1").code == 0
    assert contents_of(tmp_path / "data") == contents_of(finished_workplace / "data")


def test_interrupt_stops_with_one_sentence_and_a_record(tmp_path: Path) -> None:
    make_workplace(tmp_path)
    process = start(tmp_path, *SEGMENTATION, "run")
    for line in process.stdout:
        if "raw/customers" in line:
            break

    process.send_signal(signal.SIGINT)
    _, err = said_by(process)

    # Python ends itself by the signal when it came within a compilation; shells make 130 of that too
    assert process.returncode in {130, -signal.SIGINT}, err
    # an import that was interrupted may warn of its open file, as the tests have all warnings shown
    said = [line for line in err.splitlines() if "ResourceWarning" not in line]
    assert said == ["stopped; what was finished is stored, the rest is made by the next run."]
    with open_instance(tmp_path / "data") as instance:
        assert next(run.status.value for run in instance.get_runs()) == "CANCELED"
    record = json.loads(only(tmp_path / "data" / "runs", "*.json").read_text(encoding="utf-8"))
    assert (record["succeeded"], record["errors"]) == (False, ["stopped by the user"])
    assert list((tmp_path / "data" / "staging").iterdir()) == []
