"""How the customers of the synthetic shop behave: one record per archetype."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Archetype:
    """What the customers of one archetype have in common; each one scatters around it.

    Parameters
    ----------
    name : str
        The true segment of its active customers.
    share : float
        Weight among all customers.
    orders_per_month : float
        Mean order rate while active.
    rate_shape : int
        Shape of the gamma distribution of order rates; 1 is very uneven.
    lifetime_months : float
        Mean months until a customer leaves for good; 0 ends with the first order.
    established_share : float
        Share of customers who joined before the first month of business.
    lines_per_order : float
        Mean order lines of an order, at least 1.
    price_tilt : float
        Exponent on the price rank of the product chosen; above 1 prefers cheap products, below 1 expensive ones.
    discount_probability : float
        Probability that an order line is bought at a discount.
    return_probability : float
        Probability that an order line comes back, before the department's own factor.
    departments : tuple of float
        Preference for the departments in the order of the catalogue.
    """

    name: str
    share: float
    orders_per_month: float
    rate_shape: int
    lifetime_months: float
    established_share: float
    lines_per_order: float
    price_tilt: float
    discount_probability: float
    return_probability: float
    departments: tuple[float, float, float, float]


ARCHETYPES = (
    Archetype("vip", 0.05, 2.0, 5, 120.0, 0.6, 3.4, 0.50, 0.06, 0.04, (5.0, 0.6, 0.8, 2.5)),
    Archetype("loyal", 0.17, 0.85, 5, 120.0, 0.5, 2.6, 1.0, 0.12, 0.04, (0.6, 1.0, 5.0, 1.2)),
    Archetype("bargain_hunter", 0.17, 0.60, 4, 90.0, 0.4, 2.2, 3.2, 0.75, 0.03, (0.5, 6.0, 1.0, 0.5)),
    Archetype("occasional", 0.14, 0.25, 4, 90.0, 0.4, 1.5, 0.8, 0.12, 0.04, (1.0, 0.6, 4.0, 1.0)),
    Archetype("serial_returner", 0.09, 0.65, 4, 90.0, 0.4, 2.6, 0.8, 0.25, 0.42, (1.0, 0.2, 0.3, 6.0)),
    Archetype("fading", 0.10, 0.55, 4, 5.0, 0.8, 1.9, 1.1, 0.25, 0.06, (1.0, 0.6, 0.8, 4.0)),
    Archetype("one_time", 0.28, 0.0, 1, 0.0, 0.0, 1.2, 1.3, 0.30, 0.05, (6.0, 0.8, 0.8, 0.8)),
)

LAPSED = "lapsed"
NEWCOMER = "newcomer"
PROSPECT = "prospect"

TRUE_SEGMENTS = (*(archetype.name for archetype in ARCHETYPES), LAPSED, NEWCOMER, PROSPECT)
"""All values of ``true_segment``: the archetypes, and three states that override them."""

RECENT_MONTHS = 3
"""Months before the end of business within which a customer counts as a newcomer, or has not yet lapsed."""
