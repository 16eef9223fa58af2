"""What holds for every model of repeat orders."""

import json
from itertools import product

import numpy as np
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.purchase_histories import PurchaseHistories, check_histories
from segmentation_assets.prediction.purchase_models import MODELS, FittedPurchaseModel, find_model, fit_purchase_model
from segmentation_assets_tests.unit.prediction.conftest import PARAMETERS, model_of, simulate

every_model = pytest.mark.parametrize("name", MODELS)

HARD = check_histories(
    [0, 0, 0, 1, 1, 7, 60, 400, 400],
    [0, 0, 0, 1, 700, 300, 729, 100, 730],
    [0, 1, 730, 700, 700, 400, 730, 730, 730],
)
"""In days: newcomers, heavy buyers who stopped and who did not."""


@pytest.fixture(scope="module")
def fitted():
    """Every model, fitted on customers drawn from it."""
    return {name: fit_purchase_model(name, simulate(name, 2_000, 1, horizon=0)[0]) for name in MODELS}


@pytest.fixture(scope="module")
def observed():
    """For every model its true form, customers of 40 weeks, and their orders in the 39 weeks after."""
    return {name: (model_of(name, PARAMETERS[name]), *simulate(name, 60_000, 5)) for name in MODELS}


@every_model
def test_parameters_are_recovered(fitted, name):
    model = fitted[name]
    errors = (np.array(model.parameters) - PARAMETERS[name]) / model.standard_errors
    assert np.abs(errors).max() < 3
    assert (model.problem, model.n_customers) == ("", 2_000)


@every_model
def test_standard_errors_are_the_spread_over_repeated_samples(name):
    fits = [fit_purchase_model(name, simulate(name, 500, seed, weeks=30, horizon=0)[0]) for seed in range(10)]
    spread = np.std([np.log(fit.parameters) for fit in fits], axis=0, ddof=1)
    claimed = np.mean([np.sqrt(np.diag(fit.covariance)) for fit in fits if fit.covariance], axis=0)
    assert (spread[:2] / claimed[:2] > 0.5).all()
    assert (spread[:2] / claimed[:2] < 1.8).all()


@every_model
@pytest.mark.parametrize("factors", [(1, 1, 1, 1), (0.1, 5, 2, 0.3), (3, 0.02, 0.2, 9), (1, 1, 0.05, 4)])
def test_gradients_agree_with_finite_differences(name, factors):
    histories = simulate(name, 300, 2, horizon=0)[0].group()
    parameters, process = np.array(PARAMETERS[name]) * factors, MODELS[name]
    steps = np.diag(parameters * 1e-6)
    numeric = [
        (
            process.differentiate(parameters + step, histories)[0]
            - process.differentiate(parameters - step, histories)[0]
        )
        / (2 * step.sum())
        for step in steps
    ]
    assert process.differentiate(parameters, histories)[1] == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-3)


def groups_of(histories):
    """Customers by count and by whether the last order is of the second half."""
    kinds = np.minimum(histories.count, 4) * 2 + (histories.last > 20)
    return [kinds == kind for kind in np.unique(kinds)]


@every_model
def test_expected_orders_are_those_that_came(observed, name):
    model, histories, later = observed[name]
    expected, variance = model.expect_orders(histories, 39.0), model.compute_order_variance(histories, 39.0)
    for rows in groups_of(histories):
        error = np.sqrt(variance[rows].mean() / rows.sum())
        assert abs(expected[rows].mean() - later[rows].mean()) < 4 * error


@every_model
def test_variance_is_that_of_the_orders_that_came(observed, name):
    model, histories, later = observed[name]
    expected, variance = model.expect_orders(histories, 39.0), model.compute_order_variance(histories, 39.0)
    for rows in groups_of(histories):
        squares = (later[rows] - expected[rows]) ** 2
        assert abs(squares.mean() - variance[rows].mean()) < 4.5 * squares.std() / np.sqrt(rows.sum())


