"""SQL that turns delivered money into the amounts that are analysed: VAT taken off or put on, currencies exchanged.

Amounts are whole ten-thousandths while they are computed. An amount is divided once, at the end, and rounded half away
from zero to four decimals, line by line, so that a sale and its full return still cancel out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from segmentation_assets.config.money import VatRule, VatSettings
from segmentation_assets.errors import DataError, noun, plural
from segmentation_assets.ingestion.exchange_rates import RATE_DECIMALS, ExchangeRate
from segmentation_assets.storage.engine import Connection, fetch_row, quote_text

AMOUNT = "DECIMAL(18,4)"
_NO_VAT = VatSettings()
_LINE_RATES = "line_exchange_rates"
_ONE_RATE = 10**RATE_DECIMALS
_ONE_VAT = 1_000_000
_AMOUNT_SCALE = 10_000
_LISTED_AT_MOST = 5
_RULE_COLUMNS = {"country": "line.country", "department": "product.department", "product_class": 'product."class"'}
_SPANS = (
    "SELECT CAST(currency AS VARCHAR) AS currency, CAST(CAST(valid_from AS VARCHAR) AS DATE) AS valid_from, "
    "CAST(CAST(valid_until AS VARCHAR) AS DATE) AS valid_until, CAST(exchange_units AS BIGINT) AS exchange_units "
    "FROM rate_spans"
)
"""SQL of the spans of a registered frame; one without rows has columns of any type."""


@dataclass(frozen=True)
class Conversion:
    """How delivered money becomes analysed money.

    Parameters
    ----------
    currency : str
        The reporting currency.
    vat : VatSettings
    rates : str or None
        SQL table expression with ``currency``, ``day`` and ``exchange_units``, ten-thousand-millionths of the reporting
        currency per unit, null where no rate is known; a row per pair that occurs. None when all lines are in the
        reporting currency.
    products : str or None
        SQL table expression with the columns of ``raw/products``; needed for rates by department or class.
    """

    currency: str = ""
    vat: VatSettings = _NO_VAT
    rates: str | None = None
    products: str | None = None

    @property
    def changes_amounts(self) -> bool:
        """Whether analysed amounts are others than the delivered ones."""
        return self.rates is not None or self.vat.changes_amounts

    @property
    def reads_vat(self) -> bool:
        """Whether the VAT rate of a line is needed, for amounts or for a margin net of VAT."""
        return self.vat.changes_amounts or self.vat.prices == "include"


AS_DELIVERED = Conversion()
"""One currency, and amounts as they come."""


def priced_lines(relation: str, conversion: Conversion) -> str:
    """Make the SQL table expression of order lines with the rates that hold for each.

    Parameters
    ----------
    relation : str
        SQL table expression with the columns of ``raw/order_lines``.
    conversion : Conversion

    Returns
    -------
    str
        The same rows and columns, and, as far as they are needed, ``exchange_units`` and ``vat_units`` (millionths);
        null where there is no rate.
    """
    added, joins = [], ""
    if conversion.rates is not None:
        is_own = f"coalesce(line.currency, {quote_text(conversion.currency)}) = {quote_text(conversion.currency)}"
        added.append(f"CASE WHEN {is_own} THEN {_ONE_RATE} ELSE fx.exchange_units END AS exchange_units")
        joins += (
            f" LEFT JOIN {conversion.rates} AS fx ON fx.currency = line.currency "
            "AND fx.day = CAST(line.order_at AS DATE)"
        )
    if conversion.reads_vat:
        added.append(f"{_vat_units(conversion.vat)} AS vat_units")
        if conversion.vat.reads_products:
            joins += f" LEFT JOIN {conversion.products} AS product ON product.product_id = line.product_id"
    return f"(SELECT line.*, {', '.join(added)} FROM {relation} AS line{joins})" if added else relation


def amount_sql(conversion: Conversion) -> str:
    """Make the SQL of the analysed amount of a line of `priced_lines`; null where a rate is missing."""
    if not conversion.changes_amounts:
        return f"CAST(CAST(quantity AS DECIMAL(18,0)) * unit_price AS {AMOUNT})"
    return _times("unit_price", _amount_factors(conversion))


def factors_sql(conversion: Conversion) -> tuple[str, str]:
    """Make the SQL of the two whole numbers whose quotient turns delivered money into the analysed amount."""
    return _product(_amount_factors(conversion))


def cost_amount_sql(conversion: Conversion) -> str:
    """Make the SQL of what a line cost the shop; null where the cost or a rate is not known."""
    return _times("cost_price", _exchange_factor(conversion))


def net_amount_sql(conversion: Conversion) -> str:
    """Make the SQL of the amount that the margin is of: without VAT where the settings say what prices include."""
    vat = _vat_factor("include") if conversion.vat.prices == "include" else []
    return _times("unit_price", [*_exchange_factor(conversion), *vat])


_Factor = tuple[str, str]
"""SQL of the numerator and of the denominator, whole numbers."""


def _amount_factors(conversion: Conversion) -> list[_Factor]:
    vat = _vat_factor(conversion.vat.prices) if conversion.vat.changes_amounts else []
    return [*_exchange_factor(conversion), *vat]


def _product(factors: Sequence[_Factor]) -> tuple[str, str]:
    above, below = (" * ".join(f"CAST({part} AS HUGEINT)" for part in parts) for parts in zip(*factors, strict=True))
    return above, below


def _exchange_factor(conversion: Conversion) -> list[_Factor]:
    return [] if conversion.rates is None else [("exchange_units", str(_ONE_RATE))]


def _vat_factor(prices: str) -> list[_Factor]:
    """Take VAT off prices that include it, put it on those that do not."""
    with_vat, without = f"({_ONE_VAT} + vat_units)", str(_ONE_VAT)
    by_prices: dict[str, list[_Factor]] = {"include": [(without, with_vat)], "exclude": [(with_vat, without)]}
    return by_prices.get(prices, [])


def _times(price: str, factors: Sequence[_Factor]) -> str:
    """Multiply quantity, price and factors in whole numbers of 128 bits, and round once; null beyond a real amount."""
    if not factors:
        return f"TRY_CAST(CAST(quantity AS DECIMAL(19,0)) * {price} AS {AMOUNT})"
    above, below = _product(factors)
    units = f"CAST(quantity AS HUGEINT) * CAST(CAST({price} AS DECIMAL(23,4)) * {_AMOUNT_SCALE} AS HUGEINT)"
    whole = f"(2 * abs({units} * {above}) + ({below})) // (2 * ({below}))"
    signed = f"sign(quantity) * sign({price}) * ({whole})"
    return f"TRY_CAST(TRY_CAST({signed} AS DECIMAL(22,0)) * 0.0001 AS {AMOUNT})"


def _vat_units(vat: VatSettings) -> str:
    """Make the SQL of a line's VAT rate: the delivered one, else that of the first rule that fits, else `rate`."""
    scale = {"percent": _ONE_VAT // 100, "share": _ONE_VAT}[vat.delivered_rates]
    branches = "".join(f" WHEN {rule_condition(rule)} THEN {_whole_vat(rule.rate)}" for rule in vat.rates)
    rest = "NULL" if vat.rate is None else str(_whole_vat(vat.rate))
    return f"CASE WHEN line.vat_rate IS NOT NULL THEN CAST(line.vat_rate * {scale} AS BIGINT){branches} ELSE {rest} END"


def rule_condition(rule: VatRule) -> str:
    """Make the SQL condition of a VAT rule on a ``line`` and its ``product``, whatever the letter case."""
    return " AND ".join(
        f"lower({_RULE_COLUMNS[name]}) = lower({quote_text(value)})" for name, value in rule.conditions.items()
    )


def _whole_vat(rate: float) -> int:
    return round(Decimal(repr(rate)) * _ONE_VAT)


def find_line_rates(connection: Connection, lines: str, currency: str, rates: Sequence[ExchangeRate]) -> str | None:
    """Note the rate of every pair of foreign currency and day that occurs, in a temporary table.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``raw/order_lines``, of all months.
    currency : str
        The reporting currency; lines without a code count as in it.
    rates : sequence of ExchangeRate

    Returns
    -------
    str or None
        Name of the table, for `Conversion`; None when all lines are in the reporting currency.
    """
    import pandas as pd

    spans = pd.DataFrame(
        [(rate.currency, rate.valid_from, rate.valid_until, int(rate.rate * _ONE_RATE)) for rate in rates],
        columns=["currency", "valid_from", "valid_until", "exchange_units"],
    ).astype({"currency": "object"})
    spans[["valid_from", "valid_until"]] = spans[["valid_from", "valid_until"]].astype("str")
    connection.register("rate_spans", spans)
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_LINE_RATES} AS SELECT used.currency, used.day, "
            "CASE WHEN used.day < span.valid_until THEN span.exchange_units END AS exchange_units FROM "
            f"(SELECT DISTINCT currency, CAST(order_at AS DATE) AS day FROM {lines} "
            f"WHERE currency <> {quote_text(currency)}) AS used ASOF LEFT JOIN ({_SPANS}) AS span "
            "ON span.currency = used.currency AND used.day >= span.valid_from"
        )
    finally:
        connection.unregister("rate_spans")
    (count,) = fetch_row(connection, f"SELECT count(*) FROM {_LINE_RATES}")
    return _LINE_RATES if count else None


