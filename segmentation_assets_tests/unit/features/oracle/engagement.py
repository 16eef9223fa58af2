"""Second implementation of the block engagement."""

from __future__ import annotations

from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    last = case.events["event_at"].max()
    return {
        "event_count_90d": len(case.since(case.events, 90, "event_at")),
        "days_since_event": None if case.events.empty else (case.as_of.date() - last.date()).days,
    }
