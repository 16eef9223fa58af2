"""Who lives with the synthetic shop's customers: their gender and age, household and children, which fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.synthetic.draws import Draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GENDERS = {"female": 0.52, "male": 0.41, "diverse": 0.01, "not stated": 0.06}
"""Gender → share of customers."""

CHILDHOOD = 14.0
"""Years of the oldest children whose things are bought when business begins."""

_SIZES = {1: 0.34, 2: 0.33, 3: 0.14, 4: 0.13, 5: 0.06}
_WITH_CHILDREN = (0.0, 0.12, 0.80, 0.92, 0.95)
"""Share of households of each size with children, where the customer is of an age to have some."""

_YOUNGEST_PARENT, _OLDEST_PARENT = 21, 58
_ADULT = 18


@dataclass(frozen=True)
class Households:
    """Customers and their households at the first month of business; every array has one entry per customer.

    Parameters
    ----------
    genders : ndarray of int
        Place in `GENDERS`.
    ages : ndarray of int
        Years, 18 or more.
    sizes : ndarray of int
        Persons, the customer among them; 1 to 5.
    has_children : ndarray of bool
        Whether a child lives there: hardly in households of two, in most larger ones, and only where the customer is of
        an age to have one.
    child_ages : ndarray of float32
        Years of the child whose things are bought, which the customer was at least 18 years old to get; of somebody
        else's child where there is none in the household.
    """

    genders: NDArray[np.int64]
    ages: NDArray[np.int64]
    sizes: NDArray[np.int64]
    has_children: NDArray[np.bool_]
    child_ages: NDArray[np.float32]


def draw_households(draws: Draws, numbers: NDArray[np.int64]) -> Households:
    """Draw the households of customers by number."""
    import numpy as np

    ages = 18 + np.floor(draws.gamma("age", numbers, np.full(len(numbers), 4)) * 24).astype(np.int64)
    sizes = 1 + draws.categories("household", numbers, list(_SIZES.values()))
    is_of_age = (ages >= _YOUNGEST_PARENT) & (ages <= _OLDEST_PARENT)
    has_children = is_of_age & (draws.uniform("children", numbers) < np.array(_WITH_CHILDREN)[sizes - 1])
    oldest = np.where(has_children, np.minimum(ages - _ADULT, CHILDHOOD), CHILDHOOD)
    return Households(
        genders=draws.categories("gender", numbers, list(GENDERS.values())),
        ages=ages,
        sizes=sizes,
        has_children=has_children,
        child_ages=(oldest * draws.uniform("child age", numbers)).astype(np.float32),
    )


def appeal_groups(households: Households) -> NDArray[np.int8]:
    """Number the customers' groups: two for each gender, without and with children."""
    groups: NDArray[np.int8] = (2 * households.genders + households.has_children).astype("int8")
    return groups


def are_parents(groups: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether customers have children, by the number of their group, as `appeal_groups` gives it."""
    parents: NDArray[np.bool_] = groups % 2 == 1
    return parents
