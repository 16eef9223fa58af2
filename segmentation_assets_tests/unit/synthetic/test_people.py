import re

import numpy as np
import pytest

from segmentation_assets.synthetic.customers import COUNTRIES
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.people import LOCALES, faker_version, personal_data


def people(country: str, gender: str, count: int = 300) -> dict[str, np.ndarray]:
    numbers = np.arange(1, count + 1)
    endings = np.array([f".{number:07d}" for number in numbers])
    return personal_data(Draws(7), numbers, endings, [country] * count, [gender] * count)


def test_every_country_of_the_shop_has_a_locale() -> None:
    assert set(LOCALES) == set(COUNTRIES)


@pytest.mark.parametrize("country", LOCALES)
def test_addresses_reach_nobody(country: str) -> None:
    drawn = people(country, "not stated")
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\.\d{7}@example\.com", email) for email in drawn["email"])
    assert len(set(drawn["email"])) == 300
    assert all(re.fullmatch(r"555-01\d\d", phone) for phone in drawn["phone"])
    assert all(len(text.strip()) > 0 for field in drawn.values() for text in field)


@pytest.mark.parametrize("gender", ["female", "male"])
def test_names_are_those_of_the_country_and_gender(gender: str) -> None:
    from faker.providers.person.de_DE import Provider as GermanPerson

    drawn = people("Germany", gender)
    assert set(drawn["first_name"]) <= set(getattr(GermanPerson, f"first_names_{gender}"))
    assert set(drawn["last_name"]) <= set(GermanPerson.last_names)
    assert len(set(drawn["first_name"])) > 100


@pytest.mark.parametrize(
    ("country", "form", "city", "lowest", "highest"),
    [
        ("Netherlands", r"[1-9]\d{3} [A-Z]{2}", "Utrecht", "3511 AA", "3585 ZZ"),
        ("Germany", r"\d{5}", "Leipzig", "04103", "04357"),
        ("Belgium", r"[1-9]\d{3}", "Gent", "9000", "9052"),
        ("France", r"\d{5}", "Nice", "06000", "06300"),
        ("Austria", r"[1-9]\d{3}", "Graz", "8010", "8055"),
        ("Spain", r"\d{5}", "Barcelona", "08001", "08042"),
    ],
)
def test_postcodes_are_those_of_the_city_in_the_form_of_the_country(
    country: str, form: str, city: str, lowest: str, highest: str
) -> None:
    drawn = people(country, "female", 2_000)
    own = drawn["postcode"][drawn["city"] == city]
    assert all(re.fullmatch(form, postcode) for postcode in drawn["postcode"])
    assert len(own) > 100
    assert lowest <= min(own) <= max(own) <= highest
    assert len(set(drawn["city"])) > 8


def test_a_customer_is_the_same_person_among_others() -> None:
    numbers = np.array([3, 9])
    endings = np.array([".3", ".9"])
    alone = personal_data(Draws(7), numbers[1:], endings[1:], ["Spain"], ["male"])
    among = personal_data(Draws(7), numbers, endings, ["France", "Spain"], ["female", "male"])
    assert {name: texts[0] for name, texts in alone.items()} == {name: texts[1] for name, texts in among.items()}


def test_the_version_of_the_lists_is_told() -> None:
    assert re.fullmatch(r"40\.\d+\.\d+", faker_version())
