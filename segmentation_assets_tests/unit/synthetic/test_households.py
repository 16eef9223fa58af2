"""Customers, their households, and what they buy fit each other."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.households import Households, draw_households
from segmentation_assets.synthetic.population import make_population
from segmentation_assets.synthetic.shop import Shop


@pytest.fixture(scope="module")
def households() -> Households:
    return draw_households(Draws(7), np.arange(1, 20_001))


@pytest.fixture(scope="module")
def bought(shop: Shop) -> pd.DataFrame:
    """Sold lines with class, child age, gender and household size."""
    sold = shop.order_lines[shop.order_lines["quantity"] > 0]
    products = shop.products[["product_id", "department", "class", "child_age"]]
    profiles = shop.customers[["customer_id", "gender", "household_size"]]
    return sold.merge(products, on="product_id").merge(profiles, on="customer_id")


def test_children_live_in_larger_households_of_people_of_an_age_to_have_them(households: Households) -> None:
    of_age = (households.ages >= 21) & (households.ages <= 58)
    assert not households.has_children[~of_age].any()
    shares = [households.has_children[of_age & (households.sizes == size)].mean() for size in range(1, 6)]
    assert shares == pytest.approx([0.0, 0.12, 0.80, 0.92, 0.95], abs=0.03)


def test_parents_were_grown_up_when_their_child_was_born(households: Households) -> None:
    with_children = households.has_children
    assert (households.ages[with_children] - households.child_ages[with_children] >= 18).all()
    assert 0 <= households.child_ages.min() < 1 < 13 < households.child_ages.max() <= 14


def share_of(bought: pd.DataFrame, name: str) -> pd.Series:
    """Share of a class among what each gender buys of the department."""
    apparel = bought[bought["department"] == "Apparel"]
    return (apparel["class"] == name).groupby(apparel["gender"], observed=True).mean()


def test_women_buy_more_of_womens_clothes_and_men_of_mens_but_not_only(bought: pd.DataFrame) -> None:
    womens, mens = share_of(bought, "Women"), share_of(bought, "Men")
    assert womens["female"] > 3 * womens["male"] > 0
    assert mens["male"] > 2 * mens["female"] > 0
    assert womens["not stated"] == pytest.approx(mens["not stated"], abs=0.12)


def test_larger_households_buy_more_for_children_and_others_a_little(bought: pd.DataFrame) -> None:
    apparel = bought[bought["department"] == "Apparel"]
    shares = (apparel["class"] == "Children").groupby(apparel["household_size"] >= 3).mean()
    assert shares[True] > 2.5 * shares[False] > 0.02


def test_a_child_grows_out_of_its_things_and_never_back(bought: pd.DataFrame) -> None:
    ages = ["0-2 years", "3-5 years", "6-9 years", "10-13 years"]
    drawn = draw_households(Draws(7), np.arange(1, 1_001))
    parents = {f"C{number:07d}" for number in np.flatnonzero(drawn.has_children) + 1}
    kids = bought[bought["child_age"].notna() & bought["customer_id"].isin(parents)].sort_values("order_at")
    place = kids["child_age"].map(ages.index)
    month = kids["order_at"].dt.strftime("%Y-%m")
    assert place.groupby([kids["customer_id"], month]).nunique().max() == 1
    steps = place.groupby(kids["customer_id"]).diff().dropna()
    assert steps.min() == 0
    assert 0 < (steps > 0).mean() < 0.2


def test_the_size_of_a_customer_stays_the_same(shop: Shop) -> None:
    lines = shop.order_lines.merge(shop.products, on="product_id")
    sizes = lines[lines["class"].isin(["Women", "Men", "Sportswear"])].groupby("customer_id")["size"]
    assert sizes.nunique().max() == 1


def test_what_is_drawn_of_a_household_is_what_the_customers_table_and_the_goods_go_by(shop: Shop) -> None:
    settings = SyntheticSettings(customers=1_000, first_month="2023-09", months=18, seed=7)
    population = make_population(settings, read_catalogue().departments)
    drawn = draw_households(Draws(7), population.numbers)
    rows = shop.customers["customer_id"].str[1:].astype(int).to_numpy() - 1
    assert shop.customers["household_size"].tolist() == drawn.sizes[rows].tolist()
    assert (population.groups // 2 == drawn.genders).all()
    assert (population.groups % 2 == drawn.has_children).all()
