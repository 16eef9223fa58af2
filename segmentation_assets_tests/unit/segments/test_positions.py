"""Positions of groups in recency, frequency and money."""

import pandas as pd
import pytest

from segmentation_assets.segments.positions import (
    NAMED_POSITIONS,
    REACH,
    SCORES,
    Position,
    describe_position,
    measure_positions,
    position_name,
)
from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES


def scored(**codes):
    """Give each customer a code such as 541."""
    rows = [(name, *map(int, code)) for name, code in codes.items()]
    return pd.DataFrame(rows, columns=["customer_id", *SCORES])


def test_position_is_the_mean_less_that_of_everyone_in_standard_deviations():
    groups = pd.Series({"a": 1, "b": 1, "c": 0, "d": 0})
    found = measure_positions(groups, scored(a="511", b="311", c="311", d="111"))
    assert found.index.tolist() == [0, 1]
    # Recency scores 5, 3, 3, 1: mean 3, deviation sqrt(2); the groups' means are 2 and 4.
    assert found["recency_score"].tolist() == [-0.7071067812, 0.7071067812]
    assert found[["frequency_score", "monetary_score"]].to_numpy().tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_customers_without_scores_are_left_out_and_a_group_of_them_stands_in_the_middle():
    groups = pd.Series({"a": 0, "b": 1, "c": 2, "d": 1})
    found = measure_positions(groups, scored(a="555", b="111"))
    assert found.to_numpy().tolist() == [[1.0] * 3, [-1.0] * 3, [0.0] * 3]


def test_only_customers_in_a_group_are_everyone():
    groups = pd.Series({"a": 0, "b": 1})
    assert measure_positions(groups, scored(a="555", b="111", c="111", d="111")).loc[0].tolist() == [1.0] * 3


def test_positions_do_not_depend_on_the_order_of_rows():
    groups = pd.Series({"a": 0, "b": 1, "c": 1})
    rfm = scored(a="543", b="134", c="215")
    shuffled = measure_positions(groups.iloc[::-1], rfm.iloc[[1, 2, 0]])
    pd.testing.assert_frame_equal(shuffled, measure_positions(groups, rfm))


@pytest.mark.parametrize(
    ("position", "sentence"),
    [
        (Position(0.75, 0.75, 0.75), "Bought very recently, ordered very often, spent a great deal."),
        (Position(0.25, 0.25, 0.25), "Bought recently, ordered often, spent a lot."),
        (
            Position(0.24, -0.25, 0.0),
            "Last bought some time ago, ordered about as often as others, spent about as much as others.",
        ),
        (Position(-0.26, -0.26, -0.26), "Have not bought for a while, ordered rarely, spent little."),
        (Position(-0.76, -0.76, -0.76), "Have not bought for very long, ordered very rarely, spent very little."),
    ],
)
def test_a_position_is_put_into_words(position, sentence):
    assert describe_position(position) == sentence


@pytest.mark.parametrize(
    ("position", "name"),
    [
        (Position(0.9, 0.9, 0.0), "Recent, Frequent"),
        (Position(-0.3, 0.3, -0.3), "Lapsed, Frequent, Low Spend"),
        (Position(0.0, -0.3, 0.3), "Rare, High Spend"),
        (Position(0.1, 0.2, -0.2), "Average"),
    ],
)
def test_a_position_without_a_usual_name_has_a_plain_one(position, name):
    assert position_name(position) == name


def test_every_rfm_name_has_one_position_in_the_declared_order():
    assert tuple(named.name for named in NAMED_POSITIONS) == RFM_SEGMENT_NAMES


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("Champions", (1, 1, 1)),
        ("Loyal", (0, 1, 1)),
        ("New Customers", (1, -1, -1)),
        ("At Risk", (-1, 0, 0)),
        ("Cannot Lose Them", (-1, 1, 1)),
        ("Hibernating", (-1, 0, 0)),
        ("Lost", (-1, -1, -1)),
    ],
)
def test_within_its_reach_a_name_keeps_its_meaning(name, signs):
    position = next(named.position for named in NAMED_POSITIONS if named.name == name)
    for value, sign in zip(position, signs, strict=True):
        assert sign == 0 or value * sign - REACH >= 0.1 - 1e-9
