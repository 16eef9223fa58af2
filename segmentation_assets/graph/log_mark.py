"""Whether Dagster's event log knows of everything that is stored in the data folder, told without asking Dagster."""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from contextlib import suppress
from pathlib import Path

from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import known_months
from segmentation_assets.storage.text_files import write_text_whole

_log = logging.getLogger("segmentation_assets")


def is_log_behind(platform: Platform) -> bool:
    """Whether something was stored or attempted since the log was told, or the log is gone."""
    mark = stored_mark(platform)
    return bool(mark) and _read(_mark_file(platform)) != mark


def note_told(platform: Platform, mark: str) -> None:
    """Note that the log knows what was stored when the mark was taken; where that fails it is told once more."""
    path = _mark_file(platform)
    try:
        write_text_whole(path, mark)
    except OSError as problem:
        _log.warning("%s cannot be written: %s", path, problem.strerror)


def note_attempt(platform: Platform) -> None:
    """Note that something is being computed or has failed: a log may show as failed what is stored and still holds."""
    with suppress(OSError):
        write_text_whole(_attempt_file(platform), uuid.uuid4().hex)


def _attempt_file(platform: Platform) -> Path:
    return platform.event_log_folder.parent / "last_attempt"


def _mark_file(platform: Platform) -> Path:
    """A file beside the log, so that it goes when the log goes; shops that share a log share it too."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() / "segmentation_told_of" if home else platform.event_log_folder / "told_of"


def _shop(platform: Platform) -> str:
    """Tell shops that share a log apart; a data folder that keeps its log may be moved with it."""
    return str(platform.data_dir.resolve()) if os.environ.get("DAGSTER_HOME") else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def stored_mark(platform: Platform) -> str:
    """Name all that is stored, what it is judged by, and the last attempt; empty when nothing is stored."""
    months = known_months(platform)
    found = (
        platform.store.manifest(node.key, partition)
        for node in platform.graph.nodes
        for partition in node.partitions(months)
    )
    facts = [(each.key, each.partition, each.content_hash, each.code_version, each.inputs) for each in found if each]
    if not facts:
        return ""
    known = (_shop(platform), facts, platform.code_versions, _read(_attempt_file(platform)))
    return hashlib.sha256(repr(known).encode()).hexdigest()
