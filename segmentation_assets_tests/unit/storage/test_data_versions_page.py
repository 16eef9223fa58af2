"""What docs/data-versions.md shows: settings and commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from segmentation_assets.cli.parser import build_parser
from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.retention import RetentionSettings
from segmentation_assets_tests.unit.clustering.test_clustering_page import blocks


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "data-versions.md").read_text(encoding="utf-8")


def test_settings_are_read(page: str, tmp_path: Path) -> None:
    path = tmp_path / "segmentation.yaml"
    loaded = []
    for text in blocks(page, "yaml"):
        path.write_text(text, encoding="utf-8")
        loaded.append(load_settings(config=path).settings.retention)
    assert [settings.is_set for settings in loaded] == [False, True]
    assert [
        name for name in RetentionSettings.model_fields if f"`{name}`" not in page and f"  {name}:" not in page
    ] == []


def test_commands_are_understood(page: str) -> None:
    lines = "".join(blocks(page, "bash")).splitlines()
    assert {line[line.index("segmentation") :].split()[1] for line in lines} == {"data", "backup", "restore", "status"}
    for line in lines:
        build_parser().parse_args(shlex.split(line[line.index("segmentation") :], comments=True)[1:])


def test_every_command_of_the_table_exists(page: str) -> None:
    named = re.findall(r"`segmentation ([a-z]+)", " ".join(page.split()))
    known = build_parser().format_help()
    assert [name for name in set(named) if f"\n    {name}" not in known] == []
