import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segmentation_assets.config.catalogue import read_catalogue_file
from segmentation_assets.config.synthetic import SyntheticSettings, unknown_preferences
from segmentation_assets.errors import DataError
from segmentation_assets.synthetic.catalogue import Catalogue, read_catalogue
from segmentation_assets.synthetic.population import make_population

TWO_ITEMS = """
qualities: [{suffix: "", name: plain, price_factor: 1, brand: Ours}]
departments:
  - name: Garden
    classes:
      - {name: Tools, items: [{name: Spade, price: 20}, {name: Rake, price: 15.5, launched: 3}]}
      - {name: Gloves, sizes: [S, L], items: [{name: Glove, price: 4}]}
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue()


@pytest.fixture(scope="module")
def products(catalogue: Catalogue) -> pd.DataFrame:
    return catalogue.products


def test_products_are_unique_and_sorted_by_id(products: pd.DataFrame) -> None:
    assert products["product_id"].is_unique
    assert products["product_name"].is_unique
    assert products["product_id"].is_monotonic_increasing


def test_product_ids_would_be_damaged_if_read_as_numbers(products: pd.DataFrame) -> None:
    assert all(re.fullmatch(r"0\d{4}S?(-0\d)?", product_id) for product_id in products["product_id"])


def test_every_department_has_two_to_four_classes(catalogue: Catalogue, products: pd.DataFrame) -> None:
    names = ("Accessories & Footwear", "Health & Wellness", "Home & Lifestyle", "Apparel")
    assert catalogue.departments == names
    assert products.groupby("department")["class"].nunique().between(2, 4).all()


def test_prices_are_positive_whole_cents(products: pd.DataFrame) -> None:
    assert (products["unit_price"] > 0).all()
    assert (products["unit_price"].round(2) == products["unit_price"]).all()


def test_the_signature_quality_costs_more_and_is_another_brand(products: pd.DataFrame) -> None:
    shopper = products[products["product_name"].str.startswith("Shopper bag")]
    assert shopper["product_name"].tolist() == ["Shopper bag, classic", "Shopper bag, signature"]
    assert shopper["unit_price"].tolist() == [24.95, 44.91]
    assert shopper["brand"].tolist() == ["Harbour", "Atelier"]


def test_sizes_and_child_ages_stand_where_they_apply(products: pd.DataFrame) -> None:
    by_class = products.groupby("class")[["size", "child_age"]].agg(lambda column: column.notna().mean())
    assert by_class.loc[["Women", "Men", "Sportswear", "Footwear"], "size"].tolist() == [1.0] * 4
    assert by_class.loc["Children"].tolist() == [0.0, 1.0]
    assert by_class.loc[["Kitchen", "Bags"]].to_numpy().sum() == 0
    assert products["child_age"].dropna().unique().tolist() == ["0-2 years", "3-5 years", "6-9 years", "10-13 years"]


def test_some_products_are_launched_after_the_first_month(products: pd.DataFrame) -> None:
    assert 0 < (products["launched"] > 0).mean() < 0.1


def test_own_catalogue_is_read_with_its_variants_and_launches(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TWO_ITEMS, encoding="utf-8")
    found = read_catalogue(path)
    columns = ["product_id", "product_name", "class", "size", "unit_price", "launched", "model"]
    assert found.products[columns].astype(object).where(found.products[columns].notna(), None).to_numpy().tolist() == [
        ["01101", "Spade, plain", "Tools", None, 20.0, 0, 0],
        ["01102", "Rake, plain", "Tools", None, 15.5, 2, 1],
        ["01201-01", "Glove, plain, S", "Gloves", "S", 4.0, 0, 2],
        ["01201-02", "Glove, plain, L", "Gloves", "L", 4.0, 0, 2],
    ]
    assert (found.departments, found.return_factors, found.model_starts.tolist()) == (("Garden",), (1.0,), [0, 1, 2, 4])


def test_the_variant_that_fits_a_child_follows_the_ages_of_its_class(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TWO_ITEMS.replace("sizes: [S, L]", "child_ages: [1 year, 3-4 years]"), encoding="utf-8")
    assert read_catalogue(path).child_variants.tolist() == [
        [0, 0, -1],
        [0, 0, 0],
        [0, 0, -1],
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, -1],
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("price: 20", "price: -20", r"departments\.0\.classes\.0\.items\.0\.price: .* greater than 0, got -20"),
        ("name: Gloves", "name: Tools", r"the file: 'Tools' stands twice among the classes of Garden; .*\nHint"),
        ("sizes: [S, L]", "sizes: [S], child_ages: [1 year]", r"sizes or child_ages, not both"),
        ("sizes: [S, L]", "child_ages: [Baby]", r"classes\.1: .* 'Baby' is not written in years, such as '3-5 years'"),
        ("sizes: [S, L]", "child_ages: [5-3 years]", r"child age '5-3 years' does not go from a year to a later one"),
        ("sizes: [S, L]", "child_ages: [0-3 years, 3 years]", r"'3 years' begins before the one that stands before it"),
        ("price: 4", "prize: 4", r"items\.0\.price: Field required"),
        ("name: Gloves", "name: Gloves, appeal: {man: 0.5}", r"classes\.1\.appeal\.man.*: Input should be 'female'"),
        ("name: Gloves", "name: Gloves, appeal: {male: 2}", r"appeal\.male: .* less than or equal to 1, got 2"),
        ("qualities: [", "qualities: [[", r"mine\.yaml cannot be read"),
    ],
)
def test_mistake_in_a_catalogue_is_told_with_file_and_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TWO_ITEMS.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_catalogue(path)


REGULAR = {"name": "regular", "share": 1, "orders_per_month": 1, "settles_as": {"active": 1}}


@pytest.mark.parametrize(
    ("preferences", "said"),
    [
        (
            {"Gardn": 3.0},
            r"archetype 'regular' names the department 'Gardn', .*mine\.yaml does not have; did you mean",
        ),
        ({"Garden": 0.0}, r"archetype 'regular' prefers no department of .*mine\.yaml"),
    ],
)
def test_preferences_that_cannot_hold_are_refused(tmp_path: Path, preferences: dict[str, float], said: str) -> None:
    (tmp_path / "mine.yaml").write_text(TWO_ITEMS, encoding="utf-8")
    own = [REGULAR | {"departments": preferences}]
    with pytest.raises(ValidationError, match=said):
        SyntheticSettings.model_validate({"catalogue": tmp_path / "mine.yaml", "archetypes": own})


def test_a_catalogue_without_anything_in_the_first_month_is_refused(tmp_path: Path) -> None:
    late = TWO_ITEMS.replace("price: 20", "price: 20, launched: 3").replace("price: 4", "price: 4, launched: 2")
    (tmp_path / "mine.yaml").write_text(late, encoding="utf-8")
    with pytest.raises(ValidationError, match=r"mine\.yaml has nothing on sale in the first month"):
        SyntheticSettings(catalogue=tmp_path / "mine.yaml")


def test_a_catalogue_that_is_not_there_is_refused_with_the_settings() -> None:
    with pytest.raises(ValidationError, match=r"nowhere\.yaml cannot be read"):
        SyntheticSettings(catalogue=Path("nowhere.yaml"))


def test_preferences_of_a_packaged_profile_need_not_apply_to_a_catalogue_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TWO_ITEMS, encoding="utf-8")
    settings = SyntheticSettings(catalogue=tmp_path / "mine.yaml")
    unknown = unknown_preferences(settings, read_catalogue_file(settings.catalogue))
    assert ("gift_buyer", "Apparel") in unknown
    assert len(unknown) == 20


def test_two_hundred_archetypes_work() -> None:
    archetypes = [REGULAR | {"name": f"regular {place}"} for place in range(200)]
    settings = SyntheticSettings.model_validate({"customers": 3_000, "archetypes": archetypes})
    assert len(np.unique(make_population(settings, ("Apparel",)).archetypes)) == 200


def test_appeal_multiplies_gender_and_children(tmp_path: Path) -> None:
    appeal = "name: Gloves, appeal: {male: 0.5, no children: 0.2}"
    (tmp_path / "mine.yaml").write_text(TWO_ITEMS.replace("name: Gloves", appeal), encoding="utf-8")
    found = read_catalogue(tmp_path / "mine.yaml").appeal
    assert found[:, :2].min() == 1
    assert found[:, 2].tolist() == pytest.approx([0.2, 1.0, 0.1, 0.5, 0.2, 1.0, 0.2, 1.0])


TWO_DEPARTMENTS = TWO_ITEMS + "  - {name: Garden, classes: [{name: Pots, items: [{name: Pot, price: 3}]}]}\n"
TWO_SUFFIXES = TWO_ITEMS.replace("brand: Ours}", "brand: Ours}, {suffix: '', name: fine, price_factor: 2, brand: Ours}")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (TWO_DEPARTMENTS, "the file: 'Garden' stands twice among the departments; give each its own"),
        (TWO_SUFFIXES, "the file: '' stands twice among the suffixes of the qualities; give each its own"),
        (TWO_ITEMS.replace("price_factor: 1", "price_factor: 1.0e+18"), r"price_factor: .* less than or equal to 1000"),
    ],
)
def test_a_catalogue_that_cannot_be_sold_is_refused_with_the_settings(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(ValidationError, match=rf"mine\.yaml: .*{said}"):
        SyntheticSettings.model_validate({"catalogue": tmp_path / "mine.yaml", "archetypes": [REGULAR]})


def test_missing_catalogue_is_told() -> None:
    with pytest.raises(DataError, match=r"nowhere\.yaml cannot be read: .*\nHint: name a readable file"):
        read_catalogue(Path("nowhere.yaml"))
