"""The SQL behind `findings.py`: one query per way of looking at order lines, each over them once.

In every query ``{lines}`` stands for order lines and ``{products}`` for the known product codes.
"""

from __future__ import annotations

from segmentation_assets.ingestion.null_texts import NO_VALUE
from segmentation_assets.storage.engine import quote_text

GIANT_UNITS = 10_000
"""Units of a product from which on an order that comes back whole within a day is told."""

CROWDED_SHARE = 0.05
"""Share of the order lines from which on one customer id is told of, where there are enough customers."""

FEWEST_CUSTOMERS = 1_000
"""Customers from which on such a share is no chance."""

UNCLEAR_COUNTRIES = (
    "unspecified", "unknown", "other", "none", "n/a", "international", "european community", "europe", "eire", "rsa",
)  # fmt: skip
"""Texts, in small letters, that stand where the name of a country is expected."""

BLANK_TOLD_OF = {
    "customers": (
        "registered_on", "birth_year", "country", "gender", "household_size", "acquisition_channel", "account_type",
    ),
    "products": ("product_name", "class"),
}  # fmt: skip
"""Delivered table → columns in which every row should have a value; others are rightly empty for some."""

MISREAD = (
    r"[\x{C2}-\x{C5}][\x{80}-\x{BF}\x{20AC}\x{201A}-\x{2122}\x{160}\x{161}\x{178}\x{17D}\x{17E}\x{192}]"
    r"|\x{E2}[\x{80}\x{82}\x{84}\x{20AC}\x{201A}\x{201E}]"
)
"""Pattern of UTF-8 that was read as latin-1 or cp1252: ``Ã©`` for ``é``, ``Â£`` for ``£``, ``â€™`` for ``’``."""

_CODE = "ltrim(upper(product_id), '0')"
_COUNTS = "(line_type IN ('sale', 'return') OR line_reason = 'free_item')"
_SHOWS = f"({_COUNTS} OR line_reason = 'positive_cancellation')"
_IS_UNCLEAR = f"lower(trim(country)) IN ({', '.join(quote_text(name) for name in UNCLEAR_COUNTRIES)})"
_NO_VALUE = ", ".join(quote_text(text) for text in sorted(NO_VALUE))
_HAS_QUOTE = "contains(concat(customer_id, order_id), '\"')"
_REASONS = (
    "write_off", "free_item", "negative_price", "adjustment_order", "positive_cancellation", "zero_quantity",
    "duplicate_line", "non_product_code",
)  # fmt: skip

_LINE_CONDITIONS = {
    **{reason: f"line_reason = '{reason}'" for reason in _REASONS},
    "tiny_price": "line_reason = 'sale' AND unit_price < 0.01",
    "guest": f"customer_id IS NULL AND {_SHOWS}",
    "exact_duplicate": "is_exact_duplicate AND line_reason <> 'duplicate_line'",
    "unclear_id": " OR ".join(
        (*(f"lower({name}) IN ({_NO_VALUE})" for name in ("customer_id", "order_id", "product_id")), _HAS_QUOTE)
    ),
    "unclear_country": _IS_UNCLEAR,
    "blank_text": "product_name IS NULL",
    "staff_note": "unit_price = 0 AND customer_id IS NULL AND product_name = lower(product_name)",
    "counted_lines": _COUNTS,
}

LINES = (
    "SELECT "
    + ", ".join(f"count(*) FILTER ({condition}) AS {name}" for name, condition in _LINE_CONDITIONS.items())
    + ", count(product_name) > 0 AS has_texts, sum(amount) FILTER (line_type IN ('sale', 'return')) AS counted_amount, "
    "sum(amount) FILTER (line_type IN ('sale', 'return') AND customer_id IS NULL) AS guest_amount "
    "FROM {lines} WHERE line_type <> 'excluded'"
)

CODES = (
    "SELECT coalesce(sum(line_count) FILTER (NOT is_known AND (place > 1 OR is_like_known)), 0) AS code_spelling FROM ("
    f"SELECT *, {_CODE} IN (SELECT {_CODE} FROM {{products}}) AS is_like_known, row_number() OVER ("
    f"PARTITION BY {_CODE} ORDER BY is_known DESC, line_count DESC, length(product_id) DESC, product_id) AS place "
    "FROM (SELECT product_id, count(*) AS line_count, product_id IN (SELECT product_id FROM {products}) AS is_known "
    f"FROM {{lines}} WHERE {_SHOWS} GROUP BY product_id))"
)
"""A code that is like none of the products is judged by the lines alone."""

UNMATCHED = (
    f"WITH back AS (SELECT customer_id, {_CODE} AS code, order_at FROM {{lines}} "
    "WHERE line_reason = 'return' AND customer_id IS NOT NULL), "
    f"had AS (SELECT customer_id, {_CODE} AS code, min(order_at) AS first_at FROM {{lines}} "
    "WHERE line_reason IN ('sale', 'free_item') AND customer_id IN (SELECT customer_id FROM back) GROUP BY ALL) "
    "SELECT count(*) AS unmatched_return FROM back LEFT JOIN had USING (customer_id, code) "
    "WHERE had.first_at IS NULL OR had.first_at > back.order_at"
)

