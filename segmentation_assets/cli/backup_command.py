"""`segmentation backup` and `segmentation restore`: a data folder into one file, and back."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import plural
from segmentation_assets.ingestion.mapping import delivery_folder
from segmentation_assets.storage.backup import NEVER_TAKEN, RESTORED_SETTINGS, SUFFIX, write_backup
from segmentation_assets.storage.backup_reading import newest_backup, restore_backup

_MEGABYTE = 1_000_000


def backup(parsed: argparse.Namespace) -> int:
    """Write the data folder of the settings into one file."""
    loaded = load_from_arguments(parsed)
    root = loaded.settings.data_dir
    target = parsed.target
    if target.is_dir():
        target = target / f"{root.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"
    left_out = _folders(loaded.settings, parsed.without)
    written = write_backup(root, target, settings_file=loaded.config_path, left_out=left_out)
    packed = target.stat().st_size
    print(
        f"{plural(len(written.files), 'file')}, {written.size_bytes / _MEGABYTE:,.1f} MB, in {target} "
        f"({packed / _MEGABYTE:,.1f} MB)."
    )
    print(f"not taken: {', '.join((*NEVER_TAKEN, *left_out))}")
    for name, path in _outside(loaded.settings):
        print(f"not taken, as it lies outside of the data folder: {name} {path}")
    return 0


def _folders(settings: Settings, names: Iterable[str]) -> tuple[str, ...]:
    """Folders below the data folder that the names of ``--without`` mean."""
    found = []
    for name in dict.fromkeys(names):
        folder = delivery_folder(settings) if name == "delivery" else settings.data_dir / name
        if folder.is_relative_to(settings.data_dir):
            found.append(str(folder.relative_to(settings.data_dir)))
    return tuple(found)


def _outside(settings: Settings) -> list[tuple[str, Path]]:
    """Files and folders that results are made from and that lie elsewhere."""
    named = {
        "the delivery": delivery_folder(settings),
        "synthetic.catalogue": settings.synthetic.catalogue,
        "population.crosswalk": settings.population.crosswalk,
        "money.exchange.file": settings.money.exchange.file,
    }
    return [(name, path) for name, path in named.items() if path and not path.is_relative_to(settings.data_dir)]


def restore(parsed: argparse.Namespace) -> int:
    """Make a data folder from a backup."""
    root = parsed.to.resolve() if parsed.to is not None else load_from_arguments(parsed).settings.data_dir
    source = newest_backup(parsed.source)
    listing = restore_backup(source, root)
    size = sum(file["size_bytes"] for file in listing["files"].values())
    print(f"{plural(len(listing['files']), 'file')}, {size / _MEGABYTE:,.1f} MB of {listing['made_at']}, in {root}.")
    if listing["settings_sha256"]:
        print(f"the settings file of then is {root / RESTORED_SETTINGS}")
    if listing["left_out"]:
        print(f"the backup was made without {', '.join(listing['left_out'])}")
    print("'segmentation status' says what is up to date; name this folder by data_dir or SEGMENTATION_DATA_DIR.")
    return 0
