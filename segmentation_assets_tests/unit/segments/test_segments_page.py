"""What docs/segments.md shows: settings, commands, names and columns."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from segmentation_assets.cli.parser import build_parser
from segmentation_assets.config.loading import load_settings
from segmentation_assets.segments.catalogue import load_catalogue
from segmentation_assets.tables import gold, segment_descriptions
from segmentation_assets.tables.gold import CUSTOMER_STATES
from segmentation_assets_tests.unit.clustering.test_clustering_page import blocks


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "segments.md").read_text(encoding="utf-8")


def test_settings_are_read(page: str, tmp_path: Path) -> None:
    path = tmp_path / "segmentation.yaml"
    for text in blocks(page, "yaml"):
        path.write_text(text, encoding="utf-8")
        load_settings(config=path)


def test_commands_are_understood(page: str) -> None:
    lines = "".join(blocks(page, "bash")).splitlines()
    assert {line.split()[1] for line in lines} == {"promote", "explain"}
    for line in lines:
        build_parser().parse_args(shlex.split(line, comments=True)[1:])


def test_every_name_of_the_catalogue_and_every_state_is_listed(page: str) -> None:
    words = " ".join(page.split())
    assert [entry.name for entry in load_catalogue().values() if entry.name not in words] == []
    assert re.findall(r"^\| `(\w+)` \| (?:yes|no) \|", page, re.MULTILINE) == [
        "assigned",
        "too_new",
        "outside_known_range",
        "exceptional",
        "no_purchases",
    ]
    assert set(CUSTOMER_STATES) == set(re.findall(r"^\| `(\w+)` \| (?:yes|no) \|", page, re.MULTILINE))


def test_tables_of_the_gold_layer_are_told_of(page: str) -> None:
    assert [table.key for table in (*gold.TABLES, *segment_descriptions.TABLES) if f"`{table.key}`" not in page] == []
