"""Second implementation of the block profile."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from segmentation_assets_tests.unit.features.oracle.case import Case


def expected(case: Case) -> dict[str, Any]:
    """Features of the block."""
    today = case.as_of.date()

    def days_since(name: str) -> int | None:
        day = case.profile.get(name)
        is_known = day is not None and date.fromisoformat(day) < today
        return (today - date.fromisoformat(day)).days if is_known else None

    born, last_day = case.profile.get("birth_year"), case.as_of - timedelta(microseconds=1)
    return {
        "account_age_days": days_since("registered_on"),
        "newsletter_days": days_since("newsletter_since"),
        "age_years": None if born is None else last_day.year - born,
        "household_size": case.profile.get("household_size"),
        "gender": case.profile.get("gender"),
        "acquisition_channel": case.profile.get("acquisition_channel"),
    }
