"""Words for use in column names, made from names that people gave: departments, classes, sizes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from segmentation_assets.errors import SettingsError

REST = "other"
"""Slug of everything that is not listed."""


def slug(text: str) -> str:
    """Write a name in lower-case ASCII; one without any Latin letter or digit by its code points.

    Examples
    --------
    >>> slug("Home & Lifestyle"), slug("3-5 years"), slug("靴")
    ('home_lifestyle', '3_5_years', 'u9774')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "_".join(f"u{ord(sign):x}" for sign in text.strip())


def unique_slugs(names: Sequence[str], path: tuple[str, ...], prefix: str, *, has_rest: bool = False) -> dict[str, str]:
    """Give each name of a setting a slug of its own.

    Parameters
    ----------
    names : sequence of str
        Names as the products table writes them, each once.
    path : tuple of str
        Setting that lists them: section, key and, where it is of one department, that department.
    prefix : str
        What column names begin with, for messages.
    has_rest : bool
        Whether what is not listed has a column too, so that its slug is taken.

    Returns
    -------
    dict of str to str
        Name to slug, in the order given.

    Raises
    ------
    SettingsError
        A name stands twice, is empty, has the slug of another one, or that of the rest.
    """
    named: dict[str, str] = {}
    setting = ".".join(path[:2]) + "".join(f" of '{name}'" for name in path[2:])
    for place, name in enumerate(names):
        word = slug(name)
        first = named.get(word)
        if name == first or not word:
            problem = "twice" if word else "with an empty name"
            raise SettingsError(f"{setting} lists '{name}' {problem}", "list each name once.", setting=(*path, place))
        if first is not None:
            raise SettingsError(
                f"{setting} lists '{first}' and '{name}', which both make the column {prefix}{word}",
                "rename one of them in the products table, or list only one.",
                setting=(*path, place),
            )
        if has_rest and word == REST:
            raise SettingsError(
                f"{setting} lists '{name}', which makes the column {prefix}{REST}, that of all that are not listed",
                "leave it out; it counts among those not listed.",
                setting=(*path, place),
            )
        named[word] = name
    return {name: word for word, name in named.items()}
