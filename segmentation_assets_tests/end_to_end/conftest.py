"""Folders to start commands in, and a shop with Dagster running on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_assets_tests.end_to_end.commands import make_workplace, segmentation
from segmentation_assets_tests.end_to_end.story import Story, told
from segmentation_assets_tests.once import made_once


def _make_finished_workplace(folder: Path) -> None:
    make_workplace(folder)
    ended = segmentation(folder, "run")
    assert ended.code == 0, ended.err


@pytest.fixture(scope="session")
def finished_workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `segmentation run` has been done; copy it before changing anything."""
    return made_once(tmp_path_factory, "finished_workplace", _make_finished_workplace)


@pytest.fixture
def workplace(finished_workplace: Path, tmp_path: Path) -> Path:
    """A copy of the finished folder that a test may change."""
    return Path(shutil.copytree(finished_workplace, tmp_path / "workplace", symlinks=True))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A small shop that is up to date, and Dagster running on it, for the tests of one file to go on with."""
    with told(tmp_path_factory.mktemp("shop")) as started:
        yield started
