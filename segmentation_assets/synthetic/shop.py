"""The synthetic shop: a seeded retailer whose customers move through hidden states, month by month.

Writing it as a delivery is done in `delivery.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.assortment import list_cents, make_assortment
from segmentation_assets.synthetic.calendar import BusinessCalendar, make_calendar
from segmentation_assets.synthetic.catalogue import Catalogue, read_catalogue
from segmentation_assets.synthetic.channels import CHANNELS, STORES_PER_COUNTRY, draw_channels
from segmentation_assets.synthetic.customers import COUNTRIES, customers_frame, draw_countries, number_texts
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.drift import app_shares, department_starts
from segmentation_assets.synthetic.engagement import EVENT_TYPES, draw_events
from segmentation_assets.synthetic.orders import (
    Lines,
    draw_returns,
    fill_orders,
    join_lines,
    place_orders,
    within_opening_hours,
)
from segmentation_assets.synthetic.population import CUSTOMER_DIGITS, Population, make_population
from segmentation_assets.synthetic.states import STATES, first_states, next_states

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ORDER_DIGITS = 12


@dataclass(frozen=True)
class BusinessMonth:
    """What one month of business adds.

    Parameters
    ----------
    month : str
        The month as YYYY-MM.
    customers : DataFrame
        Customers who registered in the month, or before the first one; see `customers_frame`.
    products : DataFrame
        Products that are new in the month; see `Catalogue`.
    order_lines : DataFrame
        A purchased or returned line: ``order_id``, ``order_at`` (datetime64[s], local time), ``customer_id``,
        ``product_id``, ``quantity`` (negative in returns), ``unit_price`` (two decimals), ``country``, ``channel``,
        ``store_id`` (missing outside of stores), ``brand``, ``list_price``, ``cost_price``, ``currency``,
        ``product_name`` (see `FaultSettings.has_texts` for when it is delivered); sorted by ``order_at``,
        ``order_id``, ``product_id``, which together are unique. The return of ``S…`` is ``R…``.
    engagement_events : DataFrame
        An event: ``customer_id``, ``event_at``, ``event_type``; sorted by ``event_at``, ``customer_id``,
        ``event_type``.
    true_states : DataFrame
        A customer: ``customer_id``, ``month`` (its first day) and ``true_state``. Never part of a delivery.
    """

    month: str
    customers: pd.DataFrame
    products: pd.DataFrame
    order_lines: pd.DataFrame
    engagement_events: pd.DataFrame
    true_states: pd.DataFrame


@dataclass(frozen=True)
class Business:
    """A shop before its months are made: its settings, calendar, catalogue and customers.

    Parameters
    ----------
    settings : SyntheticSettings
    calendar : BusinessCalendar
    catalogue : Catalogue
    population : Population
    currency : str
        ISO 4217 code written on every line.

    Notes
    -----
    Customers join, move through hidden states in a Markov chain, order in a Poisson process whose rate is
    gamma-distributed and moved by their state, and leave for ever, which extends the Pareto/NBD model.

    References
    ----------
    Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do next?,
    doi:10.1287/mnsc.33.1.1.
    """

    settings: SyntheticSettings
    calendar: BusinessCalendar
    catalogue: Catalogue
    population: Population
    currency: str

    @cached_property
    def draws(self) -> Draws:
        """The shop's random draws."""
        return Draws(self.settings.seed)

    @cached_property
    def customer_ids(self) -> NDArray[np.str_]:
        """Customer ids, in the order of the population."""
        return number_texts("C", self.population.numbers, CUSTOMER_DIGITS)

    @cached_property
    def countries(self) -> NDArray[np.int64]:
        """Place of each customer's country in `COUNTRIES`."""
        return draw_countries(self.draws, self.population.numbers)

    @cached_property
    def _all_customers(self) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """All customers ever, and the month of business that delivers each."""
        import numpy as np

        customers = customers_frame(self.draws, self.population, self.calendar, self.settings)
        registered = customers["registered_on"].to_numpy().astype(np.int64)
        return customers, np.searchsorted(self.calendar.starts[1:], registered, side="right")

    def lasting_goods(self, month: str) -> pd.DataFrame:
        """Products of every month, whatever drifts, at the list price of one of them, given as YYYY-MM.

        Returns
        -------
        DataFrame
            ``product_id``, ``product_name``, ``list_price``, ``cost_price``, ``brand``.
        """
        import numpy as np

        products = self.catalogue.products
        place = int((np.datetime64(month, "M") - self.calendar.months[0]).astype(int))
        cents = list_cents(self.draws, self.catalogue, self.settings, place)
        priced = products.assign(list_price=cents / 100, cost_price=self._cost_cents / 100)
        return priced.loc[
            products["launched"] == 0, ["product_id", "product_name", "list_price", "cost_price", "brand"]
        ]

    @cached_property
    def true_customers(self) -> pd.DataFrame:
        """A customer, also one still to register: ``customer_id``, ``archetype``, and ``outlier``, missing for most."""
        import numpy as np
        import pandas as pd

        names = [archetype.name for archetype in self.settings.archetypes]
        return pd.DataFrame(
            {
                "customer_id": self.customer_ids,
                "archetype": pd.Categorical.from_codes(self.population.archetypes, names),
                "outlier": pd.Categorical.from_codes(np.where(self.population.is_bulk_buyer, 0, -1), ["bulk_buyer"]),
            }
        )

    def months(self) -> Iterator[BusinessMonth]:
        """Make the months one after the other; only what the next one needs is kept."""
        states = first_states(self.draws, self.population, self.settings.transitions)
        pending: Lines | None = None
        for month in range(self.settings.months):
            states = next_states(self.draws, self.population, states, month, self.settings.transitions)
            made, pending = self._make_month(states, month, pending)
            yield made

    def _make_month(self, states: NDArray[np.int8], month: int, pending: Lines | None) -> tuple[BusinessMonth, Lines]:
        """Make one month; also return what comes back in the next."""
        draws, population = self.draws, self.population
        assortment = make_assortment(draws, self.catalogue, self.settings, self.calendar, month)
        has_choice = assortment.has_something_for(population)
        orders = place_orders(draws, population, states, has_choice, self.calendar, month)
        is_store = self._channels(orders.numbers, orders.customers)[1] >= 0
        at = within_opening_hours(draws, "order hour", orders.numbers, orders.seconds, is_store)
        orders = replace(orders, seconds=at)
        lines = fill_orders(draws, orders, population, states, assortment)
        returns = draw_returns(draws, lines, population, states, self.catalogue)
        is_store = self._channels(returns.order_numbers, returns.customers)[1] >= 0
        at = within_opening_hours(draws, "return hour", returns.order_numbers, returns.seconds, is_store)
        returns = replace(returns, seconds=at)
        is_later = returns.seconds >= self.calendar.starts[month + 1]
        parts = [part for part in (pending, lines, returns.take(~is_later)) if part is not None]
        customers, registered = self._all_customers
        newsletter_since = customers["newsletter_since"].to_numpy()
        events = draw_events(draws, orders, population, states, newsletter_since, self.calendar, month)
        products = self.catalogue.products
        made = BusinessMonth(
            str(self.calendar.months[month]),
            customers[registered == month].reset_index(drop=True),
            products[products["launched"] == month].reset_index(drop=True),
            self._lines_frame(join_lines(*parts).sorted()),
            self._events_frame(*events),
            self._states_frame(states, month),
        )
        return made, returns.take(is_later)

    def _channels(
        self, order_numbers: NDArray[np.int64], customers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Channel and store of orders; see `draw_channels`."""
        return draw_channels(
            self.draws,
            order_numbers,
            self.population.numbers[customers],
            self.countries[customers],
            app_shares(self.settings, order_numbers // 10 ** (CUSTOMER_DIGITS + 2)),
        )

    def _lines_frame(self, lines: Lines) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        numbers, order = np.unique(lines.order_numbers, return_inverse=True)
        prefix = np.where(lines.quantities > 0, 0, 1)
        texts = np.stack([number_texts(letter, numbers, ORDER_DIGITS) for letter in "SR"])
        customers = lines.customers
        channels, stores = self._channels(lines.order_numbers, customers)
        products, brands = self.catalogue.products, self.catalogue.products["brand"]
        names = pd.Categorical(products["product_name"])
        return pd.DataFrame(
            {
                "order_id": texts[prefix, order],
                "order_at": lines.seconds.astype("datetime64[s]"),
                "customer_id": self.customer_ids[customers],
                "product_id": pd.Categorical.from_codes(lines.products, products["product_id"].tolist()),
                "quantity": lines.quantities,
                "unit_price": lines.cents / 100,
                "country": pd.Categorical.from_codes(self.countries[customers], list(COUNTRIES)),
                "channel": pd.Categorical.from_codes(channels, CHANNELS),
                "store_id": pd.Categorical.from_codes(stores, _store_ids()),
                "brand": pd.Categorical(brands.to_numpy()[lines.products], sorted(brands.unique())),
                "list_price": lines.list_cents / 100,
                "cost_price": self._cost_cents[lines.products] / 100,
                "currency": pd.Categorical.from_codes(np.zeros(len(customers), dtype=np.int8), [self.currency]),
                "product_name": names.take(lines.products),
            }
        )

    @cached_property
    def _cost_cents(self) -> NDArray[np.float64]:
        """What a unit costs the shop, in hundredths."""
        import numpy as np

        shares = np.array(self.catalogue.cost_shares)[self.catalogue.department_codes]
        cents: NDArray[np.float64] = np.rint(self.catalogue.products["unit_price"].to_numpy() * 100 * shares)
        return cents

    def _events_frame(
        self, customers: NDArray[np.int64], seconds: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(
            {
                "customer_id": self.customer_ids[customers],
                "event_at": seconds.astype("datetime64[s]"),
                "event_type": pd.Categorical.from_codes(codes, EVENT_TYPES),
            }
        )

    def _states_frame(self, states: NDArray[np.int8], month: int) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        return pd.DataFrame(
            {
                "customer_id": self.customer_ids,
                "month": np.full(len(states), self.calendar.months[month].astype("datetime64[s]")),
                "true_state": pd.Categorical.from_codes(states, STATES),
            }
        )


def open_business(settings: SyntheticSettings, currency: str = "EUR") -> Business:
    """Make all of a shop but its months.

    Raises
    ------
    DataError
        The catalogue that the settings name cannot be read.
    """
    written = read_catalogue(settings.catalogue)
    catalogue = written.with_starts(department_starts(settings, written.departments))
    population = make_population(settings, catalogue.departments)
    return Business(settings, make_calendar(settings), catalogue, population, currency)


@dataclass(frozen=True)
class Shop:
    """All tables of a synthetic shop in memory; see `Business` and `BusinessMonth` for their columns."""

    customers: pd.DataFrame
    products: pd.DataFrame
    order_lines: pd.DataFrame
    engagement_events: pd.DataFrame
    true_customers: pd.DataFrame
    true_states: pd.DataFrame


def generate_shop(settings: SyntheticSettings) -> Shop:
    """Make the synthetic shop of the given settings in memory.

    Returns
    -------
    Shop
        Equal for equal settings. A shop with more customers has the same ones among them, and a shop with more months
        starts with the same ones.

    Examples
    --------
    >>> shop = generate_shop(SyntheticSettings(customers=10, months=2))
    >>> shop.customers["customer_id"].iloc[0]
    'C0000001'
    """
    import pandas as pd

    business = open_business(settings)
    months = list(business.months())
    tables = ("customers", "products", "order_lines", "engagement_events", "true_states")
    whole = {name: pd.concat([getattr(month, name) for month in months], ignore_index=True) for name in tables}
    return Shop(true_customers=business.true_customers, **whole)


def _store_ids() -> list[str]:
    """Ids of all stores: country code and number."""
    codes = ("NL", "DE", "BE", "FR", "AT", "ES")
    return [f"{code}-{number:02d}" for code in codes for number in range(1, STORES_PER_COUNTRY + 1)]
