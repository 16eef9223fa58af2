"""What the money of order lines is converted by: exchange rates and VAT, looked up and checked."""

from __future__ import annotations

from collections.abc import Sequence

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.exchange_rates import ExchangeRate
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.ingestion.money import Conversion, find_line_rates, require_rates
from segmentation_assets.storage.store import WHOLE


def has_currencies(settings: Settings) -> bool:
    """Whether delivered order lines say which currency they are in."""
    mapping = effective_source(settings).order_lines
    return mapping is not None and "currency" in mapping.columns


def find_conversion(
    tables: StoredTables, lines: str, accounts: str | None, given: Sequence[ExchangeRate]
) -> Conversion:
    """Find the exchange rates and VAT rates of order lines, and stop where one is missing.

    Parameters
    ----------
    tables : StoredTables
    lines : str
        SQL of raw order lines, under the customers they count for.
    accounts : str or None
        As `classified_lines_sql` takes it.
    given : sequence of ExchangeRate
        Those of the settings.

    Returns
    -------
    Conversion

    Raises
    ------
    DataError
        A line has no rate.
    """
    settings = tables.platform.settings
    source, connection = effective_source(settings), tables.connection
    rates = find_line_rates(connection, lines, settings.currency, given) if has_currencies(settings) else None
    products = tables.slices_relation("raw/products", [WHOLE]) if settings.money.vat.reads_products else None
    conversion = Conversion(settings.currency, settings.money.vat, rates, products)
    classified = classified_lines_sql(lines, source, settings.population, accounts, conversion)
    require_rates(connection, f"({classified})", conversion, has_rates=bool(given))
    return conversion
