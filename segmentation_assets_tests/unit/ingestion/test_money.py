"""Delivered money becomes analysed money: exactly, line by line, and never without a rate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentation_assets.config.money import VatRule, VatSettings
from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.exchange_rates import ExchangeRate
from segmentation_assets.ingestion.money import AS_DELIVERED, Conversion, describe_money, find_line_rates, require_rates
from segmentation_assets.ingestion.reconciliation import reconcile_layers
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

NET = VatSettings(prices="include", analyse="net", rate=0.19)
GROSS = VatSettings(prices="exclude", analyse="gross", rate=0.19)
MARCH = (dt.date(2025, 3, 1), dt.date(2025, 4, 1))


def lines(*given: dict[str, Any]) -> str:
    """Raw order lines; what is not given is ordinary."""
    usual = {"order_at": "2025-03-05 10:00", "customer_id": "ann", "product_id": "p", "quantity": 1, "unit_price": 10}
    return raw_lines_relation(*({"order_id": f"o{n}", **usual, **line} for n, line in enumerate(given)))


def rate(currency: str, value: str) -> ExchangeRate:
    return ExchangeRate(currency, *MARCH, Decimal(value))


def classify(
    connection: Connection, relation: str, conversion: Conversion, population: PopulationSettings | None = None
) -> str:
    sql = classified_lines_sql(relation, SourceSettings(), population or PopulationSettings(), None, conversion)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE classified AS {sql}")
    return "classified"


def amounts(connection: Connection, relation: str, conversion: Conversion) -> list[tuple[str | None, ...]]:
    """Amount, cost and margin of each line, as text."""
    table = classify(connection, relation, conversion)
    rows = connection.execute(f"SELECT amount, cost_amount, margin_amount FROM {table} ORDER BY source_row").fetchall()
    return [tuple(None if value is None else f"{value.normalize():f}" for value in row) for row in rows]


def test_amounts_are_as_delivered_without_settings(connection: Connection) -> None:
    relation = lines({"quantity": -3, "unit_price": "1.3333"}, {"unit_price": 10, "cost_price": 12})
    assert amounts(connection, relation, AS_DELIVERED) == [("-3.9999", None, None), ("10", "12", "-2")]


@pytest.mark.parametrize(
    ("vat", "expected"),
    [
        (NET, ("8.4034", "4", "4.4034")),
        (GROSS, ("11.9", "4", "6")),
        (VatSettings(prices="include", analyse="gross", rate=0.19), ("10", "4", "4.4034")),
        (VatSettings(prices="exclude", analyse="net"), ("10", "4", "6")),
        (VatSettings(), ("10", "4", "6")),
    ],
)
def test_margin_is_net_of_vat_whatever_is_analysed(
    connection: Connection, vat: VatSettings, expected: tuple[str, ...]
) -> None:
    assert amounts(connection, lines({"cost_price": 4}), Conversion("EUR", vat)) == [expected]


def test_conditions_of_a_rate_hold_whatever_the_letter_case(connection: Connection) -> None:
    vat = VatSettings(prices="include", analyse="net", rates=(VatRule(country="germany", rate=0.25),))
    relation = lines({"country": "Germany"}, {"country": "GERMANY"})
    assert [row[0] for row in amounts(connection, relation, Conversion("EUR", vat))] == ["8", "8"]


def test_delivered_rate_goes_before_the_first_rule_that_fits_and_that_before_the_rate_of_all_others(
    connection: Connection,
) -> None:
    rules = (
        VatRule(country="AT", department="Books", rate=0.1),
        VatRule(product_class="Novels", rate=0.07),
        VatRule(country="AT", rate=0.2),
    )
    products = (
        "(SELECT * FROM (VALUES ('novel', 'Books', 'Novels'), ('cup', 'Home', NULL)) "
        'AS t(product_id, department, "class"))'
    )
    vat = VatSettings(prices="exclude", analyse="gross", rate=0.19, rates=rules)
    relation = lines(
        {"product_id": "novel", "country": "AT", "vat_rate": "5.5"},
        {"product_id": "novel", "country": "AT"},
        {"product_id": "novel", "country": "DE"},
        {"product_id": "cup", "country": "AT"},
        {"product_id": "cup", "country": "DE"},
        {"product_id": "unknown"},
    )
    found = amounts(connection, relation, Conversion("EUR", vat, products=products))
    assert [amount for amount, _, _ in found] == ["10.55", "11", "10.7", "12", "11.9", "11.9"]


def test_other_currencies_are_converted_by_the_rate_of_the_day_and_rounded_once(connection: Connection) -> None:
    rates = (
        ExchangeRate("GBP", dt.date(2025, 3, 1), dt.date(2025, 3, 5), Decimal("1.2")),
        ExchangeRate("GBP", dt.date(2025, 3, 5), dt.date(9999, 12, 31), Decimal("1.17")),
    )
    relation = lines(
        {"currency": "GBP", "order_at": "2025-03-04 23:59:59", "cost_price": 5},
        {"currency": "GBP", "order_at": "2025-03-05 00:00:00", "cost_price": 5},
        {"currency": "EUR"},
        {},
    )
    found = find_line_rates(connection, relation, "EUR", rates)
    assert amounts(connection, relation, Conversion("EUR", NET, found)) == [
        ("10.084", "6", "4.084"),
        ("9.8319", "5.85", "3.9819"),
        ("8.4034", None, None),
        ("8.4034", None, None),
    ]


def test_one_currency_needs_no_rates(connection: Connection) -> None:
    assert find_line_rates(connection, lines({"currency": "EUR"}, {}), "EUR", ()) is None


def refuse(connection: Connection, relation: str, vat: VatSettings, rates: tuple[ExchangeRate, ...]) -> str:
    conversion = Conversion("EUR", vat, find_line_rates(connection, relation, "EUR", rates))
    with pytest.raises(DataError) as caught:
        require_rates(connection, classify(connection, relation, conversion), conversion, has_rates=bool(rates))
    return str(caught.value)


def test_mixed_currencies_without_rates_are_refused_with_file_row_and_value(connection: Connection) -> None:
    relation = lines({"currency": "EUR"}, {"currency": "USD"}, {"currency": "GBP"}, {"currency": "GBP"})
    assert refuse(connection, relation, VatSettings(), ()) == (
        "order lines are in other currencies than currency EUR (2 in GBP, 1 in USD), and there are no exchange rates; "
        "the first is a.csv, row 2, of 2025-03-05: currency 'USD'\n"
        "Hint: give the rates in money.exchange (rates or file), or keep one market by population, or set currency to "
        "that of all lines."
    )


def test_day_without_a_rate_is_refused(connection: Connection) -> None:
    relation = lines({"currency": "GBP"}, {"currency": "GBP", "order_at": "2025-04-01 00:00"})
    message = refuse(connection, relation, VatSettings(), (rate("GBP", "1.17"),))
    assert message.startswith(
        "order lines in another currency than EUR have no exchange rate on their day (1 in GBP); the first is a.csv, "
        "row 2, of 2025-04-01: currency 'GBP'\nHint: add the rate"
    )


def test_line_without_a_vat_rate_is_refused(connection: Connection) -> None:
    vat = VatSettings(prices="include", analyse="net", rates=(VatRule(country="DE", rate=0.19),))
    message = refuse(connection, lines({"country": "DE"}, {"country": "FR"}), vat, ())
    assert message.startswith(
        "1 order line has no VAT rate that fits; the first is a.csv, row 2, of 2025-03-05: no vat_rate, country 'FR'\n"
        "Hint: set money.vat.rate"
    )


def test_margin_of_a_known_cost_needs_a_vat_rate_where_prices_include_it(connection: Connection) -> None:
    vat = VatSettings(prices="include", analyse="gross")
    told = refuse(connection, lines({"cost_price": 4, "vat_rate": 19}, {"cost_price": 4}, {}), vat, ())
    assert told.startswith(
        "1 order line has no VAT rate that fits; the first is a.csv, row 2, of 2025-03-05: no vat_rate\nHint: set"
    )
    relation, conversion = lines({"cost_price": 4, "vat_rate": 19}, {}), Conversion("EUR", vat)
    require_rates(connection, classify(connection, relation, conversion), conversion, has_rates=False)
    assert amounts(connection, relation, conversion) == [("10", "4", "4.4034"), ("10", None, None)]


def test_missing_rate_names_what_the_rules_compare(connection: Connection) -> None:
    vat = VatSettings(prices="include", analyse="net", rates=(VatRule(country="DE", department="Books", rate=0.07),))
    relation = lines({"country": "DE", "product_id": "cup"})
    products = "(SELECT 'cup' AS product_id, 'Home' AS department)"
    conversion = Conversion("EUR", vat, products=products)
    with pytest.raises(DataError, match="no vat_rate, country 'DE', department 'Home'\nHint"):
        require_rates(connection, classify(connection, relation, conversion), conversion, has_rates=False)


def test_missing_rate_and_too_large_an_amount_are_counted_apart(connection: Connection) -> None:
    rule = VatRule(country="DE", rate=0.19)
    vat = VatSettings(prices="exclude", analyse="gross", rates=(rule,))
    large = {"country": "DE", "quantity": 1_000_000_000, "unit_price": 999_999_999_999}
    missing = {"country": "FR"}
    assert refuse(connection, lines(large, missing, missing), vat, ()).startswith(
        "1 order line has an amount too large to convert; the first is a.csv, row 1, of 2025-03-05: quantity "
        "1000000000 times unit_price 999999999999.0000\nHint: correct quantity or price in the file"
    )
    assert refuse(connection, lines(missing, large, missing), vat, ()).startswith(
        "2 order lines have no VAT rate that fits; the first is a.csv, row 1"
    )


def test_cost_too_large_to_convert_names_the_cost(connection: Connection) -> None:
    relation = lines({"currency": "KWD", "quantity": 1_000, "unit_price": 1, "cost_price": 1_000_000_000})
    told = refuse(connection, relation, VatSettings(prices="exclude"), (rate("KWD", "100000"),))
    assert "an amount too large to convert" in told
    assert "quantity 1000 times cost_price 1000000000.0000" in told


@pytest.mark.parametrize(("written", "value"), [("percent", "0.19"), ("share", "19"), ("percent", "-1")])
def test_percents_and_shares_are_not_taken_for_each_other(connection: Connection, written: str, value: str) -> None:
    vat = VatSettings(prices="include", analyse="net", rate=0.19, delivered_rates=written)
    message = refuse(connection, lines({"vat_rate": value}), vat, ())
    assert message.startswith(
        f"a.csv, row 1, column vat_rate: {value} is no VAT rate as {written}\nHint: set money.vat"
    )


def test_lines_outside_of_the_population_need_no_rate(connection: Connection) -> None:
    relation = lines({"currency": "EUR", "country": "DE"}, {"currency": "GBP", "country": "UK"})
    conversion = Conversion("EUR", VatSettings(), find_line_rates(connection, relation, "EUR", ()))
    table = classify(connection, relation, conversion, PopulationSettings(countries=("DE",)))
    require_rates(connection, table, conversion, has_rates=False)
    assert connection.execute(f"SELECT line_type, amount FROM {table} ORDER BY source_row").fetchall() == [
        ("sale", Decimal(10)),
        ("excluded", None),
    ]
    assert reconcile_layers(connection, relation, table, conversion).passed


def test_amount_that_gets_too_large_is_refused(connection: Connection) -> None:
    relation = lines({"currency": "KWD", "quantity": 1_000_000, "unit_price": 1_000_000})
    assert "too large to convert" in refuse(connection, relation, VatSettings(), (rate("KWD", "100000"),))


def test_delivered_money_adds_up_by_currency_and_analysed_money_by_its_own_sum(connection: Connection) -> None:
    relation = lines({"currency": "GBP"}, {"currency": "GBP", "quantity": -1}, {"currency": "EUR", "unit_price": 5})
    conversion = Conversion("EUR", NET, find_line_rates(connection, relation, "EUR", (rate("GBP", "1.17"),)))
    table = classify(connection, relation, conversion)

    result = reconcile_layers(connection, relation, table, conversion)

    assert result.passed
    assert result.comparison == (
        ("rows", 3, 3),
        ("amount", 5.0, 5.0),
        ("customers", 1, 1),
        ("amount in EUR", 5.0, 5.0),
        ("amount in GBP", 0.0, 0.0),
        ("analysed amount", 4.2, 4.2),
    )
    assert "analysed amount 4.2017 of 4.2017" in result.sentence

    connection.execute("UPDATE classified SET amount = amount + 0.01 WHERE source_row = 3")
    assert not reconcile_layers(connection, relation, table, conversion).passed


@pytest.mark.parametrize("other", ["'USD'", "NULL"])
def test_line_that_changes_its_currency_fails_although_no_sum_of_all_lines_does(
    connection: Connection, other: str
) -> None:
    relation = lines({"currency": "GBP"}, {"currency": "EUR"})
    conversion = Conversion("EUR", NET, find_line_rates(connection, relation, "EUR", (rate("GBP", "1.17"),)))
    table = classify(connection, relation, conversion)
    assert reconcile_layers(connection, relation, table, conversion).passed

    connection.execute(f"UPDATE classified SET currency = {other} WHERE currency = 'GBP'")

    result = reconcile_layers(connection, relation, table, conversion)
    assert not result.passed
    assert ("amount in GBP", 10.0, 0.0) in result.comparison


def test_choice_is_said_in_words() -> None:
    assert describe_money("EUR", NET, is_exchanged=True) == (
        "Amounts are in EUR, net of VAT; other currencies converted by the rate of the day"
    )
    assert describe_money("EUR", GROSS, is_exchanged=False) == "Amounts are in EUR, gross, VAT included"
    as_delivered = VatSettings(prices="exclude", analyse="net")
    assert describe_money("EUR", as_delivered, is_exchanged=False).endswith("as delivered; they do not include VAT")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with Engine(EngineSettings(threads=1), tmp_path_factory.mktemp("money")).connect() as connection:
        yield connection


money = st.decimals(0, 100_000, places=4)
quantities = st.integers(-1000, 1000)
exchange_rates = st.decimals("0.0001", 100_000, places=10)
vat_rates = st.integers(0, 9999).map(lambda units: units / 10_000)


def to_the_fourth(value: Fraction) -> Decimal:
    """Round half away from zero, in a way of its own."""
    with localcontext() as context:
        context.prec = 60
        return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(st.tuples(quantities, money, st.sampled_from(["EUR", "GBP"])), min_size=1, max_size=8),
    exchange=exchange_rates,
    vat_rate=vat_rates,
    prices=st.sampled_from(["include", "exclude"]),
    analyse=st.sampled_from(["net", "gross"]),
)
def test_every_amount_is_the_exact_product_rounded_once_and_returns_cancel_sales(
    shared: Connection,
    items: list[tuple[int, Decimal, str]],
    exchange: Decimal,
    vat_rate: float,
    prices: str,
    analyse: str,
) -> None:
    sales = [{"quantity": q, "unit_price": p, "currency": c} for q, p, c in items]
    relation = lines(*sales, *({**sale, "quantity": -sale["quantity"]} for sale in sales))
    vat = VatSettings(prices=prices, analyse=analyse, rate=vat_rate)
    conversion = Conversion("EUR", vat, find_line_rates(shared, relation, "EUR", (rate("GBP", str(exchange)),)))
    table = classify(shared, relation, conversion)
    found = [row[0] for row in shared.execute(f"SELECT amount FROM {table} ORDER BY source_row").fetchall()]

    with_vat = 1 + Fraction(Decimal(repr(vat_rate)))
    by_vat = {("include", "net"): 1 / with_vat, ("exclude", "gross"): with_vat}.get((prices, analyse), Fraction(1))
    worth = {"EUR": Fraction(1), "GBP": Fraction(exchange)}
    expected = [to_the_fourth(q * Fraction(p) * worth[c] * by_vat) for q, p, c in items]
    assert found[: len(items)] == expected
    assert sum(found) == 0
    assert reconcile_layers(shared, relation, table, conversion).passed
