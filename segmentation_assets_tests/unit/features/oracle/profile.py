"""Second implementation of the block profile."""

from __future__ import annotations

from datetime import date
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    day = case.profile.get("registered_on")
    today = case.as_of.date()
    is_known = day is not None and date.fromisoformat(day) < today
    return {"account_age_days": (today - date.fromisoformat(day)).days if is_known else None}
