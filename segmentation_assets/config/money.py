"""The settings of money: VAT, and the exchange of currencies."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from segmentation_assets.config.section import Section
from segmentation_assets.config.source import AdvisedError, UnmappedColumnError
from segmentation_assets.config.synthetic import Month

LARGEST_RATE = 100_000
"""What one unit of a currency may be worth in another."""


def _check_currency(code: str) -> str:
    """Write currency codes as the order lines have them: trimmed, in capitals."""
    plain = code.strip().upper()
    if not plain:
        raise ValueError("a currency is empty; write for example GBP")
    return plain


Share = Annotated[float, Field(ge=0, lt=1)]


class VatRule(Section):
    """A VAT rate for a country, a department or a class; all that are given must hold."""

    country: str | None = Field(None, min_length=1, description="country of the order line")
    department: str | None = Field(None, min_length=1, description="department of the product")
    product_class: str | None = Field(None, min_length=1, description="class of the product")
    rate: Share = Field(description="VAT rate as a share, such as 0.07")

    @model_validator(mode="after")
    def _check_condition(self) -> "VatRule":
        if not self.conditions:
            raise AdvisedError(
                "a VAT rate needs a country, department or product_class", "the rate of all others is money.vat.rate."
            )
        return self

    @property
    def conditions(self) -> dict[str, str]:
        """Condition to the value it asks for."""
        found = {"country": self.country, "department": self.department, "product_class": self.product_class}
        return {name: value for name, value in found.items() if value is not None}


class VatSettings(Section):
    """Whether prices hold VAT, and which amounts are analysed."""

    prices: Literal["not_said", "include", "exclude"] = Field(
        "not_said", description="whether delivered unit prices include VAT; cost prices never do"
    )
    analyse: Literal["as_delivered", "net", "gross"] = Field(
        "as_delivered", description="amounts that are analysed: as delivered, without VAT, or with it"
    )
    rate: Share | None = Field(None, description="VAT rate as a share, such as 0.19, where no other one holds")
    rates: tuple[VatRule, ...] = Field((), description="rates by country, department, class; the first that fits holds")
    delivered_rates: Literal["percent", "share"] = Field(
        "percent", description="how the delivered column vat_rate is written: 19 (percent) or 0.19 (share)"
    )

    @model_validator(mode="after")
    def _check_prices(self) -> "VatSettings":
        if self.analyse != "as_delivered" and self.prices == "not_said":
            raise ValueError(f"analyse '{self.analyse}' needs prices to be include or exclude")
        if self.prices == "not_said" and (self.rate is not None or self.rates):
            raise ValueError("a VAT rate does nothing while prices is not_said; write include or exclude")
        return self

    @property
    def changes_amounts(self) -> bool:
        """Whether the analysed amounts are others than the delivered ones."""
        return (self.prices, self.analyse) in {("include", "net"), ("exclude", "gross")}

    @property
    def reads_products(self) -> bool:
        """Whether a rate depends on the product."""
        return any(rule.department or rule.product_class for rule in self.rates)


class ExchangeRateSetting(Section):
    """What one unit of a currency is worth in the reporting currency, from a day on or in a month."""

    currency: Annotated[str, AfterValidator(_check_currency)] = Field(description="currency of order lines")
    month: Month | None = Field(None, description="month in which the rate holds, YYYY-MM")
    valid_from: str | None = Field(
        None, description="day from which the rate holds, YYYY-MM-DD, until the next one of the currency"
    )
    rate: float = Field(
        gt=0, le=LARGEST_RATE, description="worth of one unit in the reporting currency; ten decimals count"
    )


class ExchangeSettings(Section):
    """Rates by which amounts in other currencies become amounts in the reporting currency, `currency`."""

    rates: tuple[ExchangeRateSetting, ...] = Field((), description="the rates, unless there is a file")
    file: Path | None = Field(
        None, description="CSV with currency, rate, and month (YYYY-MM) or valid_from (YYYY-MM-DD); instead of rates"
    )

    @model_validator(mode="after")
    def _check_one(self) -> "ExchangeSettings":
        if self.rates and self.file:
            raise ValueError("rates and file are both given; keep one of them")
        return self

    @property
    def is_given(self) -> bool:
        """Whether there are any rates."""
        return bool(self.rates or self.file)


class MoneySettings(Section):
    """Which amounts are analysed. Delivered money stays as it is in the raw layer."""

    vat: VatSettings = VatSettings()
    exchange: ExchangeSettings = ExchangeSettings()

    def check_columns(self, order_lines: Collection[str], products: Collection[str] | None) -> None:
        """Raise a ValueError when the settings need a column that no table of the source maps, or no rate is given."""
        if self.exchange.is_given and "currency" not in order_lines:
            raise UnmappedColumnError("money.exchange needs currency in source.order_lines.columns", order_lines)
        named = {name for rule in self.vat.rates for name in rule.conditions}
        if "country" in named and "country" not in order_lines:
            raise UnmappedColumnError(
                "money.vat.rates by country need country in source.order_lines.columns", order_lines
            )
        if self.vat.reads_products and products is None:
            raise UnmappedColumnError("money.vat.rates by department or product_class need source.products", None)
        if "product_class" in named and "class" not in (products or ()):
            raise UnmappedColumnError(
                "money.vat.rates by product_class need class in source.products.columns", products
            )
        has_rate = self.vat.rate is not None or self.vat.rates or "vat_rate" in order_lines
        needs_rate = self.vat.changes_amounts or (self.vat.prices == "include" and "cost_price" in order_lines)
        if needs_rate and not has_rate:
            raise UnmappedColumnError(
                "money.vat needs rate, rates or a mapped column vat_rate to take VAT off or put it on"
                + ("" if self.vat.changes_amounts else "; the margin is net of VAT"),
                order_lines,
            )
