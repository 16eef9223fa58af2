"""The examples in docstrings are run."""

import doctest
import importlib

import pytest

from segmentation_assets_tests.conftest import REPOSITORY

_PURE = [
    path.relative_to(REPOSITORY)
    for path in sorted((REPOSITORY / "segmentation_assets").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
    and path.parts[-2] != "orchestration"
    and "orchestration" not in path.parts
]


@pytest.mark.parametrize("path", _PURE, ids=str)
def test_examples_hold(path) -> None:
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
