"""The rules that tests themselves keep."""

from pathlib import Path

import pytest

from segmentation_assets_tests.tiers import tier_of, tier_problem


@pytest.mark.parametrize(
    ("place", "tier"),
    [
        ("unit/config/test_a.py", "unit"),
        ("assets/test_a.py", "assets"),
        ("end_to_end/test_a.py", "end_to_end"),
        ("test_a.py", None),
        ("other/test_a.py", None),
        ("../test_a.py", None),
    ],
)
def test_the_folder_decides_the_tier(tmp_path: Path, place: str, tier: str | None) -> None:
    assert tier_of((tmp_path / "tests" / place).resolve(), tmp_path / "tests") == tier


def test_a_test_outside_the_tiers_is_refused(tmp_path: Path) -> None:
    problem = tier_problem(tmp_path / "test_a.py", tmp_path)
    assert problem is not None
    assert problem.startswith("test_a.py lies outside the test tiers.\nHint: move it below one of ")


@pytest.mark.parametrize(
    "statement",
    [
        "import dagster as dg",
        "from dagster import asset",
        "import dagster_duckdb",
        "from segmentation_assets.orchestration.build import build_defs",
        "from segmentation_assets import definitions",
        "def test_a():\n    import dagster._core",
    ],
)
def test_a_unit_test_that_imports_dagster_is_refused(tmp_path: Path, statement: str) -> None:
    for tier in ("unit", "assets"):
        (tmp_path / tier).mkdir()
        (tmp_path / tier / "test_a.py").write_text(statement)
    problem = tier_problem(tmp_path / "unit" / "test_a.py", tmp_path)
    assert problem is not None
    assert problem.startswith("unit test test_a.py imports ")
    assert tier_problem(tmp_path / "assets" / "test_a.py", tmp_path) is None


def test_other_imports_are_fine(tmp_path: Path) -> None:
    (tmp_path / "unit").mkdir()
    (tmp_path / "unit" / "test_a.py").write_text(
        "import dagsters\nfrom . import x\nfrom segmentation_assets import cli\n"
    )
    assert tier_problem(tmp_path / "unit" / "test_a.py", tmp_path) is None
