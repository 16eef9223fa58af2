"""Arithmetic on month partition keys, written YYYY-MM-01."""


def previous_month(month: str) -> str:
    """Return the month before."""
    return _shifted(month, -1)


def next_month(month: str) -> str:
    """Return the month after."""
    return _shifted(month, 1)


def month_range(first: str, last: str) -> tuple[str, ...]:
    """Return all months from first to last, both included; empty when last lies before first."""
    months = []
    month = first
    while month <= last:
        months.append(month)
        month = next_month(month)
    return tuple(months)


def _shifted(month: str, by: int) -> str:
    index = int(month[:4]) * 12 + int(month[5:7]) - 1 + by
    return f"{index // 12:04d}-{index % 12 + 1:02d}-01"
