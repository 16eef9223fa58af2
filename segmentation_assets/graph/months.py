"""Arithmetic on month partition keys, written YYYY-MM-01."""

from segmentation_assets.ingestion.calendar import shift_month


def previous_month(month: str) -> str:
    """Return the month before."""
    return earlier_month(month, 1)


def earlier_month(month: str, count: int) -> str:
    """Return the month some months before."""
    return f"{shift_month(month, -count)}-01"


def next_month(month: str) -> str:
    """Return the month after."""
    return f"{shift_month(month, 1)}-01"


def month_range(first: str, last: str) -> tuple[str, ...]:
    """Return all months from first to last, both included; empty when last lies before first."""
    months = []
    month = first
    while month <= last:
        months.append(month)
        month = next_month(month)
    return tuple(months)
