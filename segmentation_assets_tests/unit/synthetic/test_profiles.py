from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.shop_profile import read_shop_profile, shop_profile_names
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.synthetic.catalogue import read_catalogue
from segmentation_assets.synthetic.population import make_population
from segmentation_assets.synthetic.shop import generate_shop
from segmentation_assets.synthetic.states import TRAITS

OWN = """
outlier_share: 0.01
archetypes:
  - {name: regular, share: 1, orders_per_month: 2, settles_as: {active: 1}}
"""


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    return pd.DataFrame({name: figures_of(name) for name in shop_profile_names()})


def figures_of(profile: str) -> dict[str, float]:
    """What tells the kinds of shop apart, of 800 customers over eight months."""
    lines = generate_shop(SyntheticSettings(profile=profile, customers=800, months=8)).order_lines
    sales = lines[lines["quantity"] > 0]
    orders = sales.groupby("customer_id")["order_id"].nunique()
    value = (sales["quantity"] * sales["unit_price"]).groupby(sales["customer_id"]).sum()
    return {
        "returned": len(lines) / len(sales) - 1,
        "single": (orders == 1).mean(),
        "orders": orders.mean(),
        "top tenth": value.nlargest(len(value) // 10).sum() / value.sum(),
        "order value": (sales["quantity"] * sales["unit_price"]).groupby(sales["order_id"]).sum().median(),
        "units": sales["quantity"].mean(),
    }


def test_a_fashion_shop_gets_most_back_and_a_grocery_least(figures: pd.DataFrame) -> None:
    returned = figures.loc["returned"]
    assert returned["fashion"] > 2 * returned["general"] > 4 * returned["grocery"]
    assert returned.idxmax() == "fashion"


def test_a_grocery_is_visited_most_and_seldom_once(figures: pd.DataFrame) -> None:
    assert figures.loc["orders", "grocery"] > 3 * figures.loc["orders"].drop("grocery").max()
    assert figures.loc["single", "grocery"] < 0.5 * figures.loc["single"].drop("grocery").min()


def test_an_order_at_a_grocery_is_small_money(figures: pd.DataFrame) -> None:
    values = figures.loc["order value"]
    assert 15 < values["grocery"] < 0.2 * values.drop("grocery").min()


def test_a_wholesaler_lives_on_few_customers_and_many_units(figures: pd.DataFrame) -> None:
    top = figures.loc["top tenth"]
    assert top["wholesale"] > 1.1 * top["general"] > 1.1 * top["grocery"]
    assert figures.loc["units", "wholesale"] > 2 * figures.loc["units"].drop("wholesale").max()


@pytest.mark.parametrize("name", shop_profile_names())
def test_a_packaged_profile_says_what_it_is_and_names_departments_of_the_catalogue(name: str) -> None:
    profile = read_shop_profile(name)
    named = {department for archetype in profile.archetypes for department in archetype.departments}
    assert profile.description
    assert named <= set(read_catalogue().departments)
    assert sum(archetype.share for archetype in profile.archetypes) == pytest.approx(1)


@pytest.mark.parametrize("name", shop_profile_names())
def test_nobody_of_a_packaged_profile_returns_things_for_certain(name: str) -> None:
    returners = [archetype for archetype in read_shop_profile(name).archetypes if "returner" in archetype.settles_as]
    highest = TRAITS["returner"].returns * max(read_catalogue().return_factors)
    assert all(archetype.return_probability * highest < 0.8 for archetype in returners)


@pytest.mark.parametrize("name", shop_profile_names())
def test_every_planted_bulk_buyer_stands_out_among_its_kind(name: str) -> None:
    shop = generate_shop(SyntheticSettings(profile=name, customers=1_500, months=6, outlier_share=0.03))
    sales = shop.order_lines[shop.order_lines["quantity"] > 0]
    sales = sales.merge(shop.true_customers, on="customer_id").assign(is_planted=lambda frame: frame["outlier"].notna())
    units = sales.groupby(["archetype", "is_planted", "customer_id"], observed=True)["quantity"].mean()
    planted, others = (units.xs(is_planted, level="is_planted") for is_planted in (True, False))
    highest = others.groupby("archetype", observed=True).quantile(0.99)
    assert len(planted) > 15
    assert (planted > highest.reindex(planted.index.get_level_values("archetype")).to_numpy()).all()


def test_bulk_buyers_come_back_and_order_at_least_monthly() -> None:
    population = make_population(SyntheticSettings(customers=5_000, outlier_share=0.2), ("Apparel",))
    assert population.order_rates[population.is_bulk_buyer].min() >= 1
    assert not population.orders_once[population.is_bulk_buyer].any()


def test_what_is_set_wins_over_the_profile() -> None:
    settings = SyntheticSettings(profile="wholesale", outlier_share=0.1, mix={"reseller": 0.5})
    assert (settings.outlier_share, settings.archetypes) == (0.1, read_shop_profile("wholesale").archetypes)


def test_a_profile_of_ones_own_is_read_beside_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "segmentation.yaml").write_text("synthetic: {profile: mine.yaml, customers: 50}", encoding="utf-8")
    shop = load_settings(config=tmp_path / "segmentation.yaml").settings.synthetic
    assert shop.profile == str(tmp_path / "mine.yaml")
    assert ([archetype.name for archetype in shop.archetypes], shop.outlier_share) == (["regular"], 0.01)


def test_an_unknown_profile_is_the_only_problem_told(tmp_path: Path) -> None:
    (tmp_path / "segmentation.yaml").write_text("synthetic:\n  profile: fashon\n", encoding="utf-8")
    said = r"segmentation\.yaml:2: synthetic\.profile: 'fashon' is no kind of shop; there are fashion, general, grocery"
    with pytest.raises(SettingsError, match=said):
        load_settings(config=tmp_path / "segmentation.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("share: 1", "share: -1"), r"archetypes\.0\.share: .* greater than or equal to 0, got -1"),
        (OWN.replace("archetypes", "archetype"), r"archetypes: Field required"),
        ("archetypes: [[", r"mine\.yaml cannot be read"),
        ("", r"mine\.yaml: the file: "),
    ],
)
def test_a_mistake_in_a_profile_is_told_with_file_and_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValidationError, match=said):
        SyntheticSettings(profile=str(tmp_path / "mine.yaml"))
