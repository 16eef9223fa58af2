"""What is said of a value that was filled in holds of the customer."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.imputation import Imputed, apply_imputation, fit_imputation
from segmentation_assets.features.registry import features_table
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.crowd import ADVANCED, crowded_shop
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS, Shop, compute_frame, line, product_row


def _imputed(connection: Connection, shop: Shop) -> Imputed:
    features = compute_frame(connection, shop, settings=ADVANCED)
    columns = feature_columns(features_table(ADVANCED, ALL_INPUTS))
    return apply_imputation(features, fit_imputation(features, columns, ImputationSettings()))


def _reasons(frame: pd.DataFrame) -> Iterator[tuple[Any, str, str]]:
    """Customer, feature and reason of everything filled in."""
    for row in frame.to_dict("records"):
        for entry in (row["imputation_reasons"] or "").split("; "):
            feature, _, reason = entry.partition("=")
            yield row, feature, reason


SHOES, CAP, UNLISTED = "shoes", "cap", "unlisted"
SHOP = Shop(
    lines=(
        line("buys unlisted", "o1", "2025-01-01 10:00", "sale", "9.00", 1, UNLISTED, channel="web"),
        line("buys unlisted", "o2", "2025-05-02 10:00", "sale", "9.00", 1, UNLISTED),
        line("buys what has no class", "o3", "2025-05-03 10:00", "sale", "9.00", 1, CAP),
        line("spends nothing", "o4", "2025-05-04 10:00", "sale", "0.00", 1, SHOES),
        line("cancels all", "o5", "2025-05-05 10:00", "sale", "9.00", 1, SHOES),
        line("cancels all", "r5", "2025-05-05 11:00", "return", "-9.00", -1, SHOES),
        line("buys nothing since", "o6", "2024-01-05 10:00", "sale", "9.00", 1, SHOES),
        line("buys nothing since", "r6", "2024-02-05 11:00", "return", "-9.00", -1, UNLISTED),
    ),
    products=(product_row(SHOES, "Shoes", "Boots"), product_row(CAP, "Hats")),
    customers=(),
    events=(("buys nothing since", "2024-04-01 10:00", "visit"), ("cancels all", "2025-05-01 10:00", "visit")),
)


EVERYONE = ("buys nothing since", "buys unlisted", "buys what has no class", "cancels all", "spends nothing")
GROUP_UNKNOWN, NO_SPEND = "undefined_product_group_unknown", "undefined_no_spend"
EXPECTED = {
    "department_entropy": {"buys unlisted": GROUP_UNKNOWN, "spends nothing": NO_SPEND},
    "class_entropy": {
        "buys unlisted": GROUP_UNKNOWN,
        "buys what has no class": GROUP_UNKNOWN,
        "spends nothing": NO_SPEND,
    },
    "main_department_share": {"buys unlisted": GROUP_UNKNOWN, "spends nothing": NO_SPEND},
    "channel_switch_share": dict.fromkeys(EVERYONE, "undefined_no_order_before"),
    "return_rate": {"cancels all": "undefined_all_cancelled"},
    "return_value_share": {"cancels all": "undefined_all_cancelled", "spends nothing": NO_SPEND},
    "days_to_return_mean": dict.fromkeys(EVERYONE, "no_returns")
    | {"buys nothing since": "undefined_for_these_returns"},
    "new_product_share_90d": {"buys nothing since": "undefined_no_order_in_window"},
    "days_since_event": dict.fromkeys(EVERYONE[1:3] + EVERYONE[4:], "undefined_no_event"),
    "event_momentum_90d_365d": dict.fromkeys(EVERYONE, "undefined_no_event_in_window")
    | {"cancels all": "undefined_short_history"},
}


def test_each_customer_is_told_the_true_reason(connection: Connection) -> None:
    found: dict[str, dict[str, str]] = {name: {} for name in EXPECTED}
    for row, name, reason in _reasons(_imputed(connection, SHOP).frame):
        found.get(name, {})[row["customer_id"]] = reason
    assert found == EXPECTED


HOLDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "no_returns": lambda row: row["return_order_count"] == 0,
    "undefined_for_these_returns": lambda row: row["return_order_count"] > 0,
    "undefined_all_cancelled": lambda row: row["cancelled_line_count"] > 0,
    "undefined_one_order": lambda row: row["order_day_count"] == 1,
    "undefined_few_orders": lambda row: row["order_day_count"] < 3,
    "undefined_no_spend": lambda row: row["gross_revenue_amount"] == 0,
    "undefined_product_group_unknown": lambda row: row["gross_revenue_amount"] > 0,
    "undefined_no_store": lambda row: row["store_count"] == 0,
    "undefined_no_order_before": lambda row: row["order_count"] < 2 or row["channel_count"] < 2,
    "undefined_no_event": lambda row: row["event_count_90d"] == 0,
    "undefined_no_event_in_window": lambda row: row["event_count_90d"] == 0,
}
"""What a reason claims, as far as other features of the customer tell."""


def test_reasons_hold_of_a_crowd(connection: Connection) -> None:
    crowd = crowded_shop(3)
    imputed = _imputed(connection, replace(crowd, lines=(*crowd.lines, *SHOP.lines)))
    found = [(row, name, reason) for row, name, reason in _reasons(imputed.frame) if reason in HOLDS]
    assert {reason for _, _, reason in found} == set(HOLDS)
    assert [(row["customer_id"], name, reason) for row, name, reason in found if not HOLDS[reason](row)] == []


def test_tracking_has_a_row_per_feature_and_reason_that_counts_its_customers(connection: Connection) -> None:
    imputed = _imputed(connection, crowded_shop(3))
    tracking = imputed.tracking[imputed.tracking["imputation"] != "core"]
    assert not tracking.duplicated(["feature", "reason"]).any()
    counted = Counter((name, reason) for _, name, reason in _reasons(imputed.frame) if name)
    counts = tracking.set_index(["feature", "reason"])["count"]
    assert counts[counts > 0].to_dict() == counted
