"""Expected beside observed orders over time."""

import numpy as np
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.purchase_models import MODELS
from segmentation_assets.prediction.tracking import track_orders
from segmentation_assets_tests.unit.prediction.conftest import PARAMETERS, model_of


def test_expectations_add_up_over_births():
    model = model_of("bg_nbd", PARAMETERS["bg_nbd"])
    tracked = track_orders(model, [0.0, 3.0, 3.0, 8.0], [1.0, 5.0, 10.0, 12.0], [5.0, 10.0])
    alone = model.expect_newcomer_orders([5.0, 2.0, 10.0, 7.0, 2.0])
    cumulative = [alone[0] + 2 * alone[1], alone[2] + 2 * alone[3] + alone[4]]
    assert tracked["cumulative_expected_order_count"].tolist() == pytest.approx(cumulative)
    assert tracked["expected_order_count"].tolist() == pytest.approx([cumulative[0], cumulative[1] - cumulative[0]])
    assert tracked["cumulative_observed_order_count"].tolist() == [2, 3]
    assert tracked["observed_order_count"].tolist() == [2, 1]
    assert tracked["period_end"].tolist() == [5, 10]


@pytest.mark.parametrize("name", MODELS)
def test_simulated_customers_follow_the_line(name):
    generator = np.random.default_rng(6)
    births = generator.integers(0, 12, 20_000).astype(float)
    drawn = MODELS[name].simulate(np.array(PARAMETERS[name]), 40 - births, 40.0, generator)
    tracked = track_orders(model_of(name, PARAMETERS[name]), births, [50.0], [40.0])
    error = drawn.count.std() * np.sqrt(20_000)
    assert abs(tracked["expected_order_count"].iloc[0] - drawn.count.sum()) < 4 * error


@pytest.mark.parametrize(
    ("births", "orders", "ends", "message"),
    [
        ([0.0, np.nan], [1.0], [2.0], "births are times, but 1 of 2 are missing or infinite"),
        ([], [1.0], [2.0], "there are 0 customers and 1 periods to track"),
        ([0.0], [1.0], [2.0, 2.0], "period_ends do not increase"),
        ([1.0], [1.0], [2.0], "the first repeat order, at 1, is not after the first order of any customer, at 1"),
    ],
)
def test_unusable_times_are_named(births, orders, ends, message):
    with pytest.raises(DataError, match=message):
        track_orders(model_of("bg_nbd", PARAMETERS["bg_nbd"]), births, orders, ends)
