"""Tables of the silver layer except features, whose columns are declared beside their SQL in `features/blocks`."""

from dataclasses import replace

from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table
from segmentation_assets.tables.raw import RAW_ORDER_LINES

LINE_TYPES = ("sale", "return", "adjustment", "non_product", "excluded")

LINE_REASONS = {
    "sale": "goods sold at a price above zero",
    "return": "goods that came back, or a cancelled order",
    "write_off": "negative quantity that is no return: stock written off",
    "free_item": "price zero: a gift, sample or correction",
    "negative_price": "price below zero: book-keeping",
    "adjustment_order": "the order id marks a book-keeping entry",
    "positive_cancellation": "a cancellation with a positive quantity",
    "zero_quantity": "quantity zero",
    "duplicate_line": "an earlier line of the order is the same, and source.duplicate_lines leaves it out",
    "non_product_code": "the product code is a fee, postage or test",
    "other_country": "the country is none of population.countries",
    "other_channel": "the channel is none of population.channels",
    "other_brand": "the brand is none of population.brands",
    "other_store": "the store is none of population.stores",
    "excluded_account": "the customer is a kind of account, or one by name, that population leaves out",
}
"""Why a line has its type: reason code → sentence."""

_DELIVERED = tuple(column for column in RAW_ORDER_LINES.columns if column.name != "repairs")
_CLASSIFIED_BY = tuple(f"order_lines.{column.name}" for column in _DELIVERED)
_STANDS_FOR = tuple(
    f"*/crosswalk.{name}" for name in ("customer_id", "delivered_id", "source", "valid_from", "valid_to")
)
_CONVERTED_BY = ("order_lines.currency", "order_lines.order_at")
_AMOUNT_FROM = (
    "order_lines.quantity", "order_lines.unit_price", *_CONVERTED_BY, "order_lines.vat_rate", "order_lines.country",
    "order_lines.product_id", "*/products.department", "*/products.class",
)  # fmt: skip
_LINES_SO_FAR = ("order_lines.line_type", "order_lines.order_at")


ORDER_LINES = Table(
    key="silver/order_lines",
    row="a classified order line",
    primary_key=("customer_id", "order_at", "order_id", "source_file", "source_row"),
    columns=(
        *(
            replace(
                column,
                reads=(f"order_lines.{column.name}", *(_STANDS_FOR if column.name == "customer_id" else ())),
            )
            for column in _DELIVERED
        ),
        Column(
            name="line_type",
            dtype="VARCHAR",
            allowed=LINE_TYPES,
            meaning="What kind of line it is.",
            reads=_CLASSIFIED_BY,
        ),
        Column(
            name="line_reason",
            dtype="VARCHAR",
            allowed=tuple(LINE_REASONS),
            meaning="Why it has this type.",
            reads=_CLASSIFIED_BY,
        ),
        Column(
            name="amount",
            dtype="DECIMAL(18,4)",
            unit="currency",
            nullable=True,
            null_rule="outside of the population, and no exchange rate or VAT rate is known",
            meaning="Quantity times unit price, as `money` and `currency` in the settings say; negative for returns.",
            reads=_AMOUNT_FROM,
        ),
        Column(
            name="cost_amount",
            dtype="DECIMAL(18,4)",
            unit="currency",
            nullable=True,
            null_rule="the cost of the line is not known",
            meaning="Quantity times cost price, in the currency of the settings; negative for returns.",
            reads=("order_lines.quantity", "order_lines.cost_price", *_CONVERTED_BY),
        ),
        Column(
            name="margin_amount",
            dtype="DECIMAL(18,4)",
            unit="currency",
            nullable=True,
            null_rule="the cost of the line is not known",
            meaning="Money of the line, without VAT where the settings say whether prices include it, less its cost.",
            reads=(*_AMOUNT_FROM, "order_lines.cost_price"),
        ),
        Column(
            name="is_exact_duplicate",
            dtype="BOOLEAN",
            meaning="An earlier row of the same order equals this one in every delivered column.",
            reads=_CLASSIFIED_BY,
        ),
    ),
)

