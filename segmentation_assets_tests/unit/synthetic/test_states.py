import numpy as np
import pytest
from pydantic import ValidationError

from segmentation_assets.config.synthetic import SETTLED_STATES, SyntheticSettings, TransitionSettings
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.population import make_population
from segmentation_assets.synthetic.states import CODES, STATES, TRAITS, first_states, next_states, trait

DRAWS = Draws(7)
POPULATION = make_population(SyntheticSettings(customers=20_000), ("Apparel",))
ALL = POPULATION.numbers > 1


def all_in(state: str) -> np.ndarray:
    return np.full(len(POPULATION.numbers), CODES[state], dtype=np.int8)


def shares_after(state: str, **rates: float) -> dict[str, float]:
    """Shares of states a month after everybody was in one; nothing happens but what the rates name."""
    still = dict.fromkeys(TransitionSettings.model_fields, 0.0)
    after = next_states(DRAWS, POPULATION, all_in(state), 5, TransitionSettings(**still | rates))[ALL]
    return {name: float(np.mean(after == code)) for name, code in CODES.items() if np.any(after == code)}


def test_every_state_has_traits_and_only_present_ones_order() -> None:
    ordering = {name for name, traits in TRAITS.items() if traits.orders > 0}
    assert ordering == {"new", *SETTLED_STATES, "slipping", "reactivated"}
    assert trait("orders")[CODES["vip"]] == TRAITS["vip"].orders


def test_dormant_customers_come_back_or_leave_at_their_rates() -> None:
    found = shares_after("dormant", reactivate=0.2, leave_dormant=0.3)
    assert found == {
        "dormant": pytest.approx(0.5, abs=0.02),
        "reactivated": pytest.approx(0.2, abs=0.02),
        "gone": pytest.approx(0.3, abs=0.02),
    }


def test_slipping_customers_recover_into_settled_states_or_stop() -> None:
    found = shares_after("slipping", recover=0.3, fall_dormant=0.5)
    assert found["dormant"] == pytest.approx(0.5, abs=0.02)
    assert sum(found[name] for name in SETTLED_STATES) == pytest.approx(0.3, abs=0.02)


def test_settled_customers_slip_at_the_rate_of_their_archetype() -> None:
    assert shares_after("loyal")["slipping"] == pytest.approx(POPULATION.slip_rates.mean(), abs=0.01)


def settled_shares(rows: np.ndarray) -> dict[str, float]:
    """Shares in which the preferences of some customers draw the settled states."""
    shares = np.diff(POPULATION.settling_edges[rows], axis=1, prepend=0).mean(axis=0)
    return dict(zip(SETTLED_STATES, shares, strict=True))


@pytest.mark.parametrize("state", ["new", "reactivated"])
def test_newcomers_and_who_comes_back_settle_at_the_rate_set(state: str) -> None:
    rows = ALL & ~POPULATION.orders_once
    rates = {**dict.fromkeys(TransitionSettings.model_fields, 0.0), "settle": 0.7}
    after = next_states(DRAWS, POPULATION, all_in(state), 5, TransitionSettings(**rates))[rows]
    settled = np.isin(after, [CODES[name] for name in SETTLED_STATES])
    assert settled.mean() == pytest.approx(0.7, abs=0.015)
    chosen = np.bincount(after[settled], minlength=len(STATES)) / settled.sum()
    assert {name: chosen[CODES[name]] for name in SETTLED_STATES} == pytest.approx(settled_shares(rows), abs=0.02)


def test_settled_customers_move_and_leave_at_the_rates_set() -> None:
    found = shares_after("loyal", move=0.4, leave=0.2)
    drawn = settled_shares(ALL)
    assert found["gone"] == pytest.approx(0.2, abs=0.012)
    moved = {name: found.get(name, 0.0) for name in SETTLED_STATES if name != "loyal"}
    assert moved == pytest.approx({name: 0.4 * drawn[name] for name in moved}, abs=0.012)


def test_newcomers_stop_early_at_the_rate_set() -> None:
    rows = ALL & ~POPULATION.orders_once
    rates = {**dict.fromkeys(TransitionSettings.model_fields, 0.0), "stop_early": 0.3}
    after = next_states(DRAWS, POPULATION, all_in("new"), 5, TransitionSettings(**rates))[rows]
    assert np.mean(after == CODES["dormant"]) == pytest.approx(0.3, abs=0.015)


def test_business_starts_with_the_shares_of_states_set() -> None:
    rates = TransitionSettings(start_settled=0.2, start_slipping=0.5, start_dormant=0.1)
    states = first_states(DRAWS, POPULATION, rates)[(POPULATION.joined < 0) & ALL]
    shares = {name: np.mean(states == CODES[name]) for name in ("slipping", "dormant", "gone")}
    assert shares == pytest.approx({"slipping": 0.5, "dormant": 0.1, "gone": 0.2}, abs=0.02)


FROM_BEFORE = {"start_settled": 0.4, "start_slipping": 0.3, "start_dormant": 0.3}


