"""The product mix: the share of each configured department in gross sales money."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, ImputationReason, UndefinedRule
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.storage.engine import quote_text

REST = "other"
"""Slug of everything outside the configured departments, unknown products included."""


def department_slugs(departments: Sequence[str]) -> dict[str, str]:
    """Give each department a unique lower-case word for use in a column name.

    Parameters
    ----------
    departments : sequence of str
        Names as the products table writes them, each once.

    Returns
    -------
    dict of str to str
        Department to slug, in the order given; a taken slug gets ``_2``, ``_3`` and so on. ``other`` is taken.

    Raises
    ------
    SettingsError
        A department is named twice or has an empty name.

    Examples
    --------
    >>> department_slugs(["Men's Shoes", "men s shoes", "Other"])
    {"Men's Shoes": 'men_s_shoes', 'men s shoes': 'men_s_shoes_2', 'Other': 'other_2'}
    """
    taken = {REST}
    slugs: dict[str, str] = {}
    for department in departments:
        if department in slugs or not department.strip():
            problem = "twice" if department in slugs else "with an empty name"
            raise SettingsError(f"features.departments lists '{department}' {problem}", "list each department once.")
        slugs[department] = _free_slug(_slug(department), taken)
        taken.add(slugs[department])
    return slugs


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "department"


def _free_slug(slug: str, taken: set[str]) -> str:
    number = 2
    candidate = slug
    while candidate in taken:
        candidate = f"{slug}_{number}"
        number += 1
    return candidate


def _share(slug: str, of: str) -> FeatureColumn:
    """Declare a share; that of the rest follows from the others, so it is not clustered on."""
    return FeatureColumn(
        name=f"department_share_{slug}",
        dtype="DOUBLE",
        unit="share",
        nullable=True,
        null_rule="no sales money in the lookback",
        minimum=0,
        maximum=1,
        meaning=f"Share of {of} in gross revenue.",
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
        f"safe_div(coalesce(d.amount_{slug}, 0), t.sale_amount) AS department_share_{slug}" for slug in conditions
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
