import numpy as np
import pytest

from segmentation_assets.config.settings import SyntheticSettings
from segmentation_assets.synthetic.archetypes import ARCHETYPES, TRUE_SEGMENTS
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.population import Population, make_population

NAMES = [archetype.name for archetype in ARCHETYPES]


def make(customers: int, months: int) -> Population:
    settings = SyntheticSettings(customers=customers, months=months)
    return make_population(settings, make_calendar(settings))


def place_customers(archetypes: list[str], joined: list[float], left: list[float]) -> Population:
    anything = np.ones(len(joined))
    return Population(
        numbers=np.arange(1, len(joined) + 1),
        archetypes=np.array([NAMES.index(name) for name in archetypes]),
        joined=np.array(joined),
        left=np.array(left),
        order_rates=anything,
        lines_per_order=anything,
        price_tilts=anything,
        discount_probabilities=anything,
        return_probabilities=anything,
        department_edges=np.ones((len(joined), 4)),
    )


def test_shares_of_archetypes_add_up_to_one() -> None:
    assert sum(archetype.share for archetype in ARCHETYPES) == pytest.approx(1)
    assert len(set(TRUE_SEGMENTS)) == len(TRUE_SEGMENTS) == 10


def test_archetypes_occur_in_their_shares() -> None:
    shares = np.bincount(make(20_000, 6).archetypes) / 20_000
    assert shares == pytest.approx([archetype.share for archetype in ARCHETYPES], abs=0.012)


def test_state_at_the_end_of_business_overrides_the_archetype() -> None:
    population = place_customers(
        ["vip", "vip", "vip", "loyal", "one_time", "one_time", "loyal"],
        [-5.0, -5.0, 9.0, np.inf, 2.5, 9.5, 8.9],
        [99.0, 8.9, 99.0, np.inf, 2.5, 9.5, 9.0],
    )
    expected = ["vip", "lapsed", "newcomer", "prospect", "one_time", "newcomer", "loyal"]
    assert population.true_segments(12).tolist() == expected


def test_the_first_customer_is_loyal_and_never_leaves() -> None:
    population = make(10, 2)
    assert NAMES[population.archetypes[0]] == "loyal"
    assert (population.joined[0], population.left[0]) == (-1.0, np.inf)


def test_nobody_leaves_before_joining() -> None:
    population = make(2_000, 12)
    assert (population.left >= population.joined).all()
    one_time = population.archetypes == NAMES.index("one_time")
    assert (population.left[one_time] == population.joined[one_time]).all()


def test_customers_join_throughout_business() -> None:
    joined = make(2_000, 18).joined
    months = np.bincount(np.floor(joined[(joined >= 0) & np.isfinite(joined)]).astype(int), minlength=18)
    assert (months >= 5).all()
    assert (joined < 0).any()


def test_order_rates_scatter_around_the_archetype() -> None:
    population = make(20_000, 6)
    loyal = population.order_rates[population.archetypes == NAMES.index("loyal")]
    assert loyal.mean() == pytest.approx(0.85, rel=0.05)
    assert loyal.std() / loyal.mean() == pytest.approx(1 / np.sqrt(5), rel=0.1)


def test_department_preferences_are_shares() -> None:
    edges = make(500, 6).department_edges
    assert edges.shape == (500, 4)
    assert (np.diff(edges, axis=1) > 0).all()
    assert edges[:, -1] == pytest.approx(np.ones(500))
