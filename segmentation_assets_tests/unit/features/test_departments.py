"""Column names made from department names."""

from typing import Any

import pytest

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.blocks.departments import (
    department_slugs,
    require_known_departments,
    unknown_departments,
)
from segmentation_assets.features.registry import features_table
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS

PRODUCTS = "(VALUES ('p1', 'Shoes'), ('p2', 'Shoes'), ('p3', 'Hats')) AS p(product_id, department)"


@pytest.mark.parametrize(
    ("departments", "slugs"),
    [
        (("Shoes", "Men's Wear"), ["shoes", "men_s_wear"]),
        (("Été", "Größe"), ["ete", "groe"]),
        (("家具", "服"), ["u5bb6_u5177", "u670d"]),
        (('"; DROP TABLE x; --',), ["drop_table_x"]),
    ],
)
def test_slugs_are_safe_and_unique(departments: tuple[str, ...], slugs: list[str]) -> None:
    assert list(department_slugs(departments).values()) == slugs


def test_department_listed_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"features.departments lists 'Shoes' twice\nHint: list each"):
        department_slugs(("Shoes", "Hats", "Shoes"))


def test_department_without_a_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="lists ' ' with an empty name"):
        department_slugs((" ",))


@pytest.mark.parametrize("name", ["other", "Other", " OTHER! "])
def test_department_that_would_be_the_rest_is_refused(name: str) -> None:
    expected = r"makes the column department_share_other, .*not listed\nHint: leave it out"
    with pytest.raises(SettingsError, match=expected):
        features_table(FeatureSettings(departments=("Shoes", name)), ("products",))


def test_departments_that_would_share_a_column_are_refused() -> None:
    expected = r"lists 'Kids' and 'KIDS!', which both make the column department_share_kids\nHint: rename one"
    with pytest.raises(SettingsError, match=expected):
        features_table(FeatureSettings(departments=("Kids", "Shoes", "KIDS!")), ("products",))


def test_departments_that_no_product_has_are_found(connection: Connection) -> None:
    settings = FeatureSettings(departments=("Socks", "Shoes", "shoes "))
    assert unknown_departments(connection, PRODUCTS, settings) == ("Socks", "shoes ")
    assert unknown_departments(connection, PRODUCTS, FeatureSettings(departments=("Hats",))) == ()


def test_departments_that_no_product_has_are_refused_with_the_names_there_are(connection: Connection) -> None:
    require_known_departments(connection, PRODUCTS, FeatureSettings(departments=("Hats", "Shoes")))
    expected = (
        r"^features.departments lists 'Hat', which no delivered product has"
        r"\nHint: did you mean 'Hats'\? the products have Hats, Shoes\.$"
    )
    with pytest.raises(SettingsError, match=expected):
        require_known_departments(connection, PRODUCTS, FeatureSettings(departments=("Hat", "Shoes")))
    expected = r"lists 'Toys', 'Hat', which no .*\nHint: the products have Hats, Shoes\.$"
    with pytest.raises(SettingsError, match=expected):
        require_known_departments(connection, PRODUCTS, FeatureSettings(departments=("Toys", "Hat")))


def test_departments_of_an_empty_products_table_are_refused(connection: Connection) -> None:
    nothing = f"(SELECT * FROM {PRODUCTS} WHERE false)"
    with pytest.raises(SettingsError, match=r"lists 'Hats', .*\nHint: the products table has no department at all"):
        require_known_departments(connection, nothing, FeatureSettings(departments=("Hats",)))


def test_long_lists_of_departments_are_cut(connection: Connection) -> None:
    many = "(SELECT 'D' || lpad(range::VARCHAR, 2, '0') AS department FROM range(30))"
    with pytest.raises(SettingsError, match=r"the products have D00, D01, .*, D19, …\.$"):
        require_known_departments(connection, many, FeatureSettings(departments=("Hats",)))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"departments": ("Shoes",), "classes": {"Shoes": ("Boots", "BOOTS!")}}, "class_revenue_amount_shoes_boots"),
        ({"departments": ("Shoes",), "classes": {"Shoes": ("Other",)}}, "class_revenue_amount_shoes_other"),
        ({"departments": ("A", "A B"), "classes": {"A": ("B C",), "A B": ("C",)}}, "class_revenue_amount_a_b_c"),
        ({"sizes": ("M", "m")}, "size_unit_count_m"),
        ({"child_ages": ("3-5", "3 5")}, "child_age_unit_count_3_5"),
        ({"event_kinds": {"event": ("visit",)}}, "event_count_90d"),
        ({"interactions": (("order_count", "recency_days"),) * 2}, "order_count_times_recency_days"),
    ],
)
def test_settings_that_would_name_two_features_alike_are_refused(settings: dict[str, Any], name: str) -> None:
    expected = (
        rf"^two features would be named {name}: .*\. And: .*\.\nHint: list each department, class, child age, size"
    )
    with pytest.raises(SettingsError, match=expected):
        features_table(FeatureSettings(**settings), ALL_INPUTS)


def test_sizes_in_another_script_get_a_column() -> None:
    table = features_table(FeatureSettings(sizes=("大", "小")), ALL_INPUTS)
    assert [name for name in table.column_names if name.startswith("size_")] == [
        "size_unit_count_u5927",
        "size_unit_count_u5c0f",
    ]


def test_classes_of_a_department_that_is_not_listed_are_refused() -> None:
    settings = FeatureSettings(departments=("Shoes", "Hats"), classes={"Shoe": ("Boots",)})
    expected = (
        r"^features.classes names 'Shoe', which features.departments does not list\nHint: did you mean 'Shoes'\?$"
    )
    with pytest.raises(SettingsError, match=expected):
        features_table(settings, ALL_INPUTS)
    with pytest.raises(SettingsError, match=r"names 'Shoe', .*\nHint: list it there too, or leave its classes out\.$"):
        features_table(settings.model_copy(update={"departments": ()}), ALL_INPUTS)
