"""Entries of the settings that no order line calls for: of the crosswalk, the VAT rules, the exchange rates.

They are no error, as a list may be kept for other months or markets; a misspelt one shows here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from segmentation_assets.config.money import VatRule
from segmentation_assets.errors import noun
from segmentation_assets.ingestion.crosswalk import unused_entries_sql
from segmentation_assets.ingestion.money import rule_condition
from segmentation_assets.storage.engine import Connection, fetch_row, quote_text

_NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Unused:
    """Entries of one setting that no order line calls for.

    Parameters
    ----------
    setting : str
        Dotted name of the setting.
    count : int
    words : str
        What they are, beginning with the noun that follows the count, with the first ones by name.
    """

    setting: str
    count: int
    words: str


def find_unused_entries(connection: Connection, lines: str, crosswalk: str) -> list[Unused]:
    """Find the crosswalk entries that hold on a day of the order lines, and whose delivered id no line has.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``raw/order_lines``.
    crosswalk : str
        SQL table expression with the columns of ``source/crosswalk``.

    Returns
    -------
    list of Unused
        One, or none where every entry is called for.
    """
    entries = unused_entries_sql(crosswalk, lines)
    (count,) = fetch_row(connection, f"SELECT count(*) FROM {entries}")
    first = connection.execute(
        f"SELECT DISTINCT delivered_id FROM {entries} ORDER BY ALL LIMIT {_NAMED_AT_MOST}"
    ).fetchall()
    return _unused("population.crosswalk", count, ("entry", "entries"), (f"'{name}'" for (name,) in first))


def find_unused_rules(
    connection: Connection, lines: str, products: str | None, rules: tuple[VatRule, ...]
) -> list[Unused]:
    """Find the VAT rules that name a country, department or class, or a combination, that no order line has.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``raw/order_lines``.
    products : str or None
        SQL table expression with the columns of ``raw/products``, where a rule names a department or class.
    rules : tuple of VatRule

    Returns
    -------
    list of Unused
        One, or none where every rule fits a line. A rule that always comes after another fits all the same.
    """
    if not rules:
        return []
    joined = f" LEFT JOIN {products} AS product ON product.product_id = line.product_id" if products else ""
    fitting = ", ".join(f"coalesce(bool_or({rule_condition(rule)}), false)" for rule in rules)
    fits = fetch_row(connection, f"SELECT {fitting} FROM {lines} AS line{joined}")
    names = [_rule_name(rule) for rule, is_used in zip(rules, fits, strict=True) if not is_used]
    return _unused("money.vat.rates", len(names), ("VAT rate", "VAT rates"), names)


def find_unused_currencies(connection: Connection, lines: str, currencies: Iterable[str]) -> list[Unused]:
    """Find the currencies that have an exchange rate and no order line.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``raw/order_lines``.
    currencies : iterable of str
        Currencies with a rate.

    Returns
    -------
    list of Unused
        One, or none where every currency occurs.
    """
    found = connection.execute(f"SELECT DISTINCT currency FROM {lines}").fetchall()
    names = sorted(set(currencies) - {code for (code,) in found})
    return _unused("money.exchange", len(names), ("currency", "currencies"), names)


def _rule_name(rule: VatRule) -> str:
    return " and ".join(f"{name} {quote_text(value)}" for name, value in rule.conditions.items())


def _unused(setting: str, count: int, nouns: tuple[str, str], first: Iterable[str]) -> list[Unused]:
    """Say which entries they are; nothing where there is none."""
    if not count:
        return []
    names = list(first)
    named = "; ".join(names[:_NAMED_AT_MOST])
    more = ", among them" if count > min(len(names), _NAMED_AT_MOST) else ":"
    fits = f"{noun(count, *nouns)} of {setting} {noun(count, 'fits', 'fit')}"
    return [Unused(setting, count, f"{fits} no order line in the lookback{more} {named}")]
