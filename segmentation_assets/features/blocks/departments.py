"""Money, units and shares of the configured departments and classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
    share_feature,
)
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.storage.engine import quote_text
from segmentation_assets.tables.slugs import REST, slug, unique_slugs

PREFIX = "department_share_"

SHARE_LABEL = "Share spent on "
"""How the labels of shares begin; the department follows."""

_READS = (
    "order_lines.product_id",
    *LINES_OF_LOOKBACK,
    "products.product_id",
    "products.department",
)


def department_slugs(departments: Sequence[str]) -> dict[str, str]:
    """Give each department a word of its own for use in column names.

    Raises
    ------
    SettingsError
        A department is named twice, has an empty name, has the slug of another one, or that of the rest, ``other``.

    Examples
    --------
    >>> department_slugs(["Men's Shoes", "Home & Lifestyle"])
    {"Men's Shoes": 'men_s_shoes', 'Home & Lifestyle': 'home_lifestyle'}
    """
    return unique_slugs(departments, ("features", "departments"), PREFIX, has_rest=True)


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
        What it is, in a sentence.
    label : str
        What it is called, in a label.
    where : str
        SQL condition on the columns department and class of `product_classes`.
    is_rest : bool
        Whether it is what no other part holds.
    """

    level: Literal["department", "class"]
    slug: str
    words: str
    label: str
    where: str
    is_rest: bool = False


def parts_of(settings: FeatureSettings) -> tuple[Part, ...]:
    """List the configured departments and the rest, then the configured classes of each and its other classes."""
    slugs = department_slugs(settings.departments)
    listed = ", ".join(quote_text(department) for department in slugs)
    departments = [
        Part("department", word, f"the department '{name}'", name, f"department = {quote_text(name)}")
        for name, word in slugs.items()
    ]
    rest = Part(
        "department",
        REST,
        "all departments that have no column of their own, and of unknown products,",
        "other departments",
        f"department IS NULL OR department NOT IN ({listed})",
        is_rest=True,
    )
    _check_classes(settings)
    classes = [part for name, stem in slugs.items() for part in _classes_of(name, stem, settings.classes.get(name, ()))]
    return (*departments, rest, *classes) if slugs else ()


def _check_classes(settings: FeatureSettings) -> None:
    """Refuse classes of departments that are not listed, and classes of two departments that share a column."""
    names: dict[str, str] = {}
    for department, classes in settings.classes.items():
        if classes and department not in settings.departments:
            raise SettingsError(
                f"features.classes names the department '{department}', which features.departments does not list",
                f"list the department there too, or write {department}: [] to leave out its classes.",
                setting=("features", "classes", department),
            )
        for column in (f"{slug(department)}_{word}" for word in _class_slugs(department, classes).values()):
            if column in names:
                raise SettingsError(
                    f"features.classes of '{names[column]}' and '{department}' both make the column "
                    f"class_share_{column}",
                    "rename a class in the products table, or list only one of them.",
                    setting=("features", "classes", department),
                )
            names[column] = department


def _class_slugs(department: str, classes: Sequence[str]) -> dict[str, str]:
    prefix = f"class_share_{slug(department)}_"
    return unique_slugs(classes, ("features", "classes", department), prefix, has_rest=True)


def _classes_of(department: str, stem: str, classes: Sequence[str]) -> Iterator[Part]:
    if not classes:
        return
    within = f"department = {quote_text(department)}"
    for name, word in _class_slugs(department, classes).items():
        where = f"{within} AND class = {quote_text(name)}"
        words = f"the class '{name}' of '{department}'"
        yield Part("class", f"{stem}_{word}", words, f"{department}, {name}", where)
    listed = ", ".join(quote_text(name) for name in classes)
    where = f"{within} AND (class IS NULL OR class NOT IN ({listed}))"
    words = f"all products of '{department}' of no class that has a column of its own"
    yield Part("class", f"{stem}_{REST}", words, f"other classes of {department}", where, is_rest=True)


def _columns(part: Part) -> tuple[FeatureColumn, ...]:
    """Declare money, units and share; the share of the rest follows from the others, so it is not clustered on."""
    reads = (*_READS, "products.class") if part.level == "class" else _READS
    requires = ("products.class",) if part.level == "class" else ()
    return (
        FeatureColumn(
            name=f"{part.level}_revenue_amount_{part.slug}",
            label=f"Money spent on {part.label}",
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
            label=f"Units bought of {part.label}",
            dtype="BIGINT",
            unit="units",
            minimum=0,
            meaning=f"Units of {part.words} sold in the lookback, returns not taken off.",
            reads=("order_lines.quantity", *reads),
            requires=requires,
            imputation="ordinary",
            direction="more_is_better",
        ),
        share_feature(
            name=f"{part.level}_share_{part.slug}",
            label=f"{SHARE_LABEL}{part.label}",
            null_rule="no sales money in the lookback",
            meaning=f"Share of {part.words} in all gross revenue in the lookback.",
            reads=("order_lines.amount", *reads),
            requires=requires,
            imputation="undefined",
            undefined_rule=FillRule(
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
        named_by={"departments": "department_*_<department>", "classes": "class_*_<department>_<class>"},
    )


def _select(snapshot: Snapshot) -> str:
    """Money to four decimals, exact, so that a department is the sum of its classes to the last of them."""
    parts = parts_of(snapshot.settings)
    names = [f"{part.level}_{part.slug}" for part in parts]
    sums = ", ".join(
        f"sum(c.amount) FILTER (WHERE k.is_{name}) AS amount_{name}, "
        f"sum(c.unit_count) FILTER (WHERE k.is_{name}) AS units_{name}"
        for part, name in zip(parts, names, strict=True)
    )
    conditions = ", ".join(f"{part.where} AS is_{name}" for part, name in zip(parts, names, strict=True))
    values = ", ".join(
        f"CAST(coalesce(d.amount_{name}, 0) AS DECIMAL(18,4)) AS {part.level}_revenue_amount_{part.slug}, "
        f"CAST(coalesce(d.units_{name}, 0) AS BIGINT) AS {part.level}_unit_count_{part.slug}, "
        f"safe_div(coalesce(d.amount_{name}, 0), t.sale_amount) AS {part.level}_share_{part.slug}"
        for part, name in zip(parts, names, strict=True)
    )
    return f"""
    SELECT t.customer_id, {values}
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT c.customer_id, {sums}
        FROM customer_classes AS c
        JOIN (SELECT class_number, {conditions} FROM product_classes) AS k ON k.class_number = c.class_number
        GROUP BY c.customer_id
    ) AS d ON d.customer_id = t.customer_id
    """
