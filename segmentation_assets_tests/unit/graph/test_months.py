import pytest

from segmentation_assets.graph.months import month_range, next_month, previous_month


@pytest.mark.parametrize(
    ("before", "after"), [("2024-12-01", "2025-01-01"), ("2025-01-01", "2025-02-01"), ("0999-12-01", "1000-01-01")]
)
def test_months_follow_each_other_over_the_turn_of_the_year(before, after):
    assert next_month(before) == after
    assert previous_month(after) == before


def test_range_holds_both_ends_and_is_empty_when_reversed():
    assert month_range("2024-11-01", "2025-01-01") == ("2024-11-01", "2024-12-01", "2025-01-01")
    assert month_range("2025-02-01", "2025-01-01") == ()
