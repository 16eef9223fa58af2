"""Spend per order day."""

import json

import numpy as np
import pytest
from scipy.stats import pearsonr

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.gamma_gamma import (
    FittedGammaGamma,
    _likelihood,
    fit_gamma_gamma,
    simulate_mean_spend,
)

TRUE = (6.0, 4.0, 15.0)


def simulate(customers, seed, parameters=TRUE):
    generator = np.random.default_rng(seed)
    count = generator.geometric(0.4, customers) - 1.0
    return count, simulate_mean_spend(parameters, count, generator)


@pytest.fixture(scope="module")
def fitted():
    return fit_gamma_gamma(*simulate(4_000, 1))


def model_of(parameters):
    return FittedGammaGamma(parameters, None, -1.0, 100, 0, 0, None, "")


def test_parameters_are_recovered(fitted):
    assert np.abs((np.array(fitted.parameters) - TRUE) / fitted.standard_errors).max() < 3
    assert (fitted.problem, fitted.warning) == ("", "")


def test_standard_errors_are_the_spread_over_repeated_samples():
    fits = [fit_gamma_gamma(*simulate(1_000, seed)) for seed in range(12)]
    spread = np.std([np.log(fit.parameters) for fit in fits], axis=0, ddof=1)
    claimed = np.mean([np.sqrt(np.diag(fit.covariance)) for fit in fits], axis=0)
    assert (spread / claimed > 0.5).all()
    assert (spread / claimed < 1.7).all()


def test_gradients_agree_with_finite_differences():
    count, spend = simulate(300, 2)
    order = np.argsort(count)
    count, spend = count[order], spend[order]
    objective = _likelihood(count[count > 0], spend[count > 0])
    logs = np.log([2.0, 5.0, 7.0])
    numeric = [(objective(logs + step)[0] - objective(logs - step)[0]) / 2e-6 for step in np.eye(3) * 1e-6]
    assert objective(logs)[1] == pytest.approx(np.array(numeric), rel=1e-6)


def test_expected_spend_is_a_weighted_mean_of_own_and_all():
    model = model_of((6.0, 4.0, 15.0))
    assert model.population_mean == 30
    assert model.expect_spend([0, 2, 2], [np.nan, 40.0, 30.0]).tolist() == [30.0, 6 * (15 + 80) / 15, 30.0]
    assert model.expect_spend([1, 1], [0.0, -3.0]).tolist() == [30.0, 30.0]


def test_posterior_is_that_of_customers_like_this():
    generator = np.random.default_rng(7)
    nu = generator.gamma(4.0, 1 / 15.0, 400_000)
    mean_of_two = generator.gamma(12.0, 1, 400_000) / (2 * nu)
    alike = 6.0 / nu[np.abs(mean_of_two - 40) < 1]
    model = model_of(TRUE)
    assert model.expect_spend([2], [40.0])[0] == pytest.approx(alike.mean(), rel=0.01)
    assert model.compute_spend_variance([2], [40.0])[0] == pytest.approx(alike.var(), rel=0.05)
    shape, rate = model.infer_nu([2], [40.0])
    assert shape[0] / rate[0] == pytest.approx((6.0 / alike).mean(), rel=0.01)


def test_moments_that_do_not_exist_are_infinite():
    assert model_of((6.0, 0.9, 15.0)).expect_spend([0, 1], [np.nan, 20.0]).tolist() == [np.inf, 6 * 35 / 5.9]
    assert model_of((6.0, 0.9, 15.0)).population_mean == np.inf
    assert model_of((6.0, 1.9, 15.0)).compute_spend_variance([0], [np.nan])[0] == np.inf


def test_an_infinite_population_mean_is_a_problem():
    found = fit_gamma_gamma(*simulate(3_000, 3, (4.0, 0.7, 10.0)))
    assert found.problem == "q is 1 or less, so that the mean spend of all customers is infinite"


def test_customers_left_out_are_counted_and_named(fitted):
    count, spend = simulate(4_000, 1)
    strange = fit_gamma_gamma([*count, 2, 1, 1], [*spend, 0.0, -5.0, np.nan])
    assert strange.parameters == fitted.parameters
    once = int((count == 0).sum())
    assert strange.left_out == (
        f"{once:,} customers without a repeat order; 3 customers with a mean spend that is missing or not above 0"
    )
    assert fitted.left_out == f"{once:,} customers without a repeat order"


def test_spend_that_goes_with_frequency_is_warned_of():
    generator = np.random.default_rng(9)
    count = generator.geometric(0.3, 800).astype(float)
    spend = generator.gamma(5.0, 1.0, 800) * (1 + 0.2 * count)
    found = fit_gamma_gamma(count, spend)
    assert found.correlation == pytest.approx(pearsonr(count, spend).statistic, rel=1e-9)
    assert found.warning.startswith("customers who order more often spend more per order (correlation 0.")
    falling = fit_gamma_gamma(count, generator.gamma(5.0, 1.0, 800) / count)
    assert "order more often spend less per order (correlation -0." in falling.warning
    assert fit_gamma_gamma(np.ones(800), spend).correlation is None


def test_another_currency_gives_the_same_fit(fitted):
    count, spend = simulate(4_000, 1)
    cents = fit_gamma_gamma(count, spend * 100)
    assert cents.expect_spend(count, spend * 100) / 100 == pytest.approx(fitted.expect_spend(count, spend), rel=1e-8)


def test_order_of_rows_changes_nothing_and_one_row_is_the_row_of_the_batch(fitted):
    count, spend = simulate(4_000, 1)
    order = np.random.default_rng(0).permutation(4_000)
    assert fit_gamma_gamma(count[order], spend[order]) == fitted
    for score in (fitted.expect_spend, fitted.compute_spend_variance):
        batch = score(count, spend)
        for row in range(0, 4_000, 97):
            assert score(count[row : row + 1], spend[row : row + 1])[0] == batch[row]


def test_a_stored_model_scores_to_the_bit(fitted):
    again = FittedGammaGamma.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)))
    assert again == fitted


@pytest.mark.parametrize(
    ("count", "spend", "message"),
    [
        ([1.5, 1], [3.0, 3.0], "btyd_frequency is no whole number of 0 or more in 1 of 2 rows, first in row 0"),
        ([np.nan, 1], [3.0, 3.0], "btyd_frequency is no whole number"),
        ([1, 1], [3.0, np.inf], "btyd_frequency or btyd_monetary_value is infinite in 1 of 2 rows, first in row 1"),
        ([1, 1], [3.0], r"shapes are \(2,\) and \(1,\)"),
        ([1] * 49 + [0, 2], [3.0] * 49 + [3.0, 0.0], "of 51 customers 49 have both, 1 a repeat order without such"),
    ],
)
def test_unusable_spend_is_named(count, spend, message):
    with pytest.raises(DataError, match=message):
        fit_gamma_gamma(count, spend)
