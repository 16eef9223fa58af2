"""Made-up names, addresses, e-mails and phone numbers of the synthetic shop's customers.

Names and streets come from Faker's lists, cities and their postcodes from `data/places.yaml`. Nothing else of the shop
depends on them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from segmentation_assets.synthetic.draws import Draws

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOCALES = {
    "Netherlands": "nl_NL",
    "Germany": "de_DE",
    "Belgium": "nl_BE",
    "France": "fr_FR",
    "Austria": "de_AT",
    "Spain": "es_ES",
}
"""Country → locale of Faker."""

_LETTERED, _LETTERS = ("Netherlands",), "ABCDEGHJKLMNPRTVWXZ"
"""Countries whose postcodes end in two letters, and which letters these are."""

_FIRST_NAMES = {"female": "first_names_female", "male": "first_names_male"}
_STREETS = {
    "nl": ("", "first_names", "street_suffixes"),
    "de": ("", "last_names", "street_suffixes_short"),
    "fr": ("street_prefixes", "last_names", ""),
    "es": ("street_prefixes", "last_names", ""),
}
"""Language → lists that the parts of a street's name come from, as Faker's formats have it."""


def faker_version() -> str:
    """Return the version of Faker whose lists are drawn from."""
    return version("faker")


def personal_data(
    draws: Draws,
    numbers: NDArray[np.int64],
    endings: NDArray[np.str_],
    countries: Sequence[str],
    genders: Sequence[str],
) -> dict[str, NDArray[np.str_]]:
    """Draw personal data that fit each customer's country and gender.

    Parameters
    ----------
    draws : Draws
    numbers : ndarray of int, shape (n_customers,)
        Customer numbers.
    endings : ndarray of str, shape (n_customers,)
        End of the name in each e-mail address, which makes it unique.
    countries, genders : sequence of str, shape (n_customers,)
        Keys of `LOCALES`; ``female``, ``male`` or anything else.

    Returns
    -------
    dict of str to ndarray of str
        ``first_name``, ``last_name``, ``email`` (at example.com), ``phone`` (555-0100 to 555-0199), ``street``,
        ``postcode`` (one of the city, as the country writes them), ``city``. Every entry of a list is as probable as
        another, unlike in Faker.

    Notes
    -----
    Equal for equal seeds under one version of Faker: another one may have other lists, and so other names.
    """
    import numpy as np
    import pandas as pd

    groups = pd.Series(countries, dtype=str) + "/" + pd.Series(genders, dtype=str)
    places, keys = pd.factorize(groups)
    fields: dict[str, NDArray[np.str_]] = {}
    lists = [_lists(*key.split("/")) for key in keys]
    for name in lists[0]:
        fields[name] = _pick(draws.uniform(name, numbers), places, [group[name] for group in lists])
    house = 1 + (draws.uniform("house number", numbers) ** 2 * 120).astype(np.int64)
    extension = 100 + (draws.uniform("phone", numbers) * 100).astype(np.int64)
    street = _joined(fields["street prefix"], fields["street name"], fields["street suffix"])
    first, last = fields["first name"], fields["last name"]
    return {
        "first_name": first,
        "last_name": last,
        "email": _joined(_plain(first), ".", _plain(last), endings, "@example.com"),
        "phone": _joined("555-0", extension.astype(str)),
        "street": _joined(street, " ", house.astype(str)),
        **_draw_places(draws, numbers, countries),
    }


def _draw_places(draws: Draws, numbers: NDArray[np.int64], countries: Sequence[str]) -> dict[str, NDArray[np.str_]]:
    """Draw a postcode and its city for each customer."""
    import numpy as np
    import pandas as pd

    country, names = pd.factorize(pd.Series(countries, dtype=str))
    rows = [(place, city, *span) for place, name in enumerate(names) for city, span in _places()[name].items()]
    owners, cities, lowest, highest = (np.array(column) for column in zip(*rows, strict=True))
    sizes = np.bincount(owners, minlength=len(names))
    chosen = (np.cumsum(sizes) - sizes)[country] + (draws.uniform("city", numbers) * sizes[country]).astype(np.int64)
    low, high = lowest.astype(np.int64)[chosen], highest.astype(np.int64)[chosen]
    codes = low + (draws.uniform("postcode", numbers) * (high - low + 1)).astype(np.int64)
    letters = (draws.uniform("postcode letters", numbers) * len(_LETTERS) ** 2).astype(np.int64)
    pairs = np.array([f" {one}{other}" for one in _LETTERS for other in _LETTERS])[letters]
    is_lettered = np.array([name in _LETTERED for name in names])[country]
    written = np.strings.zfill(codes.astype(str), np.strings.str_len(lowest)[chosen])
    return {"postcode": np.where(is_lettered, np.strings.add(written, pairs), written), "city": cities[chosen]}


@cache
def _places() -> dict[str, dict[str, tuple[str, str]]]:
    """Country → city → its first and last postcode."""
    import yaml

    text = files("segmentation_assets.synthetic").joinpath("data", "places.yaml").read_text(encoding="utf-8")
    places: dict[str, dict[str, tuple[str, str]]] = yaml.safe_load(text)
    return places


def _lists(country: str, gender: str) -> dict[str, list[str]]:
    """Lists that the customers of a country and gender draw from."""
    locale = LOCALES[country]
    prefix, name, suffix = _STREETS[locale[:2]]
    return {
        "first name": _texts(locale, _FIRST_NAMES.get(gender, "first_names")),
        "last name": _texts(locale, "last_names"),
        "street prefix": [f"{text} " for text in _texts(locale, prefix)] if prefix else [""],
        "street name": _texts(locale, name),
        "street suffix": _texts(locale, suffix) if suffix else [""],
    }


def _texts(locale: str, field: str) -> list[str]:
    """One list of Faker; where it has weights, the texts alone."""
    provider = "person" if field.startswith(("first", "last")) else "address"
    return list(getattr(import_module(f"faker.providers.{provider}.{locale}").Provider, field))


def _pick(uniform: NDArray[np.float64], groups: NDArray[np.int64], lists: list[list[str]]) -> NDArray[np.str_]:
    """Pick a text for each customer from the list of its group."""
    import numpy as np

    sizes = np.array([len(texts) for texts in lists])
    firsts = np.cumsum(sizes) - sizes
    picked: NDArray[np.str_] = np.concatenate(lists)[firsts[groups] + (uniform * sizes[groups]).astype(np.int64)]
    return picked


def _plain(names: NDArray[np.str_]) -> NDArray[np.str_]:
    """Write names as e-mail addresses have them; each distinct one is turned once."""
    import numpy as np

    distinct, places = np.unique(names, return_inverse=True)
    letters = [unicodedata.normalize("NFKD", name.casefold()) for name in distinct.tolist()]
    plain: NDArray[np.str_] = np.array([re.sub(r"[^a-z]", "", name) for name in letters])[places]
    return plain


def _joined(*parts: NDArray[np.str_] | str) -> NDArray[np.str_]:
    import numpy as np

    whole = np.asarray(parts[0])
    for part in parts[1:]:
        whole = np.strings.add(whole, part)
    return whole
