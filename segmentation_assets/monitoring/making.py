"""What it took to make a stored result: when, what it cost, by which versions.

It lies beside the run records and not in the manifest, since equal results have equal manifests however long they took.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.text_files import write_text_whole

_log = logging.getLogger("segmentation_assets.making")


@dataclass(frozen=True)
class Making:
    """The computation that a stored result comes from.

    Parameters
    ----------
    made_at : str
        When it ended, UTC in ISO 8601.
    cost : Cost
    packages : dict of str to str
        Versions of the packages that decide results.
    """

    made_at: str
    cost: Cost
    packages: dict[str, str]


def note_making(data_dir: Path, manifest: Manifest, cost: Cost, packages: dict[str, str]) -> None:
    """Take down what it took to make a result; where that cannot be written, the result is no worse."""
    making = Making(datetime.now(UTC).isoformat(timespec="seconds"), cost, packages)
    noted = {"content_hash": manifest.content_hash, "code_version": manifest.code_version, **asdict(making)}
    try:
        write_text_whole(_path(data_dir, manifest), json.dumps(noted, indent=1, sort_keys=True) + "\n")
    except OSError as problem:
        _log.warning("what %s of %s took cannot be noted: %s", manifest.key, manifest.partition, problem)


def noted_making(data_dir: Path, manifest: Manifest) -> Making | None:
    """Return what it took to make a stored result; ``None`` where that is not known of this very result."""
    try:
        noted = json.loads(_path(data_dir, manifest).read_text(encoding="utf-8"))
        if (noted["content_hash"], noted["code_version"]) != (manifest.content_hash, manifest.code_version):
            return None
        return Making(noted["made_at"], Cost(**noted["cost"]), dict(noted["packages"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(data_dir: Path, manifest: Manifest) -> Path:
    return data_dir / "runs" / "made" / manifest.key / f"{manifest.partition}.json"
