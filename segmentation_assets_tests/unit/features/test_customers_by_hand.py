"""Engagement, profile and interactions on a few visible rows, worked out by hand."""

from typing import Any

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.registry import features_table
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import (
    ALL_INPUTS,
    SETTINGS,
    Row,
    customer_row,
    features_of,
    instant,
    line,
)

COMBINED = ("rfm", "cadence", "returns")
ORDER = line("ann", "o1", "2025-05-02 10:00", "sale", "10.00")
EVENTS = (
    ("ann", "2025-05-31 23:59", "visit"),
    ("ann", "2025-03-03 00:00", "email_open"),
    ("ann", "2025-03-02 23:59:59", "email_click"),
    ("ann", "2024-06-01 00:00", "service_contact"),
    ("ann", "2024-05-31 23:59", "visit"),
)


def engagement(connection: Connection, events: tuple[Row, ...]) -> list[Any]:
    """Features of the block, in order."""
    found = features_of(connection, ORDER, blocks=("engagement",), events=events)
    kinds = [found[f"{kind}_count_90d"] for kind in ("event", "visit", "open", "click", "contact")]
    return [found["days_since_event"], found["event_momentum_90d_365d"], *kinds]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (EVENTS, [1, 730 / 360, 2, 1, 1, 0, 0]),
        (EVENTS[2:], [91, 0.0, 0, 0, 0, 0, 0]),
        (EVENTS[4:], [366, None, 0, 0, 0, 0, 0]),
        ((("ann", "2025-05-01", "chat"), *EVENTS[:1]), [1, None, 2, 1, 0, 0, 0]),
        (EVENTS[:1] * 3, [1, None, 3, 3, 0, 0, 0]),
        ((*EVENTS[:1], ("ann", "2025-03-02", "visit")), [1, 91 / 180, 1, 1, 0, 0, 0]),
        ((), [None, None, 0, 0, 0, 0, 0]),
    ],
    ids=[
        "of each kind",
        "none of the window",
        "none of the year",
        "unknown kind",
        "three alike",
        "known for 91 days",
        "none",
    ],
)
def test_events_of_a_customer(connection: Connection, events: tuple[Row, ...], expected: list[Any]) -> None:
    assert engagement(connection, events) == expected


def test_kind_may_have_several_types(connection: Connection) -> None:
    kinds = {"mail": ("email_open", "email_click"), "other": ("visit",)}
    settings = SETTINGS.model_copy(update={"event_kinds": kinds})
    events = (*EVENTS, ("ann", "2025-05-01", "email_click"))
    found = features_of(connection, ORDER, blocks=("engagement",), events=events, settings=settings)
    assert (found["mail_count_90d"], found["other_count_90d"]) == (2, 1)


PROFILE = ("account_age_days", "newsletter_days", "age_years", "household_size", "gender", "acquisition_channel")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("2024-02-29", 1990, "f", 3, "friend", "2025-05-31"), [458, 1, 35, 3, "f", "friend"]),
        (("2025-06-01", 2024, None, 1, None, "2025-06-02"), [None, None, 1, 1, None, None]),
        ((), [None] * 6),
        (None, [None] * 6),
    ],
    ids=["all known", "dates to come", "nothing known", "no row"],
)
def test_profile_of_a_customer(connection: Connection, row: tuple[Any, ...] | None, expected: list[Any]) -> None:
    customers = () if row is None else (customer_row("ann", *row),)
    found = features_of(connection, ORDER, blocks=("profile",), customers=customers)
    assert [found[name] for name in PROFILE] == expected


@pytest.mark.parametrize(
    ("as_of", "expected"), [("2025-01-01 00:00", [307, None, 34]), ("2025-01-01 00:00:01", [307, None, 35])]
)
def test_age_is_of_the_year_of_the_last_instant(connection: Connection, as_of: str, expected: list[Any]) -> None:
    order = line("ann", "o1", "2024-12-31 10:00", "sale", "10.00")
    customers = (customer_row("ann", "2024-02-29", 1990, None, None, None, "2025-05-31"),)
    found = features_of(connection, order, blocks=("profile",), as_of=instant(as_of), customers=customers)
    assert [found[name] for name in PROFILE[:3]] == expected


def test_products_and_ratios_of_pairs(connection: Connection) -> None:
    pairs = (("recency_days", "unit_count"), ("net_revenue_amount", "return_rate"), ("gap_days_mean", "order_count"))
    settings = SETTINGS.model_copy(update={"interactions": pairs})
    order = line("ann", "o1", "2025-05-02 10:00", "sale", "10.50", 4)
    found = features_of(connection, order, blocks=COMBINED, settings=settings)
    names = [f"{first}_{sign}_{second}" for first, second in pairs for sign in ("times", "per")]
    assert [found[name] for name in names] == [120.0, 7.5, 0.0, None, None, None]
    assert tuple(found)[-6:] == tuple(names)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (
            ("recency_day", "order_count"),
            r"names 'recency_day', which is not a feature\nHint: did you mean 'recency_days'",
        ),
        (("recency_days", "main_channel"), r"names 'main_channel', which is no number\nHint: name a numeric feature"),
        (("first_order_date", "order_count"), r"names 'first_order_date', which is no number\nHint: name a numeric"),
        (("recency_days", "customer_id"), r"names 'customer_id', which is not a feature\nHint: "),
    ],
)
def test_pair_that_cannot_be_combined_is_refused(pair: tuple[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=f"^features.interactions {expected}"):
        features_table(FeatureSettings(interactions=(pair,)), ALL_INPUTS)


def test_interactions_and_what_they_are_made_from_are_kept_with_the_basic_features(connection: Connection) -> None:
    settings = FeatureSettings(set="basic", interactions=(("gap_days_mean", "order_count"),))
    lines = (ORDER, line("ann", "o2", "2025-05-12 10:00", "sale", "10.00"))
    found = features_of(connection, *lines, blocks=COMBINED, settings=settings)
    assert list(found)[-2:] == ["gap_days_mean_times_order_count", "gap_days_mean_per_order_count"]
    assert (found["gap_days_mean_times_order_count"], found["gap_days_mean_per_order_count"]) == (20.0, 5.0)
    assert len(found) == 1 + 7 + len(["gap_days_mean"]) + 2
