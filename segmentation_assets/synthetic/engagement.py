"""Visits and opened e-mails of the synthetic shop's customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.synthetic.calendar import (
    SECONDS_PER_DAY,
    BusinessCalendar,
    spread_over_days,
    spread_over_hours,
)
from segmentation_assets.synthetic.draws import Draws, number_members
from segmentation_assets.synthetic.orders import CUSTOMER_DIGITS, Orders
from segmentation_assets.synthetic.population import Population

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVENT_TYPES = ("email_open", "visit")
_ACTIVE_RATES = (0.35, 0.25)
_LEFT_RATES = (0.05, 0.02)
_RATES_PER_ORDER = (0.15, 0.70)
_EVENTS_PER_MONTH = 15


def draw_events(
    draws: Draws, orders: Orders, population: Population, calendar: BusinessCalendar
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw engagement events from the first order of each customer on.

    Returns
    -------
    tuple of three ndarrays of int, one entry per event
        Row of the customer in the population, instant in seconds since 1970, place in `EVENT_TYPES`. Customers who
        order much in a month visit much in it; those who left seldom do.
    """
    import numpy as np

    parts = []
    for month in range(len(calendar.months)):
        ordered = np.bincount(orders.customers[orders.months == month], minlength=len(population.numbers))
        for code in range(len(EVENT_TYPES)):
            customers, seconds = _draw_month(draws, population, calendar, ordered, month, code)
            parts.append((customers, seconds, np.full(len(customers), code)))
    customers, seconds, codes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return customers, seconds, codes


def _draw_month(
    draws: Draws,
    population: Population,
    calendar: BusinessCalendar,
    ordered: NDArray[np.int64],
    month: int,
    code: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the events of one month and type: rows of customers and instants."""
    import numpy as np

    rows = np.flatnonzero(population.joined < month + 1)
    start = np.maximum(population.joined[rows] - month, 0.0)
    base = np.where(population.left[rows] > month, _ACTIVE_RATES[code], _LEFT_RATES[code])
    rates = base * (1 - start) + _RATES_PER_ORDER[code] * ordered[rows]
    keys = month * 10**CUSTOMER_DIGITS + population.numbers[rows]
    name = EVENT_TYPES[code]
    counts = draws.poisson(f"{name} count", keys, rates, most=_EVENTS_PER_MONTH)

    event = np.repeat(np.arange(len(rows)), counts)
    event_keys = keys[event] * 100 + number_members(counts)
    position = start[event] + (1 - start[event]) * draws.uniform(f"{name} day", event_keys)
    days = spread_over_days(position, calendar.day_edges(month))
    time_of_day = spread_over_hours(draws.uniform(f"{name} hour", event_keys))
    return rows[event], calendar.starts[month] + days * SECONDS_PER_DAY + time_of_day
