"""Tables of the source and raw layers: what was delivered, typed and nothing more."""

from typing import Any

from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, ColumnType, Table

_KEPT = "Kept for feature blocks to come."

DELIVERED_TABLES = ("order_lines", "customers", "products", "engagement_events")

QUARANTINE_REASONS = {
    "malformed_row": "the row does not have the columns the header promises",
    "missing_value": "a column that every row needs is empty",
    "unparseable_date": "the date does not follow source date_format",
    "not_a_number": "the value is not a number in the declared notation",
    "out_of_range": "the number or date lies outside of any real range",
    "fractional_id": "the id or code is a number with a fraction, or one whose last digits were rounded, as in 1.2E+11",
    "broken_id": "the id holds a line break or another control character",
    "zero_byte": "the text holds a zero byte, which no text has",
    "duplicate_key": "an earlier row of the same file has the same key",
    "future_date": "the date lies after the day the files were taken in",
    "required": "the contract asks for a value here, and there is none",
    "below_minimum": "the value is below the minimum of the contract",
    "above_maximum": "the value is above the maximum of the contract",
    "not_allowed": "the value is none of those that the contract allows",
    "not_unique": "an earlier row has the same value, and the contract asks for different ones",
    "order_id_reused": "another file holds another order with this id, and that one counts",
    "dropped_line": "another file holds the order without this product, and its lines count",
    "redelivered": "another file holds the order, customer, product or event as well, and its rows count",
    "redelivered_in_part": "another file holds the order, and its lines count; not all of them can be used",
    "erased": "the customer was erased, and nothing of the row is kept but its place",
}
"""Why a row is set aside: reason code → sentence."""

ERASED_REASON = "erased"
"""Reason of rows whose customer a decision erases; nobody has to mend them."""

REDELIVERED_REASONS = ("dropped_line", "redelivered", "redelivered_in_part")
"""Reasons of rows that are not lost: another file holds the same order, customer, product or event."""

REPAIRS = {
    "trimmed": ("had blanks around it, which were removed", "had blanks around them, which were removed"),
    "no_value": (
        "was a text that means no value, or blanks alone, and is empty now",
        "were texts that mean no value, or blanks alone, and are empty now",
    ),
    "number_id": (
        "was a number, as 13085.0 is, and became a text without decimals; zeros in front were lost before",
        "were numbers, as 13085.0 is, and became texts without decimals; zeros in front were lost before",
    ),
    "rounded": (
        "was inexact as binary numbers are, and was rounded",
        "were inexact as binary numbers are, and were rounded",
    ),
    "four_decimals": (
        "had more than four decimals and was rounded to four",
        "had more than four decimals and were rounded to four",
    ),
    "capitals": ("was put in capitals", "were put in capitals"),
    "unreadable": (
        "could not be read and is empty now; the rest of the row counts",
        "could not be read and are empty now; the rest of their rows counts",
    ),
    "time_dropped": ("had a time of day, which was left out", "had a time of day, which was left out"),
}
"""What is changed in a delivered value so that it can be used: kind → what to say of one value, and of several."""

CONTRACT_REASONS = ("required", "below_minimum", "above_maximum", "not_allowed", "not_unique")
"""Reasons that come from the rules of the settings."""


def _provenance() -> tuple[Column, ...]:
    return (
        Column(name="source_file", dtype="VARCHAR", meaning="Delivered file the row stands in."),
        Column(name="source_row", dtype="BIGINT", unit="rows", minimum=1, meaning="Data row in that file, from 1."),
    )


_REPAIRS = Column(
    name="repairs",
    dtype="VARCHAR",
    nullable=True,
    null_rule="every value as delivered",
    meaning=f"Values changed in order to read them, as column:kind, separated by blanks; kinds: {', '.join(REPAIRS)}.",
)


def _optional(name: str, meaning: str, dtype: ColumnType = "VARCHAR", **facts: Any) -> Column:
    """A column that a shop may not have."""
    return Column(name=name, dtype=dtype, nullable=True, null_rule="not delivered", meaning=meaning, **facts)


