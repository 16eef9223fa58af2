import re

import pandas as pd
import pytest

from segmentation_assets.synthetic.catalogue import DEPARTMENTS, build_products


@pytest.fixture(scope="module")
def products() -> pd.DataFrame:
    return build_products()


def test_products_are_unique_and_sorted_by_id(products: pd.DataFrame) -> None:
    assert len(products) == 120
    assert products["product_id"].is_unique
    assert products["product_name"].is_unique
    assert products["product_id"].is_monotonic_increasing


def test_product_ids_would_be_damaged_if_read_as_numbers(products: pd.DataFrame) -> None:
    assert all(re.fullmatch(r"0\d{4}S?", product_id) for product_id in products["product_id"])


def test_every_department_has_two_to_four_classes_of_ten_products(products: pd.DataFrame) -> None:
    assert products.notna().all(axis=None)
    assert tuple(products["department"].unique()) == DEPARTMENTS
    assert DEPARTMENTS == ("Accessories & Footwear", "Health & Wellness", "Home & Lifestyle", "Apparel")
    assert products.groupby("department")["class"].nunique().between(2, 4).all()
    assert (products.groupby(["department", "class"]).size() == 10).all()


def test_prices_are_positive_whole_cents(products: pd.DataFrame) -> None:
    assert (products["unit_price"] > 0).all()
    assert (products["unit_price"].round(2) == products["unit_price"]).all()


def test_the_signature_quality_costs_more(products: pd.DataFrame) -> None:
    first = products.head(2)
    assert first["product_name"].tolist() == ["Canvas sneaker, classic", "Canvas sneaker, signature"]
    assert first["unit_price"].tolist() == [39.95, 71.91]
