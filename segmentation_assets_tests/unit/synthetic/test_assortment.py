from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
import yaml

from segmentation_assets.config.catalogue import CatalogueFile
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.assortment import Assortment, make_assortment
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.catalogue import build_catalogue, read_catalogue
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.population import make_population

MONTHS = (0, 24, 119)
DEPARTMENTS = read_catalogue().departments
TOYS = """
qualities: [{suffix: "", name: plain, price_factor: 1, brand: Ours}]
departments:
  - name: Toys
    classes:
      - name: All
        child_ages: [2-4 years, 5-8 years]
        items: [{name: Ball, price: 4}, {name: Car, price: 9}]
"""


def assortments(months: Iterable[int]) -> list[Assortment]:
    settings, catalogue = SyntheticSettings(months=120), read_catalogue()
    return [make_assortment(Draws(7), catalogue, settings, make_calendar(settings), month) for month in months]


@pytest.fixture(scope="module")
def chosen() -> pd.DataFrame:
    """What 3,000 customers take at twelve tries each in the first month and years later, by age of the child."""
    population = make_population(SyntheticSettings(customers=3_000), DEPARTMENTS)
    customers = np.repeat(np.arange(3_000), 12)
    frames = []
    for month, assortment in zip(MONTHS, assortments(MONTHS), strict=True):
        rows = assortment.choose(Draws(7), np.arange(len(customers)), customers, population)
        taken = read_catalogue().products.iloc[rows][["child_age", "department"]].reset_index(drop=True)
        ages = (population.child_ages + month / 12)[customers]
        frames.append(taken.assign(month=month, age=ages, is_parent=(population.groups % 2 == 1)[customers]))
    return pd.concat(frames, ignore_index=True)


def test_what_is_for_children_is_for_the_age_that_the_child_has(chosen: pd.DataFrame) -> None:
    bought = chosen[chosen["child_age"].notna() & chosen["is_parent"] & (chosen["month"] <= 24)]
    first, last = (bought["child_age"].str.extract(part)[0].astype(int) for part in (r"^(\d+)", r"-(\d+)"))
    assert bought.groupby(["month", "child_age"]).size().min() > 30
    assert (first <= bought["age"]).all()
    assert (bought["age"] < last + 1).all()


def test_who_has_a_child_of_fourteen_or_more_buys_nothing_for_children(chosen: pd.DataFrame) -> None:
    apparel = chosen[(chosen["department"] == "Apparel") & chosen["is_parent"] & (chosen["month"] == 24)]
    is_for_children = apparel["child_age"].notna().groupby(apparel["age"] >= 14).agg(["mean", "size"])
    assert is_for_children.loc[True, "size"] > 200
    assert is_for_children.loc[True, "mean"] == 0 < 0.15 < is_for_children.loc[False, "mean"]


def test_who_has_no_child_buys_for_those_of_others_however_long_business_lasts(chosen: pd.DataFrame) -> None:
    apparel = chosen[(chosen["department"] == "Apparel") & ~chosen["is_parent"]]
    shares = apparel["child_age"].notna().groupby(apparel["month"]).mean()
    assert shares[0] > 0.02
    assert shares.to_numpy() == pytest.approx(np.full(3, shares.mean()), rel=0.25)


def test_who_wants_things_for_children_alone_buys_as_long_as_a_child_is_of_their_age() -> None:
    catalogue = build_catalogue(CatalogueFile.model_validate(yaml.safe_load(TOYS)))
    population = make_population(SyntheticSettings(customers=3_000), catalogue.departments)
    settings = SyntheticSettings(months=2)
    assortment = make_assortment(Draws(7), catalogue, settings, make_calendar(settings), 0)
    fits = (population.child_ages >= 2) & (population.child_ages < 9)
    assert (assortment.has_something_for(population) == fits).all()
    customers = np.flatnonzero(fits)
    rows = assortment.choose(Draws(7), customers, customers, population)
    names = catalogue.products["product_name"].iloc[rows].to_numpy()
    assert set(names[population.child_ages[customers] < 5]) == {"Ball, plain, 2-4 years", "Car, plain, 2-4 years"}
    assert set(names[population.child_ages[customers] >= 5]) == {"Ball, plain, 5-8 years", "Car, plain, 5-8 years"}


def test_few_prices_change_from_month_to_month_and_by_little() -> None:
    starts = read_catalogue().model_starts[:-1]
    cents = np.array([assortment.list_cents[starts] for assortment in assortments(range(24))])
    steps = cents[1:] / cents[:-1]
    changed = steps[cents[1:] != cents[:-1]]
    assert len(changed) / steps.size == pytest.approx(0.06, abs=0.012)
    assert 0.935 < changed.min() < 0.96 < 1.08 < changed.max() < 1.105
    assert changed.mean() == pytest.approx(1.02, abs=0.01)
