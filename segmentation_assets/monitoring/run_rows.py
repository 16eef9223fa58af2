"""The rows that a run record leads to, for the tables of the runs and for MLflow alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from segmentation_assets.monitoring.tracked_steps import data_hash, is_tracked, metrics_of, seed_of

Row = dict[str, Any]


def rows_of_steps(record: Mapping[str, Any]) -> list[Row]:
    """Return a row per model or clustering that a run made or kept.

    Parameters
    ----------
    record : mapping
        A run record as `monitoring.run_records.read_record` returns it.

    Returns
    -------
    list of dict
        Columns of ``runs/runs``; `parameters`, `metrics`, `inputs` and `packages` are mappings still.
    """
    tracked = [step for step in record["steps"] if is_tracked(step["key"])]
    rows = [_row_of_step(record, step) for step in tracked]
    return list({(row["asset_key"], row["month"]): row for row in rows}.values())


def _row_of_step(record: Mapping[str, Any], step: Mapping[str, Any]) -> Row:
    cost, figures, inputs, parameters = (
        step["cost"],
        step["metadata"],
        step.get("inputs", {}),
        step.get("parameters", {}),
    )
    return {
        "run_id": record["run_id"],
        "asset_key": step["key"],
        "month": step["partition"][:7],
        "started_at": record["started_at"],
        "made_at": step.get("ended_at") or None,
        "was_kept": step["kept"],
        "why_computed": "; ".join(step["reasons"]),
        "has_run_succeeded": record["succeeded"],
        "code_version": step.get("code_version") or None,
        "content_hash": step.get("content_hash") or None,
        "model_hash": figures.get("model_hash"),
        "data_hash": data_hash(inputs) if inputs else None,
        "seed": seed_of(parameters),
        "customer_count": step.get("customer_count"),
        "not_trained": figures.get("not_trained") or figures.get("not_due") or figures.get("not_measured"),
        "parameters": parameters,
        "metrics": metrics_of(figures),
        "inputs": inputs,
        "packages": _packages(record),
        **{name: cost[name] for name in ("cpu_seconds", "wall_seconds", "peak_megabytes")},
    }


def row_of_run(record: Mapping[str, Any]) -> Row:
    """Return the row of a run itself: columns of ``runs/run_totals`` but its stamp; mappings as they are."""
    cost, environment = record.get("cost") or {}, record.get("environment") or {}
    ended_at = record["ended_at"] or None
    return {
        "run_id": record["run_id"],
        "command": " ".join(record["command"]),
        "started_at": record["started_at"],
        "ended_at": ended_at,
        "duration_seconds": cost.get("wall_seconds") or _seconds_between(record["started_at"], ended_at),
        "has_succeeded": record["succeeded"],
        "error_count": len(record["errors"]),
        "computed_steps": record["computed_steps"],
        "kept_steps": record["kept_steps"],
        "computed_models": sum(not row["was_kept"] for row in rows_of_steps(record)),
        "cpu_seconds": cost.get("cpu_seconds"),
        "peak_megabytes": cost.get("peak_megabytes"),
        "git_commit": environment.get("git_commit"),
        "lock_sha256": environment.get("lock_sha256"),
        "packages": _packages(record),
        "settings": record["settings"],
        "is_for_mlflow": bool(record["settings"].get("tracking", {}).get("mlflow", {}).get("enabled")),
    }


def milliseconds(instant: str) -> int:
    """Return an instant in ISO 8601 as milliseconds since 1970.

    Examples
    --------
    >>> milliseconds("1970-01-01T00:00:02+00:00")
    2000
    """
    moment = datetime.fromisoformat(instant)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _seconds_between(start: str, end: str | None) -> float | None:
    return None if end is None else (milliseconds(end) - milliseconds(start)) / 1000


def _packages(record: Mapping[str, Any]) -> dict[str, str]:
    environment = record.get("environment") or {}
    found = dict(environment.get("packages") or {})
    return {"python": environment["python"], **found} if "python" in environment else found