@every_model
def test_probability_of_no_order_is_the_share_without(observed, name):
    model, histories, later = observed[name]
    idle = model.compute_no_order_probability(histories, 39.0)
    for rows in groups_of(histories):
        error = np.sqrt((idle[rows] * (1 - idle[rows])).mean() / rows.sum())
        assert abs(idle[rows].mean() - (later[rows] == 0).mean()) < 4 * error


@every_model
def test_newcomers_order_as_often_as_expected(observed, name):
    model, histories, later = observed[name]
    both = histories.count + later
    expected = model.expect_newcomer_orders([40.0, 79.0])
    assert abs(histories.count.mean() - expected[0]) < 4 * histories.count.std() / np.sqrt(len(histories))
    assert abs(both.mean() - expected[1]) < 4 * both.std() / np.sqrt(len(both))
    assert model.expect_newcomer_orders([0.0])[0] == 0


@every_model
def test_later_orders_count_less(observed, name):
    model, histories, _ = observed[name]
    some = check_histories(*(column[:500] for column in (histories.count, histories.last, histories.end)))
    plain, discounted = model.expect_orders(some, 52.0), model.expect_orders(some, 52.0, 0.002)
    assert (discounted < plain).all()
    assert (discounted > plain * np.exp(-0.002 * 52)).all()
    steps = [model.expect_orders(some, week + 1.0) - model.expect_orders(some, float(week)) for week in range(1, 52)]
    by_week = model.expect_orders(some, 1.0) * np.exp(-0.001)
    by_week = by_week + sum(step * np.exp(-0.002 * (week + 0.5)) for week, step in enumerate(steps, start=1))
    assert discounted == pytest.approx(by_week, rel=1e-5)


@every_model
def test_days_and_weeks_predict_the_same(fitted, name):
    histories = simulate(name, 2_000, 1, horizon=0)[0]
    days = PurchaseHistories(histories.count, histories.last * 7, histories.end * 7, histories.weight)
    model = fit_purchase_model(name, days)
    assert model.expect_orders(days, 273.0) == pytest.approx(fitted[name].expect_orders(histories, 39.0), rel=1e-7)
    assert model.compute_alive_probability(days) == pytest.approx(
        fitted[name].compute_alive_probability(histories), rel=1e-7
    )
    per_order = histories.count.sum() * np.log(7)
    assert model.loglik + per_order == pytest.approx(fitted[name].loglik, rel=1e-10)


@every_model
def test_order_of_rows_changes_nothing(fitted, name):
    histories = simulate(name, 2_000, 1, horizon=0)[0]
    order = np.random.default_rng(0).permutation(len(histories))
    columns = (histories.count[order], histories.last[order], histories.end[order])
    moved = fit_purchase_model(name, check_histories(*columns))
    assert moved.parameters == pytest.approx(fitted[name].parameters, rel=1e-10)


@every_model
def test_weights_are_repeated_customers(name):
    histories = simulate(name, 400, 3, horizon=0)[0]
    columns = (histories.count, histories.last, histories.end)
    weighted = fit_purchase_model(name, check_histories(*columns, np.full(400, 3)))
    repeated = fit_purchase_model(name, check_histories(*(np.tile(column, 3) for column in columns)))
    assert weighted == repeated
    assert weighted.n_customers == 1_200


@every_model
def test_one_row_alone_is_the_row_in_the_batch(fitted, name):
    histories, _ = simulate(name, 1_500, 8, weeks=60)
    model = fitted[name]
    scores = [
        model.compute_alive_probability,
        lambda rows: model.compute_no_order_probability(rows, 13.0),
        lambda rows: model.expect_orders(rows, 13.0),
        lambda rows: model.expect_orders(rows, 13.0, 0.01),
        lambda rows: model.compute_order_variance(rows, 13.0),
    ]
    columns = [np.concatenate(pair) for pair in zip(columns_of(histories), columns_of(HARD), strict=True)]
    together = check_histories(*columns)
    for score in scores:
        batch = score(together)
        assert np.isfinite(batch).all()
        for row in [*range(0, 1_500, 71), *range(1_500, 1_509)]:
            alone = check_histories(*(column[row : row + 1] for column in columns))
            assert score(alone)[0] == batch[row]


def columns_of(histories):
    return histories.count, histories.last, histories.end


