"""What follows a run: its record goes into the tables of the runs and, where that is wanted, to MLflow.

Nothing here makes a run fail. What could not be sent is kept, as the records are, and sent with the next run.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from segmentation_assets.config.settings import Settings
from segmentation_assets.config.tracking import MlflowSettings
from segmentation_assets.errors import plural
from segmentation_assets.monitoring.mlflow_tracking import TrackingError, send_runs
from segmentation_assets.monitoring.run_records import read_record
from segmentation_assets.monitoring.run_rows import rows_of_steps
from segmentation_assets.monitoring.run_tables import read_run_totals, refresh_run_tables
from segmentation_assets.storage.engine import EngineError
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import write_text_whole

_log = logging.getLogger("segmentation_assets.run_publication")

_FAILED = "failed_in"


def publish_run(settings: Settings, data_dir: Path, run_id: str) -> tuple[str, ...]:
    """Bring the tables of the runs up to date, and send MLflow what it has not yet.

    Parameters
    ----------
    settings : Settings
    data_dir : Path
    run_id : str
        The run that asks; after a failure it does not try again.

    Returns
    -------
    tuple of str
        What went wrong, in sentences; each is a warning in the log too.
    """
    try:
        refresh_run_tables(settings.engine, data_dir)
        if settings.tracking.mlflow.enabled:
            send_pending(settings, data_dir, asked_by=run_id)
    except (OSError, EngineError) as problem:
        return _warn(f"the tables of the runs could not be written: {problem}")
    except TrackingError as problem:
        return _warn(f"MLflow did not take the records, which are kept and sent with the next run: {problem}")
    return ()


def _warn(words: str) -> tuple[str, ...]:
    _log.warning("%s", words)
    return (words,)


def send_pending(settings: Settings, data_dir: Path, *, asked_by: str = "") -> int:
    """Send MLflow what runs have computed and it has not had.

    Parameters
    ----------
    settings : Settings
    data_dir : Path
    asked_by : str
        The run that asks. Then only runs are sent whose settings wanted it and that are not known to be there, and
        nothing is after a failure that the same run met with before. When left out, a person asks: all runs are sent,
        and MLflow is asked of each what it has.

    Returns
    -------
    int
        Models and clusterings sent.

    Raises
    ------
    TrackingError
        MLflow did not take them.
    """
    mlflow = settings.tracking.mlflow
    with TableStore(data_dir).lock("runs", "mlflow"):
        sent = _Sent(data_dir, mlflow)
        pending = [
            run["run_id"]
            for run in reversed(read_run_totals(settings.engine, data_dir))
            if run["computed_models"] > (sent.count(run["run_id"]) if asked_by else 0)
            and (run["is_for_mlflow"] or not asked_by)
        ]
        if not pending or (asked_by and sent.failed_in == asked_by):
            return 0
        records = {run_id: read_record(data_dir / "runs" / f"{run_id}.json") for run_id in pending}
        runs = {
            run_id: [row for row in rows_of_steps(record) if not row["was_kept"]]
            for run_id, record in records.items()
            if record is not None
        }
        try:
            count = send_runs(mlflow, runs, sent.note)
        except TrackingError:
            sent.note_failure(asked_by)
            raise
    _log.info("%s sent to MLflow at %s", plural(count, "model or clustering", "models and clusterings"),
              mlflow.shown_address)  # fmt: skip
    return count


class _Sent:
    """Which runs one experiment of one server has, as far as this data folder knows; MLflow itself is asked too."""

    def __init__(self, data_dir: Path, settings: MlflowSettings) -> None:
        target = hashlib.sha256(f"{settings.address} {settings.experiment}".encode()).hexdigest()[:16]
        self._path = data_dir / "runs" / "mlflow" / f"{target}.json"
        self._known = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            known = None
        return known if isinstance(known, dict) and isinstance(known.get("sent"), dict) else {"sent": {}}

    @property
    def failed_in(self) -> str:
        """The run that tried last and failed."""
        return str(self._known.get(_FAILED, ""))

    def count(self, run_id: str) -> int:
        """Return how many models and clusterings of a run are there."""
        return int(self._known["sent"].get(run_id, 0))

    def note(self, run_id: str, count: int) -> None:
        """Note that they are there."""
        self._known["sent"][run_id] = count
        self._known.pop(_FAILED, None)
        self._write()

    def note_failure(self, run_id: str) -> None:
        """Note that a run tried in vain."""
        self._known[_FAILED] = run_id
        self._write()

    def _write(self) -> None:
        write_text_whole(self._path, json.dumps(self._known, indent=1, sort_keys=True) + "\n")
