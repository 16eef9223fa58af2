import numpy as np
import pytest

from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.synthetic.calendar import SEASON, make_calendar, spread_over_days, spread_over_hours

CALENDAR = make_calendar(SyntheticSettings(first_month="2023-11", months=4))


def test_months_follow_one_another_across_the_year() -> None:
    assert CALENDAR.months.astype(str).tolist() == ["2023-11", "2023-12", "2024-01", "2024-02"]
    assert CALENDAR.month_of_year.tolist() == [10, 11, 0, 1]
    assert CALENDAR.season.tolist() == [SEASON[10], SEASON[11], SEASON[0], SEASON[1]]


def test_starts_are_midnights_and_end_after_the_last_month() -> None:
    starts = CALENDAR.starts.astype("datetime64[s]").astype(str).tolist()
    assert starts[0] == "2023-11-01T00:00:00"
    assert starts[-1] == "2024-03-01T00:00:00"
    assert len(starts) == 5


def test_day_edges_span_a_leap_february() -> None:
    edges = CALENDAR.day_edges(3)
    assert (len(edges), edges[0], edges[-1]) == (30, 0.0, 1.0)
    assert (np.diff(edges) > 0).all()


def test_saturdays_are_the_busiest_days() -> None:
    demand = np.diff(CALENDAR.day_edges(2))
    assert (np.flatnonzero(np.isclose(demand, demand.max())) + 1).tolist() == [6, 13, 20, 27]


def test_positions_become_the_days_whose_demand_they_fall_into() -> None:
    edges = np.array([0.0, 0.25, 0.5, 1.0])
    assert spread_over_days(np.array([0.0, 0.2499, 0.25, 0.75, 1.0]), edges).tolist() == [0, 0, 1, 2, 2]


def test_positions_become_seconds_of_the_day_with_a_busy_evening() -> None:
    seconds = spread_over_hours(np.linspace(0, 1, 10_001))
    assert (seconds[0], seconds[-1]) == (0, 86_399)
    assert (np.diff(seconds) >= 0).all()
    assert np.mean((seconds >= 18 * 3600) & (seconds < 22 * 3600)) == pytest.approx(112 / 326, abs=0.001)
