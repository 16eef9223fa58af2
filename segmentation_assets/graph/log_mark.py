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

_log = logging.getLogger("segmentation_assets")


def is_log_behind(platform: Platform) -> bool:
    """Whether something was stored or begun that the log has not been told the end of, or the log is gone."""
    mark = stored_mark(platform)
    return bool(mark) and _read(_mark_file(platform)) != mark


def note_told(platform: Platform, mark: str) -> None:
    """Note that the log knows what was stored when the mark was taken; where that fails it is told once more."""
    path = _mark_file(platform)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(mark, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as problem:
        _log.warning("%s cannot be written: %s", path, problem.strerror)


def note_begun(platform: Platform) -> None:
    """Note that something is computed: should that fail, every log must be told that what was stored still holds."""
    path = _begun_file(platform)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid.uuid4().hex, encoding="utf-8")


def _begun_file(platform: Platform) -> Path:
    return platform.event_log_folder.parent / "begun"


def _mark_file(platform: Platform) -> Path:
    """A file beside the log, so that it goes when the log goes; a DAGSTER_HOME has one per data folder."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return platform.event_log_folder / "told_of"
    name = hashlib.sha256(str(platform.data_dir.resolve()).encode()).hexdigest()[:16]
    return Path(home) / "segmentation_told_of" / name


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def stored_mark(platform: Platform) -> str:
    """Name all that is stored, what it is judged by, and what was begun last; empty when nothing is stored."""
    months = known_months(platform)
    found = (
        platform.store.manifest(node.key, partition)
        for node in platform.graph.nodes
        for partition in node.partitions(months)
    )
    facts = [(each.key, each.partition, each.content_hash, each.code_version, each.inputs) for each in found if each]
    if not facts:
        return ""
    known = (facts, platform.code_versions, _read(_begun_file(platform)))
    return hashlib.sha256(repr(known).encode()).hexdigest()
