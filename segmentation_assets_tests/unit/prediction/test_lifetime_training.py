"""Fitting of lifetime value on simulated customers, whose later orders are known."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.prediction import LifetimeValueSettings
from segmentation_assets.prediction.lifetime_model import HORIZONS, LifetimeModel
from segmentation_assets.prediction.lifetime_record import GAMMA_GAMMA, judge_lifetime_value, lifetime_scores
from segmentation_assets.prediction.lifetime_training import AS_BEFORE, reason_not_fitted, train_lifetime_value
from segmentation_assets.prediction.purchase_models import MODELS
from segmentation_assets.tables.prediction import LIFETIME_SCORES

DAYS, HORIZON, CUSTOMERS = 300, 90, 2_000
DATE, NOW = dt.date(2025, 4, 1), dt.date(2025, 6, 30)


def simulate(seed=0):
    """Customers as known at a date, with the days of their orders until a horizon later."""
    rng = np.random.default_rng(seed)
    born = rng.integers(0, DAYS - 30, CUSTOMERS).astype(float)
    end = DAYS - born
    drawn = MODELS["mbg_nbd"].simulate(np.array([0.9, 25.0, 0.8, 2.5]), end, float(HORIZON), rng)
    mean = rng.gamma(6.0, 10.0, CUSTOMERS)
    spend = np.where(drawn.count > 0, mean * rng.gamma(8.0, 1 / 8.0, CUSTOMERS), np.nan)
    earlier = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(CUSTOMERS)],
            "btyd_frequency": np.floor(drawn.count),
            "btyd_recency": drawn.last,
            "btyd_T": end,
            "btyd_monetary_value": spend,
            "outcome_order_day_count": drawn.later,
            "outcome_gross_revenue_amount": drawn.later * mean,
        }
    )
    history = earlier.assign(
        btyd_frequency=earlier["btyd_frequency"] + drawn.later,
        btyd_recency=np.where(drawn.later > 0, end + HORIZON / 2, drawn.last),
        btyd_T=end + HORIZON,
        btyd_monetary_value=np.where(earlier["btyd_frequency"] + drawn.later > 0, mean, np.nan),
    )
    repeats = np.repeat(born + 1, earlier["btyd_frequency"].astype(int)) + 1.0
    times = {"births": born + 1, "order_times": repeats, "period_ends": np.arange(7.0, DAYS + HORIZON, 7.0)}
    return history, earlier, times


@pytest.fixture(scope="module")
def training():
    history, earlier, times = simulate()
    return train_lifetime_value(history, earlier, times, HORIZON, LifetimeValueSettings())


def test_later_orders_are_foretold_and_better_than_by_going_on_as_before(training):
    found = training.holdout["mbg_nbd"]
    assert found.customers == CUSTOMERS
    assert found.foretold_orders == pytest.approx(found.found_orders, rel=0.1)
    assert found.mean_absolute_error < training.holdout[AS_BEFORE].mean_absolute_error
    assert found.rank_correlation > 0.4
    assert found.top_spend_share > 0.3
    assert 0.74 < found.interval_coverage < 0.95
    assert training.holdout[AS_BEFORE].interval_coverage is None
    assert training.problems == ()


def test_all_models_are_fitted_and_the_one_of_the_settings_values_customers(training):
    assert set(training.orders) == set(MODELS) == set(training.tracking)
    assert training.model.orders == training.orders["mbg_nbd"]
    history, earlier, times = simulate()
    other = train_lifetime_value(history, earlier, times, HORIZON, LifetimeValueSettings(model="pareto_nbd"))
    assert other.model.orders.name == "pareto_nbd"
    assert other.orders["mbg_nbd"] == training.orders["mbg_nbd"]


def test_a_missed_holdout_speaks_against_the_model():
    history, earlier, times = simulate()
    nobody = earlier.assign(outcome_order_day_count=0.0, outcome_gross_revenue_amount=0.0)
    found = train_lifetime_value(history, nobody, times, HORIZON, LifetimeValueSettings())
    assert "(prediction.lifetime_value.max_holdout_error)" in found.problems[0]
    assert found.holdout["mbg_nbd"].top_spend_share == found.holdout["mbg_nbd"].rank_correlation == 0.0


def test_spend_that_goes_with_frequency_is_warned_of():
    history, earlier, times = simulate()
    rising = history.assign(btyd_monetary_value=10.0 + 5.0 * history["btyd_frequency"])
    found = train_lifetime_value(rising, earlier, times, HORIZON, LifetimeValueSettings())
    assert "customers who order more often spend more per order (correlation" in found.warnings[0]


def test_a_stored_model_values_customers_alike_and_each_by_itself(training):
    history, *_ = simulate()
    rows = history.head(80)
    valued = training.model.value(rows)
    state = json.loads(json.dumps(training.model.to_state()))
    again = LifetimeModel.from_state(state)
    assert again == training.model
    alone = pd.concat([again.value(rows.iloc[[at]]) for at in range(len(rows))], ignore_index=True)
    pd.testing.assert_frame_equal(alone, valued, check_exact=True)
    assert {name.rsplit("_", 1)[1] for name in valued if name.rsplit("_", 1)[1] in HORIZONS} == set(HORIZONS)
    assert (valued["discounted_spend_amount_12m"] < valued["expected_spend_amount_12m"]).all()


def test_what_came_of_it_is_told_and_written_as_rows(training):
    verdict = judge_lifetime_value(training, DATE, HORIZON)
    assert verdict.told.startswith("MBG/NBD foretold ")
    assert f"order days of {CUSTOMERS:,} customers in 90 days from 2025-04-01 on" in verdict.told
    json.dumps([dict(verdict.figures), dict(verdict.details)])
    table = lifetime_scores(training, DATE, NOW, "2025-06")
    assert set(table) == set(LIFETIME_SCORES.column_names)
    assert not table.duplicated(list(LIFETIME_SCORES.primary_key)).any()
    assert set(table.loc[table["is_chosen"], "candidate"]) == {"mbg_nbd", GAMMA_GAMMA}
    fitted = table[table["split"] == "fit"].set_index(["candidate", "measure"])
    r = fitted.loc[("mbg_nbd", "r")]
    assert r["lower"] < r["value"] < r["upper"]
    error = training.model.orders.standard_errors[0]
    assert np.log(r["upper"] / r["lower"]) / 3.92 == pytest.approx(error / r["value"], rel=1e-3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.head(30), "until now 30 customers had ordered, "),
        (lambda rows: rows.assign(btyd_frequency=0), "2,000 customers had ordered, 0 of them again"),
        (lambda rows: rows.assign(btyd_monetary_value=0.0), "2,000 customers had ordered, 0 of them again"),
    ],
)
def test_too_few_customers_are_a_reason_not_to_fit(change, reason):
    history, *_ = simulate()
    assert reason_not_fitted(history, "until now") == ""
    assert reason in reason_not_fitted(change(history), "until now")


def test_a_fit_without_standard_errors_has_no_intervals(training):
    bare = dataclasses.replace(training.orders["mbg_nbd"], covariance=None)
    without = dataclasses.replace(training, orders={**training.orders, "mbg_nbd": bare})
    table = lifetime_scores(without, DATE, NOW, "2025-06")
    assert table.loc[(table["candidate"] == "mbg_nbd") & (table["split"] == "fit"), "lower"].isna().all()
