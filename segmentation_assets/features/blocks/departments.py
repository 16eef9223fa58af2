"""Money, units and shares of the configured departments and classes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    ImputationReason,
    UndefinedRule,
)
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.storage.engine import Connection, quote_text

REST = "other"
"""Slug of everything outside the configured departments, unknown products included."""

PREFIX = "department_share_"

LISTED_AT_MOST = 20

_READS = (
    "order_lines.product_id",
    *LINES_OF_LOOKBACK,
    "products.product_id",
    "products.department",
)


def department_slugs(departments: Sequence[str]) -> dict[str, str]:
    """Give each department a unique lower-case word for use in a column name.

    Parameters
    ----------
    departments : sequence of str
        Names as the products table writes them, each once.

    Returns
    -------
    dict of str to str
        Department to slug, in the order given.

    Raises
    ------
    SettingsError
        A department is named twice, has an empty name, has the slug of another one, or that of the rest, ``other``.

    Examples
    --------
    >>> department_slugs(["Men's Shoes", "Home & Lifestyle"])
    {"Men's Shoes": 'men_s_shoes', 'Home & Lifestyle': 'home_lifestyle'}
    """
    named: dict[str, str] = {}
    for department in departments:
        slug = column_word(department)
        _check_slug(department, slug, named)
        named[slug] = department
    return {department: slug for slug, department in named.items()}


def column_word(text: str) -> str:
    """Write a name in lower-case ASCII; one without any Latin letter or digit by its code points."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "_".join(f"u{ord(sign):x}" for sign in text.strip())


def _check_slug(department: str, slug: str, named: Mapping[str, str]) -> None:
    first = named.get(slug)
    if department == first or not slug:
        problem = "twice" if slug else "with an empty name"
        raise SettingsError(f"features.departments lists '{department}' {problem}", "list each department once.")
    if first is not None:
        raise SettingsError(
            f"features.departments lists '{first}' and '{department}', which both make the column {PREFIX}{slug}",
            "rename one of them in the products table, or list only one.",
        )
    if slug == REST:
        raise SettingsError(
            f"features.departments lists '{department}', which makes the column {PREFIX}{REST}, that of all "
            "departments not listed",
            "leave it out; its money counts among the departments not listed.",
        )


def unknown_departments(connection: Connection, products_relation: str, settings: FeatureSettings) -> tuple[str, ...]:
    """List the configured departments that no product has.

    Parameters
    ----------
    connection : Connection
    products_relation : str
        SQL table expression of raw/products.
    settings : FeatureSettings

    Returns
    -------
    tuple of str
        In the order of the settings; names are compared sign by sign.
    """
    known = _delivered_departments(connection, products_relation)
    return tuple(department for department in settings.departments if department not in known)


def require_known_departments(connection: Connection, products_relation: str, settings: FeatureSettings) -> None:
    """Refuse configured departments that no product has: their columns would be zero everywhere.

    Parameters
    ----------
    connection, products_relation, settings
        As for `unknown_departments`.

    Raises
    ------
    SettingsError
        A configured department does not occur in the products table.
    """
    unknown = unknown_departments(connection, products_relation, settings)
    if not unknown:
        return
    known = _delivered_departments(connection, products_relation)
    names = ", ".join(f"'{name}'" for name in unknown)
    listed = ", ".join(known[:LISTED_AT_MOST]) + (", …" if len(known) > LISTED_AT_MOST else "")
    closest = get_close_matches(unknown[0], known, n=1)
    guess = f"did you mean '{closest[0]}'? " if closest else ""
    raise SettingsError(
        f"features.departments lists {names}, which no delivered product has",
        f"{guess}the products have {listed}." if known else "the products table has no department at all.",
    )


def _delivered_departments(connection: Connection, products_relation: str) -> tuple[str, ...]:
    found = connection.execute(f"SELECT DISTINCT department FROM {products_relation} WHERE department IS NOT NULL")
    return tuple(sorted(name for (name,) in found.fetchall()))


@dataclass(frozen=True)
class Part:
    """A department or class with columns of its own, or the rest of them.

    Parameters
    ----------
    level : str
        ``department`` or ``class``.
    slug : str
        Word of it in the names of columns.
    words : str
        What it is, for people.
    where : str
        SQL condition on the columns department and class of `customer_classes`.
    is_rest : bool
        Whether it is what no other part holds.
    """

    level: Literal["department", "class"]
    slug: str
    words: str
    where: str
    is_rest: bool = False


