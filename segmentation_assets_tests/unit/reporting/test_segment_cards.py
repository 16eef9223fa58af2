from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pandas as pd
import pytest

from segmentation_assets.reporting.movement import NEW, count_movement
from segmentation_assets.reporting.segment_cards import STRATEGY, describe_segments, previous_month
from segmentation_assets.reporting.snapshot import Snapshot
from segmentation_assets.reporting.wording import effect_words


def test_cards_hold_size_money_medians_and_change(snapshot: Snapshot) -> None:
    first, second = describe_segments(snapshot)
    assert (first.key, first.name, first.customer_count, first.net_revenue_amount) == ("S001", "Loyal", 2, 1200.5)
    assert first.customer_share == pytest.approx(1 / 3)
    assert first.net_revenue_share == 0.8
    assert (first.median_recency_days, first.median_order_count, first.median_order_value) == (6.0, 11.0, 55.0)
    assert first.count_change == -2
    assert first.share_change == pytest.approx(1 / 3 - 1 / 2)
    assert (second.key, second.count_change) == ("S002", 0)


def test_traits_are_the_largest_effects_with_medians_of_everyone(snapshot: Snapshot) -> None:
    traits = describe_segments(snapshot)[0].traits
    assert [trait.sentence for trait in traits] == [
        "Orders far above average: 11 against 2",
        "Days since last order far below average: 6 days against 110 days",
        "Average order value clearly above average: EUR 55.00 against EUR 30.12",
    ]


def test_medians_that_do_not_show_an_effect_give_way_to_means(
    change: Callable[..., Snapshot], snapshot: Snapshot
) -> None:
    profiles = snapshot.segment_profiles.assign(median=2.0, mean=7.5)
    trait = describe_segments(change(segment_profiles=profiles))[0].traits[0]
    assert trait.sentence == "Orders far above average: mean 7.5 against 4.67"


def test_a_card_says_where_the_segment_stands(snapshot: Snapshot) -> None:
    first, second = describe_segments(snapshot)
    assert (first.mean_scores, second.mean_scores) == ((5.0, 5.0, 5.0), (1.5, 1.5, 1.5))
    assert first.meaning == "Bought very recently, ordered very often, spent a great deal."
    assert second.meaning == "Have not bought for a while, ordered rarely, spent little."
    assert (first.revenue_per_customer, second.revenue_per_customer) == (600.25, 75.0)


