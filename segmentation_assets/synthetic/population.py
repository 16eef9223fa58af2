"""Who the customers of the synthetic shop are: archetype, lasting habits, and when they join.

How they behave from month to month is told by `states.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from segmentation_assets.config.shop_profile import ArchetypeSettings
from segmentation_assets.config.synthetic import SETTLED_STATES, SyntheticSettings
from segmentation_assets.synthetic.calendar import SEASON
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.households import appeal_groups, draw_households

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CUSTOMER_DIGITS = 7
JOINING_MONTHS = 120
"""Months from the start of business in which customers join."""

_JOIN_HAZARD = 0.08
_ESTABLISHED_MONTHS = 36
_SCATTER = 0.4
_BULK_FACTOR = 10.0
_BULK_ORDERS = 1.0


@dataclass(frozen=True)
class Population:
    """Lasting habits of customers; every array has one entry per customer.

    Parameters
    ----------
    numbers : ndarray of int
        Customer numbers from 1.
    archetypes : ndarray of int16
        Place in the archetypes of the settings.
    joined : ndarray of float
        Instant of the first order, in months since the start of business: negative for those who were customers
        before, infinite for those who do not join within ten years of it.
    orders_once : ndarray of bool
        Whether the customer never comes back after the month of the first order, which is the only one.
    slip_rates : ndarray of float
        Monthly probability that the settled customer starts to slip.
    order_rates : ndarray of float
        Orders per month in an ordinary active month.
    more_lines, more_units : ndarray of float
        Mean lines of an order, and units of a line, beyond the first.
    price_tilts, discount_probabilities, return_probabilities : ndarray of float
        As in `ArchetypeSettings`, scattered.
    variants : ndarray of float
        Size of the customer, from 0 to 1.
    child_ages : ndarray of float32
        As in `Households`.
    groups : ndarray of int8
        As in `appeal_groups`.
    is_bulk_buyer : ndarray of bool
        Planted outliers: they come back, order at least once in every month in which they are settled, and buy at
        least ten times the units of their archetype.
    department_weights : ndarray of float32, shape (n_customers, n_departments)
        Preferences for the departments.
    settling_edges : ndarray of float32, shape (n_customers, n_settled_states)
        Cumulative preferences for the settled states.
    """

    numbers: NDArray[np.int64]
    archetypes: NDArray[np.int16]
    joined: NDArray[np.float64]
    orders_once: NDArray[np.bool_]
    slip_rates: NDArray[np.float64]
    order_rates: NDArray[np.float64]
    more_lines: NDArray[np.float64]
    more_units: NDArray[np.float64]
    price_tilts: NDArray[np.float64]
    discount_probabilities: NDArray[np.float64]
    return_probabilities: NDArray[np.float64]
    variants: NDArray[np.float64]
    child_ages: NDArray[np.float32]
    groups: NDArray[np.int8]
    is_bulk_buyer: NDArray[np.bool_]
    department_weights: NDArray[np.float32]
    settling_edges: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> Population:
        """Return the customers of some rows."""
        return Population(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def month_keys(self, month: int) -> NDArray[np.int64]:
        """Keys for the draws of a month, one per customer."""
        keys: NDArray[np.int64] = month * 10**CUSTOMER_DIGITS + self.numbers
        return keys


def make_population(settings: SyntheticSettings, departments: Sequence[str]) -> Population:
    """Draw the customers of a shop.

    Parameters
    ----------
    settings : SyntheticSettings
        Customers, first month, archetypes and seed.
    departments : sequence of str
        Departments of the catalogue.

    Returns
    -------
    Population
        One entry per customer. A customer's entry depends on the seed and its number, not on how many customers or
        months there are.
    """
    import numpy as np

    draws = Draws(settings.seed)
    numbers = np.arange(1, settings.customers + 1, dtype=np.int64)
    habits = _Habits(settings.archetypes, _draw_archetypes(draws, numbers, settings))
    joined = _draw_joining(draws, numbers, habits, settings)
    is_bulk_buyer = (draws.uniform("bulk buyer", numbers) < settings.outlier_share) & (numbers > 1)
    rates = habits.trait("orders_per_month") * draws.gamma("order rate", numbers, habits.rate_shapes)
    scatter = np.exp(0.6 * draws.normal("units", numbers) - 0.6**2 / 2)
    units = habits.trait("units") * scatter
    bulk_units = _BULK_FACTOR * (1 + habits.trait("units")) * np.maximum(scatter, 1.0)
    households = draw_households(draws, numbers)
    once = (draws.uniform("once", numbers) < habits.trait("one_order_share")) & (joined >= 0) & ~is_bulk_buyer
    return Population(
        numbers=numbers,
        archetypes=habits.codes,
        joined=joined,
        orders_once=once,
        slip_rates=1 / habits.trait("stays_months"),
        order_rates=np.maximum(rates, np.where(is_bulk_buyer, _BULK_ORDERS, 0.0)),
        more_lines=(habits.trait("lines_per_order") - 1) * np.exp(0.45 * draws.normal("basket size", numbers)),
        more_units=np.where(is_bulk_buyer, bulk_units, units),
        price_tilts=habits.trait("price_tilt") * np.exp(0.30 * draws.normal("price level", numbers)),
        discount_probabilities=_scattered(draws.uniform("discounts", numbers), habits.trait("discount_probability")),
        return_probabilities=_scattered(draws.uniform("returns", numbers), habits.trait("return_probability")),
        variants=draws.uniform("variant", numbers),
        child_ages=households.child_ages,
        groups=appeal_groups(households),
        is_bulk_buyer=is_bulk_buyer,
        department_weights=_draw_department_weights(draws, numbers, habits, departments),
        settling_edges=habits.settling_edges(),
    )


def _scattered(uniform: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scatter probabilities evenly around their means, by two fifths of them or as far as 1 allows."""
    import numpy as np

    return means + (2 * uniform - 1) * np.minimum(_SCATTER * means, 1 - means)


