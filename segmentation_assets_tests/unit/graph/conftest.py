"""A platform in an empty data folder, and a way to pretend that something is stored in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.manifest import Manifest


@pytest.fixture
def make_platform(tmp_path: Path) -> Callable[..., Platform]:
    """Open a platform with snapshots from 2025-06 to 2025-08; dotted settings go on top."""

    def make(**overrides: object) -> Platform:
        dotted = {name.replace("__", "."): value for name, value in overrides.items()}
        return Platform(
            load_settings(profile="demo", overrides={"data_dir": str(tmp_path / "data"), **dotted}).settings
        )

    return make


@pytest.fixture
def platform(make_platform: Callable[..., Platform]) -> Platform:
    """The platform of the demo shop."""
    return make_platform()


@pytest.fixture
def pretend() -> Callable[..., None]:
    """Store a manifest without files."""

    def store(platform: Platform, key: str, partition: str = "all", content: str = "h", **fields: object) -> None:
        node = platform.graph.node(key)
        values = {"inputs": {}, "code_version": platform.code_version(node), **fields}
        platform.store.publish(Manifest(key=key, partition=partition, content_hash=content, **values))

    return store


@pytest.fixture
def taken_in(platform: Platform, pretend: Callable[..., None]) -> Platform:
    """The platform with order lines from 2025-01 to 2025-08 in month slices."""
    months = {f"2025-{month:02d}-01": f"m{month}" for month in range(1, 9)}
    metadata = {"first_order_at": "2025-01-01T09:00:00", "last_order_at": "2025-08-31T18:00:00"}
    pretend(platform, "raw/order_lines", slices={**months, "quarantine": "q"}, metadata=metadata)
    pretend(platform, "silver/order_lines", slices=months)
    return platform
