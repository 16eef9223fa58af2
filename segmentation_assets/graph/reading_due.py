"""When a Postgres server is read: once per interval, and whenever somebody asks; looking at the clock asks nobody."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from segmentation_assets.graph.platform import Platform
from segmentation_assets.ingestion.mapping import MADE_BY
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.storage.text_files import write_text_whole

DUE = "time since which a reading is due"
_ZERO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def reading_due(platform: Platform, now: dt.datetime | None = None) -> str:
    """Return the instant since which the tables are to be read; it equals the stored one while nothing is due.

    Parameters
    ----------
    platform : Platform
    now : datetime, optional
        With a time zone; by default the clock.

    Returns
    -------
    str
        In UTC: the begin of the current interval, the last request or the stored instant, whichever is latest.
    """
    now = now or dt.datetime.now(dt.UTC)
    interval = dt.timedelta(minutes=platform.settings.source.postgres.interval_minutes)
    begin = (now - (now - _ZERO) % interval).isoformat(timespec="microseconds")
    stored = platform.store.manifest(MADE_BY["postgres"], WHOLE)
    asked = _request_file(platform)
    return max(
        begin,
        stored.inputs.get(DUE, "") if stored else "",
        asked.read_text(encoding="utf-8") if asked.is_file() else "",
    )


def ask_for_reading(platform: Platform) -> None:
    """Have the server read anew by the next step that may, whatever the interval."""
    path = _request_file(platform)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(path, dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"))


def _request_file(platform: Platform) -> Path:
    return platform.data_dir / "postgres" / "asked.txt"
