"""What people read in place of the names of features."""

import re

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.registry import feature_blocks
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS

SETTINGS = FeatureSettings(
    windows=(7, 45),
    departments=("Home & Lifestyle", "Men's Shoes"),
    classes={"Men's Shoes": ("Boots",)},
    child_ages=("3-5 years",),
    sizes=("XL",),
    event_kinds={"app_visit": ("app",)},
    interactions=(("recency_days", "order_count"),),
)
COLUMNS = {column.name: column for block in feature_blocks(SETTINGS, ALL_INPUTS) for column in block.columns}
OF_TECHNICIANS = re.compile(r"_|\b(amount|btyd|std|entropy|momentum|\d+d)\b", re.IGNORECASE)


@pytest.mark.parametrize("name", COLUMNS)
def test_label_reads_like_words(name: str) -> None:
    label = COLUMNS[name].label
    assert label != name
    assert label[0].isupper()
    assert not OF_TECHNICIANS.search(label), label
    assert len(label) <= 60


def test_labels_are_unique() -> None:
    labels = [column.label for column in COLUMNS.values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("order_count_45d", "Orders in the last 45 days"),
        ("net_revenue_amount_7d", "Net revenue in the last 7 days"),
        ("return_share_30d", "Share of returns within 30 days"),
        ("department_share_home_lifestyle", "Share spent on Home & Lifestyle"),
        ("department_share_other", "Share spent on other departments"),
        ("class_unit_count_men_s_shoes_boots", "Units bought of Men's Shoes, Boots"),
        ("child_age_unit_count_3_5_years", "Units of child age 3-5 years"),
        ("size_unit_count_xl", "Units of size XL"),
        ("app_visit_count_90d", "App visit events in the last 90 days"),
        ("country_count", "Countries ordered from"),
        ("recency_days_per_order_count", "Days since last order per Orders"),
    ],
)
def test_label_names_what_is_configured(name: str, label: str) -> None:
    assert COLUMNS[name].label == label