def test_a_segment_without_scores_has_no_place(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    card = describe_segments(change(rfm_segments=snapshot.rfm_segments.head(0)))[0]
    assert (card.meaning, card.mean_scores) == ("", ())


def test_windows_of_one_measure_tell_their_story_once(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    profiles = snapshot.segment_profiles.replace({"recency_days": "order_count_90d"})
    traits = describe_segments(change(segment_profiles=profiles))[0].traits
    assert [trait.feature for trait in traits] == [
        "order_count",
        "average_order_value_amount",
        "department_share_shoes",
    ]


def test_a_feature_that_is_mostly_filled_in_is_no_trait(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    profiles = snapshot.segment_profiles
    mostly = profiles.assign(imputed_share=profiles["imputed_share"].mask(profiles["feature"] == "order_count", 0.51))
    traits = describe_segments(change(segment_profiles=mostly))[0].traits
    assert "order_count" not in [trait.feature for trait in traits]


def test_only_features_offered_to_clusterings_are_traits(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    texts = dict(snapshot.feature_columns)
    texts["order_count"] = texts["order_count"]._replace(is_main=False)
    traits = describe_segments(change(feature_columns=texts))[0].traits
    assert [trait.feature for trait in traits] == [
        "recency_days",
        "average_order_value_amount",
        "department_share_shoes",
    ]


def test_a_segment_without_customers_has_a_card(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    extra = snapshot.champion.head(1).assign(segment_key="S003", segment_name="Empty")
    card = describe_segments(change(champion=pd.concat([snapshot.champion, extra])))[-1]
    assert (card.key, card.customer_count, card.net_revenue_share, card.traits) == ("S003", 0, None, ())
    assert (card.meaning, card.mean_scores, card.revenue_per_customer) == ("", (), None)


def test_the_first_snapshot_has_no_change(first_snapshot: Snapshot) -> None:
    assert [card.count_change for card in describe_segments(first_snapshot)] == [None, None]
    assert count_movement(first_snapshot) is None


def test_movement_counts_stayed_moved_new_and_left(snapshot: Snapshot) -> None:
    movement = count_movement(snapshot)
    assert movement is not None
    expected = pd.DataFrame({"S001": [2, 0, 0], "S002": [1, 2, 1]}, index=["S001", "S002", NEW])
    pd.testing.assert_frame_equal(movement.counts, expected, check_names=False)
    assert (movement.stayed_count, movement.moved_count, movement.new_count) == (4, 1, 1)
    assert movement.left == {"S001": 1, "S002": 2}
    assert movement.moved_share == pytest.approx(1 / 5)
    assert movement.largest_moves(3) == [("S001", "S002", 1)]
    assert movement.month_before == "2025-07"


def test_the_month_before_january_is_december() -> None:
    assert previous_month("2025-01") == "2024-12"
    assert previous_month("2025-10") == "2025-09"


@pytest.mark.parametrize(
    ("effect", "words"),
    [(1.2, "far above average"), (0.5, "clearly above average"), (-0.2, "somewhat below average"), (0.19, "")],
)
def test_effects_in_words(effect: float, words: str) -> None:
    assert effect_words(effect) == words


def test_what_changed_is_told_of_main_features_by_size(snapshot: Snapshot) -> None:
    profiles = snapshot.segment_profiles.assign(previous_mean=4.0, change_size=0.1)
    is_first = profiles["segment_key"] == "S001"
    sizes = profiles["change_size"].mask(is_first & (profiles["feature"] == "order_count"), -0.9)
    sizes = sizes.mask(is_first & (profiles["feature"] == "recency_days"), 0.3)
    changed = dataclasses.replace(snapshot, segment_profiles=profiles.assign(change_size=sizes))
    first, second = describe_segments(changed)
    assert first.changes == (
        "Orders: mean 11, a month earlier 4",
        "Days since last order: mean 6 days, a month earlier 4 days",
    )
    assert second.changes == ()


def test_the_strategy_of_a_segment_is_on_its_card(snapshot: Snapshot) -> None:
    texts = {name: f"{name} of S001" for name in STRATEGY}
    row = {"segment_key": "S001", "priority": 2, "expected_value_amount": 9.5, **texts}
    advised = dataclasses.replace(snapshot, strategies=pd.DataFrame([row]))
    first, second = describe_segments(advised)
    assert (first.priority, first.expected_value_amount) == (2, 9.5)
    assert (second.priority, second.expected_value_amount) == (None, None)
    assert first.strategy == {heading: f"{name} of S001" for name, heading in STRATEGY.items()}
    assert second.strategy == {}


def test_rules_are_written_with_labels_and_say_what_they_rest_on(snapshot: Snapshot) -> None:
    conditions = [
        {"feature": "order_count", "low": 4.0, "high": None, "includes_known": True, "includes_unknown": False},
        {"feature": "recency_days", "low": None, "high": 31.0, "includes_known": True, "includes_unknown": True},
    ]
    shown = {"rule_number": 1, "conditions": json.dumps(conditions), "is_shown": True, "reason": None}
    figures = {"recall": 0.9, "precision": 0.85, "held_out_count": 1200}
    hidden = {"rule_number": 1, "conditions": None, "is_shown": False, "reason": "no short rule describes this segment"}
    rules = pd.DataFrame([{"segment_key": "S001", **shown, **figures}, {"segment_key": "S002", **hidden, **figures}])
    first, second = describe_segments(dataclasses.replace(snapshot, rules=rules))
    assert first.rules == ("Orders > 4 and (Days since last order <= 31 or unknown)",)
    assert first.rules_note == (
        "They find 90.0% of the segment, and 85.0% of those they find are in it; measured on 1,200 customers held out."
    )
    assert second.rules == ()
    assert second.rules_note == "No short rule describes this segment."
