"""Orders of the synthetic shop, their lines, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.synthetic.calendar import (
    NOVEMBER,
    SECONDS_PER_DAY,
    BusinessCalendar,
    spread_over_days,
    spread_over_hours,
)
from segmentation_assets.synthetic.catalogue import DEPARTMENTS
from segmentation_assets.synthetic.draws import Draws, number_members
from segmentation_assets.synthetic.population import Population

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

CUSTOMER_DIGITS = 7
_ORDERS_PER_MONTH = 12
_LINES_PER_ORDER = 7
_DISCOUNTS = (10, 20, 30)
_RETURN_FACTORS = {"Accessories & Footwear": 1.2, "Health & Wellness": 0.3, "Home & Lifestyle": 0.7, "Apparel": 1.5}
_FIRST_RETURN_DAY = 2
_RETURN_DAYS = 13


@dataclass(frozen=True)
class Orders:
    """Orders by month, customer and place; every array has one entry per order.

    Parameters
    ----------
    numbers : ndarray of int
        Unique order numbers: month of business, customer number and place in the month, as digits.
    customers : ndarray of int
        Row of the customer in the population.
    months : ndarray of int
        Month of business, from 0.
    seconds : ndarray of int
        Instant, in seconds since 1970.
    """

    numbers: NDArray[np.int64]
    customers: NDArray[np.int64]
    months: NDArray[np.int64]
    seconds: NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Order lines, purchases or returns; every array has one entry per line.

    Parameters
    ----------
    orders : ndarray of int
        Row of the order in `Orders`.
    products : ndarray of int
        Row of the product in the catalogue; at most one line per order and product.
    quantities : ndarray of int
        Units, at least 1.
    cents : ndarray of int
        Price of one unit in hundredths.
    keys : ndarray of int
        Unique keys for further draws.
    """

    orders: NDArray[np.int64]
    products: NDArray[np.int64]
    quantities: NDArray[np.int64]
    cents: NDArray[np.int64]
    keys: NDArray[np.int64]


def place_orders(draws: Draws, population: Population, calendar: BusinessCalendar) -> Orders:
    """Draw all orders, month by month."""
    import numpy as np

    months = [_place_month(draws, population, calendar, month) for month in range(len(calendar.months))]
    numbers, customers, month_numbers, seconds = (np.concatenate(parts) for parts in zip(*months, strict=True))
    return Orders(numbers, customers, month_numbers, seconds)


def _place_month(
    draws: Draws, population: Population, calendar: BusinessCalendar, month: int
) -> tuple[NDArray[np.int64], ...]:
    """Draw the orders of one month: the first order of whoever joins, and Poisson counts while active."""
    import numpy as np

    joins = np.floor(population.joined) == month
    rows = np.flatnonzero(joins | ((population.joined < month + 1) & (population.left > month)))
    start = np.clip(population.joined[rows] - month, 0.0, 1.0)
    span = np.maximum(np.clip(population.left[rows] - month, 0.0, 1.0) - start, 0.0)
    keys = month * 10**CUSTOMER_DIGITS + population.numbers[rows]
    rates = population.order_rates[rows] * calendar.season[month] * span
    counts = draws.poisson("orders", keys, rates, most=_ORDERS_PER_MONTH) + joins[rows]
    counts = np.where(population.numbers[rows] == 1, np.maximum(counts, 1), counts)

    order = np.repeat(np.arange(len(rows)), counts)
    place = number_members(counts)
    numbers = keys[order] * 100 + place
    position = start[order] + span[order] * draws.uniform("order day", numbers)
    position = np.where((place == 0) & joins[rows][order], start[order], position)
    days = spread_over_days(position, calendar.day_edges(month))
    time_of_day = spread_over_hours(draws.uniform("order hour", numbers))
    seconds = calendar.starts[month] + days * SECONDS_PER_DAY + time_of_day
    return numbers, rows[order], np.full(len(numbers), month), seconds