def require_rates(connection: Connection, classified: str, conversion: Conversion, *, has_rates: bool) -> None:
    """Refuse lines that count and whose money cannot be converted.

    Parameters
    ----------
    connection : Connection
    classified : str
        SQL table expression with the columns of ``silver/order_lines``.
    conversion : Conversion
    has_rates : bool
        Whether the settings give any exchange rates.

    Raises
    ------
    DataError
        A delivered VAT rate is no rate, or an exchange rate or VAT rate is missing; names the first file, row, value.
    """
    if conversion.reads_vat:
        _check_delivered_rates(connection, classified, conversion.vat)
    if not (conversion.changes_amounts or conversion.reads_vat):
        return
    missing = (
        f"(SELECT * FROM {classified} WHERE line_type <> 'excluded' "
        "AND (amount IS NULL OR (margin_amount IS NULL AND cost_price IS NOT NULL)))"
    )
    if connection.execute(f"SELECT 1 FROM {missing} LIMIT 1").fetchall():
        _refuse_missing(connection, missing, conversion, has_rates=has_rates)


def _refuse_missing(connection: Connection, missing: str, conversion: Conversion, *, has_rates: bool) -> None:
    """Say why the first line that cannot be converted cannot, and how many are so for the same reason."""
    lacks_exchange = "false" if conversion.rates is None else "exchange_units IS NULL"
    lacks_vat = "vat_units IS NULL" if conversion.reads_vat else "false"
    cause = f"CASE WHEN {lacks_exchange} THEN 'exchange' WHEN {lacks_vat} THEN 'vat' ELSE 'size' END"
    compared = {name: _RULE_COLUMNS[name] for rule in conversion.vat.rates for name in rule.conditions}
    values = "".join(f", {column}" for column in compared.values())
    product = f" LEFT JOIN {conversion.products} AS product USING (product_id)" if conversion.vat.reads_products else ""
    cause, count, file, row, day, currency, size, *found = fetch_row(
        connection,
        f"SELECT {cause} AS cause, count(*) OVER (PARTITION BY cause), source_file, source_row, "
        "CAST(order_at AS DATE), currency, quantity || ' times ' || "
        "CASE WHEN amount IS NULL THEN 'unit_price ' || unit_price ELSE 'cost_price ' || cost_price END"
        f"{values} FROM {priced_lines(missing, conversion)} AS line{product} ORDER BY source_file, source_row LIMIT 1",
    )
    first = f"the first is {file}, row {row}, of {day}"
    if cause == "exchange":
        _raise_missing(connection, missing, conversion.currency, f"{first}: currency '{currency}'", has_rates=has_rates)
    counted = f"{plural(count, 'order line')} {noun(count, 'has', 'have')}"
    if cause == "vat":
        described = ", ".join(f"{name} {_shown(value)}" for name, value in zip(compared, found, strict=True))
        raise DataError(
            f"{counted} no VAT rate that fits; {first}: no vat_rate{', ' if described else ''}{described}",
            "set money.vat.rate for lines that none of money.vat.rates fits and that deliver no vat_rate.",
        )
    raise DataError(
        f"{counted} an amount too large to convert; {first}: quantity {size}",
        "correct quantity or price in the file, or the rate in money.exchange.",
    )


