"""The list of what real files contain, in docs/synthetic.md, and the settings of the shop that cover it."""

import re
from pathlib import Path

import pytest

from segmentation_assets.config.shop_faults import REAL_RATES
from segmentation_assets.config.synthetic import SyntheticSettings

PAGE = Path(__file__).parents[3] / "docs" / "synthetic.md"
ROWS = dict(re.findall(r"^\| (\d+) \| .+? \| (.+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
"""Item → what covers it."""


def named(text: str) -> set[str]:
    """Settings named in a cell."""
    return set(re.findall(r"`(faults\.\w+|outlier_share|archetypes|drift)`", text))


def test_every_item_has_one_row() -> None:
    assert list(ROWS) == [str(item) for item in range(1, 19)]


@pytest.mark.parametrize("item", ROWS)
def test_an_item_is_covered_by_settings_that_there_are(item: str) -> None:
    faults = {name.removeprefix("faults.") for name in named(ROWS[item]) if name.startswith("faults.")}
    others = named(ROWS[item]) - {f"faults.{fault}" for fault in faults}
    assert faults | others
    assert faults <= set(REAL_RATES)
    assert others <= set(SyntheticSettings.model_fields)


def test_every_fault_covers_an_item() -> None:
    assert {fault for text in ROWS.values() for fault in named(text)} >= {f"faults.{fault}" for fault in REAL_RATES}
