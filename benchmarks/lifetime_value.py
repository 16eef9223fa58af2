"""Measures what it costs to fit the models of repeat orders and of spend, and to value every customer, in days.

    python -m benchmarks.lifetime_value
    python -m benchmarks.lifetime_value --customers 200000 --models bg_nbd

Customers are drawn from each model itself, with parameters like those of a shop with a repeat order every two months,
and with whole days since the first order up to two years. CPU seconds, of one run each:

    groups     different histories among the customers
    fit        grouping and maximum likelihood on all customers, standard errors included
    score      P(alive), P(no order), expected, discounted and variance of orders for one horizon
    value      all columns of three horizons with both intervals
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from segmentation_assets.prediction.customer_value import value_histories
from segmentation_assets.prediction.gamma_gamma import FittedGammaGamma, fit_gamma_gamma, simulate_mean_spend
from segmentation_assets.prediction.purchase_histories import PurchaseHistories, check_histories
from segmentation_assets.prediction.purchase_models import MODELS, FittedPurchaseModel, fit_purchase_model

PARAMETERS = {
    "bg_nbd": (0.6, 35.0, 0.8, 2.5),
    "mbg_nbd": (0.6, 35.0, 0.8, 2.5),
    "pareto_nbd": (0.6, 35.0, 0.6, 80.0),
}
SPEND = (6.0, 4.0, 40.0)
LONGEST_DAYS = 730
HORIZON_DAYS = (91, 182, 365)
YEARLY_RATE = 0.1

Made = TypeVar("Made")


def main() -> None:
    """Fit and score every model and print CPU seconds."""
    parser = argparse.ArgumentParser(description="Measure the models of customer lifetime value.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seed", type=int, default=7)
    parsed = parser.parse_args()
    print(f"{parsed.customers:,} customers, seed {parsed.seed}; CPU seconds")
    print(f"{'':<14}{'groups':>10}{'fit':>8}{'score':>8}{'spend fit':>11}{'value':>8}")
    for name in parsed.models:
        _measure(name, parsed.customers, np.random.default_rng(parsed.seed))


def _measure(name: str, customers: int, generator: np.random.Generator) -> None:
    columns = _draw(name, customers, generator)
    fit_seconds, model = _clock(lambda: fit_purchase_model(name, check_histories(*columns)))
    score_seconds, _ = _clock(lambda: _score(model, check_histories(*columns)))
    mean_spend = simulate_mean_spend(SPEND, columns[0], generator)
    spend_seconds, spend = _clock(lambda: fit_gamma_gamma(columns[0], mean_spend))
    value_seconds, _ = _clock(lambda: _value(model, spend, check_histories(*columns), mean_spend))
    groups = len(check_histories(*columns).group())
    seconds = f"{fit_seconds:>8.1f}{score_seconds:>8.1f}{spend_seconds:>11.1f}{value_seconds:>8.1f}"
    print(f"{MODELS[name].label:<14}{groups:>10,}{seconds}  {model.problem}", flush=True)


def _draw(name: str, customers: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw histories in whole days; the last order day is rounded up."""
    end = generator.integers(1, LONGEST_DAYS, customers).astype(float)
    drawn = MODELS[name].simulate(np.array(PARAMETERS[name]), end, 0.0, generator)
    return drawn.count, np.minimum(np.ceil(drawn.last), end), end


def _score(model: FittedPurchaseModel, histories: PurchaseHistories) -> None:
    model.compute_alive_probability(histories)
    model.compute_no_order_probability(histories, HORIZON_DAYS[1])
    model.expect_orders(histories, HORIZON_DAYS[1])
    model.expect_orders(histories, HORIZON_DAYS[1], np.log1p(YEARLY_RATE) / 365)
    model.compute_order_variance(histories, HORIZON_DAYS[1])


def _value(
    model: FittedPurchaseModel, spend: FittedGammaGamma, histories: PurchaseHistories, mean_spend: np.ndarray
) -> None:
    value_histories(histories, mean_spend, model, spend, HORIZON_DAYS)


def _clock(make: Callable[[], Made]) -> tuple[float, Made]:
    started = time.process_time()
    made = make()
    return time.process_time() - started, made


if __name__ == "__main__":
    main()