DELIVERY = Table(
    key="source/delivery",
    row="a delivered file",
    primary_key=("table_name", "file_name"),
    columns=(
        Column(name="table_name", dtype="VARCHAR", allowed=DELIVERED_TABLES, meaning="Table the file belongs to."),
        Column(name="file_name", dtype="VARCHAR", meaning="Path below the delivery folder."),
        Column(name="file_index", dtype="INTEGER", minimum=0, meaning="Place in delivery order."),
        Column(name="size_bytes", dtype="BIGINT", unit="bytes", minimum=1, meaning="Size of the file."),
        Column(name="sha256", dtype="VARCHAR", meaning="SHA-256 of the file's bytes."),
    ),
)

DECISIONS = Table(
    key="source/decisions",
    row="a decision from outside",
    primary_key=("decision_number",),
    columns=(
        Column(name="decision_number", dtype="INTEGER", minimum=1, meaning="Place in the file, from 1."),
        Column(name="decided_on", dtype="DATE", meaning="Day of the decision."),
        Column(
            name="kind",
            dtype="VARCHAR",
            allowed=("promote", "rename", "suppress", "erase", "restate"),
            meaning="promote: put a candidate in force; rename: a segment's own name; suppress: do not address a "
            "customer; erase: keep nothing of a customer, from the first delivery on; restate: make months again that "
            "were closed.",
        ),
        Column(
            name="from_month",
            dtype="VARCHAR",
            meaning="Snapshot month, YYYY-MM: the one in which to promote; the first that has the name or leaves the "
            "customer alone; the first to make again; of an erasure the newest, as it holds in all.",
        ),
        Column(
            name="subject",
            dtype="VARCHAR",
            meaning="promote: algorithm, best or rfm_map; rename: segment key; suppress: customer id; "
            "erase: SHA-256 of the customer id; restate: months.",
        ),
        Column(name="value", dtype="VARCHAR", meaning="rename: the name to use; otherwise why it was decided."),
        Column(name="decided_by", dtype="VARCHAR", meaning="Who decided."),
    ),
)

CROSSWALK = Table(
    key="source/crosswalk",
    row="a delivered id and the customer it stands for",
    primary_key=("entry_number",),
    columns=(
        Column(name="entry_number", dtype="BIGINT", minimum=1, meaning="Row in the file, from 1."),
        Column(name="delivered_id", dtype="VARCHAR", meaning="Customer id as delivered."),
        Column(name="customer_id", dtype="VARCHAR", meaning="Customer that it stands for."),
        _optional("source", "Pattern of the delivered files that the entry is for."),
        _optional("valid_from", "First day on which the entry holds.", "DATE"),
        _optional("valid_to", "Last day on which the entry holds.", "DATE"),
    ),
)

RAW_ORDER_LINES = Table(
    key="raw/order_lines",
    row="a delivered order line",
    primary_key=("source_file", "source_row"),
    columns=(
        Column(
            name="order_id",
            dtype="VARCHAR",
            meaning="Order, invoice or receipt of the line; 0001@store1 where ids are unique within a source only.",
        ),
        Column(name="order_at", dtype="TIMESTAMP", meaning="Local time of the order, without a zone."),
        Column(
            name="customer_id",
            dtype="VARCHAR",
            nullable=True,
            null_rule="a guest: nobody was identified",
            meaning="Customer as the shop writes it.",
        ),
        Column(name="product_id", dtype="VARCHAR", meaning="Product code as text."),
        _optional("product_name", "Product text on the line."),
        Column(name="quantity", dtype="BIGINT", unit="units", meaning="Units; negative for returned goods."),
        Column(name="unit_price", dtype="DECIMAL(18,4)", unit="currency", meaning="Price of one unit."),
        _optional("country", "Country of the line."),
        _optional("channel", "Way of selling, such as web or store."),
        _optional("store_id", "Store the line was sold in."),
        _optional("brand", "Brand or market of a company with several."),
        _optional("list_price", "Price of one unit before discounts.", "DECIMAL(18,4)", unit="currency"),
        _optional("cost_price", "What one unit costs the shop.", "DECIMAL(18,4)", unit="currency"),
        _optional("currency", "ISO 4217 code of the line's prices, in capitals."),
        _optional("vat_rate", "VAT rate of the line as the shop writes it.", "DECIMAL(18,4)", unit="rate"),
        *_provenance(),
        _REPAIRS,
    ),
)

