"""Windows, basket, discounts, channels and margin on a few visible rows, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import SETTINGS, Row, features_of, line

RETURNED_ONLY = line("ann", "r1", "2025-05-10 08:00", "return", "-7.00", -1)


def sale(order: str, amount: str = "10.00", quantity: int = 1, at: str = "2025-05-10 10:00", **facts: Any) -> Row:
    """A sale line of ann."""
    return line("ann", order, at, "sale", amount, quantity, **facts)


def windows(connection: Connection, *lines: Row) -> dict[str, list[Any]]:
    """Features of the block, the windows and the pairs of them from short to long."""
    found = features_of(connection, *lines, blocks=("windows",))
    days, pairs = ("30d", "90d", "180d", "365d"), ("30d_90d", "90d_180d", "180d_365d")
    names = dict.fromkeys(("order_count", "unit_count", "net_revenue_amount", "average_order_value_amount"), days)
    names |= {"order_momentum": pairs, "revenue_momentum": pairs}
    return {name: [found[f"{name}_{end}"] for end in ends] for name, ends in names.items()}


def money(*amounts: str | None) -> list[Decimal | None]:
    """Amounts of money."""
    return [None if amount is None else Decimal(amount) for amount in amounts]


def test_windows_and_their_ratios(connection: Connection) -> None:
    lines = (
        sale("o1", "30.00", 3, "2025-05-02 00:00"),
        sale("o2", "60.00", 1, "2025-05-01 23:59:59"),
        sale("o3", "10.00", 2, "2024-12-03 00:00"),
        sale("o4", "100.00", 5, "2024-06-01 00:00"),
        line("ann", "r1", "2025-04-01 08:00", "return", "-4.00", -1),
    )
    assert windows(connection, *lines) == {
        "order_count": [1, 2, 3, 4],
        "unit_count": [3, 4, 6, 11],
        "net_revenue_amount": money("30.00", "86.00", "96.00", "196.00"),
        "average_order_value_amount": money("30.00", "45.00", "33.33", "50.00"),
        "order_momentum": [1.5, 4 / 3, 1095 / 720],
        "revenue_momentum": [1.0, 1.8, 365 / 360],
    }


def test_window_without_orders_beside_one_with(connection: Connection) -> None:
    assert windows(connection, sale("o1", "8.00", 2, "2025-03-31 10:00"), RETURNED_ONLY) == {
        "order_count": [0, 1, 1, 1],
        "unit_count": [0, 2, 2, 2],
        "net_revenue_amount": money("-7.00", "1.00", "1.00", "1.00"),
        "average_order_value_amount": money(None, "8.00", "8.00", "8.00"),
        "order_momentum": [0.0, None, None],
        "revenue_momentum": [0.0, None, None],
    }


def test_windows_of_nothing_spent_and_of_long_ago(connection: Connection) -> None:
    free = windows(connection, sale("o1", "0.00", at="2025-05-31 23:59:59"), sale("o2", "0.00", at="2024-06-01"))
    assert (free["order_momentum"], free["revenue_momentum"]) == ([3.0, 2.0, 365 / 360], [1.0] * 3)
    assert free["average_order_value_amount"] == money("0.00", "0.00", "0.00", "0.00")
    old = windows(connection, sale("o1", "5.00", at="2024-05-31 23:59:59"))
    assert (old["order_count"], old["order_momentum"], old["revenue_momentum"]) == ([0] * 4, [None] * 3, [None] * 3)


@pytest.mark.parametrize(
    ("first", "momenta"),
    [
        ("2025-05-02 10:00", [None, None, None]),
        ("2025-05-01 10:00", [31 / 60, None, None]),
        ("2025-03-01 10:00", [3.0, 92 / 180, None]),
        ("2024-06-01 10:00", [3.0, 2.0, 365 / 360]),
        ("2023-02-01 10:00", [3.0, 2.0, 365 / 180]),
    ],
)
def test_days_before_the_first_order_or_the_lookback_slow_nobody_down(
    connection: Connection, first: str, momenta: list[float | None]
) -> None:
    lines = (sale("o1", at=first), sale("o2", at="2025-05-31 10:00"))
    assert windows(connection, *lines)["order_momentum"] == momenta


def test_order_over_two_instants_is_of_the_window_of_its_last_line(connection: Connection) -> None:
    found = windows(connection, sale("o1", "6.00", 2, "2025-05-01 23:59"), sale("o1", "4.00", 1, "2025-05-02 00:01"))
    assert (found["order_count"][0], found["unit_count"][0]) == (1, 3)
    assert (found["average_order_value_amount"][0], found["net_revenue_amount"][0]) == tuple(money("10.00", "4.00"))


BASKET = (
    "units_per_order", "lines_per_order", "units_per_line", "largest_order_value_amount",
    "average_unit_price_amount",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (sale("o1", "30.00", 3), sale("o1", "10.00", 1), sale("o2", "0.01", 2)),
            [3.0, 1.5, 2.0, Decimal("40.00"), Decimal("6.67")],
        ),
        ((sale("o1", "0.01", 2),), [2.0, 1.0, 2.0, Decimal("0.01"), Decimal("0.01")]),
        ((sale("o1", "0.00", 1),), [1.0, 1.0, 1.0, Decimal("0.00"), Decimal("0.00")]),
        ((sale("o1"), sale("o2"), RETURNED_ONLY), [1.0, 1.0, 1.0, Decimal("10.00"), Decimal("10.00")]),
        ((RETURNED_ONLY,), [None] * 5),
    ],
    ids=["two orders", "half a cent goes up", "nothing spent", "two alike", "only returns"],
)
def test_size_and_price_level_of_orders(connection: Connection, lines: tuple[Row, ...], expected: list[Any]) -> None:
    found = features_of(connection, *lines, blocks=("basket",))
    assert [found[name] for name in BASKET] == expected


DISCOUNTS = ("discount_share", "discounted_line_share", "deal_line_share", "deal_revenue_share", "deal_order_share")
PRICED = (
    sale("o1", "160.00", 2, list_price="100.00"),
    sale("o1", "80.01", list_price="100.00"),
    sale("o2", "50.00", list_price="50.00"),
    sale("o3", "60.00", list_price="50.00"),
    sale("o4", "1000.00"),
    sale("o5", "0.00", list_price="10.00"),
)


@pytest.mark.parametrize(
    ("lines", "deal", "expected"),
    [
        (PRICED, 0.2, [59.99 / 410, 2 / 4, 1 / 4, 160 / 350.01, 1 / 3]),
        (PRICED, 0.199, [59.99 / 410, 2 / 4, 2 / 4, 240.01 / 350.01, 1 / 3]),
        (PRICED, 0.5, [59.99 / 410, 2 / 4, 0.0, 0.0, 0.0]),
        (PRICED[4:], 0.2, [None] * 5),
        ((line("ann", "r1", "2025-05-10", "return", "-7.00", -1, list_price="9.00"),), 0.2, [None] * 5),
    ],
    ids=["a fifth off", "just below a fifth", "half off", "no price known", "only returns"],
)
def test_discounts_against_list_prices(
    connection: Connection, lines: tuple[Row, ...], deal: float, expected: list[Any]
) -> None:
    settings = SETTINGS.model_copy(update={"deal_discount": deal})
    found = features_of(connection, *lines, blocks=("discounts",), settings=settings)
    assert [found[name] for name in DISCOUNTS] == [v if v is None else pytest.approx(v, rel=1e-12) for v in expected]


def places(connection: Connection, place: str, *lines: Row) -> list[Any]:
    """Main place, its share, and the number of places."""
    found = features_of(connection, *lines, blocks=("channels",))
    return [found[f"main_{place}"], found[f"main_{place}_share"], found[f"{place}_count"]]


def test_main_places_and_switches_between_channels(connection: Connection) -> None:
    lines = (
        sale("o1", at="2025-01-31 10:00", channel="web", country="DE"),
        sale("o2", at="2025-02-28 10:00", channel="app", country="DE"),
        sale("o3", at="2025-03-31 10:00", country="FR"),
        sale("o4", at="2025-04-30 10:00", channel="app", country="DE"),
        sale("o5", at="2025-05-31 10:00", channel="web"),
        line("ann", "r1", "2025-05-31 11:00", "return", "-1.00", -1, channel="store", country="AT", store="s1"),
    )
    assert places(connection, "channel", *lines) == ["app", 0.5, 2], "the first in the alphabet of two alike"
    assert places(connection, "country", *lines) == ["DE", 0.75, 2]
    assert places(connection, "store", *lines) == [None, None, 0]
    assert features_of(connection, *lines, blocks=("channels",))["channel_switch_share"] == 2 / 3


def test_order_counts_once_where_its_lines_name_several_places(connection: Connection) -> None:
    lines = (sale("o1", channel="web", store="s2"), sale("o1", channel="app", store="s1"), sale("o2", channel="web"))
    assert places(connection, "channel", *lines) == ["app", 0.5, 2]
    assert places(connection, "store", *lines) == ["s1", 1.0, 1]


@pytest.mark.parametrize(
    ("channels", "share"),
    [
        (("web", "app", "web"), 1.0),
        (("app", "web", "web"), 0.5),
        (("web", "web", "web"), 0.0),
        (("web", None, None), None),
    ],
)
def test_orders_of_one_instant_follow_their_ids(
    connection: Connection, channels: tuple[str | None, ...], share: float | None
) -> None:
    lines = [sale(f"o{number}", channel=channel) for number, channel in enumerate(channels)]
    assert features_of(connection, *reversed(lines), blocks=("channels",))["channel_switch_share"] == share


@pytest.mark.parametrize(
    ("lines", "amount", "ratio"),
    [
        (
            (
                sale("o1", "30.00", cost="18.00"),
                sale("o2", "10.00"),
                sale("o3", "5.00", cost="6.50"),
                line("ann", "r1", "2025-05-31", "return", "-10.00", -1, "x", "-4.00"),
            ),
            "4.50",
            10.5 / 35,
        ),
        ((sale("o1", "0.0050", cost="0.0000"),), "0.01", 1.0),
        ((sale("o1", "5.00", cost="5.0050"),), "-0.01", -0.001),
        ((sale("o1", "0.00", cost="0.00"),), "0.00", None),
        ((sale("o1", "10.00"),), None, None),
        ((line("ann", "r1", "2025-05-31", "return", "-10.00", -1, "x", "-4.00"),), "-6.00", None),
    ],
    ids=["with a loss and a return", "half a cent", "half a cent lost", "nothing spent", "no cost", "only returns"],
)
def test_margin_over_lines_of_known_cost(
    connection: Connection, lines: tuple[Row, ...], amount: str | None, ratio: float | None
) -> None:
    found = features_of(connection, *lines, blocks=("margin",))
    assert [found["gross_margin_amount"]] == money(amount)
    assert found["gross_margin_ratio"] == (ratio if ratio is None else pytest.approx(ratio, rel=1e-12))
