"""Whether Dagster's event log of the data folder knows of everything that is stored, told without asking Dagster."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import known_months
from segmentation_assets.storage.store import WHOLE


def is_log_behind(platform: Platform) -> bool:
    """Whether something was stored that the log has not been told of, or the log is gone.

    A log elsewhere, under DAGSTER_HOME, is not looked at.
    """
    if os.environ.get("DAGSTER_HOME"):
        return False
    mark = _mark(platform)
    return bool(mark) and _read(_mark_file(platform)) != mark


def note_told(platform: Platform) -> None:
    """Note that the log of the data folder knows what is stored now."""
    if not os.environ.get("DAGSTER_HOME"):
        path = _mark_file(platform)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(_mark(platform), encoding="utf-8")
        os.replace(temporary, path)


def _mark_file(platform: Platform) -> Path:
    """A file of the log itself, so that it goes when the log goes."""
    return platform.event_log_folder / "told_of"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _mark(platform: Platform) -> str:
    """Name everything that is stored and what it was made from; empty for nothing."""
    months = known_months(platform)
    found = (
        platform.store.manifest(node.key, partition)
        for node in platform.graph.nodes
        for partition in (months if node.is_partitioned else (WHOLE,))
    )
    facts = [(each.key, each.partition, each.content_hash, each.code_version, each.inputs) for each in found if each]
    return hashlib.sha256(repr(facts).encode()).hexdigest() if facts else ""
