"""Visits, opened and clicked e-mails and service contacts of the synthetic shop's customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.synthetic.calendar import (
    SECONDS_PER_DAY,
    BusinessCalendar,
    spread_over_days,
    spread_over_hours,
)
from segmentation_assets.synthetic.draws import Draws, number_members
from segmentation_assets.synthetic.orders import Orders
from segmentation_assets.synthetic.population import Population
from segmentation_assets.synthetic.states import trait

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVENT_TYPES = ("email_click", "email_open", "service_contact", "visit")
"""All types; their places are the codes of the events."""

_RATES = {"email_open": (0.65, 0.33), "service_contact": (0.015, 0.02), "visit": (0.35, 0.80)}
"""Events per month of an active customer, and per order."""

_CLICKS_PER_OPEN = 0.22
_LATEST_CLICK = 600
_EVENTS_PER_MONTH = 15
_NEVER = 2**62


def draw_events(
    draws: Draws,
    orders: Orders,
    population: Population,
    states: NDArray[np.int8],
    newsletter_since: NDArray[np.datetime64],
    calendar: BusinessCalendar,
    month: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw the engagement events of a month: mails to who takes the newsletter, all else from the first order on.

    Returns
    -------
    tuple of three ndarrays of int, one entry per event
        Row of the customer in the population, instant in seconds since 1970, place in `EVENT_TYPES`; sorted by
        instant, customer and type. Who orders much visits much; who left seldom does. A click follows its opened
        e-mail within minutes.
    """
    import numpy as np

    ordered = np.bincount(orders.customers, minlength=len(population.numbers))
    since_order = _first_order_seconds(orders, population, calendar, month)
    is_without = np.isnat(newsletter_since)
    since_mail = np.where(is_without, _NEVER, newsletter_since.astype("datetime64[s]").astype(np.int64))
    parts = []
    for name in _RATES:
        since = since_mail if name == "email_open" else since_order
        customers, seconds, keys = _draw_type(draws, population, states, ordered, since, calendar, month, name)
        parts.append((customers, seconds, np.full(len(customers), EVENT_TYPES.index(name))))
        if name == "email_open":
            clicked = np.flatnonzero(draws.uniform("click", keys) < _CLICKS_PER_OPEN)
            delay = (draws.uniform("click delay", keys[clicked]) * _LATEST_CLICK).astype(np.int64)
            at = np.minimum(seconds[clicked] + delay, calendar.starts[month + 1] - 1)
            parts.append((customers[clicked], at, np.full(len(clicked), EVENT_TYPES.index("email_click"))))
    customers, seconds, codes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    sorting = np.lexsort((codes, customers, seconds))
    return customers[sorting], seconds[sorting], codes[sorting]


def _first_order_seconds(
    orders: Orders, population: Population, calendar: BusinessCalendar, month: int
) -> NDArray[np.int64]:
    """Instant of each customer's first order where it lies in the month; 0 where it lies before, never if later."""
    import numpy as np

    since = np.where(population.joined < month, 0, _NEVER)
    joins = np.floor(population.joined) == month
    since[joins] = calendar.starts[month + 1] - 1
    placed = joins[orders.customers]
    np.minimum.at(since, orders.customers[placed], orders.seconds[placed])
    return since


def _draw_type(
    draws: Draws,
    population: Population,
    states: NDArray[np.int8],
    ordered: NDArray[np.int64],
    since: NDArray[np.int64],
    calendar: BusinessCalendar,
    month: int,
    name: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw the events of one type from an instant on: rows of customers, instants and keys."""
    import numpy as np

    first, end = calendar.starts[month], calendar.starts[month + 1]
    rows = np.flatnonzero(since < end)
    start = np.clip((since[rows] - first) / (end - first), 0.0, 1.0)
    per_month, per_order = _RATES[name]
    rates = per_month * trait("engagement")[states[rows]] * (1 - start) + per_order * ordered[rows]
    keys = population.month_keys(month)[rows]
    counts = draws.poisson(f"{name} count", keys, rates, most=_EVENTS_PER_MONTH)

    event = np.repeat(np.arange(len(rows)), counts)
    event_keys = keys[event] * 100 + number_members(counts)
    position = start[event] + (1 - start[event]) * draws.uniform(f"{name} day", event_keys)
    days = spread_over_days(position, calendar.day_edges(month))
    time_of_day = spread_over_hours(draws.uniform(f"{name} hour", event_keys))
    seconds = first + days * SECONDS_PER_DAY + time_of_day
    kept = seconds >= since[rows[event]]
    return rows[event][kept], seconds[kept], event_keys[kept]
