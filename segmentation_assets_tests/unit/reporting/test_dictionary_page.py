"""The data dictionary as Markdown."""

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.reporting.dictionary_page import render_dictionary
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS

HOSTILE = "<b>|Shoes`"
INPUTS = ("products", "products.class", "customers", "engagement_events", "engagement_events.event_type")


def test_a_row_tells_all_that_is_declared_of_a_feature() -> None:
    text = render_dictionary(FeatureSettings(), INPUTS, "make it")
    assert (
        "| `gap_days_std`<br>Spread of days between orders<br>DOUBLE | "
        "Standard deviation of those gaps, divided by their number. | days<br>neither | "
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
