"""Second implementation of the block engagement."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segmentation_assets_tests.unit.features.oracle.case import Case, ratio


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    recent, year = (case.since(case.events, days, "event_at") for days in (90, 365))
    last = case.events["event_at"].max()
    first = pd.Series([case.first_order_at, case.events["event_at"].min()]).min()
    days = 0 if pd.isna(first) else min(365, case.covered_days(first))
    return {
        "event_count_90d": len(recent),
        "days_since_event": None if case.events.empty else (case.as_of.date() - last.date()).days,
        "event_momentum_90d_365d": ratio(len(recent) / 90, len(year) / days) if days > 90 else None,
        **{
            f"{kind}_count_90d": int(recent["event_type"].isin(types).sum())
            for kind, types in case.settings.event_kinds.items()
        },
    }
