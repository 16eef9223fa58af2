"""Returns traced to purchases on a few visible rows, worked out by hand."""

import pytest

from segmentation_assets.features.registry import computed_features
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.crowd import repetitive_shop
from segmentation_assets_tests.unit.features.oracle.case import make_cases
from segmentation_assets_tests.unit.features.oracle.tracing import traced_returns
from segmentation_assets_tests.unit.features.shop import (
    AS_OF,
    LOOKBACK_START,
    SETTINGS,
    Row,
    Shop,
    instant,
    line,
    load_shop,
)

Traced = dict[str, tuple[str | None, bool]]
"""By the order id of a return: that of the purchase it is traced to, and whether it cancels it."""


def sale(order: str, at: str, amount: str = "10.00", quantity: int = 1, product: str = "x") -> Row:
    """A sale line of ann."""
    return line("ann", order, f"2025-03-{at}", "sale", amount, quantity, product)


def back(order: str, at: str, amount: str = "10.00", quantity: int = 1, product: str = "x") -> Row:
    """A return line of ann."""
    return line("ann", order, f"2025-03-{at}", "return", f"-{amount}", -quantity, product)


def query(connection: Connection, shop: Shop, sql: str) -> list[Row]:
    """Rows of a query of the relations that returns are traced by."""
    with computed_features(connection, SETTINGS, load_shop(connection, shop), AS_OF, LOOKBACK_START):
        return connection.execute(sql).fetchall()


def traced(connection: Connection, *lines: Row) -> Traced:
    """Every return of a shop of these lines."""
    sql = "SELECT order_id, purchase_order_id, is_cancellation FROM customer_returns"
    return {
        order: (purchase, is_cancellation) for order, purchase, is_cancellation in query(connection, Shop(lines), sql)
    }


def test_one_purchase_is_cancelled_once(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), back("r1", "01 10:00"), back("r2", "01 11:00"))
    assert traced(connection, *lines) == {"r1": ("o1", True), "r2": (None, False)}


def test_second_of_two_equal_returns_is_of_the_purchase_before(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), sale("o2", "05 09:00"), back("r1", "05 10:00"), back("r2", "05 11:00"))
    assert traced(connection, *lines) == {"r1": ("o2", True), "r2": ("o1", False)}


def test_two_equal_returns_cancel_two_equal_purchases_the_latest_first(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), sale("o2", "01 09:30"), back("r1", "01 10:00"), back("r2", "01 11:00"))
    assert traced(connection, *lines) == {"r1": ("o2", True), "r2": ("o1", True)}


def test_purchase_between_two_returns_is_taken_by_the_second(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), back("r1", "01 10:00"), sale("o2", "01 11:00"), back("r2", "01 12:00"))
    assert traced(connection, *lines) == {"r1": ("o1", True), "r2": ("o2", True)}


def test_return_before_any_purchase_takes_none_back_and_leaves_it_to_the_next(connection: Connection) -> None:
    lines = (back("r1", "01 08:00"), sale("o1", "01 09:00"), back("r2", "01 10:00"))
    assert traced(connection, *lines) == {"r1": (None, False), "r2": ("o1", True)}


@pytest.mark.parametrize(
    ("amount", "quantity", "product", "found"),
    [
        ("10.00", 1, "x", ("o1", True)),
        ("10.01", 1, "x", ("o1", False)),
        ("10.00", 2, "x", ("o1", False)),
        ("10.00", 1, "y", (None, False)),
    ],
)
def test_only_as_many_units_of_the_product_for_as_much_money_cancel(
    connection: Connection, amount: str, quantity: int, product: str, found: tuple[str | None, bool]
) -> None:
    lines = (sale("o1", "01 09:00"), back("r1", "01 10:00", amount, quantity, product))
    assert traced(connection, *lines) == {"r1": found}


@pytest.mark.parametrize(
    ("at", "is_cancellation"), [("01 09:00:00", True), ("02 08:59:59.999999", True), ("02 09:00:00", False)]
)
def test_purchase_is_cancelled_from_its_instant_until_a_day_later(
    connection: Connection, at: str, is_cancellation: bool
) -> None:
    assert traced(connection, sale("o1", "01 09:00"), back("r1", at)) == {"r1": ("o1", is_cancellation)}


