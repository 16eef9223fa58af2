"""What the money of the order lines is converted by in a step: looked up, checked, noted as an input and shown."""

from __future__ import annotations

from segmentation_assets.graph.snapshots import RATE_CURRENCIES
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.exchange_rates import read_exchange_rates
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.ingestion.money import Conversion, describe_money, find_line_rates, require_rates
from segmentation_assets.orchestration.step import Step
from segmentation_assets.storage.engine import content_hash, fetch_row
from segmentation_assets.storage.store import WHOLE


def find_conversion(step: Step, lines: str, accounts: str | None) -> Conversion:
    """Find the exchange rates and VAT rates of all months, and stop where one is missing.

    Parameters
    ----------
    step : Step
        The step of ``silver/order_lines``.
    lines : str
        SQL of the raw order lines of all months, under the customers they count for.
    accounts : str or None
        As `classified_lines_sql` takes it.

    Returns
    -------
    Conversion
    """
    settings = step.platform.settings
    source = effective_source(settings)
    given = read_exchange_rates(settings.money.exchange)
    has_codes = source.order_lines is not None and "currency" in source.order_lines.columns
    rates = find_line_rates(step.connection, lines, settings.currency, given) if has_codes else None
    reads_products = any(item.key == "raw/products" for item in step.node.inputs)
    products = step.slices_relation("raw/products", [WHOLE]) if reads_products else None
    conversion = Conversion(settings.currency, settings.money.vat, rates, products)
    classified = classified_lines_sql(lines, source, settings.population, accounts, conversion)
    require_rates(step.connection, f"({classified})", conversion, has_rates=bool(given))
    step.metadata |= {
        "amounts": describe_money(settings.currency, settings.money.vat, is_exchanged=rates is not None),
        RATE_CURRENCIES: sorted({rate.currency for rate in given}),
    }
    if has_codes:
        (without,) = fetch_row(step.connection, f"SELECT count(*) - count(currency) FROM {lines}")
        step.metadata |= {"lines_without_currency": without}
    return conversion


def conversion_inputs(step: Step, conversion: Conversion, month: str) -> dict[str, str]:
    """Hashes of what the lines of a month are converted by, so that a changed rate makes only its months again."""
    inputs = {}
    if conversion.rates is not None:
        used = f"(SELECT * FROM {conversion.rates} WHERE strftime(day, '%Y-%m-01') = '{month}')"
        inputs["exchange_rates"], _ = content_hash(step.connection, used)
    if conversion.products is not None:
        classes = f'(SELECT product_id, department, "class" FROM {conversion.products})'
        inputs["product_classes"], _ = content_hash(step.connection, classes)
    return inputs
