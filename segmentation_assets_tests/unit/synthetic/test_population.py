import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segmentation_assets.config.shop_profile import read_shop_profile
from segmentation_assets.config.synthetic import SETTLED_STATES, SyntheticSettings
from segmentation_assets.synthetic.population import Population, archetype_shares, make_population

ARCHETYPES = read_shop_profile("general").archetypes
NAMES = [archetype.name for archetype in ARCHETYPES]
DEPARTMENTS = ("Apparel", "Health & Wellness")


def make(customers: int, **settings: object) -> Population:
    return make_population(SyntheticSettings(customers=customers, **settings), DEPARTMENTS)


def test_archetypes_occur_in_their_shares() -> None:
    settings = SyntheticSettings(customers=20_000)
    shares = np.bincount(make(20_000).archetypes) / 20_000
    assert sum(archetype_shares(settings)) == pytest.approx(1)
    assert shares == pytest.approx(archetype_shares(settings), abs=0.012)


def test_shares_in_a_mix_hold_and_the_others_share_the_rest() -> None:
    shares = dict(
        zip(NAMES, archetype_shares(SyntheticSettings(mix={"gift_buyer": 0.6, "connoisseur": 0.02})), strict=True)
    )
    assert (shares["gift_buyer"], shares["connoisseur"]) == (0.6, 0.02)
    assert shares["fashion_shopper"] == pytest.approx(0.38 * 0.21 / (0.19 + 0.19 + 0.21))
    assert sum(shares.values()) == pytest.approx(1)


def test_a_mix_decides_who_there_is() -> None:
    mix = dict.fromkeys(NAMES, 0.0) | {"home_maker": 0.75, "gift_buyer": 0.25}
    found = np.bincount(make(20_000, mix=mix).archetypes, minlength=len(NAMES)) / 20_000
    assert found == pytest.approx([mix[name] for name in NAMES], abs=0.012)


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ({"gift_buyer": 0.8, "home_maker": 0.3}, r"shares in mix add up to 1\.1, more than 1"),
        (dict.fromkeys(NAMES, 0.1), r"shares in mix add up to 0\.5, and no other archetype has a share of the rest"),
        ({"gift_buyer": -0.1}, r"shares in mix must be 0 or more, got -0\.1"),
        ({"gift_byer": 0.1}, r"mix names gift_byer; archetypes are"),
    ],
)
def test_a_mix_that_cannot_hold_is_refused(mix: dict[str, float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SyntheticSettings(mix=mix)


def test_archetypes_without_any_share_are_refused_in_terms_of_what_was_written() -> None:
    nobody = {"name": "nobody", "share": 0, "orders_per_month": 1, "settles_as": {"active": 1}}
    with pytest.raises(ValidationError, match="all archetypes have share 0; give one of them a share above 0"):
        SyntheticSettings.model_validate({"archetypes": [nobody]})
    assert SyntheticSettings.model_validate({"archetypes": [nobody], "mix": {"nobody": 1.0}}).mix == {"nobody": 1.0}


def test_order_rates_above_five_hold() -> None:
    busy = {"name": "busy", "share": 1, "orders_per_month": 10, "rate_shape": 2, "settles_as": {"active": 1}}
    assert make(20_000, archetypes=(busy,)).order_rates.mean() == pytest.approx(10, rel=0.02)


def test_the_first_customer_was_there_before() -> None:
    assert [make(10, seed=seed).joined[0] for seed in range(3)] == [-1.0] * 3


def test_a_customer_depends_on_its_own_number_only() -> None:
    small, large = make(50), make(500, months=6).take(np.arange(50))
    for name in ("archetypes", "joined", "order_rates", "department_weights", "settling_edges", "is_bulk_buyer"):
        assert getattr(small, name).tolist() == getattr(large, name).tolist()


def test_customers_join_throughout_business() -> None:
    joined = make(2_000).joined
    months = np.bincount(np.floor(joined[(joined >= 0) & (joined < 18)]).astype(int), minlength=18)
    assert (months >= 5).all()
    assert 0.1 < (joined < 0).mean() < 0.5


def test_customers_join_by_a_hazard_that_follows_the_season() -> None:
    joined = make(30_000, first_month="2023-09").joined
    months = np.floor(joined[joined >= 0])
    hazards = [np.mean(months[months >= month] == month) for month in range(24)]
    expected = [0.08 * season for season in (1.00, 1.10, 1.75, 1.40, 0.85, 0.80, 0.90, 0.95, 1.00, 1.00, 0.95, 0.90)]
    assert np.reshape(hazards, (2, 12)).mean(axis=0) == pytest.approx(expected, rel=0.12)


def test_customers_were_there_before_in_the_share_of_their_archetype() -> None:
    population = make(30_000)
    was_there = pd.Series(population.joined < 0).groupby(population.archetypes).mean()
    assert was_there.tolist() == pytest.approx([archetype.established_share for archetype in ARCHETYPES], abs=0.03)


def test_order_rates_scatter_as_gamma_around_the_archetype() -> None:
    population = make(30_000)
    place = NAMES.index("home_maker")
    rates = population.order_rates[population.archetypes == place]
    assert rates.mean() == pytest.approx(ARCHETYPES[place].orders_per_month, rel=0.05)
    assert rates.std() / rates.mean() == pytest.approx(1 / np.sqrt(ARCHETYPES[place].rate_shape), rel=0.1)


def test_only_newcomers_order_once_in_the_share_of_their_archetype() -> None:
    population = make(20_000)
    gifts = (population.archetypes == NAMES.index("gift_buyer")) & (population.joined >= 0)
    share = ARCHETYPES[NAMES.index("gift_buyer")].one_order_share
    assert population.orders_once[gifts].mean() == pytest.approx(share, abs=0.02)
    assert not population.orders_once[population.joined < 0].any()


def test_bulk_buyers_are_planted_in_the_share_set() -> None:
    assert make(20_000, outlier_share=0.05).is_bulk_buyer.mean() == pytest.approx(0.05, abs=0.005)
    assert not make(2_000, outlier_share=0.0).is_bulk_buyer.any()


def test_preferences_follow_the_archetype_and_scatter() -> None:
    population = make(5_000)
    weights = population.department_weights[population.archetypes == NAMES.index("fashion_shopper")]
    assert weights.shape[1] == 2
    assert weights.mean(axis=0) == pytest.approx([6.0, 0.2], rel=0.1)
    assert (weights.std(axis=0) > 0).all()


def test_settling_edges_are_cumulative_shares() -> None:
    edges = make(500).settling_edges
    assert edges.shape == (500, len(SETTLED_STATES))
    assert (np.diff(edges, axis=1) >= 0).all()
    assert edges[:, -1] == pytest.approx(np.ones(500))
