"""The data dictionary as Markdown."""

import re
from pathlib import Path

import yaml

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.config.loading import load_settings
from segmentation_assets.features.registry import features_table
from segmentation_assets.reporting.dictionary_page import render_dictionary
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS

HOSTILE = "<b>|Shoes`"
INPUTS = ("products", "products.class", "customers", "engagement_events", "engagement_events.event_type")


def test_a_row_tells_all_that_is_declared_of_a_feature() -> None:
    text = render_dictionary(FeatureSettings(), INPUTS, "make it")
    assert (
        "| `gap_days_std`<br>Spread of days between orders<br>DOUBLE | "
        "Standard deviation of the calendar days between successive order days in the lookback, as of a whole "
        "population. | days<br>neither | "
        "fewer than two different order days in the lookback<br>`undefined`: 0: there are no gaps that could differ | "
        "`order_lines.line_type`, `order_lines.order_at` |\n"
    ) in text
    row = next(line for line in text.splitlines() if line.startswith("| `class_entropy`"))
    assert "After Shannon, C. E. (1948)." in row
    assert row.endswith("<br>Needs `products` and `products.class`. |")
    assert "| `recency_days`<br>Days since last order<br>BIGINT<br>*clustered on by default* |" in text
    assert "made by `make it`" in text


def test_names_of_departments_cannot_break_a_cell() -> None:
    text = render_dictionary(FeatureSettings(departments=(HOSTILE,)), INPUTS, "")
    assert HOSTILE not in text
    assert "| `features.departments` | &lt;b&gt;\\|Shoes\\` | `department_*_<department>` |" in text


def test_what_the_settings_leave_out_is_listed_with_the_reason() -> None:
    text = render_dictionary(FeatureSettings(), (), "")
    assert "| `engagement` | the source delivers no engagement\\_events |" in text
    assert "## engagement" not in text
    assert "## Absent" not in render_dictionary(FeatureSettings(set="basic", departments=("A",)), ALL_INPUTS, "")


def test_the_readme_tells_the_features_that_there_are(repository: Path) -> None:
    section = (repository / "README.md").read_text(encoding="utf-8").split("\n## Features\n")[1].split("\n## ")[0]
    default = load_settings(profile="default", config=None, environment={}).settings
    (counted,) = re.findall(r"\d+ features in \d+ blocks", render_dictionary(default.features, ALL_INPUTS, ""))
    assert counted in section
    (example,) = re.findall(r"```yaml\nfeatures:\n(.*?)```", section, flags=re.DOTALL)
    names = features_table(FeatureSettings(**yaml.safe_load(example)), ALL_INPUTS).column_names
    told = set(re.findall(r"`([a-z]+_[a-z0-9_]+)`", section.split("|---|---|")[1].split("`segmentation init`")[0]))
    assert len(told) > 10
    assert told - set(names) - {"child_ages", "event_kinds"} == set()
