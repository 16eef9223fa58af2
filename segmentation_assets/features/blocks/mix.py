"""How the customer's money spreads over departments and classes, whichever they are."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
    share_feature,
)
from segmentation_assets.features.references import SHANNON
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.features.spread import spread_sql

LEVELS = {"department": "departments", "class": "classes"}

_NO_SPEND = {
    level: FillRule(
        reason=ImputationReason.UNDEFINED_GROUP_UNKNOWN,
        description=f"0: no money was spent on products of a known {level}",
        value=0.0,
        zero_column="gross_revenue_amount",
        reason_at_zero=ImputationReason.UNDEFINED_NO_SPEND,
    )
    for level in LEVELS
}

_READS = ("order_lines.product_id", *LINES_OF_LOOKBACK, "products.product_id", "products.department")


def _columns(level: str) -> tuple[FeatureColumn, ...]:
    requires = ("products.class",) if level == "class" else ()
    reads = (*_READS, *requires)
    return (
        FeatureColumn(
            name=f"{level}_count",
            label=f"{LEVELS[level].capitalize()} bought from",
            dtype="BIGINT",
            unit=LEVELS[level],
            minimum=0,
            meaning=f"Breadth: different {LEVELS[level]} bought from in the lookback; products of no known {level} are "
            "left out.",
            reads=reads,
            requires=requires,
            imputation="ordinary",
            direction="more_is_better",
            is_clustering_feature=level == "department",
        ),
        FeatureColumn(
            name=f"{level}_entropy",
            label=f"Spread over {LEVELS[level]}",
            dtype="DOUBLE",
            unit="nats",
            nullable=True,
            null_rule=f"no money spent in the lookback on products of a known {level}",
            minimum=0,
            meaning=f"Shannon entropy of the shares of {LEVELS[level]} in the gross revenue in the lookback from "
            f"products of a known {level}: 0 when all is of one, the natural logarithm of their number when all are "
            "alike.",
            reads=("order_lines.amount", *reads),
            requires=requires,
            imputation="undefined",
            undefined_rule=_NO_SPEND[level],
            reference=SHANNON,
        ),
    )


COLUMNS = (
    *(column for level in LEVELS for column in _columns(level)),
    FeatureColumn(
        name="main_department",
        label="Department of most money",
        dtype="VARCHAR",
        unit="name",
        nullable=True,
        null_rule="no sale in the lookback of a product of a known department",
        meaning="The department with most gross revenue in the lookback; of several the first in the alphabet.",
        reads=("order_lines.amount", *_READS),
        imputation="ordinary",
    ),
    share_feature(
        name="main_department_share",
        label="Share spent in the main department",
        null_rule="no money spent in the lookback on products of a known department",
        meaning="Share of main_department in the gross revenue in the lookback from products of a known department.",
        reads=("order_lines.amount", *_READS),
        imputation="undefined",
        undefined_rule=_NO_SPEND["department"],
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without a products table."""
    return FeatureBlock(name="mix", columns=COLUMNS, select=_select, requires=("products",))


def _select(_snapshot: Snapshot) -> str:
    return f"""
    SELECT
        t.customer_id,
        coalesce(d.places, 0) AS department_count,
        d.entropy AS department_entropy,
        coalesce(c.places, 0) AS class_count,
        c.entropy AS class_entropy,
        k.department AS main_department,
        safe_div(d.most, d.total) AS main_department_share
    FROM customer_totals AS t
    LEFT JOIN ({spread_sql(_DEPARTMENTS)}) AS d ON d.customer_id = t.customer_id
    LEFT JOIN (SELECT DISTINCT department_number, department FROM product_classes) AS k ON k.department_number = d.main
    LEFT JOIN ({spread_sql(_CLASSES)}) AS c ON c.customer_id = t.customer_id
    """


_DEPARTMENTS = """
    SELECT customer_id, department_number AS place, sum(amount) AS weight
    FROM customer_classes WHERE department_number > 0 GROUP BY customer_id, department_number
"""

_CLASSES = """
    SELECT c.customer_id, c.class_number AS place, c.amount AS weight
    FROM customer_classes AS c
    JOIN product_classes AS k ON k.class_number = c.class_number
    WHERE k.class IS NOT NULL
"""
