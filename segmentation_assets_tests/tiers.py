"""The three test tiers and what each may do; enforced while tests are collected."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TIERS = ("unit", "assets", "end_to_end")

_DAGSTER_PACKAGES = (
    "dagster",
    "dagster_duckdb",
    "segmentation_assets.orchestration",
    "segmentation_assets.definitions",
)


def tier_of(path: Path, root: Path) -> str | None:
    """Return the tier a test file lies in, or ``None`` when it lies in none."""
    if not path.is_relative_to(root):
        return None
    first = path.relative_to(root).parts[0]
    return first if first in TIERS else None


def tier_problem(path: Path, root: Path) -> str | None:
    """Say what is wrong with the place or the imports of a test file; ``None`` when nothing is."""
    tier = tier_of(path, root)
    if tier is None:
        listed = ", ".join(f"{root.name}/{name}/" for name in TIERS)
        return f"{path.name} lies outside the test tiers.\nHint: move it below one of {listed}."
    if tier != "unit":
        return None
    imported = sorted(set(_dagster_imports(path.read_text(encoding="utf-8"))))
    if not imported:
        return None
    return (
        f"unit test {path.name} imports {', '.join(imported)}; unit tests do without Dagster.\n"
        f"Hint: move it to {root.name}/assets/, or test the pure function below the asset."
    )


def _dagster_imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        for name in _imported_names(node):
            if any(f"{name}.".startswith(f"{package}.") for package in _DAGSTER_PACKAGES):
                yield name


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