def parts_of(settings: FeatureSettings) -> tuple[Part, ...]:
    """List the configured departments and the rest, then the configured classes of each and its other classes."""
    slugs = department_slugs(settings.departments)
    listed = ", ".join(quote_text(department) for department in slugs)
    departments = [
        Part("department", slug, f"the department '{name}'", f"department = {quote_text(name)}")
        for name, slug in slugs.items()
    ]
    rest = Part(
        "department",
        REST,
        "all departments that have no column of their own, and of unknown products,",
        f"department IS NULL OR department NOT IN ({listed})",
        is_rest=True,
    )
    classes = [part for name, slug in slugs.items() for part in _classes_of(name, slug, settings.classes.get(name, ()))]
    return (*departments, rest, *classes) if slugs else ()


def _classes_of(department: str, slug: str, classes: Sequence[str]) -> Iterator[Part]:
    if not classes:
        return
    within = f"department = {quote_text(department)}"
    for name in classes:
        where = f"{within} AND class = {quote_text(name)}"
        yield Part("class", f"{slug}_{column_word(name)}", f"the class '{name}' of '{department}'", where)
    listed = ", ".join(quote_text(name) for name in classes)
    words = f"all classes of '{department}' that have no column of their own"
    yield Part(
        "class", f"{slug}_{REST}", words, f"{within} AND (class IS NULL OR class NOT IN ({listed}))", is_rest=True
    )


def _columns(part: Part) -> tuple[FeatureColumn, ...]:
    """Declare money, units and share; the share of the rest follows from the others, so it is not clustered on."""
    reads = (*_READS, "products.class") if part.level == "class" else _READS
    requires = ("products.class",) if part.level == "class" else ()
    return (
        FeatureColumn(
            name=f"{part.level}_revenue_amount_{part.slug}",
            dtype="DECIMAL(18,4)",
            unit="currency",
            minimum=0,
            meaning=f"Gross revenue of {part.words} in the lookback.",
            reads=("order_lines.amount", *reads),
            requires=requires,
            imputation="ordinary",
            direction="more_is_better",
        ),
        FeatureColumn(
            name=f"{part.level}_unit_count_{part.slug}",
            dtype="BIGINT",
            unit="units",
            minimum=0,
            meaning=f"Units of {part.words} sold in the lookback.",
            reads=("order_lines.quantity", *reads),
            requires=requires,
            imputation="ordinary",
            direction="more_is_better",
        ),
        FeatureColumn(
            name=f"{part.level}_share_{part.slug}",
            dtype="DOUBLE",
            unit="share",
            nullable=True,
            null_rule="no sales money in the lookback",
            minimum=0,
            maximum=1,
            meaning=f"Share of {part.words} in gross revenue.",
            reads=("order_lines.amount", *reads),
            requires=requires,
            imputation="undefined",
            undefined_rule=UndefinedRule(
                reason=ImputationReason.UNDEFINED_NO_SPEND, description="0: no money was spent anywhere", value=0.0
            ),
            is_clustering_feature=part.level == "department" and not part.is_rest,
        ),
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent while no department is configured."""
    parts = parts_of(settings)
    return FeatureBlock(
        name="departments",
        columns=tuple(column for part in parts for column in _columns(part)),
        select=_select,
        requires=("products",),
        absent_reason="" if parts else "features.departments names no department",
    )


def _select(snapshot: Snapshot) -> str:
    """Money to four decimals, exact, so that a department is the sum of its classes to the last of them."""
    parts = parts_of(snapshot.settings)
    names = [f"{part.level}_{part.slug}" for part in parts]
    sums = ", ".join(
        f"sum(amount) FILTER (WHERE {part.where}) AS amount_{name}, "
        f"sum(unit_count) FILTER (WHERE {part.where}) AS units_{name}"
        for part, name in zip(parts, names, strict=True)
    )
    values = ", ".join(
        f"CAST(coalesce(d.amount_{name}, 0) AS DECIMAL(18,4)) AS {part.level}_revenue_amount_{part.slug}, "
        f"CAST(coalesce(d.units_{name}, 0) AS BIGINT) AS {part.level}_unit_count_{part.slug}, "
        f"safe_div(coalesce(d.amount_{name}, 0), t.sale_amount) AS {part.level}_share_{part.slug}"
        for part, name in zip(parts, names, strict=True)
    )
    return f"""
    SELECT t.customer_id, {values}
    FROM customer_totals AS t
    LEFT JOIN (SELECT customer_id, {sums} FROM customer_classes GROUP BY customer_id) AS d
        ON d.customer_id = t.customer_id
    """
