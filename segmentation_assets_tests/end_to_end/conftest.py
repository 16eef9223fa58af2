"""Folders to start commands in, and a shop with Dagster running on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_assets_tests.assets.conftest import Shop, finished_shop
from segmentation_assets_tests.end_to_end.commands import make_workplace, segmentation
from segmentation_assets_tests.end_to_end.story import Story, told
from segmentation_assets_tests.once import made_once

__all__ = ["finished_shop"]


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
def told_shop(finished_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the finished shop, for the tests of one file to tell a story on."""
    root = tmp_path_factory.mktemp("shop")
    shutil.copytree(finished_shop.data_dir, root / "data", symlinks=True)
    return root


@pytest.fixture(scope="module")
def story(told_shop: Path) -> Iterator[Story]:
    """A small shop that is up to date, and Dagster running on it, for the tests of one file to go on with."""
    with told(told_shop) as started:
        yield started
