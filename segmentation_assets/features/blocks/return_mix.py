"""What comes back: from few departments or many, and whether something else of the kind is bought instead."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import RETURNS_NOT_TOLD, FeatureBlock, FeatureColumn, share_feature
from segmentation_assets.features.references import RHOADES
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.features.tracing import TRACED_RETURNS

EXCHANGE_DAYS = 14

_PRODUCTS = ("products.product_id", "products.department")

COLUMNS = (
    FeatureColumn(
        name="return_department_concentration",
        label="Returns from few departments",
        dtype="DOUBLE",
        unit="index",
        nullable=True,
        null_rule="no money was returned for products with a department",
        minimum=0,
        maximum=1,
        meaning="Sum of the squared shares of departments in the money returned: 1 when all is of one department, near "
        "0 when many are alike (Herfindahl index).",
        reads=(*TRACED_RETURNS, *_PRODUCTS),
        imputation="returns",
        undefined_rule=RETURNS_NOT_TOLD,
        reference=RHOADES,
    ),
    share_feature(
        name=f"exchange_share_{EXCHANGE_DAYS}d",
        label=f"Share of returns exchanged within {EXCHANGE_DAYS} days",
        null_rule="no product with a department was returned",
        meaning=f"Share of return lines after which, within {EXCHANGE_DAYS} days, something of the same class, or of "
        "the department where there is no class, was bought: exchanges more than losses.",
        reads=(*TRACED_RETURNS, *_PRODUCTS, "products.class"),
        imputation="returns",
        undefined_rule=RETURNS_NOT_TOLD,
        direction="more_is_better",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without a products table."""
    return FeatureBlock(name="return_mix", columns=COLUMNS, select=_select, requires=("products",))


def _select(_snapshot: Snapshot) -> str:
    return f"""
    SELECT
        t.customer_id,
        d.concentration AS return_department_concentration,
        e.exchange_share AS exchange_share_{EXCHANGE_DAYS}d
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT customer_id, safe_div(sum(squared(amount)), squared(sum(amount))) AS concentration
        FROM (
            SELECT r.customer_id, p.department, sum(r.amount) AS amount
            FROM customer_returns AS r
            JOIN snapshot_products AS p ON p.product_id = r.product_id
            WHERE NOT r.is_cancellation AND p.department IS NOT NULL
            GROUP BY r.customer_id, p.department
        ) AS departments
        GROUP BY customer_id
    ) AS d ON d.customer_id = t.customer_id
    LEFT JOIN (
        SELECT customer_id, safe_div(sum(CASE WHEN is_exchanged THEN line_count ELSE 0 END), sum(line_count))
            AS exchange_share
        FROM (
            SELECT r.number, r.customer_id, min(r.line_count) AS line_count, count(s.order_at) > 0 AS is_exchanged
            FROM (
                SELECT r.*, p.department_number, CASE WHEN p.class IS NOT NULL THEN p.class_number END AS class_number
                FROM customer_returns AS r
                JOIN snapshot_products AS p ON p.product_id = r.product_id
                WHERE NOT r.is_cancellation AND p.department IS NOT NULL
            ) AS r
            LEFT JOIN (
                SELECT l.customer_id, l.order_at, p.department_number, p.class_number
                FROM snapshot_lines AS l
                JOIN (
                    SELECT customer_id, min(order_at) AS first_return_at FROM customer_returns GROUP BY customer_id
                ) AS c ON c.customer_id = l.customer_id AND c.first_return_at < l.order_at
                JOIN snapshot_products AS p ON p.product_id = l.product_id
                WHERE l.is_sale
            ) AS s
                ON s.customer_id = r.customer_id
                AND s.department_number = r.department_number
                AND s.class_number = coalesce(r.class_number, s.class_number)
                AND s.order_at > r.order_at
                AND days_between(r.order_at, s.order_at) <= {EXCHANGE_DAYS}
            GROUP BY r.number, r.customer_id
        ) AS returns
        GROUP BY customer_id
    ) AS e ON e.customer_id = t.customer_id
    """
