"""Money settings that contradict each other or the mapped columns are refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.money import ExchangeRateSetting, ExchangeSettings, MoneySettings, VatRule, VatSettings
from segmentation_assets.errors import SettingsError

RATE = ExchangeSettings(rates=(ExchangeRateSetting(currency=" gbp", month="2025-03", rate=1.17),))


def check(money: MoneySettings, *order_lines: str, products: tuple[str, ...] | None = None) -> None:
    money.check_columns(order_lines, products)


def test_codes_are_written_as_the_order_lines_have_them() -> None:
    assert RATE.rates[0].currency == "GBP"


@pytest.mark.parametrize(
    ("vat", "changes"),
    [
        ({"prices": "include", "analyse": "net"}, True),
        ({"prices": "exclude", "analyse": "gross"}, True),
        ({"prices": "include", "analyse": "gross"}, False),
        ({"prices": "exclude", "analyse": "net"}, False),
        ({}, False),
    ],
)
def test_amounts_change_only_where_prices_are_not_what_is_analysed(vat: dict[str, str], changes: bool) -> None:
    assert VatSettings.model_validate(vat).changes_amounts is changes


def test_net_amounts_need_to_know_what_prices_include() -> None:
    with pytest.raises(ValidationError, match="analyse 'net' needs prices to be include or exclude"):
        VatSettings(analyse="net")


def test_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs a country, department or product_class"):
        VatRule(rate=0.19)


def net(*rules: VatRule, rate: float | None = None) -> MoneySettings:
    return MoneySettings(vat=VatSettings(prices="include", analyse="net", rate=rate, rates=rules))


@pytest.mark.parametrize(
    ("money", "columns", "products", "message"),
    [
        (MoneySettings(exchange=RATE), (), None, "money.exchange needs currency"),
        (net(VatRule(country="DE", rate=0.19)), (), None, "by country need country"),
        (net(VatRule(department="Books", rate=0.07)), (), None, "need source.products"),
        (net(VatRule(product_class="Novels", rate=0.07)), (), ("department",), "need class in source.products"),
        (net(), (), None, "money.vat needs rate, rates or a mapped column vat_rate to take VAT off or put it on$"),
        (
            MoneySettings(vat=VatSettings(prices="include")),
            ("cost_price",),
            None,
            "; the margin is net of VAT",
        ),
    ],
)
def test_setting_without_its_column_is_refused(
    money: MoneySettings, columns: tuple[str, ...], products: tuple[str, ...] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check(money, *columns, products=products)


def test_what_is_mapped_is_accepted() -> None:
    check(net(), "vat_rate")
    check(net(rate=0.19), "cost_price")
    check(MoneySettings(vat=VatSettings(prices="include")))
    check(net(VatRule(product_class="Novels", rate=0.07)), products=("department", "class"))
    check(MoneySettings(exchange=RATE), "currency")


def test_rates_file_is_named_as_seen_from_the_settings_file(tmp_path: Path) -> None:
    config = tmp_path / "shop" / "segmentation.yaml"
    config.parent.mkdir()
    config.write_text("money:\n  exchange:\n    file: rates.csv\n", encoding="utf-8")
    assert load_settings(config=config).settings.money.exchange.file == config.parent / "rates.csv"


@pytest.mark.parametrize("given", [{"rate": 0.19}, {"rates": (VatRule(country="AT", rate=0.2),)}])
def test_rate_that_would_do_nothing_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a VAT rate does nothing while prices is not_said; write include or exclude"):
        VatSettings(**given)


def test_contradiction_names_its_place(tmp_path: Path) -> None:
    config = tmp_path / "segmentation.yaml"
    config.write_text("money:\n  vat:\n    analyse: gross\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="analyse 'gross' needs prices to be include or exclude"):
        load_settings(config=config)
