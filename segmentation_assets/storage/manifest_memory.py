"""Manifests as they were read last, for as long as their files have not changed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from time import time_ns

from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.stamps import Stamp


@lru_cache(maxsize=4)
def manifest_memory(root: Path) -> ManifestMemory:
    """Return the memory of a data folder, shared by everything in this process."""
    return ManifestMemory()


class ManifestMemory:
    """Reads manifests, each again only when its file has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, Manifest | None]] = {}

    def read(self, path: str) -> Manifest | None:
        """Read a manifest; an absent or damaged one counts as nothing stored, so that the part is computed again."""
        try:
            stamp = Stamp.of(path)
        except FileNotFoundError:
            self._known.pop(path, None)
            return None
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        return self._parse(path)

    def _parse(self, path: str) -> Manifest | None:
        now = time_ns()
        try:
            with open(path, encoding="utf-8") as stream:  # noqa: PTH123 - called for every manifest of a pass
                stamp = Stamp.of(stream.fileno())
                manifest = Manifest.from_json(stream.read(), path)
        except FileNotFoundError:
            return None
        except DataError:
            manifest = None
        if stamp.is_settled(now):
            self._known[path] = (stamp, manifest)
        return manifest
