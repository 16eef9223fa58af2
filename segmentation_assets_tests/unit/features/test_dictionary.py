"""What the data dictionary says of features, and which names follow from which settings."""

import re

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.dictionary import list_sections
from segmentation_assets.features.registry import feature_blocks
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS

BASE = FeatureSettings(departments=("Shoes", "Toys"))
OTHER_VALUES = {
    "interactions": (("recency_days", "order_count"),),
    "windows": (7, 60),
    "departments": ("Garden",),
    "classes": {"Shoes": ("Boots",)},
    "child_ages": ("3-5 years",),
    "sizes": ("M",),
    "event_kinds": {"call": ("call",)},
    "deal_discount": 0.125,
    "peak_months": (6,),
    "recency": "elapsed_days",
}


def names(settings: FeatureSettings) -> set[str]:
    return {column.name for block in feature_blocks(settings, ALL_INPUTS) for column in block.columns}


def patterns(settings: FeatureSettings) -> dict[str, list[str]]:
    blocks = feature_blocks(settings, ALL_INPUTS)
    return {field: pattern.split(", ") for block in blocks for field, pattern in block.named_by.items()}


def test_every_setting_of_features_is_varied() -> None:
    assert OTHER_VALUES.keys() | {"set"} == FeatureSettings.model_fields.keys()


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_blocks_declare_the_settings_that_name_their_features(field: str) -> None:
    changed = FeatureSettings.model_validate(BASE.model_dump() | {field: OTHER_VALUES[field]})
    new = names(changed) - names(BASE)
    declared = patterns(changed).get(field, [])
    expressions = [re.sub(r"<\w+>|\\\*", ".+", re.escape(pattern).replace("\\<", "<")) for pattern in declared]
    assert bool(new) == bool(declared)
    assert all(any(re.fullmatch(expression, name) for name in new) for expression in expressions)


def test_an_entry_needs_what_its_block_and_its_column_need() -> None:
    sections = {section.block.name: section for section in list_sections(BASE, ALL_INPUTS)}
    entries = {entry.column.name: entry for entry in sections["mix"].entries}
    assert (
        sections["mix"].subject == "How the customer's money spreads over departments and classes, whichever they are."
    )
    assert entries["department_count"].requires == ("products",)
    assert entries["class_count"].requires == ("products", "products.class")


@pytest.mark.parametrize(
    ("block", "name", "fill"),
    [
        ("rfm", "recency_days", "the customer is set aside"),
        ("rfm", "order_count", ""),
        ("returns", "return_rate", "0: everything bought was cancelled"),
        ("return_habits", "peak_return_share", "0: no returns"),
        ("cadence", "gap_days_std", "0: there are no gaps that could differ"),
        ("rfm", "tenure_days", "as imputation.method says"),
    ],
)
def test_an_entry_says_what_stands_in_for_a_missing_value(block: str, name: str, fill: str) -> None:
    sections = {section.block.name: section for section in list_sections(BASE, ALL_INPUTS)}
    assert {entry.column.name: entry for entry in sections[block].entries}[name].fill == fill
