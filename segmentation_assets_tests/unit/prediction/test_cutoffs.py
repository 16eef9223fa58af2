"""Dates of training, validation and test: whole horizons, none of which overlaps another."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation_assets.prediction.cutoffs import Cutoffs, newest_cutoff, plan_cutoffs


def plan(until="2011-12-01", first="2010-12-01", horizon=90, gap=0, n=2, history=90, with_validation=True):
    return plan_cutoffs(
        dt.date.fromisoformat(until),
        dt.date.fromisoformat(first),
        horizon_days=horizon,
        gap_days=gap,
        training_snapshots=n,
        min_history_days=history,
        with_validation=with_validation,
    )


def months(cutoffs):
    return [f"{day:%Y-%m}" for day in cutoffs.dates]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["2011-09", "2011-06", "2011-03"]),
        ({"with_validation": False}, ["2011-09", "2011-06", "2011-03"]),
        ({"with_validation": False, "n": 1}, ["2011-09", "2011-06"]),
        ({"history": 180}, ["2011-09", "2011-06"]),
        ({"horizon": 30, "n": 3}, ["2011-11", "2011-10", "2011-09", "2011-08", "2011-07"]),
        ({"gap": 30}, ["2011-08", "2011-04"]),
        ({"until": "2011-12-10"}, ["2011-09", "2011-06", "2011-03"]),
    ],
)
def test_dates_are_as_new_as_whole_horizons_allow(options, expected):
    assert months(plan(**options)) == expected


def test_without_enough_history_folds_take_the_place_of_validation():
    assert plan(history=180).validation is None
    assert plan(history=180).train == (dt.date(2011, 6, 1),)
    assert plan().validation == dt.date(2011, 6, 1)


@pytest.mark.parametrize("options", [{"history": 300}, {"horizon": 365}, {"first": "2011-09-01"}])
def test_a_single_date_is_no_plan(options):
    assert plan(**options) is None


@given(
    until=st.dates(dt.date(2012, 1, 1), dt.date(2020, 1, 1)),
    horizon=st.integers(7, 400),
    gap=st.integers(0, 60),
    n=st.integers(1, 4),
    with_validation=st.booleans(),
)
def test_no_day_of_an_outcome_is_in_two_of_them(until, horizon, gap, n, with_validation):
    found = plan(f"{until}", "2008-01-01", horizon, gap, n, 90, with_validation)
    assert found is not None
    ends = [until, *found.dates[:-1]]
    for day, known_until in zip(found.dates, ends, strict=True):
        assert day + dt.timedelta(days=gap + horizon) <= known_until
        assert day.day == 1
        assert newest_cutoff(known_until, horizon, gap) == day


def test_what_is_put_to_use_learns_one_step_later():
    days = [dt.date(2011, month, 1) for month in (9, 6, 3)]
    by_date = Cutoffs((days[2],), days[1], days[0])
    assert (by_date.to_learn_from, by_date.to_calibrate_on) == ((days[1],), days[0])
    by_folds = Cutoffs((days[1], days[2]), None, days[0])
    assert (by_folds.to_learn_from, by_folds.to_calibrate_on) == ((days[0], days[1]), None)
    assert Cutoffs.from_plain(by_folds.to_plain()) == by_folds
    assert Cutoffs.from_plain(by_date.to_plain()) == by_date
