"""Signs that a model has seen the future."""

import numpy as np
import pytest

from segmentation_assets.prediction import leak_check
from segmentation_assets.prediction.leak_check import (
    LeakReport,
    ShuffledAreas,
    find_telling_columns,
    measure_shuffled,
)


@pytest.fixture(scope="module")
def shop():
    """Features of customers, some of which say something about the outcome."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(1_500, 6))
    outcome = rng.random(1_500) < 1 / (1 + np.exp(-matrix[:, 0]))
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix, outcome


def test_nothing_is_found_where_nothing_is_planted(shop):
    matrix, outcome = shop
    names = [f"f{number}" for number in range(6)]
    assert find_telling_columns(matrix, names, outcome, 0.85) == ()
    shuffled = measure_shuffled(matrix, outcome, seed=7)
    assert shuffled.is_chance
    assert (0.45 < shuffled.mean < 0.55, shuffled.customers) == (True, 1_500)
    assert LeakReport(0.85, 0.8, (), shuffled).problems == ()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_column_is_named_whichever_way_it_points(shop, sign):
    matrix, outcome = shop
    rng = np.random.default_rng(1)
    planted = np.column_stack([matrix, sign * (outcome + rng.normal(scale=0.3, size=len(outcome)))])
    ((name, area),) = find_telling_columns(planted, [*"abcdef", "orders_next_month"], outcome, 0.85)
    assert name == "orders_next_month"
    assert area > 0.95
    report = LeakReport(0.85, 0.99, ((name, area),), measure_shuffled(planted, outcome, seed=7))
    assert [problem[:35] for problem in report.problems] == [
        "orders_next_month alone has an AUC ",
        "an AUC of 0.990 is above 0.85 (pred",
    ]


def test_a_column_that_is_missing_where_customers_leave_tells_too(shop):
    _, outcome = shop
    hole = np.where(outcome, np.nan, 1.0)
    assert [name for name, _ in find_telling_columns(hole[:, None], ["gap"], outcome, 0.85)] == ["gap"]


def test_rows_that_tell_of_each_other_show_in_shuffled_outcomes(shop, monkeypatch):
    areas = iter(np.linspace(0.58, 0.62, 20))
    monkeypatch.setattr(leak_check, "area_under_curve", lambda *_: next(areas))
    found = measure_shuffled(*shop, seed=7)
    assert not found.is_chance
    assert "with shuffled outcomes the mean AUC of 20 fits is 0.600" in LeakReport(0.85, 0.7, (), found).problems[0]


@pytest.mark.parametrize(("mean", "is_chance"), [(0.5, True), (0.52, True), (0.54, False), (0.46, False)])
def test_three_standard_errors_are_chance(mean, is_chance):
    assert ShuffledAreas(mean, 0.01, 2_000).is_chance is is_chance
