"""Variety, mix, departments and fit on a few visible rows, worked out by hand."""

from decimal import Decimal
from math import log
from typing import Any

import pytest

from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import PRODUCTS, Row, features_of, line, product_row

RETURNED_ONLY = line("ann", "r1", "2025-05-10 08:00", "return", "-7.00", -1, "shoe-1")


def sale(product: str, amount: str = "10.00", quantity: int = 1, at: str = "2025-05-01 10:00") -> Row:
    """A sale line of ann, in an order of its own."""
    return line("ann", f"{product} {at}", at, "sale", amount, quantity, product)


def variety(connection: Connection, *lines: Row) -> list[Any]:
    """Features of the block, in order."""
    found = features_of(connection, *lines, blocks=("variety",))
    return [found[name] for name in ("product_count", "repeat_product_share", "new_product_share_90d")]


def test_products_repeated_and_new(connection: Connection) -> None:
    lines = (
        sale("again", at="2024-01-01 10:00"),
        sale("again", at="2025-03-03 00:00"),
        sale("twice a day", at="2025-04-01 08:00"),
        sale("twice a day", at="2025-04-01 20:00"),
        sale("just before", at="2025-03-02 23:59:59"),
        line("ann", "r1", "2025-05-10 08:00", "return", "-7.00", -1, "only returned"),
    )
    assert variety(connection, *lines) == [3, 1 / 3, 1 / 2]


def test_what_was_bought_before_the_lookback_is_new_again(connection: Connection) -> None:
    assert variety(connection, sale("x", at="2023-05-31 10:00"), sale("x")) == [1, 0.0, 1.0]


def test_variety_without_a_recent_sale_or_any(connection: Connection) -> None:
    assert variety(connection, sale("x", at="2025-01-31 10:00")) == [1, 0.0, None]
    assert variety(connection, RETURNED_ONLY) == [0, None, None]


MIX = (
    "department_count", "department_entropy", "class_count", "class_entropy", "main_department",
    "main_department_share",
)  # fmt: skip


def mix(connection: Connection, *lines: Row, products: tuple[Row, ...] = PRODUCTS) -> list[Any]:
    """Features of the block, in order."""
    found = features_of(connection, *lines, blocks=("mix",), products=products)
    return [found[name] for name in MIX]


def test_spread_over_departments_and_classes(connection: Connection) -> None:
    lines = (
        sale("shoe-1", "20.00"), sale("shoe-2", "20.00"), sale("hat-1", "40.00"), sale("toy-1", "0.00"),
        sale("gone", "500.00"),
    )  # fmt: skip
    found = mix(connection, *lines, RETURNED_ONLY)
    assert found == [3, pytest.approx(log(2), abs=1e-14), 3, pytest.approx(1.5 * log(2), abs=1e-14), "Hats", 0.5]


def test_uneven_spread_has_less_entropy(connection: Connection) -> None:
    found = mix(connection, sale("shoe-1", "75.00"), sale("hat-1", "25.00"))
    entropy = pytest.approx(0.562335144618808, abs=1e-14)
    assert found == [2, entropy, 2, entropy, "Shoes", 0.75]


def test_class_of_one_name_in_two_departments_is_two(connection: Connection) -> None:
    products = (product_row("a", "Shoes", "Basics"), product_row("b", "Hats", "Basics"))
    assert mix(connection, sale("a"), sale("b"), products=products)[2:4] == [2, pytest.approx(log(2), abs=1e-14)]


def test_mix_of_nothing_spent_or_nothing_known(connection: Connection) -> None:
    assert mix(connection, sale("toy-1", "0.00"), sale("hat-1", "0.00")) == [2, None, 1, None, "Hats", None]
    assert mix(connection, sale("gone")) == [0, None, 0, None, None, None]
    assert mix(connection, RETURNED_ONLY) == [0, None, 0, None, None, None]


def test_single_department_has_no_entropy(connection: Connection) -> None:
    assert mix(connection, sale("toy-1", "3.33")) == [1, 0.0, 0, None, "Toys", 1.0]


def parts(connection: Connection, *lines: Row, products: tuple[Row, ...] = PRODUCTS) -> dict[str, tuple[Any, ...]]:
    """Money, units and share of each configured department and class."""
    found = features_of(connection, *lines, blocks=("departments",), products=products)
    names = ("department_{}_shoes", "department_{}_hats", "department_{}_other")
    names += ("class_{}_shoes_boots", "class_{}_shoes_other")
    kinds = ("revenue_amount", "unit_count", "share")
    return {name.replace("_{}_", " "): tuple(found[name.format(kind)] for kind in kinds) for name in names}


def test_departments_and_classes_partition_the_sales(connection: Connection) -> None:
    lines = (
        sale("shoe-1", "30.0000", 3), sale("shoe-2", "10.0050"), sale("hat-1", "9.9950"), sale("toy-1", "5.0000", 2),
        sale("gone", "45.0000"),
    )  # fmt: skip
    assert parts(connection, *lines, RETURNED_ONLY) == {
        "department shoes": (Decimal("40.0050"), 4, 0.40005),
        "department hats": (Decimal("9.9950"), 1, 0.09995),
        "department other": (Decimal("50.0000"), 3, 0.5),
        "class shoes_boots": (Decimal("30.0000"), 3, 0.3),
        "class shoes_other": (Decimal("10.0050"), 1, pytest.approx(0.10005, rel=1e-15)),
    }


def test_product_without_a_class_is_of_the_other_classes(connection: Connection) -> None:
    found = parts(connection, sale("clog", "8.00", 2), products=(product_row("clog", "Shoes"),))
    assert found["class shoes_other"] == found["department shoes"] == (Decimal("8.0000"), 2, 1.0)
    assert found["class shoes_boots"] == found["department other"] == (Decimal("0.0000"), 0, 0.0)


def test_departments_of_returns_only_and_of_nothing_spent(connection: Connection) -> None:
    assert set(parts(connection, RETURNED_ONLY).values()) == {(Decimal("0.0000"), 0, None)}
    assert parts(connection, sale("shoe-1", "0.00"))["class shoes_boots"] == (Decimal("0.0000"), 1, None)


FIT = (
    "child_unit_count", "child_age_unit_count_baby", "child_age_unit_count_3_5_years", "size_unit_count_m",
    "size_unit_count_l",
)  # fmt: skip


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        ([("toy-1", 2), ("hat-1", 1), ("big", 4), ("shoe-1", 3), ("shoe-2", 1), ("gone", 9)], [7, 2, 1, 3, 1]),
        ([("gone", 9)], [0, 0, 0, 0, 0]),
        ([("both", 5), ("both", 1)], [6, 6, 0, 0, 6]),
    ],
    ids=["of each kind", "unknown product", "age and size in one"],
)
def test_units_by_age_and_size(connection: Connection, bought: list[tuple[str, int]], expected: list[int]) -> None:
    products = (
        *PRODUCTS,
        product_row("big", "Toys", None, "9 years", "XL"),
        product_row("both", "Toys", None, "baby", "L"),
    )
    lines = (sale(name, "10.00", units, f"2025-05-0{day} 10:00") for day, (name, units) in enumerate(bought, 1))
    found = features_of(connection, *lines, RETURNED_ONLY, blocks=("fit",), products=products)
    assert [found[name] for name in FIT] == expected
