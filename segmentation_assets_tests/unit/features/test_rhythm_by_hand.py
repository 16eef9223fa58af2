"""Trend, cadence, calendar and scores on a few visible rows, worked out by hand."""

from decimal import Decimal
from math import sqrt
from typing import Any

import pytest

from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import AS_OF, SETTINGS, Row, features_of, instant, line

RETURNED_ONLY = line("ann", "r1", "2025-05-10 08:00", "return", "-7.00", -1)
SCORES = ("rfm", "cadence", "trend", "scores")
LONG_RUN = ("rfm", "lifetime")


def sales(*days: str, amount: str = "10.00") -> tuple[Row, ...]:
    """An order of ann at each instant."""
    return tuple(line("ann", f"o{number}", at, "sale", amount) for number, at in enumerate(days))


def trend(connection: Connection, *lines: Row, as_of: str = "2025-06-01") -> tuple[Any, ...]:
    """Months with an order, slope, and share of months with an order."""
    found = features_of(connection, *lines, blocks=("trend",), as_of=instant(as_of))
    return tuple(found[name] for name in ("active_month_count", "revenue_slope_per_month", "active_month_share"))


def test_slope_over_the_months_since_the_first_order(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2025-03-15", "sale", "100.00"),
        line("ann", "o2", "2025-05-31 23:59:59", "sale", "40.00"),
        line("ann", "r1", "2025-05-01", "return", "-10.00", -1),
    )
    assert trend(connection, *lines) == (2, -35.0, 2 / 3), "100, 0 and 30 over three months"


def test_slope_over_twelve_months_at_most(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2024-05-31 23:59:59", "sale", "999.00"),
        line("ann", "o2", "2024-06-01", "sale", "120.00"),
        line("ann", "o3", "2025-05-31", "sale", "0.00"),
    )
    assert trend(connection, *lines) == (3, pytest.approx(-5.5 * 120 / 143, rel=1e-12), 2 / 12)


def test_equal_months_have_no_slope(connection: Connection) -> None:
    assert trend(connection, *sales("2025-03-31", "2025-04-30", "2025-05-31")) == (3, 0.0, 1.0)


@pytest.mark.parametrize(
    ("as_of", "slope", "share"),
    [("2024-03-01", None, 1.0), ("2024-03-31 23:59:59", None, 1.0), ("2024-04-01", -5.0, 2 / 3)],
)
def test_month_that_is_not_over_is_left_out(
    connection: Connection, as_of: str, slope: float | None, share: float
) -> None:
    lines = (
        line("ann", "o1", "2024-01-31 12:00", "sale", "10.00"),
        line("ann", "o2", "2024-02-29 23:59", "sale", "40.00"),
    )
    assert trend(connection, *lines, as_of=as_of) == (2, slope, share)


def test_newcomer_of_a_month_that_is_not_over_has_no_trend_and_yet_an_engagement_score(connection: Connection) -> None:
    lines, as_of = sales("2025-05-02", "2025-05-30"), instant("2025-05-31")
    found = features_of(connection, *lines, blocks=SCORES, as_of=as_of)
    assert (found["active_month_count"], found["revenue_slope_per_month"], found["active_month_share"]) == (
        1,
        None,
        None,
    )
    assert found["engagement_score"] == pytest.approx((1 + 364 / 365 + 2 / 12) / 3, rel=1e-12)


def test_trend_of_returns_only_is_unknown(connection: Connection) -> None:
    assert trend(connection, RETURNED_ONLY) == (0, None, None)


CADENCE = (
    "gap_days_mean", "gap_days_median", "gap_days_std", "gap_regularity", "last_gap_days", "last_gap_ratio",
    "longest_silence_days", "overdue_ratio",
)  # fmt: skip


def cadence(connection: Connection, *lines: Row, as_of: str = "2025-06-01", recency: str = "calendar_days") -> Any:
    """Features of the block, in order."""
    settings = SETTINGS.model_copy(update={"recency": recency})
    found = features_of(connection, *lines, blocks=("cadence",), as_of=instant(as_of), settings=settings)
    return [found[name] for name in CADENCE]


