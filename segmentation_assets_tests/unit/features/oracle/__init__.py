"""The features computed a second time, customer by customer in plain pandas; shares no code with the SQL.

One file per block, with a function of a `Case` that returns the block's features; money as Decimal, null as None.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets_tests.unit.features.oracle import (
    cadence,
    departments,
    engagement,
    margin,
    profile,
    returns,
    rfm,
    windows,
)
from segmentation_assets_tests.unit.features.oracle.case import Case, make_cases
from segmentation_assets_tests.unit.features.shop import LOOKBACK_START, SETTINGS, Shop

BLOCKS: dict[str, Callable[[Case], dict[str, Any]]] = {
    "rfm": rfm.expected,
    "windows": windows.expected,
    "cadence": cadence.expected,
    "returns": returns.expected,
    "departments": departments.expected,
    "profile": profile.expected,
    "engagement": engagement.expected,
    "margin": margin.expected,
}


def expected_rows(
    shop: Shop,
    as_of: datetime,
    settings: FeatureSettings = SETTINGS,
    lookback_start: date = LOOKBACK_START,
) -> dict[str, dict[str, Any]]:
    """Expected features by customer and column."""
    return {
        case.customer: {"customer_id": case.customer}
        | {name: value for expected in BLOCKS.values() for name, value in expected(case).items()}
        for case in make_cases(shop, as_of, lookback_start, settings)
    }
