"""Snapshots whose dashboards are hard to draw: many segments with long names, and markup in every text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.clustering_charts import ClusteringCharts, make_charts
from segmentation_assets.reporting.clustering_comparison import measure_agreement
from segmentation_assets.reporting.snapshot import FeatureText, Snapshot
from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES
from segmentation_assets_tests.unit.reporting.conftest import base_snapshot
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    CRITERIA,
    CURVES,
    NOT_FITTED,
    SEARCH,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

SEGMENTS = {f"S{place:03d}": f"{name}, Accessories Footwear" for place, name in enumerate(RFM_SEGMENT_NAMES, start=1)}
PER_SEGMENT = 6
FEATURES = {
    "recency_days": FeatureText("Days since the last order.", "days", "", "Days since last order"),
    "order_count": FeatureText("Orders in the lookback.", "orders", "", "Orders"),
    "average_order_value_amount": FeatureText("Money per order.", "currency", "", "Average order value"),
    "net_revenue_amount_365d": FeatureText("Money of a year.", "currency", "", "Net revenue in the last 365 days"),
    "department_share_accessories_footwear": FeatureText(
        "Share of a department.", "share", "", "Share spent on Accessories & Footwear"
    ),
}
MARKUP = "</script><img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"


def many_segments() -> Snapshot:
    """Eleven segments with long names, as many columns as the RFM map has, over three months."""
    base = base_snapshot()
    keys = [key for key in SEGMENTS for _ in range(PER_SEGMENT)]
    count = len(keys)
    customers = [f"C{number:03d}" for number in range(count)]
    values = [float(number % PER_SEGMENT + number) for number in range(count)]
    shares = [
        (month, key, name, PER_SEGMENT, 1000.0 * place + 1)
        for month in ("2025-06", "2025-07", "2025-08")
        for place, (key, name) in enumerate(SEGMENTS.items())
    ]
    return dataclasses.replace(
        base,
        champion=base.champion.iloc[[0] * len(SEGMENTS)].assign(
            segment_key=list(SEGMENTS), segment_name=list(SEGMENTS.values())
        ),
        customer_segments=base.customer_segments.iloc[[0] * count].assign(
            customer_id=customers,
            segment_key=keys,
            segment_name=[SEGMENTS[key] for key in keys],
            previous_segment_key=[keys[(number * 5) % count] for number in range(count)],
        ),
        segment_profiles=_profiles(),
        rfm_segments=base.rfm_segments.iloc[[0] * count].assign(customer_id=customers, monetary_score=3),
        features=pd.DataFrame({"customer_id": customers, **dict.fromkeys(FEATURES, values)}),
        matrix=pd.DataFrame(
            {"customer_id": customers, "order_count": values, "recency_days": [-(v**2) for v in values]}
        ),
        shares=pd.DataFrame(shares, columns=list(base.shares.columns)),
        feature_columns=FEATURES,
        reconciliation=pd.DataFrame(
            [("gold/customer_segments", "order lines in the lookback", 1_541_909.25, 1_541_909.25, True)],
            columns=list(base.reconciliation.columns),
        ),
        imputed_flags=pd.DataFrame(),
    )


def _profiles() -> pd.DataFrame:
    """Effects on both sides, amounts of seven digits, and one segment with filled-in values."""
    rows = [
        {
            "segment_key": key,
            "segment_name": name,
            "feature": feature,
            "customer_count": PER_SEGMENT,
            "net_revenue_amount": 123_456.78 * (12 - place),
            "net_revenue_share": (12 - place) / 77,
            "median": 1234.5 * place,
            "mean": 1234.5 * place,
            "effect_size": (place - 5) / 2,
            "imputed_share": 0.4 if place == 10 else 0.0,
            "previous_mean": None,
            "change_size": None,
        }
        for place, (key, name) in enumerate(SEGMENTS.items())
        for feature in FEATURES
    ]
    return pd.DataFrame(rows)


def with_markup() -> Snapshot:
    """Markup that would change the title of the page, wherever a text comes from data."""
    snapshot = base_snapshot()
    named = {"Lapsed": MARKUP, "The model of July stays.": MARKUP}
    return dataclasses.replace(
        snapshot,
        title=f"Shop {MARKUP}",
        champion=snapshot.champion.replace(named),
        customer_segments=snapshot.customer_segments.replace(named),
        segment_profiles=snapshot.segment_profiles.replace(named),
        shares=snapshot.shares.replace(named),
        run_facts={MARKUP: MARKUP},
        absent_features={MARKUP: MARKUP},
    )


def with_charts() -> tuple[Snapshot, ClusteringCharts]:
    """A month with three algorithms, which between them have every chart there is, and a candidate that failed."""
    names = ("kmeans", "gaussian_mixture", "ward")
    month = made_up_month(**{name: {} for name in names}, dbscan={"rank": None, "passed_gates": False})
    curves = {name: values for part in CURVES.values() for name, values in part.items()}
    mixture = dataclasses.replace(
        made_up_result("gaussian_mixture", month, search=CRITERIA), memberships=np.full((8, 2), 0.5)
    )
    results = [
        made_up_result("kmeans", month, search=SEARCH),
        mixture,
        made_up_result("ward", month, WITH_NOISE, curves=curves),
        made_up_result("dbscan", month, (-1,) * 8, **NOT_FITTED),
    ]
    snapshot = dataclasses.replace(base_snapshot(), month="2025-06", leaderboard=month.leaderboard)
    return snapshot, make_charts(results, month, measure_agreement(results, month), MapSettings())


SNAPSHOTS: dict[str, Callable[[], Snapshot]] = {
    "small": base_snapshot,
    "many_segments": many_segments,
    "with_markup": with_markup,
}
