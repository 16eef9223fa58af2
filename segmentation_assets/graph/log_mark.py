"""Whether Dagster's event log knows of everything that is stored in the data folder, told without asking Dagster."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import known_months


def is_log_behind(platform: Platform) -> bool:
    """Whether something was stored that the log has not been told of, or the log is gone."""
    mark = _mark(platform)
    return bool(mark) and _read(_mark_file(platform)) != mark


def note_told(platform: Platform) -> None:
    """Note that the log knows what is stored now."""
    path = _mark_file(platform)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(_mark(platform), encoding="utf-8")
    os.replace(temporary, path)


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
    except FileNotFoundError:
        return ""


def _mark(platform: Platform) -> str:
    """Name everything that is stored and what it was made from; empty for nothing."""
    months = known_months(platform)
    found = (
        platform.store.manifest(node.key, partition)
        for node in platform.graph.nodes
        for partition in node.partitions(months)
    )
    facts = [(each.key, each.partition, each.content_hash, each.code_version, each.inputs) for each in found if each]
    return hashlib.sha256(repr(facts).encode()).hexdigest() if facts else ""
