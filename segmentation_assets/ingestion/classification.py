"""SQL that says what kind of line each order line is, by fixed precedence; nothing is dropped here."""

from __future__ import annotations

from segmentation_assets.config.population import EVERYONE, PopulationSettings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.ingestion.money import (
    AMOUNT,
    AS_DELIVERED,
    Conversion,
    amount_sql,
    cost_amount_sql,
    net_amount_sql,
    priced_lines,
)
from segmentation_assets.ingestion.population import exclusion_branches
from segmentation_assets.storage.engine import quote_identifier, quote_text
from segmentation_assets.tables.raw import RAW_ORDER_LINES
from segmentation_assets.tables.silver import ORDER_LINES

_TYPE_OF_REASON = {
    "sale": "sale",
    "return": "return",
    "write_off": "adjustment",
    "free_item": "adjustment",
    "negative_price": "adjustment",
    "adjustment_order": "adjustment",
    "positive_cancellation": "adjustment",
    "zero_quantity": "adjustment",
    "duplicate_line": "adjustment",
    "non_product_code": "non_product",
    "other_country": "excluded",
    "other_channel": "excluded",
    "other_brand": "excluded",
    "other_store": "excluded",
    "excluded_account": "excluded",
}
_PROVENANCE = ("source_file", "source_row")


def classified_lines_sql(
    relation: str,
    source: SourceSettings,
    population: PopulationSettings = EVERYONE,
    accounts: str | None = None,
    conversion: Conversion = AS_DELIVERED,
) -> str:
    """Make the query that classifies order lines.

    Parameters
    ----------
    relation : str
        SQL table expression with the columns of ``raw/order_lines``; whole orders by month, as equal rows are looked
        for within it.
    source : SourceSettings
        Its cancellations, adjustment_prefixes, non_product_codes and duplicate_lines decide.
    population : PopulationSettings
        Lines outside of it are `excluded`.
    accounts : str or None
        SQL table expression with the ``customer_id`` of the accounts that do not count.
    conversion : Conversion
        How delivered money becomes the amounts that are analysed.

    Returns
    -------
    str
        Query with the columns of ``silver/order_lines`` in declared order.

    Notes
    -----
    The first reason that holds counts: those of the population; non_product_code, adjustment_order, negative_price,
    zero_quantity; duplicate_line where the settings leave it out; then under the rule ``prefix`` return (prefix and
    quantity below zero), positive_cancellation (prefix), write_off (quantity below zero), and under the rule
    ``negative_quantity`` write_off (quantity below zero, price zero) and return (quantity below zero); then free_item
    (price zero) and sale.
    """
    delivered = [quote_identifier(name) for name in RAW_ORDER_LINES.column_names]
    compared = [quote_identifier(name) for name in RAW_ORDER_LINES.column_names if name not in _PROVENANCE]
    cost = cost_amount_sql(conversion)
    types = " ".join(f"WHEN {quote_text(reason)} THEN {quote_text(kind)}" for reason, kind in _TYPE_OF_REASON.items())
    computed = {
        "line_type": f"CASE line_reason {types} END",
        "line_reason": "line_reason",
        "amount": amount_sql(conversion),
        "cost_amount": cost,
        "margin_amount": f"TRY_CAST({net_amount_sql(conversion)} - {cost} AS {AMOUNT})",
        "is_exact_duplicate": "is_exact_duplicate",
    }
    added = [name for name in ORDER_LINES.column_names if name not in RAW_ORDER_LINES.column_names]
    columns = ", ".join([*delivered, *(f"{computed[name]} AS {quote_identifier(name)}" for name in added)])
    reason = _reason_sql(source, population, accounts)
    repeated = f"row_number() OVER (PARTITION BY {', '.join(compared)} ORDER BY source_file, source_row) > 1"
    lines = f"(SELECT *, {repeated} AS is_exact_duplicate FROM {priced_lines(relation, conversion)})"
    return f"SELECT {columns} FROM (SELECT *, {reason} AS line_reason FROM {lines})"


def bucket_sql(column: str, buckets: int) -> str:
    """Make the SQL expression of a customer's bucket: the first 8 hex digits of the MD5 of the id, modulo `buckets`.

    Parameters
    ----------
    column : str
        Column of customer ids; null, a guest, counts as empty text.
    buckets : int, at least 1

    Returns
    -------
    str
        BIGINT expression from 0 to ``buckets - 1``, equal on every engine.

    Examples
    --------
    >>> print(bucket_sql("customer_id", 4))
    CAST('0x' || substr(md5(coalesce("customer_id", '')), 1, 8) AS BIGINT) % 4
    """
    return f"CAST('0x' || substr(md5(coalesce({quote_identifier(column)}, '')), 1, 8) AS BIGINT) % {int(buckets)}"


def _reason_sql(source: SourceSettings, population: PopulationSettings, accounts: str | None) -> str:
    branches = [
        *exclusion_branches(population, accounts),
        (_code_condition(source.non_product_codes), "non_product_code"),
        (_prefix_condition(source.adjustment_prefixes), "adjustment_order"),
        ("unit_price < 0", "negative_price"),
        ("quantity = 0", "zero_quantity"),
        *([("is_exact_duplicate", "duplicate_line")] if source.duplicate_lines == "leave_out" else []),
        *_cancellation_branches(source),
        ("unit_price = 0", "free_item"),
    ]
    listed = " ".join(f"WHEN {condition} THEN {quote_text(reason)}" for condition, reason in branches)
    return f"CASE {listed} ELSE 'sale' END"


def cancelled_sql(source: SourceSettings) -> str:
    """Make the SQL condition that a line belongs to a cancelled order or is a return, by the rule of the source."""
    if source.cancellations.rule == "negative_quantity":
        return "quantity < 0"
    return _prefix_condition((source.cancellations.prefix,))


def _cancellation_branches(source: SourceSettings) -> list[tuple[str, str]]:
    if source.cancellations.rule == "negative_quantity":
        return [("quantity < 0 AND unit_price = 0", "write_off"), ("quantity < 0", "return")]
    is_cancelled = cancelled_sql(source)
    return [
        (f"{is_cancelled} AND quantity < 0", "return"),
        (is_cancelled, "positive_cancellation"),
        ("quantity < 0", "write_off"),
    ]


def _code_condition(codes: tuple[str, ...]) -> str:
    if not codes:
        return "false"
    listed = ", ".join(quote_text(code) for code in sorted({code.strip().upper() for code in codes}))
    return f"upper(trim(product_id)) IN ({listed})"


def _prefix_condition(prefixes: tuple[str, ...]) -> str:
    if not prefixes:
        return "false"
    return "(" + " OR ".join(f"starts_with(order_id, {quote_text(prefix)})" for prefix in prefixes) + ")"