def test_gaps_over_a_leap_day_and_a_month_end(connection: Connection) -> None:
    lines = sales("2024-02-27 10:00", "2024-02-29 23:59:59", "2024-03-01 00:00", "2024-03-31 10:00")
    deviation = sqrt((9**2 + 10**2 + 19**2) / 3)
    expected = [11.0, 2.0, deviation, 11 / (11 + deviation), 30, 15.0, 31, 31 / 11]
    assert cadence(connection, *lines, as_of="2024-05-01") == pytest.approx(expected, rel=1e-12)


def test_median_of_two_gaps_lies_between_them(connection: Connection) -> None:
    lines = sales("2025-05-01", "2025-05-11", "2025-05-31")
    assert cadence(connection, *lines) == [15.0, 15.0, 5.0, 0.75, 20, 20 / 15, 20, 1 / 15]


def test_one_gap_has_no_regularity(connection: Connection) -> None:
    assert cadence(connection, *sales("2025-04-02", "2025-05-02")) == [30.0, 30.0, 0.0, None, 30, 1.0, 30, 1.0]


def test_orders_of_one_day_have_no_gap(connection: Connection) -> None:
    lines = sales("2025-05-02 00:00", "2025-05-02 23:59:59", "2025-05-02 23:59:59")
    assert cadence(connection, *lines) == [None] * 6 + [30, None]


def test_overdue_counts_days_as_recency_does_and_silence_by_the_calendar(connection: Connection) -> None:
    lines = sales("2025-05-21 23:00", "2025-05-31 23:00")
    assert cadence(connection, *lines)[-2:] == [10, 0.1]
    assert cadence(connection, *lines, recency="elapsed_days")[-2:] == [10, 0.0]


def test_returns_are_no_orders_of_the_rhythm(connection: Connection) -> None:
    assert cadence(connection, RETURNED_ONLY) == [None] * 8
    assert cadence(connection, *sales("2025-05-01"), RETURNED_ONLY) == [None] * 6 + [31, None]


def shares(connection: Connection, *lines: Row, peak: tuple[int, ...] = (11, 12)) -> dict[str, Any]:
    """Features of the block calendar, by the word in front of their name."""
    settings = SETTINGS.model_copy(update={"peak_months": peak})
    found = features_of(connection, *lines, blocks=("calendar",), settings=settings)
    words = ("night", "morning", "afternoon", "evening", "weekend", "winter", "spring", "summer", "autumn", "peak")
    return {word: found[f"{word}_order_share"] for word in words} | {"days": found["weekday_concentration"]}


def test_orders_by_hour_day_and_season(connection: Connection) -> None:
    lines = (
        *sales(
            "2024-11-30 05:59:59",  # Saturday
            "2024-12-01 06:00",  # Sunday
            "2024-02-29 12:00",  # Thursday
            "2024-07-15 00:00",  # Monday, without a time
            "2025-05-31 23:59:59",  # Saturday
        ),
        line("ann", "o2", "2024-03-02 18:00", "sale", "1.00"),
        line("ann", "r1", "2024-11-01 03:00", "return", "-1.00", -1),
    )
    expected = {"night": 0.25, "morning": 0.25, "afternoon": 0.25, "evening": 0.25, "weekend": 0.6, "days": 7 / 25}
    expected |= {"winter": 0.4, "spring": 0.2, "summer": 0.2, "autumn": 0.2, "peak": 0.4}
    assert shares(connection, *lines) == expected


def test_dates_without_a_time_tell_no_part_of_the_day(connection: Connection) -> None:
    found = shares(connection, *sales("2025-01-31", "2025-02-28"), peak=(1,))
    assert [found[word] for word in ("night", "morning", "afternoon", "evening")] == [None] * 4
    assert (found["weekend"], found["days"], found["winter"], found["peak"]) == (0.0, 1.0, 1.0, 0.5)


def test_calendar_of_returns_only_is_unknown(connection: Connection) -> None:
    assert set(shares(connection, RETURNED_ONLY).values()) == {None}


