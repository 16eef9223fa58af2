"""The settings described as data."""

import pytest

from segmentation_assets.config.schema import (
    SettingRow,
    describe_settings,
    find_field,
    is_required_section,
    is_text,
    section_keys,
    settings_schema,
)


def test_rows_name_type_default_range_and_meaning() -> None:
    rows = {row.key: row for row in describe_settings()}
    assert rows["calendar.lookback_months"] == SettingRow(
        "calendar.lookback_months",
        "whole number",
        "24",
        "1 to 120",
        "months of order lines a snapshot's features read",
    )
    assert rows["calendar.first_snapshot"].default == "required"
    assert rows["calendar.last_month"].default == "absent"
    assert rows["source.kind"].type == "'synthetic' or 'files' or 'postgres'"
    assert rows["engine.customer_buckets"].type == "whole number or 'auto'"
    assert rows["features.departments"].type == "list of text"
    assert rows["matrix.max_correlation"].range == "above 0 and up to 1"
    assert rows["synthetic.seed"].range == "0 to 2,147,483,647"
    assert rows["engine.customer_buckets"].range == "1 to 10,000"
    assert rows["matrix.skew_threshold"].range == "0 or more"
    assert rows["clustering.algorithms.kmeans.enabled"].type == "true or false"
    assert rows["reference"].type == "section"


@pytest.mark.parametrize("row", describe_settings(), ids=lambda row: row.key)
def test_every_setting_says_what_it_means(row: SettingRow) -> None:
    assert row.meaning
    assert row.type != "section" or row.default == "absent"


def test_keys_are_unique() -> None:
    keys = [row.key for row in describe_settings()]
    assert len(keys) == len(set(keys))


def test_schema_refuses_unknown_keys_and_lists_required_ones() -> None:
    schema = settings_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["calendar"]


def test_keys_are_looked_up_by_path() -> None:
    assert section_keys(("execution",)) == ("executor",)
    assert section_keys(("imputation", "method")) == ()
    assert section_keys(("nothing",)) == ()
    assert find_field(("calendar", "nothing")) is None
    assert find_field(()) is None
    assert is_required_section(("leaderboard",))
    assert not is_required_section(("reference",))
    assert is_text(("source", "folder"))
    assert is_text(("source", "order_lines", "decimal"))
    assert is_text(("source", "order_lines", "columns", "order_id"))
    assert not is_text(("matrix", "features"))
    assert not is_text(("engine", "customer_buckets"))
    assert not is_text(("source", "order_lines", "columns"))