RAW_CUSTOMERS = Table(
    key="raw/customers",
    row="a delivered customer",
    primary_key=("customer_id",),
    columns=(
        CUSTOMER_ID,
        _optional("registered_on", "Day of registration.", "DATE"),
        _optional("birth_year", f"Year of birth. {_KEPT}", "INTEGER", unit="years", minimum=1890, maximum=2100),
        _optional("country", "Country of residence."),
        _optional("gender", f"Gender as the shop writes it. {_KEPT}"),
        _optional("household_size", f"Persons in the household. {_KEPT}", "INTEGER", unit="persons", minimum=1),
        _optional("acquisition_channel", f"What brought the customer to the shop. {_KEPT}"),
        _optional("newsletter_since", f"Day from which the customer gets the newsletter. {_KEPT}", "DATE"),
        _optional("account_type", "Kind of account, such as consumer, staff, wholesale or test."),
        *_provenance(),
        _REPAIRS,
    ),
)

RAW_PRODUCTS = Table(
    key="raw/products",
    row="a delivered product",
    primary_key=("product_id",),
    columns=(
        Column(name="product_id", dtype="VARCHAR", meaning="Product code as text."),
        _optional("product_name", "Product text."),
        Column(name="department", dtype="VARCHAR", meaning="Department the product is sold in."),
        _optional("class", f"Class in its department. {_KEPT}"),
        _optional("child_age", f"Age of the child the product is for, such as 3-5 years. {_KEPT}"),
        _optional("size", f"Size as the shop writes it, such as M or 42. {_KEPT}"),
        *_provenance(),
        _REPAIRS,
    ),
)

RAW_ENGAGEMENT_EVENTS = Table(
    key="raw/engagement_events",
    row="a delivered engagement event",
    primary_key=("source_file", "source_row"),
    columns=(
        Column(name="customer_id", dtype="VARCHAR", meaning="Customer who did it."),
        Column(name="event_at", dtype="TIMESTAMP", meaning="Local time of the event, without a zone."),
        _optional("event_type", f"What happened, as the source calls it. {_KEPT}"),
        *_provenance(),
        _REPAIRS,
    ),
)

QUARANTINE = Table(
    key="raw/quarantine",
    row="a delivered row set aside",
    primary_key=("table_name", "source_file", "source_row"),
    columns=(
        Column(name="table_name", dtype="VARCHAR", allowed=DELIVERED_TABLES, meaning="Table the row was meant for."),
        *_provenance(),
        Column(name="reason", dtype="VARCHAR", allowed=tuple(QUARANTINE_REASONS), meaning="Reason code."),
        Column(name="explanation", dtype="VARCHAR", meaning="The reason as a sentence."),
        Column(
            name="column_name",
            dtype="VARCHAR",
            nullable=True,
            null_rule="the whole row is at fault",
            meaning="Column in the file that holds the offending value.",
        ),
        Column(
            name="value",
            dtype="VARCHAR",
            nullable=True,
            null_rule="the value is empty",
            meaning="The offending value as delivered.",
        ),
    ),
)

RAW_TABLES = dict(
    zip(DELIVERED_TABLES, (RAW_ORDER_LINES, RAW_CUSTOMERS, RAW_PRODUCTS, RAW_ENGAGEMENT_EVENTS), strict=True)
)
"""Delivered table → declaration of its raw table."""

TABLES = (
    DELIVERY,
    DECISIONS,
    CROSSWALK,
    RAW_ORDER_LINES,
    RAW_CUSTOMERS,
    RAW_PRODUCTS,
    RAW_ENGAGEMENT_EVENTS,
    QUARANTINE,
)
