"""Features of returns on a few visible rows, worked out by hand."""

from decimal import Decimal
from functools import partial

import pytest

from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import SETTINGS, Row, features_of, line, product_row

features = partial(features_of, blocks=("rfm", "returns", "return_habits", "return_mix"))
"""Features of ann that the tests look at."""


def sale(order: str, at: str, product: str = "x", amount: str = "10.00", quantity: int = 1) -> Row:
    """A sale line of ann."""
    return line("ann", order, at, "sale", amount, quantity, product)


def back(order: str, at: str, product: str = "x", amount: str = "10.00", quantity: int = 1) -> Row:
    """A return line of ann."""
    return line("ann", order, at, "return", f"-{amount}", -quantity, product)


def test_giant_order_cancelled_within_the_day_is_noise_in_rates_and_counts_in_revenue(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2025-03-01 09:15", "mug", "168469.60", 80_995),
        back("c1", "2025-03-01 09:27", "mug", "168469.60", 80_995),
        sale("o2", "2025-03-02 09:00", "pen", "60.00", 3),
        sale("o3", "2025-03-03 09:00", "cup", "20.00", 2),
        back("r3", "2025-03-09 09:00", "cup"),
    )
    assert (found["return_rate"], found["return_unit_share"], found["return_value_share"]) == (1 / 2, 1 / 5, 1 / 8)
    assert (found["return_order_count"], found["cancelled_line_count"]) == (1, 1)
    assert found["first_order_return_share"] == 0.0, "the cancelled order is no first order"
    assert [found[f"{kind}_revenue_amount"] for kind in ("gross", "returned", "net")] == [
        Decimal("168549.60"),
        Decimal("168479.60"),
        Decimal("70.00"),
    ]


def test_second_return_of_what_is_cancelled_is_a_return_in_rates(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2025-03-01 09:00", "mug", "50.00", 5),
        back("c1", "2025-03-01 10:00", "mug", "50.00", 5),
        back("c2", "2025-03-01 11:00", "mug", "50.00", 5),
        sale("o2", "2025-03-02 09:00", "pen", "200.00", 20),
        sale("o2", "2025-03-02 09:00", "cup", "50.00", 20),
    )
    assert (found["return_rate"], found["return_unit_share"], found["return_value_share"]) == (1 / 2, 5 / 40, 1 / 5)
    assert (found["return_order_count"], found["cancelled_line_count"]) == (1, 1)
    assert (found["traced_return_share"], found["days_to_return_mean"]) == (0.0, None)
    assert found["first_order_return_share"] == 0.0


@pytest.mark.parametrize(
    ("at", "amount", "quantity", "cancelled"),
    [
        ("2025-03-02 08:59:59", "20.00", 2, 1),
        ("2025-03-02 09:00:00", "20.00", 2, 0),
        ("2025-03-01 10:00", "10.00", 1, 0),
        ("2025-03-01 10:00", "19.00", 2, 0),
    ],
)
def test_only_a_whole_purchase_taken_back_within_a_day_is_a_cancellation(
    connection: Connection, at: str, amount: str, quantity: int, cancelled: int
) -> None:
    found = features(
        connection, sale("o1", "2025-03-01 09:00", amount="20.00", quantity=2), back("r1", at, "x", amount, quantity)
    )
    assert found["cancelled_line_count"] == cancelled
    assert found["return_order_count"] == 1 - cancelled


def test_all_orders_cancelled_leave_return_rates_undefined(connection: Connection) -> None:
    found = features(connection, sale("o1", "2025-03-01 09:00"), back("r1", "2025-03-01 10:00"))
    names = ("return_rate", "return_value_share", "return_unit_share", "first_order_return_share")
    assert [found[name] for name in names] == [None] * 4
    assert (found["order_count"], found["net_revenue_amount"]) == (1, 0), "what is no return still happened"


def test_return_is_traced_to_the_latest_earlier_purchase_of_the_product(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2025-01-01 09:00"),
        sale("o2", "2025-02-01 09:00", amount="11.00"),
        sale("o3", "2025-03-01 09:00", amount="12.00"),
        back("r1", "2025-02-08 09:00"),
    )
    assert (found["days_to_return_mean"], found["return_share_7d"], found["return_share_30d"]) == (7.0, 1.0, 1.0)
    assert found["first_order_return_share"] == 0.0


def test_return_under_the_order_id_of_its_purchase_belongs_to_it(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2025-01-01 09:00", amount="9.00"),
        sale("o2", "2025-02-01 09:00", amount="11.00"),
        back("o1", "2025-02-10 09:00"),
    )
    assert found["days_to_return_mean"] == 40.0
    assert (found["return_share_7d"], found["return_share_30d"]) == (0.0, 0.0)
    assert found["first_order_return_share"] == 1.0


def test_return_of_what_was_bought_before_the_lookback_is_not_traced(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2023-05-01 09:00"),
        sale("o2", "2025-01-01 09:00", "other"),
        back("r1", "2025-02-01 09:00"),
        back("r2", "2025-01-11 09:00", "other", "5.00"),
    )
    assert found["traced_return_share"] == 0.5
    assert found["days_to_return_mean"] == 10.0


def test_longest_run_of_orders_with_returns(connection: Connection) -> None:
    orders = [sale(f"o{n}", f"2025-0{n}-01 09:00", f"p{n}", "10.00", 2) for n in range(1, 6)]
    returns = [back(f"r{n}", f"2025-05-0{n + 1} 09:00", f"p{n}") for n in (1, 3, 4)]
    assert features(connection, *orders)["return_streak_order_count"] == 0
    assert features(connection, *orders, *returns)["return_streak_order_count"] == 2
    assert features(connection, *orders, *returns)["first_order_return_share"] == 0.5


