"""Who the customers of the synthetic shop are: archetype, habits, and the months they join and leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.settings import SyntheticSettings
from segmentation_assets.synthetic.archetypes import ARCHETYPES, LAPSED, NEWCOMER, PROSPECT, RECENT_MONTHS
from segmentation_assets.synthetic.calendar import BusinessCalendar
from segmentation_assets.synthetic.catalogue import DEPARTMENTS
from segmentation_assets.synthetic.draws import Draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_JOIN_HAZARD = 0.08
_ESTABLISHED_MONTHS = 36
_HIGHEST_RATE = 6.0


@dataclass(frozen=True)
class Population:
    """Habits of all customers; every array has one entry per customer.

    Parameters
    ----------
    numbers : ndarray of int
        Customer numbers from 1.
    archetypes : ndarray of int
        Place in `ARCHETYPES`.
    joined, left : ndarray of float
        Instants of the first order and of leaving for good, in months since the start of business. ``joined`` is
        negative for those who were customers before, infinite for those who have not bought yet.
    order_rates : ndarray of float
        Orders per month in an ordinary month.
    lines_per_order : ndarray of float
        Mean number of lines of an order, at least 1.
    price_tilts, discount_probabilities, return_probabilities : ndarray of float
        As in `Archetype`, scattered.
    department_edges : ndarray of float, shape (n_customers, n_departments)
        Cumulative preferences for the departments.
    """

    numbers: NDArray[np.int64]
    archetypes: NDArray[np.int64]
    joined: NDArray[np.float64]
    left: NDArray[np.float64]
    order_rates: NDArray[np.float64]
    lines_per_order: NDArray[np.float64]
    price_tilts: NDArray[np.float64]
    discount_probabilities: NDArray[np.float64]
    return_probabilities: NDArray[np.float64]
    department_edges: NDArray[np.float64]

    def true_segments(self, months: int) -> NDArray[np.str_]:
        """Name the segment each customer truly is in at the end of so many months of business.

        Parameters
        ----------
        months : int
            Months of business, at least 2.

        Returns
        -------
        ndarray of str, shape (n_customers,)
            The archetype, unless the customer has not bought yet (prospect), joined within the last `RECENT_MONTHS`
            (newcomer) or left before them after more than one order (lapsed).
        """
        import numpy as np

        names = np.array([archetype.name for archetype in ARCHETYPES])[self.archetypes]
        recent = months - RECENT_MONTHS
        is_one_time = names == "one_time"
        conditions = [self.joined >= months, self.joined >= recent, (self.left < recent) & ~is_one_time]
        return np.select(conditions, [PROSPECT, NEWCOMER, LAPSED], default=names)


def make_population(settings: SyntheticSettings, calendar: BusinessCalendar) -> Population:
    """Draw the customers of a shop.

    Parameters
    ----------
    settings : SyntheticSettings
        Number of customers, and seed.
    calendar : BusinessCalendar
        The months of business.

    Returns
    -------
    Population
        One entry per customer. A customer's entry depends on the seed and its number, not on how many customers there
        are; ``joined`` also depends on the first month, and turns infinite if it lies after the last.
    """
    import numpy as np

    draws = Draws(settings.seed)
    numbers = np.arange(1, settings.customers + 1, dtype=np.int64)
    archetypes = _draw_archetypes(draws, numbers)
    joined, left = _draw_active_span(draws, numbers, archetypes, calendar)
    rates = _trait("orders_per_month")[archetypes] * draws.gamma("order rate", numbers, _rate_shapes()[archetypes])
    scatter = np.exp(0.25 * draws.normal("basket size", numbers))
    tilts = _trait("price_tilt")[archetypes] * np.exp(0.30 * draws.normal("price level", numbers))
    return Population(
        numbers=numbers,
        archetypes=archetypes,
        joined=joined,
        left=left,
        order_rates=np.minimum(rates, _HIGHEST_RATE),
        lines_per_order=1 + (_trait("lines_per_order")[archetypes] - 1) * scatter,
        price_tilts=tilts,
        discount_probabilities=_scattered(draws, "discounts", "discount_probability", numbers, archetypes),
        return_probabilities=_scattered(draws, "returns", "return_probability", numbers, archetypes),
        department_edges=_draw_department_edges(draws, numbers, archetypes),
    )


def _trait(name: str) -> NDArray[np.float64]:
    """One trait of all archetypes, in order."""
    import numpy as np

    return np.array([getattr(archetype, name) for archetype in ARCHETYPES], dtype=np.float64)


def _rate_shapes() -> NDArray[np.int64]:
    import numpy as np

    return np.array([archetype.rate_shape for archetype in ARCHETYPES], dtype=np.int64)


def _scattered(
    draws: Draws, purpose: str, trait: str, numbers: NDArray[np.int64], archetypes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Scatter a probability between 0.6 and 1.4 times the archetype's."""
    scattered: NDArray[np.float64] = _trait(trait)[archetypes] * (0.6 + 0.8 * draws.uniform(purpose, numbers))
    return scattered


def _draw_archetypes(draws: Draws, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw archetypes by share; the first customer is loyal, so that even the smallest shop has business."""
    import numpy as np

    edges = np.cumsum(_trait("share"))
    drawn = np.searchsorted(edges / edges[-1], draws.uniform("archetype", numbers), side="right")
    loyal = [archetype.name for archetype in ARCHETYPES].index("loyal")
    return np.where(numbers == 1, loyal, drawn)


def _draw_active_span(
    draws: Draws, numbers: NDArray[np.int64], archetypes: NDArray[np.int64], calendar: BusinessCalendar
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw when customers join and leave, in months since the start of business.

    Lifetimes are exponential, so what is left of an established customer's at the start is exponential as well.
    """
    import numpy as np

    is_established = draws.uniform("established", numbers) < _trait("established_share")[archetypes]
    before = -_ESTABLISHED_MONTHS * draws.uniform("joined before", numbers)
    joined_by = 1 - np.cumprod(1 - _JOIN_HAZARD * calendar.season)
    month = np.searchsorted(joined_by, draws.uniform("join month", numbers), side="right")
    within = month + draws.uniform("join day", numbers)
    joined = np.where(is_established, before, np.where(month < len(calendar.months), within, np.inf))
    lifetime = -np.log(draws.uniform("lifetime", numbers)) * _trait("lifetime_months")[archetypes]
    left = np.maximum(joined, 0.0) + lifetime
    is_first = numbers == 1
    return np.where(is_first, -1.0, joined), np.where(is_first, np.inf, left)


def _draw_department_edges(
    draws: Draws, numbers: NDArray[np.int64], archetypes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Draw each customer's own preferences around those of the archetype (Dirichlet), cumulated."""
    import numpy as np

    shapes = np.full(len(numbers), 3, dtype=np.int64)
    taste = np.column_stack([draws.gamma(f"taste for {name}", numbers, shapes) for name in DEPARTMENTS])
    preference = np.array([archetype.departments for archetype in ARCHETYPES])[archetypes] * taste
    edges = np.cumsum(preference, axis=1)
    shares: NDArray[np.float64] = edges / edges[:, -1:]
    return shares
