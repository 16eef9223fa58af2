"""What earlier segmentations were worth: money explained out of sample, beside a map of as many groups."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.clustering.usefulness import measure_usefulness, merge_rfm
from segmentation_assets.config.clustering import LeaderboardSettings

SETTINGS = LeaderboardSettings()
CUSTOMERS = 2_000
INDEX = pd.Index([f"c{number:04d}" for number in range(CUSTOMERS)], name="customer_id")
SCORES = {
    "Lost": (1, 1, 1),
    "Hibernating": (1, 2, 2),
    "Loyal": (4, 4, 4),
    "Champions": (5, 5, 5),
}


def rfm_of(names):
    """RFM segments with the scores of their cell."""
    frame = pd.DataFrame({"rfm_segment": names}, index=INDEX)
    columns = ["recency_score", "frequency_score", "monetary_score"]
    frame[columns] = np.array([SCORES[name] for name in names])
    return frame


def measure(partitions, rfm, money, **options):
    found = measure_usefulness(
        {name: pd.Series(labels, index=INDEX) for name, labels in partitions.items()},
        rfm,
        pd.Series(money, index=INDEX),
        options.get("settings", SETTINGS),
        options.get("most", 10_000),
        options.get("seed", 3),
        "2025-02",
    )
    assert found == {} or list(found) == [*partitions, "rfm_map"]
    return found


@pytest.fixture(scope="module")
def shop():
    """Customers of four kinds; the money that follows is one amount per kind and noise, in halves known to RFM."""
    rng = np.random.default_rng(5)
    kind = rng.integers(0, 4, CUSTOMERS)
    money = np.exp(np.array([1.0, 2.0, 3.0, 4.0])[kind] + rng.normal(0, 0.5, CUSTOMERS)) - 1
    return kind, money


def test_share_of_variance_is_that_of_the_planted_groups(shop):
    kind, money = shop
    names = np.array(list(SCORES))[kind]
    found = measure({"kinds": kind, "halves": kind // 2}, rfm_of(names), money)
    reachable = np.log1p(money.clip(min=0)).var()
    within = sum(np.log1p(money.clip(min=0))[kind == k].var() * (kind == k).mean() for k in range(4))
    assert found["kinds"].usefulness == pytest.approx(1 - within / reachable, abs=0.01)
    assert found["kinds"].usefulness == found["rfm_map"].usefulness == found["kinds"].rfm_usefulness
    assert (found["kinds"].margin_low, found["kinds"].margin_high) == (0, 0)
    assert found["halves"].segment_count == 2
    assert found["halves"].usefulness == found["halves"].rfm_usefulness, "the map merged to two groups is the halves"
    assert (found["kinds"].customer_count, found["kinds"].segmented_month) == (CUSTOMERS, "2025-02")


def test_groups_dealt_out_by_chance_are_worth_nothing(shop):
    kind, money = shop
    rng = np.random.default_rng(11)
    dealt = {f"chance_{count}": rng.integers(0, count, CUSTOMERS) for count in (2, 10, 40)}
    found = measure(dealt, rfm_of(np.array(list(SCORES))[kind]), money)
    for name in dealt:
        assert abs(found[name].usefulness) < 0.01, name
        assert found[name].margin_high < 0, "every draw shows that the map is better"


def test_what_the_map_does_not_see_lies_above_it(shop):
    kind, money = shop
    blind = rfm_of(np.where(np.arange(CUSTOMERS) % 2 == 0, "Lost", "Champions"))
    found = measure({"kinds": kind}, blind, money)["kinds"]
    assert found.usefulness > 0.7
    assert abs(found.rfm_usefulness) < 0.01
    assert found.margin_low > 0.6


def test_the_whole_map_can_be_the_measure(shop):
    kind, money = shop
    rfm = rfm_of(np.array(list(SCORES))[kind])
    found = measure({"halves": kind // 2}, rfm, money, settings=SETTINGS.model_copy(update={"rfm_map": "whole"}))
    assert (found["halves"].rfm_segment_count, found["halves"].segment_count) == (4, 2)
    assert found["halves"].rfm_usefulness == found["rfm_map"].usefulness
    assert found["halves"].margin_high < 0
    assert measure({"halves": kind // 2}, rfm, money)["halves"].rfm_segment_count == 2


def test_small_clusters_and_noise_are_one_group(shop):
    kind, money = shop
    labels = np.where(np.arange(CUSTOMERS) < 40, np.arange(CUSTOMERS) + 10, kind)
    labels[40:100] = -1
    assert measure({"some": labels}, rfm_of(np.array(list(SCORES))[kind]), money)["some"].segment_count == 5


def test_order_of_rows_changes_nothing(shop):
    kind, money = shop
    rfm, labels = rfm_of(np.array(list(SCORES))[kind]), pd.Series(kind // 2, index=INDEX)
    shuffled = np.random.default_rng(0).permutation(CUSTOMERS)
    plain = measure_usefulness({"a": labels}, rfm, pd.Series(money, index=INDEX), SETTINGS, 500, 3)
    moved = measure_usefulness(
        {"a": labels.iloc[shuffled]}, rfm.iloc[shuffled[::-1]], pd.Series(money, index=INDEX), SETTINGS, 500, 3
    )
    assert plain == moved
    assert plain["a"].customer_count == 500


def test_nothing_is_measured_when_nobody_bought_or_too_few_are_left(shop):
    kind, money = shop
    rfm = rfm_of(np.array(list(SCORES))[kind])
    assert measure({"a": kind}, rfm, np.zeros(CUSTOMERS)) == {}
    few = pd.Series(kind[:59], index=INDEX[:59])
    assert measure_usefulness({"a": few}, rfm, pd.Series(money, index=INDEX), SETTINGS, 500, 3) == {}


def test_customers_who_spent_nothing_or_got_money_back_count_as_zero(shop):
    kind, money = shop
    rfm = rfm_of(np.array(list(SCORES))[kind])
    gone = pd.Series(np.where(kind == 0, -5.0, money), index=INDEX)
    left_out = gone[kind != 0]
    labels = {"a": pd.Series(kind, index=INDEX)}
    assert measure_usefulness(labels, rfm, gone, SETTINGS, 5_000, 3) == measure_usefulness(
        labels, rfm, left_out, SETTINGS, 5_000, 3
    )


@pytest.mark.parametrize(
    ("count", "groups"),
    [
        (4, [{"Lost"}, {"Hibernating"}, {"Loyal"}, {"Champions"}]),
        (3, [{"Lost", "Hibernating"}, {"Loyal"}, {"Champions"}]),
        (2, [{"Lost", "Hibernating"}, {"Loyal", "Champions"}]),
        (1, [{"Lost", "Hibernating", "Loyal", "Champions"}]),
    ],
)
def test_segments_with_the_nearest_scores_are_merged_first(count, groups):
    names = ["Lost"] * 10 + ["Hibernating"] * 10 + ["Loyal"] * 10 + ["Champions"] * (CUSTOMERS - 30)
    merged = merge_rfm(rfm_of(np.array(names)), count)
    found = pd.Series(names).groupby(merged).agg(set).tolist()
    assert sorted(found, key=sorted) == sorted(groups, key=sorted)
