"""A connection, and a counter at which small deliveries are handed in."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets_tests.unit.ingestion.counter import Counter


@pytest.fixture(scope="session")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with Engine(EngineSettings(), tmp_path_factory.mktemp("spill")).connect() as opened:
        yield opened


@pytest.fixture
def counter(connection: Connection, tmp_path: Path) -> Counter:
    folder = tmp_path / "deliveries"
    folder.mkdir()
    return Counter(connection, folder, tmp_path / "staging")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    """What the ingestion logs, whether or not a command run before has taken the log to a file of its own."""
    logger = logging.getLogger("segmentation_assets.ingestion")
    monkeypatch.setattr(logger, "propagate", False)
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO, logger.name):
        yield caplog
    logger.removeHandler(caplog.handler)