def fill_orders(
    draws: Draws, orders: Orders, population: Population, calendar: BusinessCalendar, products: pd.DataFrame
) -> Lines:
    """Draw the lines of all orders; a product drawn twice for one order counts once."""
    import numpy as np

    means = population.lines_per_order[orders.customers] - 1
    counts = 1 + draws.poisson("lines", orders.numbers, means, most=_LINES_PER_ORDER - 1)
    order = np.repeat(np.arange(len(counts)), counts)
    keys = orders.numbers[order] * 10 + number_members(counts)
    product = _choose_products(draws, keys, orders.customers[order], population, products)
    _, kept = np.unique(order * len(products) + product, return_index=True)
    order, keys, product = order[kept], keys[kept], product[kept]

    several = draws.uniform("quantity", keys)
    quantities = 1 + (several > 0.82).astype(np.int64) + (several > 0.95)
    is_november = calendar.month_of_year[orders.months[order]] == NOVEMBER
    probability = population.discount_probabilities[orders.customers[order]] * np.where(is_november, 1.4, 1.0)
    depth = (draws.uniform("discount depth", keys) * len(_DISCOUNTS)).astype(np.int64)
    percent = np.where(draws.uniform("discount", keys) < probability, np.array(_DISCOUNTS)[depth], 0)
    list_cents = np.rint(products["unit_price"].to_numpy() * 100).astype(np.int64)[product]
    cents = (list_cents * (100 - percent) + 50) // 100
    return Lines(order, product, quantities, cents, keys)


def _choose_products(
    draws: Draws,
    keys: NDArray[np.int64],
    customers: NDArray[np.int64],
    population: Population,
    products: pd.DataFrame,
) -> NDArray[np.int64]:
    """Choose a department by preference, then a product by its price rank in the department."""
    import numpy as np

    edges = population.department_edges[customers]
    department = (draws.uniform("department", keys)[:, None] > edges[:, :-1]).sum(axis=1)
    code = products["department"].map({name: code for code, name in enumerate(DEPARTMENTS)}).to_numpy()
    by_price = np.lexsort((np.arange(len(code)), products["unit_price"].to_numpy(), code))
    sizes = np.bincount(code, minlength=len(DEPARTMENTS))
    rank = draws.uniform("product", keys) ** population.price_tilts[customers]
    place = np.minimum((rank * sizes[department]).astype(np.int64), sizes[department] - 1)
    chosen: NDArray[np.int64] = by_price[(np.cumsum(sizes) - sizes)[department] + place]
    return chosen


def draw_returns(
    draws: Draws,
    orders: Orders,
    lines: Lines,
    population: Population,
    calendar: BusinessCalendar,
    products: pd.DataFrame,
) -> tuple[Lines, NDArray[np.int64]]:
    """Draw which lines come back, whole or in part, before business ends.

    Returns
    -------
    tuple of (Lines, ndarray of int)
        The returned lines with the units that came back, and the instant of each in seconds since 1970. All lines of
        an order come back together, 2 to 14 days after the order.
    """
    import numpy as np

    factors = products["department"].map(_RETURN_FACTORS).to_numpy()[lines.products]
    probability = population.return_probabilities[orders.customers[lines.orders]] * factors
    day = _FIRST_RETURN_DAY + (draws.uniform("return day", orders.numbers) * _RETURN_DAYS).astype(np.int64)
    midnight = orders.seconds - orders.seconds % SECONDS_PER_DAY
    time_of_day = spread_over_hours(draws.uniform("return hour", orders.numbers))
    seconds = (midnight + day * SECONDS_PER_DAY + time_of_day)[lines.orders]
    is_back = (draws.uniform("return", lines.keys) < probability) & (seconds < calendar.starts[-1])
    rows = np.flatnonzero(is_back)
    part = draws.uniform("returned units", lines.keys[rows])
    returned = Lines(
        lines.orders[rows],
        lines.products[rows],
        1 + (part * lines.quantities[rows]).astype(np.int64),
        lines.cents[rows],
        lines.keys[rows],
    )
    return returned, seconds[rows]
