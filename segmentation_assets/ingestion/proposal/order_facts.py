"""What a sample of order lines tells about returns, book-keeping entries and codes that are no products."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from segmentation_assets.errors import plural
from segmentation_assets.ingestion.proposal.matching import TableMatch
from segmentation_assets.ingestion.proposal.numbers import to_number
from segmentation_assets.ingestion.proposal.sample import Finding, shown

_FEE_CODES = (
    "post|postage|dot|carriage|c2|m|manual|d|disc|discount|s|samples|sample|b|bad|bank|amazonfee|cruk|pads|adjust|"
    "adjustment|test|gift|voucher|giftcard|shipping|ship|freight|delivery|handling|fee|fees|service|porto|versand|"
    "versandkosten|fracht|rabatt|gutschein|pfand|frais|port|livraison|remise|gastos|envio|descuento|verzendkosten|"
    "korting|deposit|tip|donation|rounding|wrapping"
)
FEE_CODES = frozenset(_FEE_CODES.split("|"))
FEE_TEXT = re.compile(
    r"\b(postage|carriage|shipping|freight|delivery (fee|cost|charge)\w*|discount|manual|samples?|bank charges|fees?|"
    r"commission|voucher|gift ?card|adjust\w*|bad debt|versand\w*|porto|rabatt\w*|gutschein\w*|frais de port|livraison|"
    r"remise|gastos de env[ií]o|descuento|verzendkosten|korting)\b",
    re.IGNORECASE,
)
_MOST_CODES = 40
_LEAST_WITH_DIGITS = 0.9
_LEAST_NEGATIVE = 0.9
_MOST_SALES = 0.01


@dataclass(frozen=True)
class SampledLine:
    """The values of one sampled order line that say what kind of line it is."""

    order_id: str
    product_id: str
    product_name: str
    quantity: float
    unit_price: float


@dataclass(frozen=True)
class CodeGuess:
    """A product code that may be none.

    Parameters
    ----------
    code : str
    reason : str
        What it is called and how often it was seen.
    is_likely : bool
        Whether the code or its text names a fee or the like; else it only looks unlike the other codes.
    """

    code: str
    reason: str
    is_likely: bool


def sampled_lines(match: TableMatch, decimal: str) -> tuple[SampledLine, ...]:
    """Return the sampled order lines whose quantity and price can be read.

    Parameters
    ----------
    match : TableMatch
        Of order lines.
    decimal : str
        Decimal mark of numbers written as text.

    Returns
    -------
    tuple of SampledLine
        Without the lines whose quantity is no number; what is not mapped is empty text, a price that is none 0.
    """
    columns = {
        name: match.column(name) for name in ("order_id", "product_id", "product_name", "quantity", "unit_price")
    }
    quantity = columns["quantity"]
    if quantity is None:
        return ()
    by_name = {name: column.values if column else ("",) * len(quantity.values) for name, column in columns.items()}
    marks = {name: decimal if column and column.is_text else "." for name, column in columns.items()}
    rows = zip(*(by_name[name] for name in columns), strict=True)
    return tuple(
        SampledLine(order or "", product or "", text or "", number, to_number(price or "", marks["unit_price"]) or 0.0)
        for order, product, text, units, price in rows
        if (number := to_number(units or "", marks["quantity"])) is not None
    )


def find_cancellation_prefix(lines: tuple[SampledLine, ...]) -> Finding[str]:
    """Find the letters that start the order ids of cancellations.

    Parameters
    ----------
    lines : tuple of SampledLine

    Returns
    -------
    Finding of str
        Empty text where every negative quantity is a return; always with a doubt, as a sample shows a custom and not
        a rule.
    """
    negative = [line for line in lines if line.quantity < 0]
    if not negative:
        return Finding("", "no quantity of the sample is negative; else rule prefix with the start of such order ids")
    starts = Counter(_letters(line.order_id) for line in negative)
    sales = Counter(_letters(line.order_id) for line in lines if line.quantity > 0)
    for prefix, count in starts.most_common():
        is_rare = sales[prefix] <= _MOST_SALES * max(sum(sales.values()), 1)
        if prefix and is_rare and count >= _LEAST_NEGATIVE * (count + sales[prefix]):
            return Finding(prefix, _prefix_doubt(prefix, count, negative))
    return Finding(
        "", f"{len(negative):,} of {len(lines):,} sampled quantities are negative, with order ids like sales"
    )


def find_adjustment_prefixes(lines: tuple[SampledLine, ...], cancellation: str) -> tuple[Finding[str], ...]:
    """Find the letters that start the few order ids of book-keeping entries with a negative price."""
    starts = Counter(_letters(line.order_id) for line in lines if line.unit_price < 0)
    common = Counter(_letters(line.order_id) for line in lines)
    return tuple(
        Finding(prefix, f"starts the order id of {plural(count, 'sampled line')} with a negative price")
        for prefix, count in sorted(starts.items())
        if prefix and prefix != cancellation and common[prefix] <= _MOST_SALES * len(lines)
    )


def find_non_products(lines: tuple[SampledLine, ...]) -> tuple[CodeGuess, ...]:
    """List the product codes of a sample that name a fee or the like, or look unlike nearly all others.

    Parameters
    ----------
    lines : tuple of SampledLine

    Returns
    -------
    tuple of CodeGuess
        The likely ones first, by number of lines; at most 40.
    """
    counts = Counter(line.product_id for line in lines if line.product_id)
    texts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        texts[line.product_id][line.product_name] += 1
    called_by = {code: texts[code].most_common(1)[0][0] for code in counts}
    fees = {code for code, text in called_by.items() if _names_a_fee(code, text)}
    others = [count for code, count in counts.items() if code not in fees]
    with_digits = [count for code, count in counts.items() if code not in fees and _has_digit(code)]
    is_odd_without = sum(with_digits) >= _LEAST_WITH_DIGITS * sum(others) > 0
    guesses = []
    for code, count in counts.most_common():
        likely, text = is_odd_without and code in fees, called_by[code]
        if likely or (is_odd_without and not _has_digit(code)):
            called = f"{shown(text)}, " if text else ""
            guesses.append(CodeGuess(code, f"{called}{count:,} sampled {'line' if count == 1 else 'lines'}", likely))
    return tuple(sorted(guesses, key=lambda guess: not guess.is_likely)[:_MOST_CODES])


def _names_a_fee(code: str, text: str) -> bool:
    """Whether a code, or its first word, is a known one, or a code of letters has a text that names a fee."""
    lower = code.casefold()
    word = re.match(r"[a-z]{3,}", lower)
    is_known = lower in FEE_CODES or (word is not None and word[0] in FEE_CODES)
    is_word = sum(character.isalpha() for character in code) * 2 > len(code)
    return is_known or (is_word and FEE_TEXT.search(text) is not None)


def _letters(text: str) -> str:
    """Return the letters at the start of a text that goes on with something else, or is nothing but letters."""
    found = re.match(r"[^\W\d_]+", text)
    return found[0] if found else ""


def _has_digit(code: str) -> bool:
    return any(character.isdigit() for character in code)


def _prefix_doubt(prefix: str, count: int, negative: list[SampledLine]) -> str:
    doubt = f"starts the order id of {plural(count, 'sampled line')} with a negative quantity"
    rest = len(negative) - count
    return doubt + (f"; {rest:,} negative ones without it would be write-offs and not returns" if rest else "")
