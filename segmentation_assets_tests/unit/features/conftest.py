"""Fixtures of the feature tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features.registry import prepare_connection
from segmentation_assets.storage.engine import Connection, Engine


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """An in-memory connection with one thread and the feature macros."""
    with Engine(EngineSettings(threads=1), tmp_path).connect() as opened:
        prepare_connection(opened)
        yield opened
