"""Whom the customer buys for: sizes, and ages of children."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.storage.engine import quote_text
from segmentation_assets.tables.slugs import unique_slugs

_READS = ("order_lines.quantity", "order_lines.product_id", *LINES_OF_LOOKBACK, "products.product_id")


def _count(name: str, label: str, column: str, meaning: str) -> FeatureColumn:
    return FeatureColumn(
        name=name,
        label=label,
        dtype="BIGINT",
        unit="units",
        minimum=0,
        meaning=meaning,
        reads=(*_READS, f"products.{column}"),
        requires=(f"products.{column}",),
        imputation="ordinary",
    )


def _listed(settings: FeatureSettings) -> dict[str, tuple[str, str]]:
    """Name of each configured count, with the column and the value that it is of."""
    listed = {"child_age": ("child_ages", settings.child_ages), "size": ("sizes", settings.sizes)}
    return {
        f"{column}_unit_count_{word}": (column, value)
        for column, (setting, values) in listed.items()
        for value, word in unique_slugs(values, ("features", setting), f"{column}_unit_count_").items()
    }


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without a products table."""
    columns = (
        _count(
            "child_unit_count",
            "Units for children",
            "child_age",
            "Units of products with a child age sold in the lookback, returns not taken off.",
        ),
        *(
            _count(
                name,
                f"Units of {column.replace('_', ' ')} {value}",
                column,
                f"Units of products of the {column.replace('_', ' ')} '{value}' sold in the lookback, returns not "
                "taken off.",
            )
            for name, (column, value) in _listed(settings).items()
        ),
    )
    return FeatureBlock(
        name="fit",
        columns=columns,
        select=_select,
        requires=("products",),
        named_by={"child_ages": "child_age_unit_count_<age>", "sizes": "size_unit_count_<size>"},
    )


def _select(snapshot: Snapshot) -> str:
    wanted = {"child_unit_count": "child_age IS NOT NULL"} | {
        name: f"{column} = {quote_text(value)}" for name, (column, value) in _listed(snapshot.settings).items()
    }
    sums = ", ".join(f"sum(c.unit_count) FILTER (WHERE p.is_{name}) AS {name}" for name in wanted)
    conditions = ", ".join(f"{where} AS is_{name}" for name, where in wanted.items())
    values = ", ".join(f"CAST(coalesce(f.{name}, 0) AS BIGINT) AS {name}" for name in wanted)
    return f"""
    SELECT t.customer_id, {values}
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT c.customer_id, {sums}
        FROM customer_products AS c
        JOIN (
            SELECT product_id, {conditions} FROM snapshot_products WHERE child_age IS NOT NULL OR size IS NOT NULL
        ) AS p ON p.product_id = c.product_id
        GROUP BY c.customer_id
    ) AS f ON f.customer_id = t.customer_id
    """
