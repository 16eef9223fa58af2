"""Orders and their lines as they are drawn, month by month."""

import numpy as np
import pytest

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.orders import place_orders
from segmentation_assets.synthetic.population import make_population
from segmentation_assets.synthetic.shop import Shop
from segmentation_assets.synthetic.states import CODES

SETTINGS = SyntheticSettings(customers=20_000, first_month="2023-09", months=2, outlier_share=0.05)
POPULATION = make_population(SETTINGS, ("Apparel",))


def count_orders(state: str, rows: np.ndarray) -> np.ndarray:
    """Orders of some customers in the second month, where everybody is in one state and wants something."""
    states = np.full(len(POPULATION.numbers), CODES[state], dtype=np.int8)
    wants = np.ones(len(states), dtype=bool)
    orders = place_orders(Draws(7), POPULATION, states, wants, make_calendar(SETTINGS), 1)
    return np.bincount(orders.customers, minlength=len(states))[rows]


def test_who_comes_back_orders_at_least_once() -> None:
    rows = np.flatnonzero(POPULATION.numbers > 1)
    assert count_orders("reactivated", rows).min() == 1
    assert count_orders("active", rows).min() == 0


def test_settled_bulk_buyers_order_at_least_once() -> None:
    bulk, others = (np.flatnonzero(POPULATION.is_bulk_buyer == is_bulk)[1:] for is_bulk in (True, False))
    assert (count_orders("active", bulk).min(), count_orders("active", others).min()) == (1, 0)
    assert count_orders("slipping", bulk).min() == 0


def test_who_joins_late_in_a_month_orders_less_in_the_rest_of_it() -> None:
    place = POPULATION.joined - 1
    joins = (place >= 0) & (place < 1) & ~POPULATION.orders_once
    early, late = (np.flatnonzero(joins & (place < 0.1)), np.flatnonzero(joins & (place > 0.9)))
    further = [count_orders("new", rows) - 1 for rows in (early, late)]
    assert min(len(early), len(late)) > 40
    assert [orders.min() for orders in further] == [0, 0]
    assert further[0].mean() > 0.25 > 0.1 > further[1].mean()


def test_discounts_are_of_three_depths_alike(shop: Shop) -> None:
    lines = shop.order_lines[shop.order_lines["list_price"] > 5]
    percent = (100 * (1 - lines["unit_price"] / lines["list_price"])).round().astype(int)
    shares = percent[percent > 0].value_counts(normalize=True).sort_index()
    assert shares.index.tolist() == [10, 20, 30]
    assert shares.to_numpy() == pytest.approx(np.full(3, 1 / 3), abs=0.02)
