"""Enforces the test tiers and keeps every test inside its temporary folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import hypothesis
import pytest

from segmentation_assets_tests.tiers import tier_of, tier_problem

TESTS = Path(__file__).resolve().parent
REPOSITORY = TESTS.parent

DAGSTER_DEV = {
    **dict.fromkeys(("test_recovery.py", "test_catch_up.py", "test_empty_log.py"), "first"),
    **dict.fromkeys(("test_automation.py", "test_new_month.py", "test_user_interface.py"), "second"),
}
"""Files of `end_to_end` with a `dagster dev` → group of which one runs at a time, as a Dagster daemon is never idle."""


hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


class MisplacedModule(pytest.Module):
    """A test file that breaks the rules of its tier; it fails while tests are collected."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Fail with what is wrong and what to do."""
        raise self.CollectError(tier_problem(self.path.resolve(), TESTS))


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Refuse test files outside the tiers, and unit tests that import Dagster."""
    if tier_problem(module_path.resolve(), TESTS) is None:
        return None
    return MisplacedModule.from_parent(parent, path=module_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test the marker of its tier."""
    for item in items:
        tier = tier_of(item.path.resolve(), TESTS)
        if tier is not None:
            item.add_marker(tier)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one process, and of the files with a `dagster dev` a group of them."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = PurePosixPath(super()._split_scope(nodeid))
            return (DAGSTER_DEV.get(file.name) if file.parent.name == "end_to_end" else None) or str(file)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def away_from_the_repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Work in an empty folder and without settings from the environment, before any other fixture is made."""
    with pytest.MonkeyPatch.context() as patch:
        _clear_environment(patch)
        patch.chdir(tmp_path_factory.mktemp("working_directory"))
        yield


def _clear_environment(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SEGMENTATION_") or name in ("DAGSTER_HOME", "DAGSTER_MODULE_NAME"):
            patch.delenv(name)


@pytest.fixture(autouse=True)
def isolated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear the settings from the environment; outside unit tests work in the test's own folder."""
    _clear_environment(monkeypatch)
    if request.node.get_closest_marker("unit") is None:
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data files; tests that need it are skipped where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not found: there is no folder {folder}")
    return folder
