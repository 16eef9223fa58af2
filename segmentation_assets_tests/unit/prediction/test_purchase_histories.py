"""Checks and grouping of purchase histories."""

import numpy as np
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.purchase_histories import check_histories

GOOD = ([1.0, 0.0, 3.0], [4.0, 0.0, 9.0], [10.0, 10.0, 9.0])


def changed(column, row, value):
    columns = [list(values) for values in GOOD]
    columns[column][row] = value
    return columns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (changed(0, 1, np.nan), "btyd_frequency is missing or infinite in 1 of 3 rows, first in row 1"),
        (changed(2, 0, np.inf), "btyd_T is missing or infinite in 1 of 3 rows, first in row 0"),
        (changed(0, 2, -1.0), "btyd_frequency is negative in 1 of 3 rows, first in row 2"),
        (changed(1, 0, -4.0), "btyd_recency is negative"),
        (changed(0, 0, 1.5), "btyd_frequency is not a whole number in 1 of 3 rows"),
        (changed(1, 0, 10.5), "btyd_recency is larger than btyd_T in 1 of 3 rows, first in row 0"),
        (changed(1, 1, 2.0), "btyd_frequency is 0 but btyd_recency is not in 1 of 3 rows"),
        (changed(1, 2, 0.0), "btyd_recency is 0 but btyd_frequency is not in 1 of 3 rows"),
        (([1.0], [4.0, 2.0], [9.0]), r"shapes are btyd_frequency \(1,\), btyd_recency \(2,\), btyd_T \(1,\)"),
        ((*GOOD, [1.0, 0.0, 2.0]), "customer_counts is 0 in 1 of 3 rows"),
    ],
)
def test_impossible_rows_are_named_and_counted(columns, message):
    with pytest.raises(DataError, match=message):
        check_histories(*columns)


def test_equal_rows_become_one_and_keep_their_customers():
    histories = check_histories([2, 0, 2, 0, 2], [5, 0, 5, 0, 4], [9, 9, 9, 8, 9], [1, 2, 3, 4, 5])
    grouped = histories.group()
    assert np.column_stack([grouped.count, grouped.last, grouped.end, grouped.weight]).tolist() == [
        [0, 0, 8, 4],
        [0, 0, 9, 2],
        [2, 4, 9, 5],
        [2, 5, 9, 4],
    ]


def test_thinning_takes_equal_steps_through_the_groups():
    grouped = check_histories([0, 0, 1, 1], [0, 0, 1, 2], [3, 4, 3, 3], [50, 10, 30, 10]).group()
    thinned = grouped.thin(2)
    assert (thinned.count.tolist(), thinned.end.tolist(), thinned.weight.tolist()) == ([0, 1], [3, 3], [50, 50])
    assert grouped.thin(4) is grouped


def test_time_passes_without_an_order():
    histories = check_histories(*GOOD)
    before = histories.ends
    waited = histories.wait(5.0)
    assert waited.end.tolist() == waited.ends.time[waited.ends.code].tolist() == [15, 15, 14]
    assert waited.last is histories.last
    assert before.time[before.code].tolist() == GOOD[2]


def test_rows_are_split_in_order():
    parts = list(check_histories(*GOOD).split(2))
    assert [part.count.tolist() for part in parts] == [[1, 0], [3]]