def _shown(value: str | None) -> str:
    return "none" if value is None else f"'{value}'"


def _raise_missing(connection: Connection, missing: str, currency: str, first: str, *, has_rates: bool) -> None:
    counted = connection.execute(
        f"SELECT currency, count(*) AS line_count FROM {missing} GROUP BY currency ORDER BY line_count DESC, currency"
    ).fetchall()
    shown = ", ".join(f"{count} in {code}" for code, count in counted[:_LISTED_AT_MOST])
    if has_rates:
        raise DataError(
            f"order lines in another currency than {currency} have no exchange rate on their day ({shown}); {first}",
            "add the rate of that month or day to money.exchange.",
        )
    raise DataError(
        f"order lines are in other currencies than currency {currency} ({shown}), and there are no exchange rates; "
        f"{first}",
        "give the rates in money.exchange (rates or file), or keep one market by population, or set currency to that "
        "of all lines.",
    )


def _check_delivered_rates(connection: Connection, classified: str, vat: VatSettings) -> None:
    """Refuse percents where shares are told, and the other way round."""
    is_rate = {"percent": "vat_rate = 0 OR vat_rate BETWEEN 1 AND 99", "share": "vat_rate >= 0 AND vat_rate < 1"}
    found = connection.execute(
        f"SELECT source_file, source_row, vat_rate FROM {classified} WHERE vat_rate IS NOT NULL AND NOT "
        f"({is_rate[vat.delivered_rates]}) ORDER BY source_file, source_row LIMIT 1"
    ).fetchall()
    for file, row, value in found:
        raise DataError(
            f"{file}, row {row}, column vat_rate: {value.normalize():f} is no VAT rate as {vat.delivered_rates}",
            "set money.vat.delivered_rates to percent (19) or share (0.19), as the file has it.",
        )


def describe_money(currency: str, vat: VatSettings, *, is_exchanged: bool) -> str:
    """Say in words which amounts are analysed.

    Parameters
    ----------
    currency : str
        The reporting currency.
    vat : VatSettings
    is_exchanged : bool
        Whether some lines come in other currencies.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_money("EUR", VatSettings(), is_exchanged=False)
    'Amounts are in EUR, as delivered; whether they include VAT is not said'
    """
    delivered = {
        "not_said": "whether they include VAT is not said",
        "include": "they include VAT",
        "exclude": "they do not include VAT",
    }[vat.prices]
    analysed = {"net": "net of VAT", "gross": "gross, VAT included"}.get(vat.analyse, "")
    exchanged = "; other currencies converted by the rate of the day" if is_exchanged else ""
    how = analysed if vat.changes_amounts else f"as delivered; {delivered}"
    return f"Amounts are in {currency}, {how}{exchanged}"
