"""The hidden states of the synthetic shop's customers: what each means for behaviour, and how customers move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import SETTLED_STATES, TransitionSettings
from segmentation_assets.synthetic.draws import Draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmentation_assets.synthetic.population import Population


@dataclass(frozen=True)
class StateTraits:
    """What a state does to the habits of a customer who is in it.

    Parameters
    ----------
    orders, lines, discounts, returns : float
        Factors on order rate, lines beyond the first, and the probabilities of discount and return.
    engagement : float
        Factor on visits and opened e-mails beyond those that come with orders.
    """

    orders: float
    lines: float = 1.0
    discounts: float = 1.0
    returns: float = 1.0
    engagement: float = 1.0


TRAITS = {
    "prospect": StateTraits(0.0, engagement=0.5),
    "new": StateTraits(0.6, 0.9),
    "active": StateTraits(1.0),
    "loyal": StateTraits(1.5, 1.15, engagement=1.4),
    "vip": StateTraits(2.2, 1.3, 0.7, engagement=1.8),
    "deal_seeker": StateTraits(1.0, 1.0, 2.6, engagement=1.2),
    "returner": StateTraits(1.2, 1.1, returns=13.0),
    "slipping": StateTraits(0.25, 0.8, 1.3, engagement=0.5),
    "dormant": StateTraits(0.0, engagement=0.15),
    "reactivated": StateTraits(0.8, 0.9, 1.4),
    "gone": StateTraits(0.0, engagement=0.04),
}
"""State → traits; the order numbers the states."""

STATES = tuple(TRAITS)
CODES = {name: code for code, name in enumerate(STATES)}

_EVENTS = ("settle", "slip", "fall_dormant", "reactivate", "leave")


def trait(name: str) -> NDArray[np.float64]:
    """One trait of all states, in their order."""
    import numpy as np

    return np.array([getattr(traits, name) for traits in TRAITS.values()], dtype=np.float64)


def first_states(draws: Draws, population: Population, rates: TransitionSettings) -> NDArray[np.int8]:
    """Draw the states just before the first month: prospects, and whatever became of older customers."""
    import numpy as np

    n_customers = len(population.numbers)
    shares = {"settle": rates.start_settled, "slip": rates.start_slipping, "fall_dormant": rates.start_dormant}
    shares["leave"] = 1 - sum(shares.values())
    probabilities = np.tile([shares.get(event, 0.0) for event in _EVENTS], (n_customers, 1))
    start = np.full(n_customers, CODES["prospect"], dtype=np.int8)
    drawn = _happen(draws, "first ", population, population.numbers, start, probabilities)
    states = np.where(population.joined < 0, drawn, start)
    return np.where(population.numbers == 1, CODES["loyal"], states).astype(np.int8)


def next_states(
    draws: Draws, population: Population, before: NDArray[np.int8], month: int, transitions: TransitionSettings
) -> NDArray[np.int8]:
    """Move all customers on by a month.

    Parameters
    ----------
    draws : Draws
    population : Population
    before : ndarray of int8, shape (n_customers,)
        State in the month before, as a place in `STATES`.
    month : int
        Month of business, from 0.
    transitions : TransitionSettings

    Returns
    -------
    ndarray of int8, shape (n_customers,)
        Prospects who join in the month are new; who never orders again is gone a month later. The first customer
        stays loyal, so that even the smallest shop has business.
    """
    import numpy as np

    rows = np.flatnonzero((before != CODES["prospect"]) & (before != CODES["gone"]))
    probabilities = _event_table(transitions)[before[rows]]
    slips = _EVENTS.index("slip")
    probabilities[:, slips] *= population.slip_rates[rows]
    part = population.take(rows)
    states = before.copy()
    states[rows] = _happen(draws, "", part, part.month_keys(month), before[rows], probabilities)
    states[(before == CODES["new"]) & population.orders_once] = CODES["gone"]
    states[(before == CODES["prospect"]) & (np.floor(population.joined) == month)] = CODES["new"]
    states[population.numbers == 1] = CODES["loyal"]
    return states


def _event_table(rates: TransitionSettings) -> NDArray[np.float64]:
    """Monthly probability of each event in each state; slipping is 1, to be scaled by the customer's own rate."""
    import numpy as np

    settled = {"settle": rates.move, "slip": 1.0, "leave": rates.leave}
    by_state = {
        **dict.fromkeys(SETTLED_STATES, settled),
        "new": {"settle": rates.settle, "fall_dormant": rates.stop_early},
        "slipping": {"settle": rates.recover, "fall_dormant": rates.fall_dormant},
        "dormant": {"reactivate": rates.reactivate, "leave": rates.leave_dormant},
        "reactivated": {"settle": rates.settle, "slip": 1.0},
    }
    table = [[by_state.get(state, {}).get(event, 0.0) for event in _EVENTS] for state in STATES]
    return np.array(table, dtype=np.float64)


def _happen(
    draws: Draws,
    prefix: str,
    population: Population,
    keys: NDArray[np.int64],
    before: NDArray[np.int8],
    probabilities: NDArray[np.float64],
) -> NDArray[np.int8]:
    """Draw at most one event per customer, by streams of that prefix, and return the states that follow."""
    import numpy as np

    edges = np.cumsum(probabilities, axis=1)
    event = (draws.uniform(f"{prefix}event", keys)[:, None] > edges).sum(axis=1)
    choice = (draws.uniform(f"{prefix}settled state", keys)[:, None] > population.settling_edges[:, :-1]).sum(axis=1)
    settled = np.array([CODES[name] for name in SETTLED_STATES], dtype=np.int8)[choice]
    results = [settled, *(CODES[name] for name in ("slipping", "dormant", "reactivated", "gone")), before]
    states: NDArray[np.int8] = np.choose(event, results).astype(np.int8)
    return states
