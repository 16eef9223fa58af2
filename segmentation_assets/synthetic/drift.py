"""Changes of the synthetic shop's business from a month on, for testing monitors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import DriftEvent, SyntheticSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def price_factor(settings: SyntheticSettings, month: int) -> float:
    """Return the factor on all list prices in a month of business, counted from 0."""
    factor = 1.0
    for event, start in _events(settings, "price_rise"):
        factor *= 1 + event.amount if month >= start else 1.0
    return factor


def department_factors(settings: SyntheticSettings, departments: Sequence[str], month: int) -> NDArray[np.float64]:
    """Return the factor on the preference for each department: 0 until a new one is sold, its amount from then on."""
    import numpy as np

    factors = np.ones(len(departments))
    for event, start in _events(settings, "new_department"):
        factors[departments.index(event.department)] = event.amount if month >= start else 0.0
    return factors


def department_starts(settings: SyntheticSettings, departments: Sequence[str]) -> NDArray[np.int64]:
    """Return the month of business from which each department is sold: 0 unless it is a new one."""
    import numpy as np

    starts = {event.department: start for event, start in _events(settings, "new_department")}
    return np.array([starts.get(name, 0) for name in departments], dtype=np.int64)


def app_shares(settings: SyntheticSettings, months: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of web and store orders that go to the app instead, for each month of business."""
    import numpy as np

    stay = np.ones(len(months))
    for event, start in _events(settings, "channel_shift"):
        stay = np.where(months >= start, stay * (1 - event.amount), stay)
    return 1 - stay


def _events(settings: SyntheticSettings, kind: str) -> Iterator[tuple[DriftEvent, int]]:
    """Yield the events of a kind and the month of business they begin in."""
    for event in settings.drift:
        if event.kind == kind:
            yield event, _month_number(event.from_month) - _month_number(settings.first_month)


def _month_number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])
