"""The months of business, and how busy their days and hours are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import SyntheticSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEASON = (0.85, 0.80, 0.90, 0.95, 1.00, 1.00, 0.95, 0.90, 1.00, 1.10, 1.75, 1.40)
"""Demand from January to December, relative to an ordinary month."""

NOVEMBER = 10
"""Place of November in `SEASON`."""

_WEEKDAYS = (0.90, 0.85, 0.90, 1.00, 1.10, 1.25, 1.15)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 12, 16, 18, 18, 20, 18, 17, 17, 18, 20, 24, 30, 32, 26, 14, 6)
_STORE_HOURS = (0, 0, 0, 0, 0, 0, 0, 0, 2, 10, 14, 16, 15, 14, 14, 15, 18, 20, 16, 6, 0, 0, 0, 0)
"""Stores are open from 8 to 20."""

_SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 24 * _SECONDS_PER_HOUR
CLOSING_SECOND = 20 * _SECONDS_PER_HOUR
"""Second of the day at which stores close."""


@dataclass(frozen=True)
class BusinessCalendar:
    """Consecutive months of business.

    Parameters
    ----------
    months : ndarray of datetime64[M], shape (n_months,)
    """

    months: NDArray[np.datetime64]

    @property
    def starts(self) -> NDArray[np.int64]:
        """First second of each month and, last, of the month after; seconds since 1970, shape (n_months + 1,)."""
        import numpy as np

        edges = np.append(self.months, self.months[-1] + np.timedelta64(1, "M"))
        starts: NDArray[np.int64] = edges.astype("datetime64[s]").astype(np.int64)
        return starts

    @property
    def month_of_year(self) -> NDArray[np.int64]:
        """Place of each month in its year, 0 for January; shape (n_months,)."""
        import numpy as np

        place: NDArray[np.int64] = self.months.astype(np.int64) % 12
        return place

    @property
    def season(self) -> NDArray[np.float64]:
        """Relative demand of each month, shape (n_months,)."""
        import numpy as np

        return np.array(SEASON)[self.month_of_year]

    def day_edges(self, month: int) -> NDArray[np.float64]:
        """Shares of a month's demand that come before each of its days, from 0 to 1; shape (n_days + 1,)."""
        import numpy as np

        edges = [self.months[month], self.months[month] + np.timedelta64(1, "M")]
        days = np.arange(*(edge.astype("datetime64[D]") for edge in edges))
        monday_based = (days.astype(np.int64) + 3) % 7
        return _cumulative_shares(np.array(_WEEKDAYS)[monday_based])


def make_calendar(settings: SyntheticSettings) -> BusinessCalendar:
    """Return the calendar of the months of business."""
    import numpy as np

    return BusinessCalendar(np.datetime64(settings.first_month, "M") + np.arange(settings.months))


def spread_over_days(positions: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn positions in a month's demand, 0 to 1, into days from 0."""
    import numpy as np

    days: NDArray[np.int64] = np.minimum(np.searchsorted(edges, positions, side="right") - 1, len(edges) - 2)
    return days


def spread_over_hours(positions: NDArray[np.float64], *, in_store: bool = False) -> NDArray[np.int64]:
    """Turn positions in a day's demand, 0 to 1, into seconds of the day; those in a store lie in its opening hours."""
    import numpy as np

    edges = _cumulative_shares(np.array(_STORE_HOURS if in_store else _HOURS, dtype=np.float64))
    hours: NDArray[np.float64] = np.interp(positions, edges, np.arange(len(edges), dtype=np.float64))
    return np.minimum((hours * _SECONDS_PER_HOUR).astype(np.int64), SECONDS_PER_DAY - 1)


def _cumulative_shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative shares of weights, from 0 to exactly 1."""
    import numpy as np

    edges = np.concatenate([[0.0], np.cumsum(weights)])
    shares: NDArray[np.float64] = edges / edges[-1]
    return shares
