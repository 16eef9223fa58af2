"""Limits, scales and units of single columns."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.special import ndtri

from segmentation_assets.config.features import MatrixSettings
from segmentation_assets.features.transformation import (
    MatrixColumn,
    fit_exponent,
    fit_known_scaling,
    fit_limits,
    fit_references,
    fit_scale,
    fit_scaling,
    normal_scores,
    signed_log1p,
    skewness,
    yeo_johnson,
)

SKEWED = np.random.default_rng(3).lognormal(2, 1.5, 400) - 5


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
    assert fit_scale(np.array(values), MatrixSettings())[0] == ("log" if useful else "as it is")


def test_threshold_above_the_skewness_keeps_the_column_as_it_is() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5000.0])
    assert fit_scale(values, MatrixSettings(skew_threshold=1.6)) == ("as it is", 1.0)


def test_standard_scaling_is_mean_and_population_deviation() -> None:
    assert fit_scaling(np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), "standard") == (5.0, 2.0)


def test_robust_scaling_is_median_and_normal_quartile_distance() -> None:
    assert fit_scaling(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]), "robust") == (3.0, 1.482602219)


def test_robust_scaling_falls_back_on_the_deviation_when_quartiles_coincide() -> None:
    assert fit_scaling(np.array([0.0, 0.0, 0.0, 0.0, 5.0]), "robust") == (0.0, 2.0)


def test_scaling_does_not_depend_on_the_order_of_rows() -> None:
    values = np.random.default_rng(0).lognormal(5, 2, 999)
    assert fit_scaling(values, "standard") == fit_scaling(values[::-1], "standard")


@pytest.mark.parametrize(("known", "expected"), [([], (0.0, 1.0)), ([0.1] * 7, (0.1, 1.0)), ([2.0, 6.0], (4.0, 2.0))])
def test_known_values_give_centre_and_a_unit_that_is_never_zero(known: list[float], expected: tuple[float]) -> None:
    assert fit_known_scaling(np.array([np.nan, *known])) == expected


def test_outliers_are_limited_to_quantiles_and_counted_on_each_side() -> None:
    values = np.arange(101.0)
    settings = MatrixSettings(outliers="winsorise", outlier_low=0.02, outlier_high=0.95)
    column = MatrixColumn("x", "x", limits=fit_limits(values, settings))
    assert column.limits == (2.0, 95.0)
    assert column.apply(np.array([-7.0, 2.0, 95.0, 95.5, 1e9])).tolist() == [2.0, 2.0, 95.0, 95.0, 95.0]
    assert column.count_moved(values) == {"winsorised_low": 2, "winsorised_high": 5}
    assert column.count_moved(np.array([2.0, 95.0])) == {}
    assert fit_limits(values, MatrixSettings()) is None


def test_fitted_power_is_the_one_scikit_learn_finds() -> None:
    from sklearn.preprocessing import PowerTransformer

    theirs = PowerTransformer(standardize=False).fit(SKEWED[:, None])
    exponent = fit_exponent(SKEWED)
    assert exponent == pytest.approx(theirs.lambdas_[0], rel=1e-6)
    np.testing.assert_allclose(yeo_johnson(SKEWED, theirs.lambdas_[0]), theirs.transform(SKEWED[:, None])[:, 0])
    assert fit_exponent(SKEWED[::-1]) == exponent


@pytest.mark.parametrize("exponent", [-1.5, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_power_follows_the_published_formula(exponent: float) -> None:
    from scipy.stats import yeojohnson

    values = np.array([-1e5, -2.0, -0.5, 0.0, 0.5, 2.0, 1e5])
    np.testing.assert_allclose(yeo_johnson(values, exponent), yeojohnson(values, exponent), rtol=1e-12)


def test_skew_setting_chooses_the_scale() -> None:
    exponent = fit_exponent(SKEWED)
    assert fit_scale(SKEWED, MatrixSettings(skew="none")) == ("as it is", 1.0)
    assert fit_scale(SKEWED, MatrixSettings(skew="yeo_johnson")) == ("power", exponent)
    assert abs(skewness(yeo_johnson(SKEWED, exponent))) < abs(skewness(signed_log1p(SKEWED)))


def test_normal_scores_are_ranks_as_scikit_learn_interpolates_them() -> None:
    from sklearn.preprocessing import QuantileTransformer

    fitted = np.random.default_rng(4).gamma(2.0, 3.0, 1000).round(1)
    references = fit_references(fitted)
    theirs = QuantileTransformer(n_quantiles=len(references), subsample=None).fit(fitted[:, None])
    inner = np.linspace(fitted.min(), fitted.max(), 57)[1:-1]
    ranks = theirs.transform(inner[:, None])[:, 0]
    expected = ndtri(ranks * 200 / 201 + 0.5 / 201)
    np.testing.assert_allclose(normal_scores(inner, references), expected, rtol=1e-9, atol=1e-12)


def test_normal_scores_by_hand() -> None:
    references = (0.0, 0.0, 0.0, 3.0, 8.0)
    scores = normal_scores(np.array([0.0, 1.5, 8.0, -4.0, 99.0]), references)
    ranks = np.array([0.25, 0.625, 1.0, 0.0, 1.0])
    np.testing.assert_allclose(scores, ndtri(ranks * 0.8 + 0.1), rtol=1e-12)
    column = MatrixColumn("x", "x", references=references)
    assert column.count_moved(np.array([-4.0, 0.0, 8.0, 99.0, 99.0])) == {
        "beyond_reference_low": 1,
        "beyond_reference_high": 2,
    }


def test_column_survives_json() -> None:
    column = MatrixColumn("x", "f", (0.5, 2.0), "power", 0.3, 1.0, 2.0, (1.0, 2.0))
    assert MatrixColumn.from_plain(json.loads(json.dumps(dataclasses.asdict(column)))) == column