@every_model
def test_a_stored_model_scores_to_the_bit(fitted, name):
    stored = json.loads(json.dumps(fitted[name].to_json(), allow_nan=False))
    again = FittedPurchaseModel.from_json(stored)
    assert again == fitted[name]
    assert (again.expect_orders(HARD, 91.0) == fitted[name].expect_orders(HARD, 91.0)).all()


@every_model
def test_probabilities_stay_probabilities(name):
    for factors in ([1, 1, 1, 1], [0.05, 0.1, 0.02, 3], [8, 200, 4, 20], [1, 30, 1, 0.02]):
        model = model_of(name, np.array(PARAMETERS[name]) * factors)
        alive, idle = model.compute_alive_probability(HARD), model.compute_no_order_probability(HARD, 182.0)
        expected = model.expect_orders(HARD, 182.0)
        assert ((alive >= 0) & (alive <= 1)).all()
        assert ((idle >= 1 - alive - 1e-12) & (idle <= 1)).all()
        assert (expected >= 1 - idle - 1e-9).all(), "one order at least where there is any"
        assert (model.compute_order_variance(HARD, 182.0) >= 0).all()


@every_model
@pytest.mark.parametrize("first", [2e-4, 8_000.0])
@pytest.mark.parametrize("third", [2e-4, 1.0, 8_000.0])
def test_parameters_at_their_bounds_give_numbers(name, first, third):
    for time, last in product((0.1, 365.0), (2e-4, 8_000.0)):
        parameters = first, time, third, last * (time if name == "pareto_nbd" else 1)
        model = model_of(name, parameters)
        assert np.isfinite(model.expect_orders(HARD, 182.0)).all()
        assert np.isfinite(model.compute_order_variance(HARD, 182.0)).all()
        assert np.isfinite(model.compute_no_order_probability(HARD, 182.0)).all()
        assert np.isfinite(model.process.differentiate(np.array(parameters), HARD)[1]).all()


@every_model
def test_long_silence_after_many_orders_means_gone(name):
    model = model_of(name, PARAMETERS[name])
    silent, steady = check_histories([40], [10.0], [60.0]), check_histories([40], [59.0], [60.0])
    assert model.compute_alive_probability(silent)[0] < 1e-6
    assert model.compute_alive_probability(steady)[0] > 0.6


@every_model
def test_customers_without_differences_are_a_named_problem(name):
    generator = np.random.default_rng(4)
    end = np.full(400, 50.0)
    count = generator.poisson(5.0, 400)
    last = np.where(count > 0, end * generator.beta(np.maximum(count, 1), 1), 0.0)
    model = fit_purchase_model(name, check_histories(count, last, end))
    assert "ran to the bound of what is searched" in model.problem
    assert np.isfinite(model.expect_orders(check_histories(count, last, end), 39.0)).all()
    json.dumps(model.to_json(), allow_nan=False)
    assert np.isnan(model.standard_errors).all() or model.covariance is not None


def test_unusable_customers_are_named():
    few = check_histories([1] * 49, [3] * 49, [9] * 49)
    with pytest.raises(DataError, match="BG/NBD takes 50 customers at least, but there are 49 customers"):
        fit_purchase_model("bg_nbd", few)
    once = check_histories(np.zeros(60), np.zeros(60), np.full(60, 9.0))
    with pytest.raises(DataError, match="learns from customers who order again, but none of 60 customers has"):
        fit_purchase_model("pareto_nbd", once)
    with pytest.raises(DataError, match="there is no model of repeat orders called 'bgnbd'\nHint: did you mean"):
        find_model("bgnbd")


@pytest.mark.parametrize("horizon", [-1.0, np.nan, np.inf])
def test_impossible_horizons_are_named(horizon):
    model = model_of("bg_nbd", PARAMETERS["bg_nbd"])
    for score in (model.expect_orders, model.compute_no_order_probability, model.compute_order_variance):
        with pytest.raises(DataError, match="a horizon is a time of 0 or more, not"):
            score(HARD, horizon)
    with pytest.raises(DataError, match="a horizon is a time of 0 or more, not"):
        model.expect_newcomer_orders([1.0, horizon])
