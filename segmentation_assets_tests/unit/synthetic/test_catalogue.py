import re
from pathlib import Path

import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.synthetic.catalogue import Catalogue, read_catalogue

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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("price: 20", "price: -20", r"departments\.0\.classes\.0\.items\.0\.price: .* greater than 0, got -20"),
        ("name: Gloves", "name: Tools", r"mine\.yaml: Garden / Tools stands twice\nHint: give every"),
        ("sizes: [S, L]", "sizes: [S], child_ages: [1 year]", r"sizes or child_ages, not both"),
        ("price: 4", "prize: 4", r"items\.0\.price: Field required"),
        ("qualities: [", "qualities: [[", r"mine\.yaml cannot be read"),
    ],
)
def test_mistake_in_a_catalogue_is_told_with_file_and_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TWO_ITEMS.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_catalogue(path)


def test_missing_catalogue_is_told() -> None:
    with pytest.raises(DataError, match=r"nowhere\.yaml cannot be read: .*\nHint: name a readable file"):
        read_catalogue(Path("nowhere.yaml"))
