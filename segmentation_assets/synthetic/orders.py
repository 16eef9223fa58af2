"""Orders of the synthetic shop in one month, their lines, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import SETTLED_STATES
from segmentation_assets.synthetic.assortment import Assortment
from segmentation_assets.synthetic.calendar import (
    NOVEMBER,
    SECONDS_PER_DAY,
    BusinessCalendar,
    spread_over_days,
    spread_over_hours,
)
from segmentation_assets.synthetic.catalogue import Catalogue
from segmentation_assets.synthetic.draws import Draws, number_members
from segmentation_assets.synthetic.population import Population
from segmentation_assets.synthetic.states import CODES, trait

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_ORDERS = 98
_LINES_PER_ORDER = 24
_FEWEST_UNITS, _MOST_UNITS = 1e-9, 2_400
_DISCOUNTS = (10, 20, 30)
_NOVEMBER_DISCOUNTS = 1.4
_DEAL_SEEKERS_NOVEMBER = 1.5
_FIRST_RETURN_DAY = 2
_RETURN_DAYS = 13


@dataclass(frozen=True)
class Orders:
    """Orders of one month; every array has one entry per order.

    Parameters
    ----------
    numbers : ndarray of int
        Unique order numbers: month of business, customer number and place in the month, as digits.
    customers : ndarray of int
        Row of the customer in the population.
    seconds : ndarray of int
        Instant, in seconds since 1970.
    """

    numbers: NDArray[np.int64]
    customers: NDArray[np.int64]
    seconds: NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Order lines, purchases or returns; every array has one entry per line.

    Parameters
    ----------
    order_numbers : ndarray of int
        Number of the order; a return has that of the purchase.
    customers : ndarray of int
        Row of the customer in the population.
    seconds : ndarray of int
        Instant of the order or return, in seconds since 1970.
    products : ndarray of int
        Row of the product in the catalogue; at most one line per order and product.
    quantities : ndarray of int
        Units, negative for what comes back.
    list_cents, cents : ndarray of int
        Price of one unit before and after discount, in hundredths.
    keys : ndarray of int
        Keys for further draws, unique among purchases.
    """

    order_numbers: NDArray[np.int64]
    customers: NDArray[np.int64]
    seconds: NDArray[np.int64]
    products: NDArray[np.int64]
    quantities: NDArray[np.int64]
    list_cents: NDArray[np.int64]
    cents: NDArray[np.int64]
    keys: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Lines:
        """Return the lines of some rows."""
        return Lines(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def sorted(self) -> Lines:
        """Return the lines by instant, returns before purchases, order and product."""
        import numpy as np

        return self.take(np.lexsort((self.products, self.order_numbers, self.quantities > 0, self.seconds)))


def join_lines(*parts: Lines) -> Lines:
    """Put lines one below the other."""
    import numpy as np

    return Lines(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lines)}
    )


def place_orders(
    draws: Draws,
    population: Population,
    states: NDArray[np.int8],
    has_choice: NDArray[np.bool_],
    calendar: BusinessCalendar,
    month: int,
) -> Orders:
    """Draw the orders of one month.

    Whoever joins has a first order at the instant of joining; who comes back and settled bulk buyers order at least
    once; all others order in a Poisson process at the rate of their habits and state. Who has no choice, since nothing
    on sale is preferred, orders nothing.
    """
    import numpy as np

    joins = (states == CODES["new"]) & (np.floor(population.joined) == month)
    is_settled = np.isin(states, [CODES[name] for name in SETTLED_STATES])
    is_regular = (population.numbers == 1) | (population.is_bulk_buyer & is_settled)
    surely = is_regular | (states == CODES["reactivated"])
    rows = np.flatnonzero((trait("orders")[states] > 0) & has_choice)
    start = np.where(joins[rows], population.joined[rows] - month, 0.0)
    keys = population.month_keys(month)[rows]
    rates = _order_rates(population, states, calendar, month)[rows] * (1 - start)
    counts = draws.poisson("orders", keys, rates, most=_MOST_ORDERS) + joins[rows]
    counts = np.where(surely[rows], np.maximum(counts, 1), counts)

    order = np.repeat(np.arange(len(rows)), counts)
    place = number_members(counts)
    numbers = keys[order] * 100 + place
    position = start[order] + (1 - start[order]) * draws.uniform("order day", numbers)
    position = np.where((place == 0) & joins[rows][order], start[order], position)
    days = spread_over_days(position, calendar.day_edges(month))
    time_of_day = spread_over_hours(draws.uniform("order hour", numbers))
    return Orders(numbers, rows[order], calendar.starts[month] + days * SECONDS_PER_DAY + time_of_day)