@pytest.mark.parametrize(
    ("days", "churn_risk", "engagement"),
    [
        (("2025-03-03", "2025-04-02"), (2 / 3 + 60 / 365 + 0) / 3, (2 / 3 + 305 / 365 + 2 / 12) / 3),
        (("2025-05-02",), (1 / 4 + 30 / 365 + 0) / 3, (1 + 335 / 365 + 1 / 12) / 3),
        (("2024-03-01",), (457 / 547 + 1 + 1) / 3, 0.0),
        (
            ("2024-09-01",) * 7 + ("2025-05-02",),
            (30 / 273 + 30 / 365 + 1 - 273 / 720) / 3,
            (2 / 9 + 335 / 365 + 8 / 12) / 3,
        ),
        (("2025-05-31",) * 13, ((1 / 91) + 1 / 365 + 0) / 3, (1 + 364 / 365 + 1) / 3),
    ],
    ids=["overdue", "one order day", "long gone", "slower than before", "more than monthly"],
)
def test_scores_are_the_means_of_their_three_signs(
    connection: Connection, days: tuple[str, ...], churn_risk: float, engagement: float
) -> None:
    found = features_of(connection, *sales(*days), blocks=SCORES)
    assert found["churn_risk_score"] == pytest.approx(churn_risk, rel=1e-12)
    assert found["engagement_score"] == pytest.approx(engagement, rel=1e-12)


def test_scores_of_returns_only_are_unknown(connection: Connection) -> None:
    found = features_of(connection, RETURNED_ONLY, blocks=SCORES)
    assert (found["churn_risk_score"], found["engagement_score"]) == (None, None)


def test_money_and_tenure_of_a_long_relationship(connection: Connection) -> None:
    lines = (
        line("ann", "o1", "2023-05-01 10:00", "sale", "10.00"),
        line("ann", "o2", "2024-02-29 10:00", "sale", "20.01"),
        line("ann", "o3", "2024-02-29 18:00", "sale", "5.00"),
        line("ann", "o4", "2025-05-31 10:00", "sale", "30.00"),
        line("ann", "r1", "2025-05-31 12:00", "return", "-0.01", -1),
    )
    found = features_of(connection, *lines, blocks=LONG_RUN)
    assert (found["first_order_date"], found["last_order_date"]) == (
        instant("2023-05-01").date(),
        AS_OF.date().replace(month=5, day=31),
    )
    assert (found["order_day_count"], found["lifetime_months"]) == (2, 762 / 30.4375)
    assert found["orders_per_month"] == pytest.approx(4 * 30.4375 / 762, rel=1e-15)
    assert (found["returned_revenue_amount"], found["net_revenue_amount"]) == (Decimal("0.01"), Decimal("55.00"))
    assert (found["btyd_frequency"], found["btyd_recency"], found["btyd_T"]) == (2, 761, 762)
    assert found["repeat_spend_amount_mean"] == Decimal("27.51"), "(20.01 + 5.00 + 30.00) / 2, half up"


def test_lifetime_of_a_newcomer_counts_as_a_month_and_has_no_repeat(connection: Connection) -> None:
    lines = sales("2025-05-22 09:00", "2025-05-22 10:00", "2025-05-22 11:00")
    found = features_of(connection, *lines, blocks=LONG_RUN)
    assert (found["lifetime_months"], found["orders_per_month"]) == (10 / 30.4375, 3.0)
    assert (found["btyd_frequency"], found["btyd_recency"], found["btyd_T"]) == (0, 0, 10)
    assert found["repeat_spend_amount_mean"] is None


def test_lifetime_of_returns_only_is_unknown(connection: Connection) -> None:
    found = features_of(connection, RETURNED_ONLY, blocks=LONG_RUN)
    names = (
        "first_order_date", "last_order_date", "lifetime_months", "orders_per_month", "btyd_frequency",
        "btyd_recency", "btyd_T", "repeat_spend_amount_mean",
    )  # fmt: skip
    assert {found[name] for name in names} == {None}
    assert (found["returned_revenue_amount"], found["order_day_count"]) == (Decimal("7.00"), 0)
