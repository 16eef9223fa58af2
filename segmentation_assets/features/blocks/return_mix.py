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
        null_rule="no money was returned, cancellations left out, for products with a department",
        minimum=0,
        maximum=1,
        meaning="Sum of the squared shares of departments in the money returned, cancellations and products without a "
        "department left out: 1 when all is of one department, near 0 when many are alike (Herfindahl index).",
        reads=(*TRACED_RETURNS, *_PRODUCTS),
        imputation="returns",
        undefined_rule=RETURNS_NOT_TOLD,
        reference=RHOADES,
    ),
    share_feature(
        name=f"exchange_share_{EXCHANGE_DAYS}d",
        label=f"Share of returns exchanged within {EXCHANGE_DAYS} days",
        null_rule="no product with a department was returned, cancellations left out",
        meaning="Share of return lines with which or after which something alike was bought: at the instant of the "
        f"return or later, up to the end of the {EXCHANGE_DAYS}th calendar day after its day, of the same class, or of "
        "the same department where what was returned has no class. The purchase that the return is of is none of "
        "these, nor is a cancelled one. Cancellations and products without a department are left out.",
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
    WITH returned AS (
        SELECT r.number, r.customer_id, r.order_at, r.line_count, r.amount, p.department_number,
            CASE WHEN p.class IS NOT NULL THEN p.class_number END AS class_number,
            CASE WHEN r.bought_at = r.order_at THEN r.purchase_line_count ELSE 0 END AS own_line_count
        FROM customer_returns AS r
        JOIN snapshot_products AS p ON p.product_id = r.product_id
        WHERE NOT r.is_cancellation AND p.department IS NOT NULL
    ),
    bought AS (
        SELECT l.customer_id, l.order_at, l.line_count, p.department_number, p.class_number
        FROM (
            SELECT customer_id, product_id, order_at, 1 AS line_count FROM snapshot_lines WHERE is_sale
            UNION ALL
            SELECT customer_id, product_id, bought_at, -purchase_line_count FROM customer_returns WHERE is_cancellation
        ) AS l
        JOIN snapshot_products AS p ON p.product_id = l.product_id
    )
    SELECT
        t.customer_id,
        d.concentration AS return_department_concentration,
        e.exchange_share AS exchange_share_{EXCHANGE_DAYS}d
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT customer_id, safe_div(sum(squared(amount)), squared(sum(amount))) AS concentration
        FROM (
            SELECT customer_id, sum(amount) AS amount FROM returned GROUP BY customer_id, department_number
        ) AS departments
        GROUP BY customer_id
    ) AS d ON d.customer_id = t.customer_id
    LEFT JOIN (
        SELECT customer_id, safe_div(sum(CASE WHEN is_exchanged THEN line_count ELSE 0 END), sum(line_count))
            AS exchange_share
        FROM (
            SELECT r.number, r.customer_id, min(r.line_count) AS line_count,
                coalesce(sum(b.line_count), 0) > min(r.own_line_count) AS is_exchanged
            FROM returned AS r
            LEFT JOIN bought AS b
                ON b.customer_id = r.customer_id
                AND b.department_number = r.department_number
                AND b.class_number = coalesce(r.class_number, b.class_number)
                AND b.order_at >= r.order_at
                AND days_between(r.order_at, b.order_at) <= {EXCHANGE_DAYS}
            GROUP BY r.number, r.customer_id
        ) AS returns
        GROUP BY customer_id
    ) AS e ON e.customer_id = t.customer_id
    """
