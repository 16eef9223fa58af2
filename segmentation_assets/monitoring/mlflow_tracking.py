"""Sends the records of models and clusterings to MLflow: parameters, metrics, hashes, versions; no rows, no models.

The only module that imports MLflow, and only when there is something to send. What is sent when, and what happens when
it fails, is decided in ``run_publication.py``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.tracking import MlflowSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.monitoring.run_rows import Row, milliseconds

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MOST_AT_ONCE = 100
"""Parameters and tags that MLflow takes in one request."""

_LONGEST_VALUE = 5000
_NOT_IN_NAMES = re.compile(r"[^\w.\-/ ]")
_TAG = "segmentation."
_LONGEST_REASON = 200
_NEEDED = ("mlflow", "sqlalchemy", "alembic")


class TrackingError(Exception):
    """MLflow did not take the records; the text holds no secret."""


def require_mlflow(settings: MlflowSettings) -> None:
    """Stop before any work where MLflow is wanted and not installed; nothing is imported.

    Raises
    ------
    SettingsError
        A package of the extra is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None] if settings.enabled else []
    if missing:
        raise SettingsError(
            f"tracking.mlflow is enabled and needs the package {missing[0]}, which is not installed",
            "pip install 'segmentation-assets[mlflow]', or set tracking.mlflow.enabled: false.",
        )


def send_runs(settings: MlflowSettings, runs: Mapping[str, Sequence[Row]], on_sent: Callable[[str, int], None]) -> int:
    """Send what runs made, a run in MLflow for each row; what is there already is not sent again.

    Parameters
    ----------
    settings : MlflowSettings
    runs : mapping of str to sequence of dict
        Rows as `run_rows.rows_of_steps` returns them, by run.
    on_sent : callable
        Told of each run that MLflow has in full, with the number of its rows.

    Returns
    -------
    int
        Rows that were sent.

    Raises
    ------
    TrackingError
        The server or database cannot be reached, or refused something; what was told to `on_sent` is there.
    """
    sent = 0
    with _quiet(settings.timeout_seconds):
        try:
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError
        except ImportError as problem:
            raise TrackingError(f"MLflow cannot be imported: {problem}") from problem
        try:
            client = MlflowClient(tracking_uri=settings.address)
            experiment_id = _experiment_id(client, settings.experiment)
            for run_id, rows in runs.items():
                sent += _send_run(client, experiment_id, run_id, rows)
                on_sent(run_id, len(rows))
        except (MlflowException, SQLAlchemyError, OSError) as problem:
            raise TrackingError(f"{settings.shown_address}: {_reason(settings, problem)}") from None
    return sent


def _experiment_id(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _send_run(client: MlflowClient, experiment_id: str, run_id: str, rows: Sequence[Row]) -> int:
    """Send the rows of one run that MLflow does not have, and finish those of which it has a part."""
    there = {_own_name(run.data.tags): run for run in _runs_there(client, experiment_id, run_id)}
    sent = 0
    for row in rows:
        run = there.get((row["asset_key"], row["month"]))
        if run is not None and run.info.status == "FINISHED":
            continue
        run = run or client.create_run(
            experiment_id, start_time=_started(row), tags=_identity(row), run_name=f"{row['asset_key']} {row['month']}"
        )
        _log(client, run.info.run_id, row)
        client.set_terminated(run.info.run_id, "FINISHED", end_time=_ended(row))
        sent += 1
    return sent


def _runs_there(client: MlflowClient, experiment_id: str, run_id: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment_id], f"tags.`{_TAG}run_id` = '{run_id}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _own_name(tags: Mapping[str, str]) -> tuple[str, str]:
    return tags.get(f"{_TAG}asset_key", ""), tags.get(f"{_TAG}month", "")


def _identity(row: Row) -> dict[str, str]:
    return {f"{_TAG}{name}": row[name] for name in ("run_id", "asset_key", "month")}


def _log(client: MlflowClient, mlflow_run_id: str, row: Row) -> None:
    """Write parameters, metrics and tags, in portions that MLflow takes."""
    from mlflow.entities import Metric, Param, RunTag

    spent = {name: row[name] for name in ("cpu_seconds", "wall_seconds", "peak_megabytes", "customer_count")}
    metrics = {**row["metrics"], **{name: value for name, value in spent.items() if value is not None}}
    parameters = row["parameters"] | ({} if row["seed"] is None else {"seed": row["seed"]})
    entries: list[tuple[str, Any]] = [
        *(("metrics", Metric(_name(name), float(value), _ended(row), 0)) for name, value in metrics.items()),
        *(("params", Param(_name(name), _text(value))) for name, value in parameters.items()),
        *(("tags", RunTag(_name(name), _text(value))) for name, value in _tags(row).items()),
    ]
    for start in range(0, len(entries), _MOST_AT_ONCE):
        portion: dict[str, list[Any]] = {}
        for kind, entry in entries[start : start + _MOST_AT_ONCE]:
            portion.setdefault(kind, []).append(entry)
        client.log_batch(mlflow_run_id, **portion)


def _tags(row: Row) -> dict[str, Any]:
    """Hashes and versions."""
    names = ("model_hash", "content_hash", "data_hash", "code_version", "not_trained", "why_computed")
    return {
        **{f"{_TAG}{name}": row[name] for name in names if row[name]},
        **{f"{_TAG}input.{name}": value for name, value in row["inputs"].items()},
        **{f"{_TAG}version.{name}": value for name, value in row["packages"].items()},
    }


def _name(name: str) -> str:
    """Write a name as MLflow takes it."""
    return _NOT_IN_NAMES.sub(" ", name)


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _ended(row: Row) -> int:
    return milliseconds(row["made_at"] or row["started_at"])


def _started(row: Row) -> int:
    spent: float = row["wall_seconds"]
    return _ended(row) - round(1000 * spent)


def _reason(settings: MlflowSettings, problem: Exception) -> str:
    """Say what went wrong; where an address may hold a secret, only which kind of problem it was."""
    first = " ".join(str(problem).partition("\n")[0].split())[:_LONGEST_REASON]
    is_open = settings.address.startswith(("http", "sqlite")) and not {*"@?#"} & {*settings.address}
    return first if is_open else type(problem).__name__


@contextmanager
def _quiet(timeout_seconds: int) -> Iterator[None]:
    """Keep MLflow from telling its makers of its use, from setting up logging, and from trying for minutes."""
    wanted = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_CONFIGURE_LOGGING": "false",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(timeout_seconds),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
