"""Every feature column on a few visible rows, worked out by hand."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import Shop, compute_rows, customer_row, instant, line, product_row

ANN = (
    line("ann", "o1", "2025-03-02 10:00", "sale", "30.00", 3, "shoe-1", "18.00"),
    line("ann", "o1", "2025-03-02 10:00", "sale", "10.00", 1, "hat-1"),
    line("ann", "o2", "2025-04-01 09:00", "sale", "20.00", 2, "shoe-2", "8.00"),
    line("ann", "r1", "2025-04-11 12:00", "return", "-10.00", -1, "shoe-2", "-4.00"),
    line("ann", "o3", "2025-05-31 23:59", "sale", "0.50", 1, "unknown"),
)
BOB = (line("bob", "o4", "2025-05-02 00:00", "sale", "99.99", 1, "hat-1"),)
CID = (line("cid", "r2", "2025-05-10 08:00", "return", "-7.00", -1, "hat-1"),)
NO_RETURNS = {"return_rate": 0.0, "return_value_share": 0.0, "return_order_count": 0}
NO_EVENTS = {"account_age_days": None, "event_count_90d": 0, "days_since_event": None}
NO_COSTS = {"gross_margin_amount": None, "gross_margin_ratio": None}
NO_GAPS = {"gap_days_mean": None, "gap_days_std": None, "overdue_ratio": None}


def _shares(shoes: float | None, hats: float | None, other: float | None) -> dict[str, float | None]:
    return {"department_share_shoes": shoes, "department_share_hats": hats, "department_share_other": other}


def test_customer_with_three_orders_and_a_return(connection: Connection) -> None:
    events = (("ann", "2025-03-02 23:59", "visit"), ("ann", "2025-03-03 00:00", "visit"))
    shop = Shop(ANN, customers=(customer_row("ann", "2025-05-01"),), events=events)
    row = compute_rows(connection, shop)["ann"]
    expected = {
        "customer_id": "ann",
        "recency_days": 1,
        "order_count": 3,
        "unit_count": 7,
        "gross_revenue_amount": Decimal("60.50"),
        "net_revenue_amount": Decimal("50.50"),
        "average_order_value_amount": Decimal("20.17"),
        "tenure_days": 91,
        "order_count_30d": 1,
        "order_count_90d": 2,
        "order_count_365d": 3,
        "net_revenue_amount_30d": Decimal("0.50"),
        "net_revenue_amount_90d": Decimal("10.50"),
        "net_revenue_amount_365d": Decimal("50.50"),
        "gap_days_mean": 45.0,
        "gap_days_std": 15.0,
        "overdue_ratio": 1 / 45,
        "return_rate": 0.25,
        "return_value_share": 10 / 60.5,
        "return_order_count": 1,
        **_shares(50 / 60.5, 10 / 60.5, 0.5 / 60.5),
        "account_age_days": 31,
        "event_count_90d": 1,
        "days_since_event": 90,
        "gross_margin_amount": Decimal("18.00"),
        "gross_margin_ratio": 24 / 50,
    }
    assert {name: row[name] for name in expected} == expected


def test_customer_with_one_order_has_no_gaps(connection: Connection) -> None:
    row = compute_rows(connection, Shop(BOB))["bob"]
    expected = {
        "customer_id": "bob",
        "recency_days": 30,
        "order_count": 1,
        "unit_count": 1,
        "gross_revenue_amount": Decimal("99.99"),
        "net_revenue_amount": Decimal("99.99"),
        "average_order_value_amount": Decimal("99.99"),
        "tenure_days": 30,
        "order_count_30d": 1,
        "order_count_90d": 1,
        "order_count_365d": 1,
        "net_revenue_amount_30d": Decimal("99.99"),
        "net_revenue_amount_90d": Decimal("99.99"),
        "net_revenue_amount_365d": Decimal("99.99"),
        **NO_GAPS,
        **NO_RETURNS,
        **_shares(0.0, 1.0, 0.0),
        **NO_EVENTS,
        **NO_COSTS,
    }
    assert {name: row[name] for name in expected} == expected


def test_customer_with_returns_only_has_a_row_without_recency(connection: Connection) -> None:
    row = compute_rows(connection, Shop(CID))["cid"]
    expected = {
        "customer_id": "cid",
        "recency_days": None,
        "order_count": 0,
        "unit_count": 0,
        "gross_revenue_amount": Decimal("0.00"),
        "net_revenue_amount": Decimal("-7.00"),
        "average_order_value_amount": None,
        "tenure_days": None,
        "order_count_30d": 0,
        "order_count_90d": 0,
        "order_count_365d": 0,
        "net_revenue_amount_30d": Decimal("-7.00"),
        "net_revenue_amount_90d": Decimal("-7.00"),
        "net_revenue_amount_365d": Decimal("-7.00"),
        **NO_GAPS,
        "return_rate": None,
        "return_value_share": None,
        "return_order_count": 1,
        **_shares(None, None, None),
        **NO_EVENTS,
        **NO_COSTS,
    }
    assert {name: row[name] for name in expected} == expected


def test_only_known_customers_with_sales_or_returns_get_a_row(connection: Connection) -> None:
    lines = (
        *BOB,
        line(None, "o5", "2025-05-03 09:00", "sale", "1.00"),
        line("dee", "A1", "2025-05-03 09:00", "adjustment", "-5.00"),
        line("eli", "o6", "2025-05-03 09:00", "non_product", "4.00"),
        line("bob", "o7", "2025-05-30 09:00", "adjustment", "50.00"),
    )
    rows = compute_rows(connection, Shop(lines))
    assert list(rows) == ["bob"]
    assert rows["bob"] == compute_rows(connection, Shop(BOB))["bob"]


@pytest.mark.parametrize(
    ("order_at", "as_of", "calendar_days", "elapsed_days"),
    [
        ("2025-05-31 23:59", instant("2025-06-01"), 1, 0),
        ("2025-05-31 00:00", instant("2025-06-01"), 1, 1),
        ("2024-02-29 12:00", instant("2024-03-01"), 1, 0),
        ("2024-02-28 00:00", instant("2024-03-01"), 2, 2),
        ("2025-02-28 23:00", instant("2025-03-01"), 1, 0),
        ("2024-02-29 08:00", instant("2025-02-28"), 365, 364),
        ("2023-12-31 10:00", instant("2024-01-31"), 31, 30),
        ("2025-05-31 12:49", instant("2025-06-01 12:50"), 1, 1),
        ("2025-05-31 12:51", instant("2025-06-01 12:50"), 1, 0),
        ("2025-06-01 12:49:59.999999", instant("2025-06-01 12:50"), 0, 0),
    ],
)
def test_recency_counts_dates_or_whole_periods(
    connection: Connection, order_at: str, as_of: datetime, calendar_days: int, elapsed_days: int
) -> None:
    shop = Shop((line("ann", "o1", order_at, "sale", "1.00"),))
    by_date = compute_rows(connection, shop, as_of, FeatureSettings(recency="calendar_days"))
    by_period = compute_rows(connection, shop, as_of, FeatureSettings(recency="elapsed_days"))
    assert by_date["ann"]["recency_days"] == calendar_days
    assert by_period["ann"]["recency_days"] == elapsed_days


@pytest.mark.parametrize(("days", "edge"), [(30, "2025-05-02"), (90, "2025-03-03"), (365, "2024-06-01")])
def test_window_holds_its_first_instant_and_not_the_one_before(connection: Connection, days: int, edge: str) -> None:
    day_before = datetime.fromisoformat(edge).date() - timedelta(days=1)
    lines = (
        line("in", "o1", f"{edge} 00:00:00", "sale", "5.00"),
        line("out", "o2", f"{day_before} 23:59:59.999999", "sale", "5.00"),
        line("out", "r2", f"{edge} 00:00:00", "return", "-2.00", -1),
    )
    rows = compute_rows(connection, Shop(lines))
    assert (rows["in"][f"order_count_{days}d"], rows["in"][f"net_revenue_amount_{days}d"]) == (1, Decimal("5.00"))
    assert (rows["out"][f"order_count_{days}d"], rows["out"][f"net_revenue_amount_{days}d"]) == (0, Decimal("-2.00"))


def test_lines_at_as_of_or_before_the_lookback_do_not_count(connection: Connection) -> None:
    lines = (
        line("ann", "o0", "2023-05-31 23:59:59", "sale", "100.00"),
        line("ann", "o1", "2023-06-01 00:00:00", "sale", "5.00"),
        line("ann", "o2", "2025-06-01 00:00:00", "sale", "100.00"),
    )
    row = compute_rows(connection, Shop(lines))["ann"]
    assert (row["order_count"], row["gross_revenue_amount"], row["recency_days"]) == (1, Decimal("5.00"), 731)
    assert row["tenure_days"] == 732, "tenure reaches back to the first order ever"


def test_orders_on_one_day_are_one_order_day(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2025-05-01 08:00", "sale", "5.00"),
        line("ann", "o2", "2025-05-01 08:00", "sale", "5.00"),
        line("ann", "o3", "2025-05-01 20:00", "sale", "5.00"),
    )
    row = compute_rows(connection, Shop(lines))["ann"]
    assert row["order_count"] == 3
    assert {name: row[name] for name in NO_GAPS} == NO_GAPS


def test_order_with_two_instants_is_one_order(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2025-05-01 23:59", "sale", "5.00"),
        line("ann", "o1", "2025-05-02 00:00", "sale", "5.00"),
    )
    row = compute_rows(connection, Shop(lines))["ann"]
    assert (row["order_count"], row["order_count_30d"], row["average_order_value_amount"]) == (1, 1, Decimal("10.00"))


def test_gap_over_the_leap_day_counts_it(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2024-02-28 23:59", "sale", "5.00"),
        line("ann", "o2", "2024-03-01 00:00", "sale", "5.00"),
    )
    row = compute_rows(connection, Shop(lines))["ann"]
    assert (row["gap_days_mean"], row["gap_days_std"], row["overdue_ratio"]) == (2.0, 0.0, 457 / 2)


def test_zero_spend_leaves_shares_of_money_undefined(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2025-05-01 08:00", "sale", "0.00", 1, "shoe-1"),
        line("ann", "r1", "2025-05-02 08:00", "return", "0.00", -1, "shoe-1"),
    )
    row = compute_rows(connection, Shop(lines))["ann"]
    assert (row["return_value_share"], row["department_share_shoes"], row["department_share_other"]) == (None,) * 3
    assert (row["return_rate"], row["average_order_value_amount"]) == (1.0, Decimal("0.00"))


def test_more_returns_than_sales_are_capped_at_one(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2025-05-01 08:00", "sale", "5.00"),
        line("ann", "r1", "2025-05-02 08:00", "return", "-50.00", -1),
        line("ann", "r1", "2025-05-02 08:00", "return", "-50.00", -1),
        line("ann", "r2", "2025-05-02 08:00", "return", "-50.00", -1),
    )
    row = compute_rows(connection, Shop(lines))["ann"]
    assert (row["return_rate"], row["return_value_share"], row["return_order_count"]) == (1.0, 1.0, 2)
    assert row["net_revenue_amount"] == Decimal("-145.00")


def test_money_is_rounded_once_from_the_exact_sum(connection: Connection) -> None:
    lines = tuple(line("ann", f"o{n}", "2025-05-01 08:00", "sale", "0.0049") for n in range(3))
    row = compute_rows(connection, Shop(lines))["ann"]
    assert row["gross_revenue_amount"] == Decimal("0.01"), "0.0147, not three times 0.00"
    assert row["average_order_value_amount"] == Decimal("0.00"), "0.0049, not 0.01 / 3"


@pytest.mark.parametrize(
    ("amounts", "average"),
    [(("0.0100", "0.0000"), "0.01"), (("0.0050",), "0.01"), (("0.0049",), "0.00"), (("2.0100", "2.0000"), "2.01")],
)
def test_average_order_value_rounds_half_up_exactly(
    connection: Connection, amounts: tuple[str, ...], average: str
) -> None:
    lines = tuple(line("ann", f"o{n}", "2025-05-01 08:00", "sale", amount) for n, amount in enumerate(amounts))
    assert compute_rows(connection, Shop(lines))["ann"]["average_order_value_amount"] == Decimal(average)


@pytest.mark.parametrize(
    ("registered_on", "days"), [("2025-05-31", 1), ("2024-02-29", 458), ("2025-06-01", None), (None, None)]
)
def test_account_age_ignores_what_is_not_known_yet(
    connection: Connection, registered_on: str | None, days: int | None
) -> None:
    shop = Shop(BOB, customers=(customer_row("bob", registered_on),))
    assert compute_rows(connection, shop)["bob"]["account_age_days"] == days


def test_events_outside_the_lookback_or_of_others_do_not_count(connection: Connection) -> None:
    events = (
        ("bob", "2023-05-31 10:00", "visit"),
        ("bob", "2025-06-01 00:00", "visit"),
        ("zoe", "2025-05-01", "visit"),
    )
    row = compute_rows(connection, Shop(BOB, events=events))["bob"]
    assert (row["event_count_90d"], row["days_since_event"]) == (0, None)


def test_departments_with_quotes_or_accents_get_their_column(connection: Connection) -> None:
    settings = FeatureSettings(departments=("Men's Shoes", "Été", "家具"))
    products = tuple(map(product_row, "abcd", ("Men's Shoes", "Été", "家具", "Elsewhere")))
    lines = tuple(line("ann", "o1", "2025-05-01", "sale", "1.00", 1, name) for name in "aabcd")
    row = compute_rows(connection, Shop(lines, products=products), settings=settings)["ann"]
    shares = {
        name.removeprefix("department_share_"): v for name, v in row.items() if name.startswith("department_share_")
    }
    assert shares == {"men_s_shoes": 0.4, "ete": 0.2, "u5bb6_u5177": 0.2, "other": 0.2}
