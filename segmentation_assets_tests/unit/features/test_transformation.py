"""Logarithm, skewness and scaling of single columns."""

import numpy as np
import pytest

from segmentation_assets.features.transformation import fit_scaling, is_log_useful, signed_log1p, skewness


def test_signed_logarithm_is_odd_and_equals_log1p_above_zero() -> None:
    values = np.array([0.0, 0.5, 10.0, 1e6])
    np.testing.assert_allclose(signed_log1p(values), np.log1p(values), rtol=0, atol=0)
    np.testing.assert_allclose(signed_log1p(-values), -np.log1p(values), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 0.0, 0.0, 4.0], 2 / np.sqrt(3)), ([1.0, 2.0, 3.0], 0.0), ([0.0, 4.0, 4.0, 4.0], -2 / np.sqrt(3))],
)
def test_skewness_by_hand(values: list[float], expected: float) -> None:
    assert skewness(np.array(values)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "useful"),
    [
        ([1.0, 2.0, 3.0, 4.0, 5.0], False),
        ([1.0, 2.0, 3.0, 4.0, 5000.0], True),
        ([-5000.0, 2.0, 3.0, 4.0, 5.0], True),
        ([1.0, 4996.0, 4997.0, 4998.0, 4999.0], False),
    ],
    ids=["symmetric", "long right tail", "long negative tail", "low values are the exception"],
)
def test_logarithm_is_taken_where_it_lessens_skewness(values: list[float], useful: bool) -> None:
    assert is_log_useful(np.array(values), 1.0) is useful


def test_threshold_above_the_skewness_keeps_the_column_as_it_is() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5000.0])
    assert not is_log_useful(values, 1.6)


def test_standard_scaling_is_mean_and_population_deviation() -> None:
    assert fit_scaling(np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), "standard") == (5.0, 2.0)


def test_robust_scaling_is_median_and_normal_quartile_distance() -> None:
    assert fit_scaling(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]), "robust") == (3.0, 1.482602219)


def test_robust_scaling_falls_back_on_the_deviation_when_quartiles_coincide() -> None:
    assert fit_scaling(np.array([0.0, 0.0, 0.0, 0.0, 5.0]), "robust") == (0.0, 2.0)


def test_scaling_does_not_depend_on_the_order_of_rows() -> None:
    values = np.random.default_rng(0).lognormal(5, 2, 999)
    assert fit_scaling(values, "standard") == fit_scaling(values[::-1], "standard")
