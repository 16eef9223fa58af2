"""The features computed a second time, customer by customer in plain pandas; shares no code with the SQL.

One file per block, with a function of a `Case` that returns the block's features; money as Decimal, null as None.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets_tests.unit.features.oracle import (
    basket,
    cadence,
    calendar,
    channels,
    departments,
    discounts,
    engagement,
    fit,
    interactions,
    lifetime,
    margin,
    mix,
    profile,
    return_habits,
    return_mix,
    returns,
    rfm,
    scores,
    trend,
    variety,
    windows,
)
from segmentation_assets_tests.unit.features.oracle.case import Case, make_cases
from segmentation_assets_tests.unit.features.shop import LOOKBACK_START, SETTINGS, Shop

BLOCKS: dict[str, Callable[[Case], dict[str, Any]]] = {
    "rfm": rfm.expected,
    "windows": windows.expected,
    "trend": trend.expected,
    "cadence": cadence.expected,
    "returns": returns.expected,
    "return_habits": return_habits.expected,
    "return_mix": return_mix.expected,
    "variety": variety.expected,
    "mix": mix.expected,
    "departments": departments.expected,
    "fit": fit.expected,
    "basket": basket.expected,
    "discounts": discounts.expected,
    "channels": channels.expected,
    "calendar": calendar.expected,
    "engagement": engagement.expected,
    "profile": profile.expected,
    "lifetime": lifetime.expected,
    "margin": margin.expected,
    "scores": scores.expected,
}


def expected_rows(
    shop: Shop,
    as_of: datetime,
    settings: FeatureSettings = SETTINGS,
    lookback_start: date = LOOKBACK_START,
) -> dict[str, dict[str, Any]]:
    """Expected features by customer and column."""
    rows = {}
    for case in make_cases(shop, as_of, lookback_start, settings):
        features = {name: value for expected in BLOCKS.values() for name, value in expected(case).items()}
        features |= interactions.expected(features, settings.interactions)
        rows[case.customer] = {"customer_id": case.customer} | features
    return rows
