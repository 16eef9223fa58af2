"""Small results stored for tests: a table of one file, and an asset in slices."""

from __future__ import annotations

import hashlib

from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.store import WHOLE, TableStore

KEY, MONTH = "gold/example", "2025-06-01"
SLICED = "raw/lines"
NOW = 1_000_000_000.0
HOUR = 3_600.0


def content_of(text: str) -> str:
    """Content hash that stands for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def store_table(store: TableStore, text: str, *, hours: float = 0.0, key: str = KEY, month: str = MONTH) -> Manifest:
    """Store a text as the table of a month, so many hours after `NOW`."""
    with store.staging(key) as stage:
        (stage / "part-0.parquet").write_text(text)
        files = store.place_table(stage, key, month, content_of(text), store.manifest(key, month))
    manifest = Manifest(key, month, content_of(text), "1-abc", {"raw/lines@2025-06-01": content_of("a")}, files, 1)
    store.publish(manifest, now=NOW + HOUR * hours)
    return manifest


def store_sliced(store: TableStore, parts: dict[str, str], *, hours: float = 0.0) -> Manifest:
    """Store texts as the slices of an asset, as a step does: slices first, then the whole."""
    seconds = NOW + HOUR * hours
    hashes = {}
    for name, text in parts.items():
        with store.staging(SLICED) as stage:
            (stage / "part-0.parquet").write_text(text)
            files = store.place_table(stage, SLICED, name, content_of(text), store.slice_manifest(SLICED, name))
        part = Manifest(SLICED, name, content_of(text), "1-abc", {}, files, 1)
        if store.slice_manifest(SLICED, name) != part:
            store.publish(part, slice_name=name, now=seconds)
        hashes[name] = part.content_hash
    previous = store.manifest(SLICED)
    for name in set(previous.slices if previous else ()) - set(hashes):
        store.remove_slice(SLICED, name, now=seconds)
    whole = Manifest(SLICED, WHOLE, content_of(repr(hashes)), "1-abc", {}, (), len(hashes), slices=hashes)
    store.publish(whole, now=seconds)
    return whole
