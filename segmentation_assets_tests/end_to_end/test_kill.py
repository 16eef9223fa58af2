"""kill -9 in the middle of a run: what is stored stays whole, and the next run finishes as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import content_hash, parquet_scan
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets_tests.end_to_end.commands import SEGMENTATION, make_workplace, segmentation, start

LATEST_STEP = 16
LONGEST_DELAY = 0.4
SEED = 20250901


def open_platform(folder: Path) -> Platform:
    data_dir = str(folder / "data")
    return Platform(load_settings(config=folder / "segmentation.yaml", overrides={"data_dir": data_dir}).settings)


def kill_midway(folder: Path, *arguments: str, after_steps: int, delay: float) -> None:
    """Start a run, wait until it has told of so many steps and a moment longer, and kill it."""
    process = start(folder, *SEGMENTATION, "run", *arguments)
    told = 0
    for line in process.stdout:
        told += " made in " in line
        if told == after_steps:
            break
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert told == after_steps
    assert process.returncode == -signal.SIGKILL


def stored(platform: Platform) -> dict[tuple[str, str], Manifest]:
    """Every manifest of a table or a slice."""
    found = {}
    for node in platform.graph.nodes:
        if node.storage == "files":
            continue
        sliced = node.storage == "sliced"
        for name in platform.store.partitions(f"{node.key}/slices" if sliced else node.key):
            read = platform.store.slice_manifest if sliced else platform.store.manifest
            found[node.key, name] = read(node.key, name)
    return found


def broken_tables(platform: Platform) -> list[tuple[str, str]]:
    """Tables and slices that are not what their manifest says: bytes, rows and content."""
    broken = []
    with platform.engine.connect() as connection:
        for name, manifest in stored(platform).items():
            if manifest is None or not platform.store.is_intact(manifest):
                broken.append(name)
                continue
            rows, count = content_hash(connection, parquet_scan(platform.store.paths(manifest)))
            is_plain = all(file.path.endswith(".parquet") for file in manifest.files)
            if count != manifest.row_count or (is_plain and rows != manifest.content_hash):
                broken.append(name)
    return broken


def hashes(platform: Platform) -> dict[tuple[str, str], str]:
    """Content of every asset and month; the bytes of the DuckDB file differ from build to build."""
    return {
        (node.key, partition): platform.store.manifest(node.key, partition).content_hash
        for node in platform.graph.nodes
        for partition in platform.store.partitions(node.key)
        if node.key != "serving/warehouse"
    }


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[tuple[str, str]]]]:
    """A folder after three kills, the first in a run over another shop, and what each left broken."""
    folder = tmp_path_factory.mktemp("killed")
    make_workplace(folder)
    draw = random.Random(SEED)
    broken = []
    for arguments in (("--customers", "150"), (), ()):
        kill_midway(folder, *arguments, after_steps=draw.randint(2, LATEST_STEP), delay=draw.uniform(0, LONGEST_DELAY))
        broken.append(broken_tables(open_platform(folder)))
    return folder, broken


def test_every_table_is_whole_after_each_kill(survivor: tuple[Path, list[list[tuple[str, str]]]]) -> None:
    folder, broken = survivor
    assert broken == [[], [], []]
    assert len(stored(open_platform(folder))) > 20


def test_next_run_finishes_with_the_results_of_an_undisturbed_one(
    survivor: tuple[Path, list[list[tuple[str, str]]]], finished_workplace: Path
) -> None:
    folder, _ = survivor

    ended = segmentation(folder, "run")

    platform = open_platform(folder)
    assert (ended.code, ended.err) == (0, "")
    assert hashes(platform) == hashes(open_platform(finished_workplace))
    assert list((folder / "data" / "staging").iterdir()) == []
    platform.store.drop_replaced(now=time.time() + 7200)
    folders = {name: list(platform.store.table_folder(*name).iterdir()) for name in stored(platform)}
    assert {name for name, found in folders.items() if len(found) != 1} == set()
