"""Column names made from department names."""

import pytest

from segmentation_assets.errors import SettingsError
from segmentation_assets.features.blocks.departments import department_slugs


@pytest.mark.parametrize(
    ("departments", "slugs"),
    [
        (("Shoes", "Men's Wear"), ["shoes", "men_s_wear"]),
        (("Kids", "KIDS", "kids!"), ["kids", "kids_2", "kids_3"]),
        (("Other",), ["other_2"]),
        (("Kids 2", "kids", "KIDS"), ["kids_2", "kids", "kids_3"]),
        (("Été", "Größe"), ["ete", "groe"]),
        (("家具", "服"), ["department", "department_2"]),
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
