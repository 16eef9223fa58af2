"""What the money of the order lines is converted by in a step: looked up, checked, noted as an input and shown."""

from __future__ import annotations

from segmentation_assets.graph.snapshots import RATE_CURRENCIES
from segmentation_assets.ingestion.exchange_rates import read_exchange_rates
from segmentation_assets.ingestion.money import Conversion, describe_money
from segmentation_assets.orchestration.step import Step
from segmentation_assets.serving.conversion import find_conversion, has_currencies
from segmentation_assets.storage.engine import content_hash, fetch_row


def find_noted_conversion(step: Step, lines: str, accounts: str | None) -> Conversion:
    """Find what the order lines of all months are converted by, and show it with the asset.

    Parameters
    ----------
    step : Step
        The step of ``silver/order_lines``.
    lines, accounts : str
        As `find_conversion` takes them.
    """
    settings = step.platform.settings
    given = read_exchange_rates(settings.money.exchange)
    conversion = find_conversion(step, lines, accounts, given)
    step.metadata |= {
        "amounts": describe_money(settings.currency, settings.money.vat, is_exchanged=conversion.rates is not None),
        RATE_CURRENCIES: sorted({rate.currency for rate in given}),
    }
    if has_currencies(settings):
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
