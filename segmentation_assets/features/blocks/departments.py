"""The product mix: the share of each configured department in gross sales money."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

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
    "order_lines.amount",
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
        slug = _slug(department)
        _check_slug(department, slug, named)
        named[slug] = department
    return {department: slug for slug, department in named.items()}


def _slug(text: str) -> str:
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


def _share(slug: str, of: str) -> FeatureColumn:
    """Declare a share; that of the rest follows from the others, so it is not clustered on."""
    return FeatureColumn(
        name=f"{PREFIX}{slug}",
        dtype="DOUBLE",
        unit="share",
        nullable=True,
        null_rule="no sales money in the lookback",
        minimum=0,
        maximum=1,
        meaning=f"Share of {of} in gross revenue.",
        reads=_READS,
        imputation="undefined",
        undefined_rule=UndefinedRule(
            reason=ImputationReason.UNDEFINED_NO_SPEND, description="0: no money was spent anywhere", value=0.0
        ),
        is_clustering_feature=slug != REST,
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent while no department is configured."""
    slugs = department_slugs(settings.departments)
    columns = (
        *(_share(slug, f"the department '{department}'") for department, slug in slugs.items()),
        _share(REST, "all departments that have no column of their own, and of unknown products,"),
    )
    return FeatureBlock(
        name="departments",
        columns=columns,
        select=_select,
        requires=("products",),
        absent_reason="" if slugs else "features.departments names no department",
    )


def _select(snapshot: Snapshot) -> str:
    slugs = department_slugs(snapshot.settings.departments)
    listed = ", ".join(quote_text(department) for department in slugs)
    conditions = {slug: f"p.department = {quote_text(department)}" for department, slug in slugs.items()}
    conditions[REST] = f"p.department IS NULL OR p.department NOT IN ({listed})"
    sums = ", ".join(f"sum(l.amount) FILTER (WHERE {where}) AS amount_{slug}" for slug, where in conditions.items())
    shares = ", ".join(
        f"safe_div(coalesce(d.amount_{slug}, 0), t.sale_amount) AS {PREFIX}{slug}" for slug in conditions
    )
    return f"""
    SELECT t.customer_id, {shares}
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT l.customer_id, {sums}
        FROM snapshot_lines AS l
        LEFT JOIN snapshot_products AS p ON p.product_id = l.product_id
        WHERE l.line_type = 'sale'
        GROUP BY l.customer_id
    ) AS d ON d.customer_id = t.customer_id
    """
