from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.reporting.formatting import (
    escape_markdown,
    format_change,
    format_count,
    format_date,
    format_days,
    format_feature,
    format_money,
    format_money_compact,
    format_month,
    format_number,
    format_points,
    format_share,
    is_known,
    join_words,
    strip_control,
)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), pd.NaT, pd.NA, np.float64("nan"), np.nan])
def test_unknown_values_are_unknown_and_written_as_a_dash(value: object) -> None:
    assert not is_known(value)
    assert format_count(value) == "–"
    assert format_money(value, "EUR") == "–"
    assert format_feature(value, feature="recency_days", unit="days", currency="EUR") == "–"


@pytest.mark.parametrize("value", [0, 0.0, "", False, Decimal("0.00"), dt.date(2025, 1, 1), np.int64(3)])
def test_zero_and_empty_text_are_known(value: object) -> None:
    assert is_known(value)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, "EUR 0.00"),
        (12.345, "EUR 12.35"),
        (Decimal("999.99"), "EUR 999.99"),
        (1234.5, "EUR 1,234"),
        (-1234.0, "EUR −1,234"),
        (-0.001, "EUR 0.00"),
    ],
)
def test_money_has_cents_below_a_thousand(amount: float, expected: str) -> None:
    assert format_money(amount, "EUR") == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (9_999, "EUR 9,999"),
        (10_000, "EUR 10.0k"),
        (878_693.11, "EUR 879k"),
        (999_700, "EUR 1.00m"),
        (1_234_567, "EUR 1.23m"),
        (-45_600_000, "EUR −45.6m"),
        (2_500_000_000, "EUR 2.50bn"),
    ],
)
def test_compact_money_keeps_three_digits_and_the_right_magnitude(amount: float, expected: str) -> None:
    assert format_money_compact(amount, "EUR") == expected


def test_differences_carry_a_sign_and_zero_none() -> None:
    assert [format_change(value) for value in (12, 0, -1500)] == ["+12", "0", "−1,500"]
    assert [format_points(value) for value in (0.021, 0.0, -0.0004)] == ["+2.1 pp", "0.0 pp", "0.0 pp"]


@pytest.mark.parametrize(
    ("feature", "unit", "expected"),
    [
        ("net_revenue_amount_90d", "", "EUR 12.00"),
        ("anything", "currency", "EUR 12.00"),
        ("recency_days", "", "12 days"),
        ("gap_days_mean", "days", "12 days"),
        ("return_rate", "", "1200%"),
        ("order_count", "orders", "12"),
    ],
)
def test_features_are_written_by_unit_or_name(feature: str, unit: str, expected: str) -> None:
    assert format_feature(12.0, feature=feature, unit=unit, currency="EUR") == expected


def test_small_texts() -> None:
    assert format_share(0.5) == "50.0%"
    assert format_days(1) == "1 day"
    assert format_number(-0.25) == "−0.25"
    assert format_date(dt.date(2025, 9, 1)) == "1 September 2025"
    assert format_month("2025-08") == "August 2025"
    assert join_words([]) == ""
    assert join_words(["a"]) == "a"


def test_markdown_of_data_is_inert() -> None:
    text = "a|b `c` *d*\n# e <script> [x](http://y) www.z.example \x00\u202e"
    assert escape_markdown(text) == ("a\\|b \\`c\\` \\*d\\* # e &lt;script&gt; \\[x\\](http\\://y) www\\.z.example")


def test_control_characters_and_direction_overrides_go_but_tab_and_newline_stay() -> None:
    assert strip_control("a\x00b\tc\nd\u202ee\ud800f") == "ab\tc\ndef"


def test_money_of_a_currency_without_a_minor_unit_has_no_decimals():
    assert format_money(320.1, "JPY") == "JPY 320"
    assert format_money(320.1, "EUR") == "EUR 320.10"