SNAPSHOT_INPUT = Table(
    key="silver/snapshot_input",
    row="a slice of an input that the snapshot reads",
    primary_key=("input_key", "slice_name", "used_for"),
    columns=(
        Column(name="input_key", dtype="VARCHAR", meaning="Asset the slice belongs to."),
        Column(name="slice_name", dtype="VARCHAR", meaning="Month of the slice, or 'as of' with a date."),
        Column(name="used_for", dtype="VARCHAR", allowed=("features", "history"), meaning="What reads the slice."),
        Column(name="content_hash", dtype="VARCHAR", meaning="Hash of the slice's rows."),
        Column(name="row_count", dtype="BIGINT", unit="rows", minimum=0, meaning="Rows in the slice."),
        Column(name="lookback_start", dtype="DATE", meaning="First day that the snapshot's features read."),
        Column(name="as_of_date", dtype="DATE", meaning="The snapshot reads what happened before this day."),
        Column(name="is_partial", dtype="BOOLEAN", meaning="The newest month is unfinished."),
    ),
)

CUSTOMER_HISTORY = Table(
    key="silver/customer_history",
    row="a customer ever seen",
    primary_key=("customer_id",),
    columns=(
        replace(CUSTOMER_ID, reads=("order_lines.customer_id", "customer_history.customer_id")),
        Column(
            name="first_order_date",
            dtype="DATE",
            nullable=True,
            null_rule="never bought, only returned",
            meaning="Day of the first order.",
            reads=(*_LINES_SO_FAR, "customer_history.first_order_date"),
        ),
        Column(
            name="last_order_date",
            dtype="DATE",
            nullable=True,
            null_rule="never bought, only returned",
            meaning="Day of the last order.",
            reads=(*_LINES_SO_FAR, "customer_history.last_order_date"),
        ),
        Column(
            name="lifetime_order_count",
            dtype="BIGINT",
            unit="orders",
            minimum=0,
            meaning="Orders ever placed.",
            reads=("order_lines.order_id", *_LINES_SO_FAR, "customer_history.lifetime_order_count"),
        ),
        Column(
            name="lifetime_order_day_count",
            dtype="BIGINT",
            unit="days",
            minimum=0,
            meaning="Different days with an order.",
            reads=(*_LINES_SO_FAR, "customer_history.lifetime_order_day_count"),
        ),
        Column(
            name="lifetime_gross_revenue_amount",
            dtype="DECIMAL(18,4)",
            unit="currency",
            minimum=0,
            meaning="Money of all sales ever.",
            reads=("order_lines.amount", *_LINES_SO_FAR, "customer_history.lifetime_gross_revenue_amount"),
        ),
        Column(
            name="lifetime_net_revenue_amount",
            dtype="DECIMAL(18,4)",
            unit="currency",
            meaning="Money of all sales ever less returns.",
            reads=("order_lines.amount", *_LINES_SO_FAR, "customer_history.lifetime_net_revenue_amount"),
        ),
        Column(
            name="first_day_revenue_amount",
            dtype="DECIMAL(18,4)",
            unit="currency",
            nullable=True,
            null_rule="never bought, only returned",
            minimum=0,
            meaning="Money of all sales on the day of the first order.",
            reads=(
                "order_lines.amount",
                *_LINES_SO_FAR,
                "customer_history.first_order_date",
                "customer_history.first_day_revenue_amount",
            ),
        ),
        Column(
            name="btyd_frequency",
            dtype="BIGINT",
            unit="days",
            nullable=True,
            null_rule="never bought",
            minimum=0,
            meaning="Repeat order days: order days less one (Fader, Hardie and Lee 2005).",
            reads=(*_LINES_SO_FAR, "customer_history.lifetime_order_day_count"),
        ),
        Column(
            name="btyd_recency",
            dtype="BIGINT",
            unit="days",
            nullable=True,
            null_rule="never bought",
            minimum=0,
            meaning="Days from first to last order; not the days since the last order.",
            reads=(*_LINES_SO_FAR, "customer_history.first_order_date", "customer_history.last_order_date"),
        ),
        Column(
            name="btyd_T",
            dtype="BIGINT",
            unit="days",
            nullable=True,
            null_rule="never bought",
            minimum=0,
            meaning="Days from the first order to the as-of date.",
            reads=(*_LINES_SO_FAR, "customer_history.first_order_date"),
        ),
    ),
)

TABLES = (ORDER_LINES, SNAPSHOT_INPUT, CUSTOMER_HISTORY)