def move_in_the_first_month(start: str, **rates: float) -> tuple[np.ndarray, dict[str, float]]:
    """Rows of the customers who were in a state just before the first month, and their shares of states in it."""
    still = dict.fromkeys(TransitionSettings.model_fields, 0.0)
    transitions = TransitionSettings(**still | FROM_BEFORE | rates)
    before = first_states(DRAWS, POPULATION, transitions)
    rows = np.flatnonzero((before == CODES[start]) & ALL)
    after = next_states(DRAWS, POPULATION, before, 0, transitions)[rows]
    return rows, {name: float(np.mean(after == code)) for name, code in CODES.items()}


@pytest.mark.parametrize(
    ("start", "rates", "expected"),
    [
        ("dormant", {"reactivate": 0.3, "leave_dormant": 0.2}, {"dormant": 0.5, "reactivated": 0.3, "gone": 0.2}),
        ("slipping", {"fall_dormant": 0.4}, {"slipping": 0.6, "dormant": 0.4}),
        ("loyal", {"leave": 0.3}, {"gone": 0.3}),
    ],
)
def test_customers_from_before_move_in_the_first_month_as_in_any(
    start: str, rates: dict[str, float], expected: dict[str, float]
) -> None:
    _, found = move_in_the_first_month(start, **rates)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=0.03)


def test_customers_from_before_settle_elsewhere_in_the_first_month_as_in_any() -> None:
    rows, found = move_in_the_first_month("loyal", move=0.5)
    drawn = settled_shares(rows)
    others = [name for name in SETTLED_STATES if name != "loyal"]
    assert found["slipping"] == pytest.approx(POPULATION.slip_rates[rows].mean(), abs=0.02)
    assert {name: found[name] for name in others} == pytest.approx(
        {name: 0.5 * drawn[name] for name in others}, abs=0.03
    )


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"recover": 0.6, "fall_dormant": 0.9}, r"recover 0\.6 \+ fall_dormant 0\.9 add up to 1\.5, more than 1"),
        ({"reactivate": 0.7, "leave_dormant": 0.9}, r"reactivate 0\.7 \+ leave_dormant 0\.9 add up to 1\.6"),
        ({"settle": 0.97}, r"settle 0\.97 \+ stop_early 0\.05 add up to 1\.02"),
        ({"start_settled": 0.9}, r"start_settled 0\.9 \+ start_slipping 0\.08 \+ start_dormant 0\.12 add up to 1\.1"),
        ({"move": 0.9, "leave": 0.05}, r"move 0\.9 .* slip \(1 / stays_months\) 0\.0625 of archetype 'bargain_hunter'"),
    ],
)
def test_rates_that_add_up_to_more_than_1_are_refused(rates: dict[str, float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SyntheticSettings.model_validate({"transitions": rates})


def test_rates_that_add_up_to_1_hold() -> None:
    assert shares_after("slipping", recover=0.4, fall_dormant=0.6).get("slipping", 0.0) == 0


def test_the_gone_stay_gone() -> None:
    assert shares_after("gone", reactivate=1.0, settle=1.0, recover=1.0) == {"gone": 1.0}


def test_prospects_become_new_in_the_month_they_join() -> None:
    before = all_in("prospect")
    after = next_states(DRAWS, POPULATION, before, 5, TransitionSettings())
    joins = np.floor(POPULATION.joined) == 5
    assert joins.sum() > 100
    assert np.flatnonzero(after == CODES["new"]).tolist() == np.flatnonzero(joins).tolist()


def test_who_orders_once_is_gone_the_month_after() -> None:
    after = next_states(DRAWS, POPULATION, all_in("new"), 5, TransitionSettings())
    assert (after[POPULATION.orders_once] == CODES["gone"]).all()
    assert (after[~POPULATION.orders_once] != CODES["gone"]).all()


def test_older_customers_start_in_states_of_all_kinds_and_others_as_prospects() -> None:
    states = first_states(DRAWS, POPULATION, TransitionSettings())
    assert (states[POPULATION.joined >= 0] == CODES["prospect"]).all()
    older = {STATES[code] for code in np.unique(states[POPULATION.joined < 0])}
    assert older == {*SETTLED_STATES, "slipping", "dormant", "gone"}


def test_the_first_customer_is_loyal_and_never_leaves() -> None:
    states = first_states(DRAWS, POPULATION, TransitionSettings())
    for month in range(3):
        assert states[0] == CODES["loyal"]
        states = next_states(DRAWS, POPULATION, states, month, TransitionSettings(leave=1.0))
    assert states[0] == CODES["loyal"]


def test_a_month_does_not_depend_on_who_else_there_is() -> None:
    part = POPULATION.take(np.arange(300))
    states, before = (
        first_states(DRAWS, part, TransitionSettings()),
        first_states(DRAWS, POPULATION, TransitionSettings()),
    )
    found = next_states(DRAWS, part, states, 0, TransitionSettings())
    assert found.tolist() == next_states(DRAWS, POPULATION, before, 0, TransitionSettings())[:300].tolist()
