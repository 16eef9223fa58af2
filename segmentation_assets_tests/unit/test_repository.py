"""Files of the repository that have to agree with each other."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.reporting.dictionary_page import render_dictionary

DICTIONARY_COMMAND = "segmentation dictionary --config examples/features.yaml --output docs/features.md"


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def packages(repository: Path) -> set[str]:
    folder = repository / "segmentation_assets"
    found = {path.parent.name for path in folder.glob("*/__init__.py")} | {path.stem for path in folder.glob("*.py")}
    return found - {"__init__", "__main__"}


def test_import_contracts_cover_every_package(repository: Path, project: dict[str, Any]) -> None:
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    prefixed = {f"segmentation_assets.{name}" for name in packages(repository)}
    allowed = {
        "dagster": {"segmentation_assets.orchestration", "segmentation_assets.definitions"},
        "engines": {"segmentation_assets.storage"},
    }
    assert set(contracts["layers"]["layers"]) == packages(repository)
    assert {name: prefixed - set(contracts[name]["source_modules"]) for name in allowed} == allowed


def test_lock_names_no_index_and_hashes_everything(repository: Path) -> None:
    text = (repository / "requirements.lock").read_text(encoding="utf-8")
    requirements = re.findall(r"^[a-z0-9].*(?:\n    --hash=.*)*", text, flags=re.MULTILINE)
    assert len(requirements) > 50
    assert [entry for entry in requirements if "--hash=sha256:" not in entry] == []
    assert re.findall(r"https?://|index", text, flags=re.IGNORECASE) == []


def test_lock_holds_every_direct_dependency(repository: Path, project: dict[str, Any]) -> None:
    declared = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    wanted = {re.split(r"[<>=\[]", name)[0].lower() for name in declared}
    text = (repository / "requirements.lock").read_text(encoding="utf-8")
    assert wanted - set(re.findall(r"^([a-z0-9-]+)", text, flags=re.MULTILINE)) == set()


def test_workspace_is_not_hidden_by_the_project_file(project: dict[str, Any]) -> None:
    assert {"dagster", "dg"} & set(project["tool"]) == set()


def test_the_page_of_features_is_up_to_date(repository: Path) -> None:
    settings = load_settings(config=repository / "examples" / "features.yaml").settings
    text = render_dictionary(settings.features, optional_inputs(settings), DICTIONARY_COMMAND)
    stored = (repository / "docs" / "features.md").read_text(encoding="utf-8")
    assert stored == text, f"docs/features.md is out of date; make it anew: {DICTIONARY_COMMAND}"
