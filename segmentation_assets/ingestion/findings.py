"""What delivered data shows about its source: counted and told in sentences, never changed here.

There are three kinds: what order lines show, what the rows of customers and products lack, and what was changed in
values so that they could be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segmentation_assets.ingestion.findings_sql import (
    BLANK_TOLD_OF,
    CANCELLATIONS,
    CODES,
    CROWDED_SHARE,
    CUSTOMERS,
    GIANT_UNITS,
    IDS,
    INSTANTS,
    LINES,
    MISREAD,
    TEXTS,
    UNCLEAR_IDS,
    UNMATCHED,
)
from segmentation_assets.storage.engine import Connection, fetch_row, quote_identifier, quote_text
from segmentation_assets.tables.raw import REPAIRS


@dataclass(frozen=True)
class Finding:
    """Something that was found.

    Parameters
    ----------
    measure : str
        A code of `FINDINGS`; ``blank_`` and a column; or column and kind of a repair, such as ``product_id:trimmed``.
    count : int
        How many, at least 1.
    sentence : str
        What was found, beginning with the number, and what the platform does about it.
    """

    measure: str
    count: int
    sentence: str


def _line(one: str, many: str) -> tuple[str, str, str]:
    """Word what is said of order lines that do not count."""
    return "order line", f"{one}; it is neither an order nor money", f"{many}; they are neither orders nor money"


FINDINGS = {
    "write_off": _line(
        "has a quantity below zero and is no return: stock written off",
        "have a quantity below zero and are no returns: stock written off",
    ),
    "free_item": _line("has price zero: a gift, sample or correction", "have price zero: gifts, samples, corrections"),
    "negative_price": _line("has a price below zero: book-keeping", "have a price below zero: book-keeping"),
    "adjustment_order": _line("is a book-keeping entry by its order id", "are book-keeping entries by their order ids"),
    "positive_cancellation": _line(
        "is of a cancellation and has a positive quantity", "are of cancellations and have a positive quantity"
    ),
    "zero_quantity": _line("has quantity zero", "have quantity zero"),
    "duplicate_line": _line(
        "equals an earlier line of its order in every column and is left out, as source.duplicate_lines says",
        "equal an earlier line of their order in every column and are left out, as source.duplicate_lines says",
    ),
    "non_product_code": _line(
        "is a fee, postage or test by its product code", "are fees, postage or tests by their product codes"
    ),
    "guest": (
        "order line",
        "has no customer; it is in the totals of the lines and in no customer table",
        "have no customer; they are in the totals of the lines and in no customer table",
    ),
    "exact_duplicate": (
        "order line",
        "equals an earlier line of its order in every column; it is kept and counts",
        "equal an earlier line of their order in every column; they are kept and count",
    ),
    "unclear_country": (
        "order line",
        "has a country that is a placeholder or a nickname, such as Unspecified or EIRE; it counts as written",
        "have a country that is a placeholder or a nickname, such as Unspecified or EIRE; they count as written",
    ),
    "code_spelling": (
        "order line",
        "writes a product code in other letter case or without zeros in front; it counts as a product of its own, and "
        "source.product_code_case: upper makes those one that differ in case",
        "write a product code in other letter case or without zeros in front; they count as products of their own, and "
        "source.product_code_case: upper makes those one that differ in case",
    ),
    "unmatched_return": (
        "order line",
        "returns what its customer did not buy before in the lookback; it counts as a return",
        "return what their customer did not buy before in the lookback; they count as returns",
    ),
    "giant_cancellation": (
        "order",
        f"of {GIANT_UNITS:,} units or more of a product came back whole within a day; sale and return both count",
        f"of {GIANT_UNITS:,} units or more of a product came back whole within a day; sales and returns both count",
    ),
    "quick_cancellation": (
        "order line",
        "returns the whole of a line that was sold within an hour before; sale and return both count",
        "return the whole of lines that were sold within an hour before; sales and returns both count",
    ),
    "tiny_price": (
        "order line",
        "was sold at a price below 0.01; it counts as a sale",
        "were sold at prices below 0.01; they count as sales",
    ),
    "mixed_id": (
        "row",
        "has a customer id of the rarer of two forms, digits alone or with other characters; ids are text, and each "
        "counts as it is written",
        "have customer ids of the rarer of two forms, digits alone or with other characters; ids are text, and each "
        "counts as it is written",
    ),
    "unclear_id": (
        "row",
        "has an id or code that usually means no value, such as NULL, or an id with a quotation mark; it counts as an "
        "id until null_values lists it",
        "have ids or codes that usually mean no value, such as NULL, or ids with a quotation mark; they count as ids "
        "until null_values lists them",
    ),
    "crowded_id": (
        "customer",
        f"has more than {CROWDED_SHARE:.0%} of the order lines; an id such as 0 or 99999 that stands for guests "
        "belongs in null_values",
        f"have more than {CROWDED_SHARE:.0%} of the order lines each; ids such as 0 or 99999 that stand for guests "
        "belong in null_values",
    ),
    "several_instants": (
        "order",
        "has lines with different times; it counts as one order",
        "have lines with different times; each counts as one order",
    ),
    "returns_only": (
        "customer",
        "returned goods and bought none in the lookback; without a sale there is no segment",
        "returned goods and bought none in the lookback; without a sale there is no segment",
    ),
    "several_countries": (
        "customer",
        "has order lines of several countries; every line keeps its own",
        "have order lines of several countries; every line keeps its own",
    ),
    "blank_text": (
        "order line",
        "has no product text; it counts by its code",
        "have no product text; they count by their codes",
    ),
    "staff_note": (
        "order line",
        "at price zero and without a customer has a text in small letters, as notes of the staff are; it is neither an "
        "order nor money",
        "at price zero and without a customer have texts in small letters, as notes of the staff are; they are neither "
        "orders nor money",
    ),
    "several_texts": (
        "product code",
        "has several texts; it counts as one product",
        "have several texts; each counts as one product",
    ),
    "shared_text": (
        "product text",
        "stands for several product codes; each code counts as a product of its own",
        "stand for several product codes; each code counts as a product of its own",
    ),
    "misread_text": (
        "product text",
        "was read in a wrong encoding before it was delivered, as Ã© for é; it is taken as written",
        "were read in a wrong encoding before they were delivered, as Ã© for é; they are taken as written",
    ),
}
"""What can be found: code → the unit counted, and what to say of one and of several."""


def find_in_lines(connection: Connection, lines: str, products: str | None = None) -> tuple[Finding, ...]:
    """Find what order lines show about their source.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``silver/order_lines``. Lines outside of the population do not count.
    products : str or None
        SQL table expression with the ``product_id`` of the delivered products; absent when there are none.

    Returns
    -------
    tuple of Finding
        In the order of `FINDINGS`; what was not found is left out.

    Notes
    -----
    Product codes that differ in case and zeros in front alone are one code. Its spelling is the one of the products,
    else the one of most lines, among equals the longest. A return is unmatched when its customer has no earlier sale or
    free line of the code: returns of what was bought before the lookback are among them.
    A return within an hour of a sale is a quick cancellation of it unless the customer had bought as many units of the
    code before that hour and not yet returned them; returns of guests are none, since nobody knows whose they are.
    """
    known = f"(SELECT DISTINCT product_id FROM {products})" if products else "(SELECT NULL AS product_id WHERE false)"
    names = {"lines": lines, "products": known}
    row = _fetch(connection, LINES.format(**names))
    found = {name: row[name] for name in row if name in FINDINGS}
    names["rows"] = f"(SELECT customer_id FROM {lines} WHERE line_type <> 'excluded')"
    for sql in (CODES, UNMATCHED, CANCELLATIONS, IDS, INSTANTS, CUSTOMERS, *((TEXTS,) if row["has_texts"] else ())):
        found |= _fetch(connection, sql.format(**names))
    if not row["has_texts"]:
        del found["blank_text"]
    shares = f"({_percent(row['guest'], row['counted_lines'])} of the lines, "
    shares += f"{_percent(row['guest_amount'], row['counted_amount'])} of net money)"
    return tuple(
        _tell(code, int(found[code]), shares if code == "guest" else "") for code in FINDINGS if found.get(code)
    )


def find_in_ids(connection: Connection, rows: str) -> tuple[Finding, ...]:
    """Find customer ids of two forms, and texts that are none, in rows with a ``customer_id``."""
    found = {**_fetch(connection, IDS.format(rows=rows)), **_fetch(connection, UNCLEAR_IDS.format(rows=rows))}
    return tuple(_tell(code, int(found[code])) for code in FINDINGS if found.get(code))


def find_in_profiles(connection: Connection, rows: str, noun: str) -> tuple[Finding, ...]:
    """Find blank fields and broken texts in rows of a delivered table.

    Parameters
    ----------
    connection : Connection
    rows : str
        SQL table expression with the columns of the raw table.
    noun : str
        ``customers`` or ``products``.

    Returns
    -------
    tuple of Finding
        A column without any value was not delivered, and nothing is told of it.
    """
    columns = BLANK_TOLD_OF[noun]
    counts = ", ".join(f"count({quote_identifier(name)}) AS {quote_identifier(name)}" for name in columns)
    filled = _fetch(connection, f"SELECT count(*) AS row_count, {counts} FROM {rows}")
    blank = {name: filled["row_count"] - filled[name] for name in columns if filled[name]}
    found = [
        Finding(
            f"blank_{name}",
            count,
            f"{_counted(count, noun[:-1])} {'has' if count == 1 else 'have'} no {name}; it counts as not known.",
        )
        for name, count in blank.items()
        if count
    ]
    if noun == "customers":
        found += find_in_ids(connection, rows)
    if "product_name" in columns:
        is_misread = f"regexp_matches(product_name, {quote_text(MISREAD)})"
        (count,) = fetch_row(connection, f"SELECT count(*) FROM {rows} WHERE {is_misread}")
        found += [_tell("misread_text", count)] if count else []
    return tuple(found)


def count_repairs(connection: Connection, rows: str) -> dict[str, int]:
    """Count the changes that the column ``repairs`` of a raw table names, such as ``product_id:trimmed``, by name."""
    counted = connection.execute(
        f"SELECT repair, count(*) FROM (SELECT unnest(string_split(repairs, ' ')) AS repair FROM {rows} "
        "WHERE repairs IS NOT NULL) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {str(repair): int(count) for repair, count in counted}


def tell_repairs(counts: dict[str, int]) -> tuple[Finding, ...]:
    """Put counts of `count_repairs` into sentences.

    Examples
    --------
    >>> tell_repairs({"product_id:trimmed": 1})[0].sentence
    '1 value of product_id had blanks around it, which were removed.'
    """
    return tuple(
        Finding(repair, count, f"{_counted(count, 'value')} of {column} {REPAIRS[kind][int(count != 1)]}.")
        for repair, count in counts.items()
        for column, kind in (repair.split(":"),)
    )


def _tell(code: str, count: int, details: str = "") -> Finding:
    unit, one, many = FINDINGS[code]
    subject = f"{_counted(count, unit)} {details}".rstrip()
    return Finding(code, count, f"{subject} {one if count == 1 else many}.")


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def _percent(part: float | None, whole: float | None) -> str:
    return f"{float(part or 0) / float(whole):.1%}" if whole else "no share"


def _fetch(connection: Connection, sql: str) -> dict[str, Any]:
    """Return the only row of a query by column."""
    result = connection.execute(sql)
    names = [str(column[0]) for column in result.description]
    (row,) = result.fetchall()
    return dict(zip(names, row, strict=True))
