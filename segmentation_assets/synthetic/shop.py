"""The synthetic shop: a seeded retailer with customers, products, order lines, returns and engagement events.

Writing it as a delivery is done in `delivery.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.settings import SyntheticSettings
from segmentation_assets.synthetic.calendar import SECONDS_PER_DAY, BusinessCalendar, make_calendar, spread_over_days
from segmentation_assets.synthetic.catalogue import build_products
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.engagement import EVENT_TYPES, draw_events
from segmentation_assets.synthetic.orders import (
    CUSTOMER_DIGITS,
    Lines,
    Orders,
    draw_returns,
    fill_orders,
    place_orders,
)
from segmentation_assets.synthetic.population import Population, make_population

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ORDER_DIGITS = 12
_COUNTRIES = {"Netherlands": 0.34, "Germany": 0.26, "Belgium": 0.16, "France": 0.12, "Austria": 0.07, "Spain": 0.05}


@dataclass(frozen=True)
class Shop:
    """All tables of a synthetic shop.

    Parameters
    ----------
    customers : DataFrame
        A customer: ``customer_id``, ``registered_on`` (datetime64[s], midnight), ``birth_year``, ``country``.
    products : DataFrame
        A product: ``product_id``, ``product_name``, ``department``, ``class``, ``unit_price`` (list price).
    order_lines : DataFrame
        A purchased or returned line: ``order_id``, ``order_at`` (datetime64[s], local time), ``customer_id``,
        ``product_id``, ``quantity`` (negative in returns), ``unit_price`` (two decimals); sorted by ``order_at``,
        ``order_id``, ``product_id``, which together are unique. The return of order ``S…`` is order ``R…``.
    engagement_events : DataFrame
        An event: ``customer_id``, ``event_at``, ``event_type`` (visit or email_open); sorted by ``event_at``,
        ``customer_id``, ``event_type``.
    ground_truth : DataFrame
        A customer: ``customer_id`` and ``true_segment`` at the end of business. Never part of a delivery.
    """

    customers: pd.DataFrame
    products: pd.DataFrame
    order_lines: pd.DataFrame
    engagement_events: pd.DataFrame
    ground_truth: pd.DataFrame


def generate_shop(settings: SyntheticSettings) -> Shop:
    """Make the synthetic shop of the given settings.

    Parameters
    ----------
    settings : SyntheticSettings
        Customers, first month and number of months, seed.

    Returns
    -------
    Shop
        Equal for equal settings. A shop with more customers starts with the same ones, and a shop with more months
        has the same order lines and events in the months before; registration of customers without an order, and
        the true segments, refer to the end of business.

    Notes
    -----
    Customers join, order in a Poisson process whose rate is gamma-distributed, and leave after an exponential
    lifetime, as in the Pareto/NBD model; habits come from the customer's archetype.

    References
    ----------
    Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do next?,
    doi:10.1287/mnsc.33.1.1.

    Examples
    --------
    >>> shop = generate_shop(SyntheticSettings(customers=10, months=2))
    >>> shop.customers["customer_id"].iloc[0]
    'C0000001'
    """
    import pandas as pd

    draws = Draws(settings.seed)
    calendar = make_calendar(settings)
    population = make_population(settings, calendar)
    products = build_products()
    customer_ids = _number_texts("C", population.numbers, CUSTOMER_DIGITS)
    orders = place_orders(draws, population, calendar)
    lines = fill_orders(draws, orders, population, calendar, products)
    returns, returned_at = draw_returns(draws, orders, lines, population, calendar, products)
    truth = {"customer_id": customer_ids, "true_segment": population.true_segments(settings.months)}
    return Shop(
        customers=_customers_frame(draws, population, calendar, customer_ids),
        products=products,
        order_lines=_order_lines_frame(orders, lines, returns, returned_at, customer_ids, products),
        engagement_events=_events_frame(draws, orders, population, calendar, customer_ids),
        ground_truth=pd.DataFrame(truth),
    )


def _number_texts(prefix: str, numbers: NDArray[np.int64], digits: int) -> NDArray[np.str_]:
    """Write numbers with leading zeros behind a one-letter prefix."""
    import numpy as np

    letters = np.empty((len(numbers), digits + 1), dtype=np.uint32)
    letters[:, 0] = ord(prefix)
    letters[:, 1:] = numbers[:, None] // 10 ** np.arange(digits - 1, -1, -1) % 10 + ord("0")
    texts: NDArray[np.str_] = letters.view(f"U{digits + 1}")[:, 0]
    return texts


def _customers_frame(
    draws: Draws, population: Population, calendar: BusinessCalendar, customer_ids: NDArray[np.str_]
) -> pd.DataFrame:
    """One row per customer; who has not ordered within business registered on any day of it."""
    import numpy as np
    import pandas as pd

    numbers = population.numbers
    first_day = int(calendar.starts[0]) // SECONDS_PER_DAY
    n_days = int(calendar.starts[-1]) // SECONDS_PER_DAY - first_day
    any_day = first_day + (draws.uniform("registered", numbers) * n_days).astype(np.int64)
    early = (draws.uniform("registered early", numbers) ** 3 * 30).astype(np.int64)
    registered = np.where(np.isfinite(population.joined), _join_days(population, calendar) - early, any_day)
    age = 18 + np.floor(draws.gamma("age", numbers, np.full(len(numbers), 4)) * 24)
    first_year = calendar.months[0].astype("datetime64[Y]").astype(int) + 1970
    shares = np.cumsum(list(_COUNTRIES.values()))
    country = np.searchsorted(shares / shares[-1], draws.uniform("country", numbers), side="right")
    return pd.DataFrame(
        {
            "customer_id": customer_ids,
            "registered_on": registered.astype("datetime64[D]").astype("datetime64[s]"),
            "birth_year": first_year - np.minimum(age, 90).astype(int),
            "country": np.array(list(_COUNTRIES))[country],
        }
    )


def _join_days(population: Population, calendar: BusinessCalendar) -> NDArray[np.int64]:
    """Day of the first order, in days since 1970; 0 for customers without one."""
    import numpy as np

    first_day = int(calendar.starts[0]) // SECONDS_PER_DAY
    joined = np.where(np.isfinite(population.joined), population.joined, 0.0)
    days = first_day + np.floor(joined * 365.25 / 12).astype(np.int64)
    for month in range(len(calendar.months)):
        rows = np.flatnonzero(np.floor(population.joined) == month)
        day = spread_over_days(joined[rows] - month, calendar.day_edges(month))
        days[rows] = calendar.starts[month] // SECONDS_PER_DAY + day
    return days


def _order_lines_frame(
    orders: Orders,
    lines: Lines,
    returns: Lines,
    returned_at: NDArray[np.int64],
    customer_ids: NDArray[np.str_],
    products: pd.DataFrame,
) -> pd.DataFrame:
    """Purchases and returns as one frame, sorted by instant, order and product."""
    import numpy as np
    import pandas as pd

    order = np.concatenate([lines.orders, returns.orders])
    product = np.concatenate([lines.products, returns.products])
    quantity = np.concatenate([lines.quantities, -returns.quantities])
    cents = np.concatenate([lines.cents, returns.cents])
    seconds = np.concatenate([orders.seconds[lines.orders], returned_at])
    is_sale = quantity > 0
    sorting = np.lexsort((product, orders.numbers[order], is_sale, seconds))
    order, product, is_sale = order[sorting], product[sorting], is_sale[sorting]
    sale_ids = _number_texts("S", orders.numbers, ORDER_DIGITS)
    return_ids = _number_texts("R", orders.numbers, ORDER_DIGITS)
    return pd.DataFrame(
        {
            "order_id": np.where(is_sale, sale_ids[order], return_ids[order]),
            "order_at": seconds[sorting].astype("datetime64[s]"),
            "customer_id": customer_ids[orders.customers[order]],
            "product_id": products["product_id"].to_numpy(dtype=object)[product],
            "quantity": quantity[sorting],
            "unit_price": cents[sorting] / 100,
        }
    )


def _events_frame(
    draws: Draws,
    orders: Orders,
    population: Population,
    calendar: BusinessCalendar,
    customer_ids: NDArray[np.str_],
) -> pd.DataFrame:
    """Engagement events as a frame, sorted by instant, customer and type."""
    import numpy as np
    import pandas as pd

    customers, seconds, codes = draw_events(draws, orders, population, calendar)
    sorting = np.lexsort((codes, customers, seconds))
    return pd.DataFrame(
        {
            "customer_id": customer_ids[customers[sorting]],
            "event_at": seconds[sorting].astype("datetime64[s]"),
            "event_type": np.array(EVENT_TYPES)[codes[sorting]],
        }
    )