def within_opening_hours(
    draws: Draws,
    purpose: str,
    order_numbers: NDArray[np.int64],
    seconds: NDArray[np.int64],
    is_store: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Move what happens in a store into its opening hours, on the same day and drawn by the same numbers."""
    import numpy as np

    time_of_day = spread_over_hours(draws.uniform(purpose, order_numbers[is_store]), in_store=True)
    moved = seconds.copy()
    moved[is_store] += time_of_day - seconds[is_store] % SECONDS_PER_DAY
    return np.asarray(moved)


def _order_rates(
    population: Population, states: NDArray[np.int8], calendar: BusinessCalendar, month: int
) -> NDArray[np.float64]:
    """Orders per customer that the month would have if everybody were there from its first day."""
    import numpy as np

    rates = population.order_rates * trait("orders")[states] * calendar.season[month]
    if calendar.month_of_year[month] == NOVEMBER:
        rates = np.where(states == CODES["deal_seeker"], rates * _DEAL_SEEKERS_NOVEMBER, rates)
    return np.where(population.orders_once, 0.0, rates)


def fill_orders(
    draws: Draws,
    orders: Orders,
    population: Population,
    states: NDArray[np.int8],
    assortment: Assortment,
) -> Lines:
    """Draw the lines of all orders; a product drawn twice for one order counts once.

    Units beyond the first are geometric; those of bulk buyers are never few.
    """
    import numpy as np

    means = population.more_lines[orders.customers] * trait("lines")[states[orders.customers]]
    counts = 1 + draws.poisson("lines", orders.numbers, means, most=_LINES_PER_ORDER - 1)
    order = np.repeat(np.arange(len(counts)), counts)
    keys = orders.numbers[order] * 100 + number_members(counts)
    product = assortment.choose(draws, keys, orders.customers[order], population)
    _, kept = np.unique(order * len(assortment.list_cents) + product, return_index=True)
    order, keys, product = order[kept], keys[kept], product[kept]
    customer = orders.customers[order]

    spread = -np.log(draws.uniform("quantity", keys))
    spread = np.where(population.is_bulk_buyer[customer], (1 + spread) / 2, spread)
    more = np.floor(spread / np.log1p(1 / np.maximum(population.more_units[customer], _FEWEST_UNITS)))
    list_cents = assortment.list_cents[product]
    percent = _draw_discounts(draws, keys, customer, population, states, assortment)
    return Lines(
        order_numbers=orders.numbers[order],
        customers=customer,
        seconds=orders.seconds[order],
        products=product,
        quantities=1 + np.minimum(more, _MOST_UNITS - 1).astype(np.int64),
        list_cents=list_cents,
        cents=(list_cents * (100 - percent) + 50) // 100,
        keys=keys,
    )


def _draw_discounts(
    draws: Draws,
    keys: NDArray[np.int64],
    customers: NDArray[np.int64],
    population: Population,
    states: NDArray[np.int8],
    assortment: Assortment,
) -> NDArray[np.int64]:
    """Draw the discount of each line in percent, 0 for most."""
    import numpy as np

    by_customer = population.discount_probabilities * trait("discounts")[states]
    by_customer = by_customer * (_NOVEMBER_DISCOUNTS if assortment.is_november else 1.0)
    depth = (draws.uniform("discount depth", keys) * len(_DISCOUNTS)).astype(np.int64)
    is_discounted = draws.uniform("discount", keys) < by_customer[customers]
    return np.where(is_discounted, np.array(_DISCOUNTS)[depth], 0)


def draw_returns(
    draws: Draws, lines: Lines, population: Population, states: NDArray[np.int8], catalogue: Catalogue
) -> Lines:
    """Draw which lines of a month come back, whole or in part.

    Returns
    -------
    Lines
        With the units that came back as negative quantities, and the instant of coming back, which may lie in the
        next month. All returned lines of an order come back together, 2 to 14 days after it. Lines of more units than
        the customer takes on average come back more often, others less; any number of units is as likely as another.
    """
    import numpy as np

    factors = np.array(catalogue.return_factors)[catalogue.department_codes[lines.products]]
    by_customer = population.return_probabilities * trait("returns")[states]
    probability = np.minimum(by_customer[lines.customers] * factors, 1.0)
    relative = lines.quantities / (1 + population.more_units[lines.customers])
    probability = 1 - (1 - probability) ** relative
    back = lines.take(np.flatnonzero(draws.uniform("return", lines.keys) < probability))
    day = _FIRST_RETURN_DAY + (draws.uniform("return day", back.order_numbers) * _RETURN_DAYS).astype(np.int64)
    midnight = back.seconds - back.seconds % SECONDS_PER_DAY
    time_of_day = spread_over_hours(draws.uniform("return hour", back.order_numbers))
    units = 1 + (draws.uniform("returned units", back.keys) * back.quantities).astype(np.int64)
    return Lines(
        order_numbers=back.order_numbers,
        customers=back.customers,
        seconds=midnight + day * SECONDS_PER_DAY + time_of_day,
        products=back.products,
        quantities=-units,
        list_cents=back.list_cents,
        cents=back.cents,
        keys=back.keys,
    )