def test_day_that_is_over_for_the_latest_purchase_left_is_over_for_all(connection: Connection) -> None:
    lines = (sale("o1", "01 00:00"), sale("o2", "01 20:00"), back("r1", "01 21:00"), back("r2", "02 19:00"))
    assert traced(connection, *lines) == {"r1": ("o2", True), "r2": ("o1", False)}


def test_of_what_happens_at_one_instant_purchases_come_first_and_order_ids_decide(connection: Connection) -> None:
    at = "01 09:00"
    lines = (back("r2", at), back("r1", at), sale("o2", at), sale("o3", at), sale("o1", at))
    assert traced(connection, *lines) == {"r1": ("o3", True), "r2": ("o2", True)}


def test_lines_of_one_order_and_instant_are_one_purchase(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00", "4.00"), sale("o1", "01 09:00", "6.00"), back("r1", "01 10:00", "10.00", 2))
    assert traced(connection, *lines) == {"r1": ("o1", True)}


def test_return_under_the_order_id_of_a_purchase_cancels_no_other(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), sale("o2", "05 09:00"), back("o1", "05 10:00"))
    assert traced(connection, *lines) == {"o1": ("o1", False)}


def test_return_under_the_order_id_of_a_purchase_goes_first(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), sale("o2", "01 09:30"), back("r1", "01 10:00"), back("o2", "01 11:00"))
    assert traced(connection, *lines) == {"r1": ("o1", True), "o2": ("o2", True)}


def test_second_return_under_the_order_id_of_what_is_cancelled_is_of_nothing(connection: Connection) -> None:
    lines = (sale("o1", "01 09:00"), sale("o2", "01 09:30"), back("o2", "01 10:00"), back("o2", "01 11:00"))
    sql = "SELECT order_at, purchase_order_id, is_cancellation FROM customer_returns ORDER BY order_at"
    assert query(connection, Shop(lines), sql) == [
        (instant("2025-03-01 10:00"), "o2", True),
        (instant("2025-03-01 11:00"), None, False),
    ]


def test_return_is_of_no_purchase_that_another_cancels(connection: Connection) -> None:
    lines = (
        sale("o1", "01 09:00", "20.00", 2),
        sale("o2", "05 09:00", "20.00", 2),
        back("r1", "05 10:00"),
        back("r2", "05 11:00", "20.00", 2),
    )
    assert traced(connection, *lines) == {"r1": ("o1", False), "r2": ("o2", True)}


def test_orders_are_kept_without_what_was_cancelled(connection: Connection) -> None:
    lines = (
        sale("o1", "01 09:00"),
        sale("o2", "02 09:00", "30.00", 3),
        sale("o2", "02 09:00", "10.00", 1, "y"),
        sale("o3", "03 09:00", "20.00", 2),
        back("r1", "01 10:00"),
        back("r2", "02 10:00", "30.00", 3),
        back("r3", "02 11:00", "30.00", 3),
        back("r4", "05 10:00"),
    )
    sql = "SELECT place, unit_count, returned_units FROM kept_orders ORDER BY place"
    assert query(connection, Shop(lines), sql) == [(1, 1, 0), (2, 2, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_many_equal_returns_and_purchases_are_traced_one_after_the_other(connection: Connection, seed: int) -> None:
    shop = repetitive_shop(seed)
    sql = """
    SELECT k.customer_id, r.order_id, r.order_at, r.purchase_order_id, r.bought_at, r.is_cancellation
    FROM customer_returns AS r JOIN known_customers AS k ON k.number = r.customer_id
    """
    found = {row[:3]: row[3:] for row in query(connection, shop, sql)}
    expected = {
        (case.customer, one.order, one.at): (
            one.purchase and one.purchase.order, one.purchase and one.purchase.at, one.is_cancellation
        )
        for case in make_cases(shop, AS_OF, LOOKBACK_START, SETTINGS)
        for one in traced_returns(case)
    }  # fmt: skip
    assert found == expected
    taken = [(key[0], *value[:2]) for key, value in found.items() if value[2]]
    assert len(taken) == len(set(taken)) > 10, "each purchase is cancelled once"
