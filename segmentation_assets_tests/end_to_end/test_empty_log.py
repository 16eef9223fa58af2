"""A `dagster dev` whose event log knows nothing of a finished data folder, as when another log saw the runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_assets_tests.end_to_end.story import Story, told


@pytest.fixture(scope="module")
def story(told_shop: Path) -> Iterator[Story]:
    shutil.rmtree(told_shop / "data" / "dagster")
    with told(told_shop) as started:
        yield started


def test_log_learns_of_all_that_is_stored_without_computing_anything(story: Story) -> None:
    story.dev.wait_for(lambda: story.statuses() == {"FRESH"}, "all statuses are fresh")
    time.sleep(60)
    assert story.statuses() == {"FRESH"}
    assert story.dev.runs() == []