def test_concentration_of_returned_money_over_departments(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2025-01-01 09:00", "shoe-1", "90.00"),
        sale("o1", "2025-01-01 09:00", "hat-1", "30.00"),
        back("r1", "2025-01-20 09:00", "shoe-1", "30.00"),
        back("r2", "2025-01-21 09:00", "hat-1", "10.00"),
        back("r3", "2025-01-22 09:00", "unknown", "99.00"),
    )
    assert found["return_department_concentration"] == pytest.approx(0.75**2 + 0.25**2, abs=1e-15)


def test_amounts_of_a_currency_with_large_ones_do_not_overflow(connection: Connection) -> None:
    found = features(
        connection,
        sale("o1", "2025-01-01 09:00", "shoe-1", "9000000000.00"),
        back("r1", "2025-01-20 09:00", "shoe-1", "9000000000.00"),
    )
    assert found["return_department_concentration"] == 1.0


FOOTWEAR = tuple(
    product_row(name, "Shoes", kind) for name, kind in (("boot-1", "Boots"), ("boot-2", "Boots"), ("sandal", "Sandals"))
)


def exchange_share(connection: Connection, *lines: Row) -> float:
    """Share of returns that is exchanged, of lines after a purchase of boots in January."""
    bought = sale("o1", "2025-01-01 09:00", "boot-1", "50.00", 3)
    return features(connection, bought, *lines, products=FOOTWEAR)["exchange_share_14d"]


@pytest.mark.parametrize(
    ("at", "product", "share"),
    [
        ("2025-02-01 08:59:59.999999", "boot-2", 0.0),
        ("2025-02-01 09:00:00", "boot-2", 1.0),
        ("2025-02-01 09:00:00", "sandal", 0.0),
        ("2025-02-01 23:59:59", "boot-2", 1.0),
        ("2025-02-10 09:00:00", "boot-1", 1.0),
        ("2025-02-15 09:00:00", "boot-2", 1.0),
        ("2025-02-15 09:00:01", "boot-2", 1.0),
        ("2025-02-15 23:59:59.999999", "boot-2", 1.0),
        ("2025-02-16 00:00:00", "boot-2", 0.0),
    ],
)
@pytest.mark.parametrize("order", ["r1", "o2"])
def test_something_of_the_class_bought_until_two_weeks_later_is_an_exchange(
    connection: Connection, at: str, product: str, share: float, order: str
) -> None:
    lines = (back("r1", "2025-02-01 09:00", "boot-1", "40.00"), sale(order, at, product, "60.00"))
    assert exchange_share(connection, *lines) == share


def test_purchase_at_the_instant_that_the_return_is_of_is_no_exchange(connection: Connection) -> None:
    at = "2025-02-01 09:00"
    bought, returned = sale("o2", at, "boot-1", "60.00", 3), back("o2", at, "boot-1", "20.00")
    assert exchange_share(connection, bought, returned) == 0.0
    assert exchange_share(connection, bought, returned, sale("o2", at, "boot-2", "60.00")) == 1.0
    assert exchange_share(connection, bought, returned, sale("o3", at, "boot-1", "70.00")) == 1.0


def test_return_without_a_purchase_is_exchanged_at_its_instant(connection: Connection) -> None:
    at = "2025-02-01 09:00"
    assert exchange_share(connection, back("r1", at, "boot-2"), sale("r1", at, "boot-1")) == 1.0


def test_cancelled_purchase_is_no_exchange(connection: Connection) -> None:
    lines = (
        back("r1", "2025-02-01 09:00", "boot-1", "40.00"),
        sale("o2", "2025-02-02 09:00", "boot-2", "60.00"),
        back("r2", "2025-02-02 10:00", "boot-2", "60.00"),
    )
    assert exchange_share(connection, *lines) == 0.0
    assert exchange_share(connection, *lines, sale("o2", "2025-02-02 09:00", "sandal", "5.00")) == 0.0
    assert exchange_share(connection, *lines, sale("o2", "2025-02-02 09:01", "boot-2", "60.00")) == 1.0


def test_without_a_class_the_department_says_what_is_an_exchange(connection: Connection) -> None:
    products = (product_row("a", "Toys"), product_row("b", "Toys", "Dolls"))
    lines = (
        sale("o1", "2025-01-01 09:00", "a", "50.00"),
        back("r1", "2025-02-01 09:00", "a", "40.00"),
        sale("o2", "2025-02-02 09:00", "b", "60.00"),
    )
    assert features(connection, *lines, products=products)["exchange_share_14d"] == 1.0


def test_returns_of_the_peak_are_those_that_came_back_in_its_months(connection: Connection) -> None:
    orders = (
        sale("o1", "2024-10-01 09:00", "a"),
        sale("o2", "2024-12-31 09:00", "b"),
        sale("o3", "2024-12-31 10:00", "c"),
    )
    returns = (back("r1", "2024-11-01 00:00", "a"), back("r2", "2025-01-02 00:00", "b"), back("r3", "2025-01-03", "c"))
    assert features(connection, *orders, *returns)["peak_return_share"] == 1 / 3
    assert features(connection, *orders)["peak_return_share"] is None
    in_january = SETTINGS.model_copy(update={"peak_months": (1,)})
    assert features(connection, *orders, *returns, settings=in_january)["peak_return_share"] == 2 / 3
