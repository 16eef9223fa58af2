"""Rounding to significant digits."""

import numpy as np
import pytest

from segmentation_assets.tables.rounding import round_number, round_significant


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1 / 3, 0.3333333333),
        (2 / 3, 0.6666666667),
        (-1234567.890123456, -1234567.89),
        (123456789012345.0, 123456789000000.0),
        (9.99999999999, 10.0),
        (1000.0, 1000.0),
        (1.23456789012345e-20, 1.234567890e-20),
        (1.23456789012345e300, 1.23456789e300),
        (5e-324, 5e-324),
    ],
)
def test_number_keeps_ten_significant_digits(value: float, rounded: float) -> None:
    assert round_number(value) == rounded


def test_nan_infinities_and_zero_pass_through() -> None:
    found = round_significant(np.array([np.nan, np.inf, -np.inf, 0.0, -0.0]))
    np.testing.assert_array_equal(found, [np.nan, np.inf, -np.inf, 0.0, 0.0])
    assert not np.signbit(found[4]), "-0.0 becomes 0.0, as both hash differently"


def test_rounding_gives_the_double_of_the_decimal_text_and_is_idempotent() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000) * 10.0 ** rng.integers(-30, 30, 20_000)
    rounded = round_significant(values)
    assert rounded.tolist() == [float(f"{value:.9e}") for value in values]
    assert round_significant(rounded).tolist() == rounded.tolist()


def test_shape_and_argument_stay_as_they_are() -> None:
    values = np.array([[1 / 3, 2 / 3], [1.0, np.nan]])
    before = values.copy()
    assert round_significant(values, digits=2).shape == (2, 2)
    np.testing.assert_array_equal(values, before)
    np.testing.assert_array_equal(round_significant(values, digits=2), [[0.33, 0.67], [1.0, np.nan]])


def test_integers_and_empty_arrays_are_accepted() -> None:
    assert round_significant(np.array([12345678901])).tolist() == [12345678900.0]
    assert round_significant(np.empty((0, 3))).shape == (0, 3)