@dataclass(frozen=True)
class _Habits:
    """The archetypes, and which of them each customer has."""

    archetypes: tuple[ArchetypeSettings, ...]
    codes: NDArray[np.int16]

    def trait(self, name: str) -> NDArray[np.float64]:
        """One trait per customer."""
        import numpy as np

        return np.array([getattr(archetype, name) for archetype in self.archetypes], dtype=np.float64)[self.codes]

    @property
    def rate_shapes(self) -> NDArray[np.int64]:
        return self.trait("rate_shape").astype("int64")

    def weights(self, field: str, names: Sequence[str], absent: float) -> NDArray[np.float32]:
        """Weights of names from a mapping of the archetypes; shape (n_customers, n_names)."""
        import numpy as np

        mappings = [getattr(archetype, field) for archetype in self.archetypes]
        table = [[mapping.get(name, absent) for name in names] for mapping in mappings]
        return np.array(table, dtype=np.float32)[self.codes]

    def settling_edges(self) -> NDArray[np.float32]:
        """Cumulative shares of the settled states."""
        import numpy as np

        edges = np.cumsum(self.weights("settles_as", SETTLED_STATES, 0.0), axis=1)
        shares: NDArray[np.float32] = edges / edges[:, -1:]
        return shares


def archetype_shares(settings: SyntheticSettings) -> tuple[float, ...]:
    """Shares of the archetypes among all customers, in their order; they add up to 1."""
    own = {archetype.name: archetype.share for archetype in settings.archetypes if archetype.name not in settings.mix}
    rest = (1 - sum(settings.mix.values())) / (sum(own.values()) or 1.0)
    shares = {**settings.mix, **{name: share * rest for name, share in own.items()}}
    return tuple(shares[archetype.name] for archetype in settings.archetypes)


def _draw_archetypes(draws: Draws, numbers: NDArray[np.int64], settings: SyntheticSettings) -> NDArray[np.int16]:
    import numpy as np

    edges = np.cumsum(archetype_shares(settings))[:-1]
    return np.searchsorted(edges, draws.uniform("archetype", numbers), side="right").astype(np.int16)


def _draw_joining(
    draws: Draws, numbers: NDArray[np.int64], habits: _Habits, settings: SyntheticSettings
) -> NDArray[np.float64]:
    """Draw when customers join, in months since the start of business, by a hazard that follows the season."""
    import numpy as np

    first = int(settings.first_month[5:]) - 1
    seasons = np.array([SEASON[(first + month) % 12] for month in range(JOINING_MONTHS)])
    joined_by = 1 - np.cumprod(1 - _JOIN_HAZARD * seasons)
    month = np.searchsorted(joined_by, draws.uniform("join month", numbers), side="right")
    joined = np.where(month < len(seasons), month + draws.uniform("join day", numbers), np.inf)
    is_established = draws.uniform("established", numbers) < habits.trait("established_share")
    before = -_ESTABLISHED_MONTHS * draws.uniform("joined before", numbers)
    return np.where(numbers == 1, -1.0, np.where(is_established, before, joined))


def _draw_department_weights(
    draws: Draws, numbers: NDArray[np.int64], habits: _Habits, departments: Sequence[str]
) -> NDArray[np.float32]:
    """Draw each customer's own preferences around those of the archetype (Dirichlet, not yet divided by their sum)."""
    import numpy as np

    shapes = np.full(len(numbers), 3, dtype=np.int64)
    taste = np.column_stack([draws.gamma(f"taste for {name}", numbers, shapes) for name in departments])
    return (habits.weights("departments", departments, 1.0) * taste).astype(np.float32)
