"""Names of departments, classes, child ages, sizes and events: columns made from them, and whether they occur."""

from typing import Any

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.blocks.departments import department_slugs
from segmentation_assets.features.delivered import require_delivered, uncounted_events
from segmentation_assets.features.registry import features_table
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS

PRODUCTS = (
    "(VALUES ('p1', 'Shoes', 'Boots', NULL, 'M'), ('p2', 'Shoes', 'Clogs', 'baby', NULL), ('p3', 'Hats', NULL, NULL, "
    "NULL)) AS p(product_id, department, class, child_age, size)"
)


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


def test_class_child_age_and_size_in_another_script_get_columns_of_their_own() -> None:
    settings = FeatureSettings(departments=("鞋",), classes={"鞋": ("靴",)}, child_ages=("幼",), sizes=("大", "小"))
    names = features_table(settings, ALL_INPUTS).column_names
    assert {"class_share_u978b_u9774", "child_age_unit_count_u5e7c", "size_unit_count_u5927"} < set(names)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"departments": ("Shoes", "Hats", "Shoes")}, r"^features.departments lists 'Shoes' twice\nHint: list each"),
        ({"departments": (" ",)}, "^features.departments lists ' ' with an empty name"),
        (
            {"departments": ("Kids", "Shoes", "KIDS!")},
            r"lists 'Kids' and 'KIDS!', which both make the column department_share_kids\nHint: rename one",
        ),
        (
            {"departments": ("A",), "classes": {"A": ("x y", "x-y")}},
            r"^features.classes of 'A' lists 'x y' and 'x-y', which both make the column class_share_a_x_y\n",
        ),
        (
            {"departments": ("A",), "classes": {"A": ("Other",)}},
            r"^features.classes of 'A' lists 'Other', which makes the column class_share_a_other, that of all that",
        ),
        (
            {"departments": ("A", "A B"), "classes": {"A": ("B C",), "A B": ("C",)}},
            r"^features.classes of 'A' and 'A B' both make the column class_share_a_b_c\nHint: rename a class",
        ),
        (
            {"departments": ("Shoes",), "classes": {"Shoe": ("Boots",)}},
            r"^features.classes names the department 'Shoe', which features.departments does not list\nHint: list the "
            r"department there too, or write Shoe: \[\] to leave",
        ),
        ({"sizes": ("+1", "1")}, "^features.sizes lists '.1' and '1', which both make the column size_unit_count_1"),
        ({"child_ages": ("2-3", "2-3")}, "^features.child_ages lists '2-3' twice"),
    ],
)
def test_names_that_make_no_columns_of_their_own_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        features_table(FeatureSettings(**settings), ALL_INPUTS)


@pytest.mark.parametrize("name", ["other", "Other", " OTHER! "])
def test_department_that_would_be_the_rest_is_refused(name: str) -> None:
    expected = r"makes the column department_share_other, .*not listed\nHint: leave it out"
    with pytest.raises(SettingsError, match=expected):
        features_table(FeatureSettings(departments=("Shoes", name)), ("products",))


def test_department_without_classes_may_be_left_out() -> None:
    names = features_table(FeatureSettings(departments=("Hats",), classes={"Shoes": ()}), ALL_INPUTS).column_names
    assert not any(name.startswith("class_share") for name in names)


def test_names_that_products_have_are_accepted(connection: Connection) -> None:
    settings = FeatureSettings(
        departments=("Hats", "Shoes"), classes={"Shoes": ("Clogs", "Boots")}, child_ages=("baby",), sizes=("M",)
    )
    require_delivered(connection, PRODUCTS, settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"departments": ("Hat", "Shoes")},
            r"^features.departments lists 'Hat', which no delivered product has\nHint: did you mean 'Hats'\? the "
            r"products have Hats, Shoes\.$",
        ),
        ({"departments": ("Toys", "shoes ")}, r"lists 'Toys', 'shoes ', which no .*\nHint: the products have Hats, Sh"),
        (
            {"departments": ("Hats",), "classes": {"Hats": ("Boots",)}},
            r"^features.classes of 'Hats' lists 'Boots', which no .*\nHint: the products have no class at all",
        ),
        ({"child_ages": ("3-5 years",)}, r"^features.child_ages lists '3-5 years', .*\nHint: the products have baby"),
        ({"sizes": ("m",)}, r"^features.sizes lists 'm', which no .*\nHint: the products have M\.$"),
    ],
)
def test_names_that_no_product_has_are_refused_with_those_there_are(
    connection: Connection, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        require_delivered(connection, PRODUCTS, FeatureSettings(**settings))


def test_departments_of_an_empty_products_table_are_refused(connection: Connection) -> None:
    nothing = f"(SELECT * FROM {PRODUCTS} WHERE false)"
    with pytest.raises(SettingsError, match=r"lists 'Hats', .*\nHint: the products have no department at all"):
        require_delivered(connection, nothing, FeatureSettings(departments=("Hats",)))


def test_kinds_without_events_and_events_without_a_kind_are_told(connection: Connection) -> None:
    events = "(VALUES ('visit'), ('chat'), ('chat'), ('poll'), (NULL)) AS e(event_type)"
    settings = FeatureSettings(event_kinds={"visit": ("visit", "call"), "mail": ("email_open", "email_click")})
    own = "of no kind in features.event_kinds, so without a count of their own"
    assert uncounted_events(connection, events, settings) == {
        "event kind mail": "no event of the type email_open or email_click lies in the lookback; its count is 0",
        "event type chat": f"2 events {own}",
        "event type poll": f"1 event {own}",
    }


def test_long_lists_of_departments_are_cut(connection: Connection) -> None:
    many = "(SELECT 'D' || lpad(range::VARCHAR, 2, '0') AS department FROM range(30))"
    with pytest.raises(SettingsError, match=r"the products have D00, D01, .*, D19, …\.$"):
        require_delivered(connection, many, FeatureSettings(departments=("Hats",)))
