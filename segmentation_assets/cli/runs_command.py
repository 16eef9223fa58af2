"""`segmentation runs`: list, show and compare recorded runs, and send them to MLflow."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.cli.side_by_side import side_by_side
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError, SettingsError, closest_hint, plural
from segmentation_assets.monitoring.differences import find_differences, flatten
from segmentation_assets.monitoring.mlflow_tracking import TrackingError, require_mlflow
from segmentation_assets.monitoring.run_publication import send_pending
from segmentation_assets.monitoring.run_records import read_record
from segmentation_assets.monitoring.run_rows import Row, row_of_run, rows_of_steps
from segmentation_assets.monitoring.run_tables import read_run_totals, refresh_run_tables

LATEST = "latest"
"""Names the newest run."""

_HASHES = ("content_hash", "model_hash", "data_hash", "code_version")
_COMPARED = ("seed", "customer_count", *_HASHES, "parameters", "metrics", "inputs")


def runs(parsed: argparse.Namespace) -> int:
    """Carry out ``segmentation runs list``, ``show``, ``compare`` or ``send``."""
    settings = load_from_arguments(parsed).settings
    refresh_run_tables(settings.engine, settings.data_dir)
    print(_ACTIONS[parsed.action](settings, parsed))
    return 0


def _list(settings: Settings, parsed: argparse.Namespace) -> str:
    totals = read_run_totals(settings.engine, settings.data_dir)
    if parsed.json:
        return json.dumps([_plain(run) for run in totals], indent=1)
    return "\n".join(map(_line, totals)) or "no run is recorded; 'segmentation run' makes the first."


def _plain(run: Row) -> Row:
    """Write instants as text."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in run.items()}


def _line(run: Row) -> str:
    outcome = "" if run["has_succeeded"] else "  failed"
    seconds = "" if run["duration_seconds"] is None else f"{run['duration_seconds']:,.1f} s"
    steps = f"{run['computed_steps']} computed, {run['kept_steps']} kept"
    return f"{run['run_id']:38}{run['started_at']:%Y-%m-%d %H:%M}{seconds:>12}  {steps}{outcome}"


def _show(settings: Settings, parsed: argparse.Namespace) -> str:
    record = _find(settings, parsed.run)
    run, steps = row_of_run(record), rows_of_steps(record)
    if parsed.json:
        plain = {**run, "errors": record["errors"], "steps": steps}
        return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
    told = {name: run[name] for name in ("run_id", "command", "started_at", "ended_at", "duration_seconds")}
    outcome = "succeeded" if run["has_succeeded"] else "; ".join(record["errors"]) or "failed"
    lines = [*_entries(told, ""), f"outcome: {outcome}", *_entries({"packages": run["packages"]}, "")]
    for step in steps:
        lines += ["", f"{step['asset_key']} {step['month']}: {_what(step)}", *_entries(_shown(step), "  ")]
    return "\n".join(lines)


def _what(step: Row) -> str:
    return "kept" if step["was_kept"] else f"computed in {step['wall_seconds']:.1f} s ({step['why_computed']})"


def _shown(step: Row) -> Row:
    return {name: step[name] for name in ("not_trained", *_COMPARED) if step[name] not in (None, {}, "")}


def _entries(values: Mapping[str, Any], indent: str) -> list[str]:
    return [f"{indent}{name}: {value}" for name, value in flatten(values).items()]


def _compare(settings: Settings, parsed: argparse.Namespace) -> str:
    """Put what differs between two runs side by side."""
    first, second = (_find(settings, text) for text in (parsed.run, parsed.other))
    found = find_differences(*_comparable(first, second))
    if parsed.json:
        plain = {"runs": [first["run_id"], second["run_id"]], "differing": found.differing, "alike": found.alike_count}
        return json.dumps(plain, indent=1, ensure_ascii=False)
    return side_by_side(first["run_id"], second["run_id"], found)


def _comparable(*records: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Describe runs entry by entry; of a step that not all of them have, only whether it was computed or kept."""
    steps = [{f"{row['asset_key']} {row['month']}": row for row in rows_of_steps(record)} for record in records]
    shared = set.intersection(*map(set, steps))
    return [
        {
            **{name: row_of_run(record)[name] for name in ("settings", "packages", "git_commit", "lock_sha256")},
            **{
                step: {name: row[name] for name in _COMPARED} if step in shared else _word(row)
                for step, row in rows.items()
            },
        }
        for record, rows in zip(records, steps, strict=True)
    ]


def _word(step: Row) -> str:
    return "kept" if step["was_kept"] else "computed"


def _find(settings: Settings, text: str) -> dict[str, Any]:
    """Read the record of the run that a text means.

    Raises
    ------
    DataError
        It means no recorded run, or several.
    """
    known = [run["run_id"] for run in read_run_totals(settings.engine, settings.data_dir)]
    found = known[:1] if text == LATEST else [run_id for run_id in known if run_id == text]
    found = found or [run_id for run_id in known if run_id.startswith(text)]
    if len(found) > 1:
        raise DataError(f"'{text}' means {len(found)} runs: {', '.join(found[:5])}", "give more characters of the id.")
    record = read_record(settings.data_dir / "runs" / f"{found[0]}.json") if found else None
    if record is None:
        raise DataError(f"'{text}' is no recorded run", closest_hint(text, known, "see segmentation runs list."))
    return record


def _send(settings: Settings, parsed: argparse.Namespace) -> str:
    mlflow = settings.tracking.mlflow
    if not mlflow.enabled:
        raise SettingsError("tracking.mlflow is not enabled", "set tracking.mlflow.enabled and tracking_uri.")
    require_mlflow(mlflow)
    try:
        count = send_pending(settings, settings.data_dir)
    except TrackingError as problem:
        raise DataError(
            f"MLflow did not take the records: {problem}", "they are kept; try again when it can be reached."
        ) from None
    models = plural(count, "model or clustering", "models and clusterings")
    return f"{models} sent to {mlflow.shown_address}; the others were there."


_ACTIONS: dict[str, Callable[[Settings, argparse.Namespace], str]] = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "send": _send,
}
