"""Lifetime values and their two kinds of intervals."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.customer_value import value_customers, value_histories
from segmentation_assets.prediction.gamma_gamma import FittedGammaGamma, fit_gamma_gamma
from segmentation_assets.prediction.purchase_histories import check_histories
from segmentation_assets.prediction.purchase_models import MODELS, fit_purchase_model
from segmentation_assets.prediction.spend_intervals import bound_spend
from segmentation_assets_tests.unit.prediction.conftest import model_of

SPEND = (6.0, 4.0, 15.0)
PARAMETERS = {"bg_nbd": (1.0, 30.0, 0.8, 5.0), "mbg_nbd": (1.2, 30.0, 0.8, 6.0), "pareto_nbd": (1.2, 30.0, 0.7, 400.0)}
COVARIANCE = tuple(map(tuple, (np.eye(4) * 0.01).tolist()))


def simulate(name, customers, seed, days=182.0):
    """Customers observed for up to a year, their mean spend, and what they spent in the half year after."""
    generator = np.random.default_rng(seed)
    end = generator.integers(30, 365, customers).astype(float)
    drawn = MODELS[name].simulate(np.array(PARAMETERS[name]), end, days, generator)
    p, q, v = SPEND
    nu, orders = generator.gamma(q, 1 / v, customers), np.maximum(drawn.count, 1)
    mean_spend = np.where(drawn.count > 0, generator.gamma(p * orders) / (nu * orders), np.nan)
    spent = np.where(drawn.later > 0, generator.gamma(p * np.maximum(drawn.later, 1)) / nu, 0.0)
    return check_histories(drawn.count, drawn.last, end), mean_spend, spent


@pytest.fixture(scope="module")
def shop():
    histories, mean_spend, spent = simulate("mbg_nbd", 3_000, 3)
    orders = fit_purchase_model("mbg_nbd", histories)
    return histories, mean_spend, spent, orders, fit_gamma_gamma(histories.count, mean_spend)


@pytest.mark.parametrize("name", MODELS)
def test_prediction_intervals_cover_as_often_as_they_say(name):
    histories, mean_spend, spent = simulate(name, 8_000, 11)
    spend = FittedGammaGamma(SPEND, None, -1.0, 100, 0, 0, None, "")
    values = value_histories(histories, mean_spend, model_of(name, PARAMETERS[name]), spend, [182])
    low, high = values["spend_low_amount_182d"], values["spend_high_amount_182d"]
    is_covered = (low <= spent) & (spent <= high)
    assert 0.76 < is_covered.mean() < 0.88
    assert 0.77 < is_covered[high > 0].mean() < 0.83, "where the interval is more than a zero"
    assert 0.72 < is_covered[low > 0].mean() < 0.84, "where it has no zero"
    expected = values["expected_spend_amount_182d"]
    assert expected.mean() == pytest.approx(spent.mean(), abs=4 * spent.std() / np.sqrt(len(spent)))
    assert np.isnan(values["expected_spend_low_amount_182d"]).all(), "nothing is known of the parameters"


def test_parameter_intervals_cover_what_the_true_parameters_expect():
    spend, true = FittedGammaGamma(SPEND, None, -1.0, 100, 0, 0, None, ""), model_of("bg_nbd", PARAMETERS["bg_nbd"])
    probes = check_histories([0, 1, 4, 20], [0, 30, 100, 290], [300, 200, 150, 300])
    money = np.array([np.nan, 30.0, 60.0, 20.0])
    truth = value_histories(probes, money, true, spend, [182])["expected_spend_amount_182d"]
    covered = []
    for seed in range(25):
        histories, mean_spend, _ = simulate("bg_nbd", 400, seed)
        fits = fit_purchase_model("bg_nbd", histories), fit_gamma_gamma(histories.count, mean_spend)
        values = value_histories(probes, money, *fits, [182])
        low, high = values["expected_spend_low_amount_182d"], values["expected_spend_high_amount_182d"]
        covered.append((low <= truth) & (truth <= high))
    assert 0.65 < np.mean(covered) < 0.92


def test_the_delta_method_agrees_with_drawn_parameters(shop):
    histories, mean_spend, _, orders, spend = shop
    some = check_histories(histories.count[:5], histories.last[:5], histories.end[:5])
    values = value_histories(some, mean_spend[:5], orders, spend, [182])
    generator = np.random.default_rng(1)
    shifts = generator.multivariate_normal(np.zeros(4), orders.covariance, 400)
    money = generator.multivariate_normal(np.zeros(3), spend.covariance, 400)
    drawn = []
    for shift, other in zip(shifts, money, strict=True):
        parameters = tuple((np.array(spend.parameters) * np.exp(other)).tolist())
        moved = FittedGammaGamma(parameters, None, -1.0, 100, 0, 0, None, "")
        drawn.append(orders.move(shift).expect_orders(some, 182.0) * moved.expect_spend(some.count, mean_spend[:5]))
    width = np.log(values["expected_spend_high_amount_182d"] / values["expected_spend_low_amount_182d"])
    assert width / (2 * 1.2815516) == pytest.approx(np.log(drawn).std(axis=0), rel=0.15)


def test_columns_follow_from_one_another(shop):
    histories, mean_spend, _, orders, spend = shop
    values = value_histories(histories, mean_spend, orders, spend, [91, 365], monthly_discount_rate=0.01)
    for days in (91, 365):
        expected = values[f"expected_spend_amount_{days}d"]
        assert expected == pytest.approx(values[f"expected_order_count_{days}d"] * values["expected_order_amount"])
        assert (values[f"expected_spend_low_amount_{days}d"] < expected).all()
        assert (values[f"expected_spend_high_amount_{days}d"] > expected).all()
        ratio = values[f"discounted_spend_amount_{days}d"] / expected
        assert ((ratio < 1) & (ratio > 1.01 ** (-days / 30.4375))).all()
        idle = 1 - values[f"order_probability_{days}d"]
        assert ((values[f"spend_high_amount_{days}d"] == 0) == (idle >= 0.8)).all()
        assert ((values[f"spend_low_amount_{days}d"] == 0) == (idle > 0.1)).all()
    assert (values["expected_order_count_365d"] > values["expected_order_count_91d"]).all()


def test_a_higher_level_widens_both_intervals(shop):
    histories, mean_spend, _, orders, spend = shop
    usual, wide = (value_histories(histories, mean_spend, orders, spend, [182], level=level) for level in (0.8, 0.95))
    for kind in ("expected_spend", "spend"):
        assert (wide[f"{kind}_high_amount_182d"] >= usual[f"{kind}_high_amount_182d"]).all()
        assert (wide[f"{kind}_low_amount_182d"] <= usual[f"{kind}_low_amount_182d"]).all()


def test_one_row_alone_is_the_row_in_the_batch(shop):
    histories, mean_spend, _, orders, spend = shop
    batch = value_histories(histories, mean_spend, orders, spend, [91, 182])
    for row in range(0, 3_000, 311):
        rows = slice(row, row + 1)
        alone = check_histories(histories.count[rows], histories.last[rows], histories.end[rows])
        found = value_histories(alone, mean_spend[rows], orders, spend, [91, 182])
        assert {name: column[0] for name, column in found.items()} == {name: batch[name][row] for name in batch}


def test_parts_are_put_together_in_order(shop, monkeypatch):
    histories, mean_spend, _, orders, spend = shop
    whole = value_histories(histories, mean_spend, orders, spend, [91])
    monkeypatch.setattr("segmentation_assets.prediction.customer_value.ROWS_AT_ONCE", 700)
    parts = value_histories(histories, mean_spend, orders, spend, [91])
    assert all((parts[name] == whole[name]).all() for name in whole)


def test_spend_on_one_certain_order_is_met_exactly():
    """With one order for certain, spend is a ratio of two Gamma variables."""
    one, generator = np.ones(1), np.random.default_rng(2)
    low, high = bound_spend((one, 0 * one), 0 * one, (10 * one, 50 * one), 6.0, 0.8)
    drawn = generator.gamma(6.0, 1, 200_000) / generator.gamma(10.0, 1 / 50, 200_000)
    assert [low[0], high[0]] == pytest.approx(np.quantile(drawn, [0.1, 0.9]), rel=0.01)


def test_a_frame_is_valued_row_by_row():
    customers = pd.DataFrame(
        {
            "customer_id": ["b", "a"],
            "btyd_frequency": [2, 0],
            "btyd_recency": [100, 0],
            "btyd_T": [120, 400],
            "btyd_monetary_value": pd.array([35.0, None], dtype="Float64"),
        }
    )
    orders = model_of("mbg_nbd", PARAMETERS["mbg_nbd"], COVARIANCE)
    spend = FittedGammaGamma(SPEND, tuple(row[:3] for row in COVARIANCE[:3]), -1.0, 100, 0, 0, None, "")
    valued = value_customers(customers, orders, spend, [91, 182, 365])
    assert valued["customer_id"].tolist() == ["b", "a"]
    assert valued["expected_order_amount"].tolist() == [6 * (15 + 70) / 15, 30.0]
    assert valued.shape == (2, 3 + 3 * 8)
    assert valued.notna().all(axis=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon_days": [91, 0]}, r"horizons are different whole numbers of days above 0, not \[91, 0\]"),
        ({"horizon_days": []}, r"horizons are different whole numbers of days above 0, not \[\]"),
        ({"horizon_days": [91], "level": 1.0}, "the level of intervals lies between 0 and 1, not at 1.0"),
        ({"horizon_days": [91], "monthly_discount_rate": -0.1}, "the monthly discount rate is 0 or more, not -0.1"),
    ],
)
def test_impossible_options_are_named(shop, options, message):
    histories, mean_spend, _, orders, spend = shop
    with pytest.raises(DataError, match=message):
        value_histories(histories, mean_spend, orders, spend, **options)


def test_missing_columns_and_rows_are_named(shop):
    histories, mean_spend, _, orders, spend = shop
    with pytest.raises(DataError, match="columns btyd_T, btyd_monetary_value, btyd_recency, customer_id are missing"):
        value_customers(pd.DataFrame({"btyd_frequency": [1]}), orders, spend, [91])
    with pytest.raises(DataError, match=r"shapes are \(3000,\) and \(2999,\)"):
        value_histories(histories, mean_spend[1:], orders, spend, [91])
