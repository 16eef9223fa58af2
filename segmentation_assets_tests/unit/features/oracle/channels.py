"""Second implementation of the block channels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    orders = case.sales.groupby("order_id").agg(
        at=("order_at", "min"), channel=("channel", _first), country=("country", _first), store=("store_id", _first)
    )
    features: dict[str, Any] = {}
    for place in ("channel", "country", "store"):
        counts = orders[place].dropna().value_counts()
        most = counts[counts == counts.max()]
        features[f"main_{place}"] = min(most.index, default=None)
        features[f"main_{place}_share"] = ratio(int(counts.max()), int(counts.sum())) if len(counts) else None
        features[f"{place}_count"] = len(counts)
    known = orders[orders["channel"].notna()].reset_index().sort_values(["at", "order_id"])
    pairs = list(pairwise(known["channel"]))
    return features | {"channel_switch_share": ratio(sum(a != b for a, b in pairs), len(pairs))}


def _first(values: pd.Series) -> Any:
    """The first in the alphabet of the known values."""
    return min(values.dropna(), default=None)