_MOVED = (
    f"SELECT order_id, source_file, source_row, customer_id, {_CODE} AS code, order_at, line_reason, "
    "abs(quantity) AS units FROM {lines} WHERE line_reason IN"
)
CANCELLATIONS = (
    "WITH whole AS (SELECT sold.order_id AS order_id, sold.order_at AS sold_at, back.* EXCLUDE (order_id) "
    f"FROM ({_MOVED} ('sale')) AS sold JOIN ({_MOVED} ('return')) AS back "
    "ON sold.code = back.code AND sold.units = back.units AND sold.customer_id IS NOT DISTINCT FROM back.customer_id "
    "AND back.order_at BETWEEN sold.order_at AND sold.order_at + INTERVAL 1 DAY), "
    "quick AS (SELECT DISTINCT source_file, source_row, customer_id, code, units, order_at FROM whole "
    f"WHERE units < {GIANT_UNITS} AND order_at <= sold_at + INTERVAL 1 HOUR), "
    "older AS (SELECT any_value(quick.units) AS units, "
    "coalesce(sum(moved.units) FILTER (line_reason = 'sale' AND moved.order_at < quick.order_at - INTERVAL 1 HOUR), 0) "
    "- coalesce(sum(moved.units) FILTER (line_reason <> 'sale' AND moved.order_at < quick.order_at), 0) AS units_left "
    f"FROM quick JOIN ({_MOVED} ('sale', 'return', 'positive_cancellation') "
    "AND unit_price >= 0.01 AND NOT is_exact_duplicate) AS moved "
    "USING (customer_id, code) GROUP BY quick.source_file, quick.source_row) "
    f"SELECT (SELECT count(DISTINCT (order_id, code)) FROM whole WHERE units >= {GIANT_UNITS}) AS giant_cancellation, "
    "(SELECT count(*) FROM older WHERE units_left < units) AS quick_cancellation"
)
"""A return that goods bought earlier and not yet returned explain as well is no quick cancellation, nor is one of a
guest. Goods that cost less than a hundredth do not come back."""

INSTANTS = (
    "SELECT count(*) AS several_instants FROM (SELECT order_id FROM {lines} "
    f"WHERE {_SHOWS} GROUP BY order_id HAVING min(order_at) < max(order_at))"
)

CUSTOMERS = (
    "SELECT count(*) FILTER (has_returned AND NOT has_bought) AS returns_only, "
    "count(*) FILTER (first_country < last_country) AS several_countries, "
    f"count(*) FILTER (line_count > {CROWDED_SHARE} * all_lines AND customers >= {FEWEST_CUSTOMERS}) AS crowded_id "
    "FROM (SELECT *, sum(line_count) OVER () AS all_lines, count(*) OVER () AS customers FROM ("
    "SELECT count(*) AS line_count, bool_or(line_reason = 'return') AS has_returned, "
    "bool_or(line_reason IN ('sale', 'free_item')) AS has_bought, "
    f"min(country) FILTER (NOT {_IS_UNCLEAR}) AS first_country, "
    f"max(country) FILTER (NOT {_IS_UNCLEAR}) AS last_country "
    f"FROM {{lines}} WHERE customer_id IS NOT NULL AND {_COUNTS} GROUP BY customer_id))"
)

UNCLEAR_IDS = f"SELECT count(*) AS unclear_id FROM {{rows}} WHERE lower(customer_id) IN ({_NO_VALUE})"
"""Rows whose customer id is a text that usually means no value."""

IDS = (
    "SELECT CASE WHEN 2 * numbers < customers THEN number_rows ELSE row_count - number_rows END AS mixed_id FROM ("
    "SELECT count(*) AS customers, count(*) FILTER (is_number) AS numbers, coalesce(sum(row_count), 0) AS row_count, "
    "coalesce(sum(row_count) FILTER (is_number), 0) AS number_rows FROM (SELECT count(*) AS row_count, "
    "regexp_full_match(customer_id, '[0-9]+') AS is_number FROM {rows} WHERE customer_id IS NOT NULL "
    "GROUP BY customer_id))"
)
"""Rows whose customer id is of the form that fewer customers have: digits alone, or with other characters."""

TEXTS = (
    "WITH text AS (SELECT DISTINCT product_id, product_name FROM {lines} "
    f"WHERE product_name IS NOT NULL AND {_COUNTS}) SELECT "
    "(SELECT count(*) FROM (SELECT 1 FROM text GROUP BY product_id HAVING count(*) > 1)) AS several_texts, "
    "(SELECT count(*) FROM (SELECT 1 FROM text GROUP BY product_name HAVING count(*) > 1)) AS shared_text, "
    "(SELECT count(DISTINCT product_name) FROM text WHERE "
    f"regexp_matches(product_name, '{MISREAD.replace('{', '{{').replace('}', '}}')}')) AS misread_text"
)
