"""Names of clusters."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.segments.naming import name_clusters
from segmentation_assets.segments.positions import SCORES
from segmentation_assets.segments.rfm import score_rfm

BEST, WORST, LAPSED_BEST = "555", "111", "155"
LABELS = {
    "department_share_home_garden": "Share spent on Home & garden",
    "net_revenue_amount_90d": "Net revenue in the last 90 days",
}


def shop(count=600, seed=0):
    """Draw customers whose money follows their orders."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:04d}" for number in range(count)],
            "recency_days": rng.integers(0, 365, count),
            "order_count": (orders := rng.geometric(0.3, count)),
            "net_revenue_amount": np.round(orders * rng.lognormal(3, 0.5, count), 2),
            "return_rate": rng.uniform(0, 1, count),
        }
    )


def split(features, k):
    """Cut the shop into k clusters by a score of recency and orders."""
    score = features["order_count"].rank(pct=True) - features["recency_days"].rank(pct=True)
    order = score.rank(method="first", ascending=False)
    labels = ((order - 1) * k // len(features)).astype(int)
    return pd.Series(labels.to_numpy(), index=features["customer_id"])


def named(*clusters, taken=(), **features):
    """Name clusters given as lists of RFM codes; features are given as one list over all customers."""
    ids = [f"{place}-{n}" for place, codes in enumerate(clusters) for n in range(len(codes))]
    labels = pd.Series([place for place, codes in enumerate(clusters) for _ in codes], index=ids)
    scores = [tuple(map(int, code)) for codes in clusters for code in codes]
    rfm = pd.DataFrame(scores, columns=list(SCORES)).assign(customer_id=ids)
    return name_clusters(labels, rfm, pd.DataFrame({"customer_id": ids, **features}), taken, LABELS)


def test_each_cluster_takes_the_name_of_its_position():
    found = named([WORST] * 4, [BEST] * 4, ["134"] * 2, ["412"] * 3)
    assert found == {0: "Lost", 1: "VIP Champions", 2: "At-Risk", 3: "New Customers"}


def test_a_lapsed_cluster_that_was_among_the_best_cannot_be_lost():
    money = [1.0] * 6 + [5.0] * 2 + [4.0] * 3
    found = named(["222"] * 6, [LAPSED_BEST] * 2, ["533"] * 3, net_revenue_amount=money)
    assert found[1] == "Cannot Lose Them"


def test_a_name_that_promises_money_needs_the_share_of_it():
    money = [9.0] * 6 + [5.0] * 2 + [8.0] * 3
    found = named(["222"] * 6, [LAPSED_BEST] * 2, ["533"] * 3, net_revenue_amount=money)
    assert found[1] == "Lapsed, Frequent, High Spend"


def test_a_cluster_of_few_orders_and_little_money_is_never_among_the_best():
    found = named(["113"] * 10, [BEST] * 45, ["222"] * 45)
    assert found[0] not in {"Cannot Lose Them", "At-Risk", "Loyal Regulars", "VIP Champions"}


def test_two_clusters_of_one_kind_are_told_apart_by_a_feature():
    returns = [0.3] * 3 + [0.6] * 3 + [0.5] * 6
    found = named([WORST] * 3, [WORST] * 3, [BEST] * 6, return_rate=returns)
    assert found == {0: "Lost", 1: "Lost, Many Returns", 2: "VIP Champions"}


def test_a_striking_trait_is_part_of_the_name():
    shares = [0.0] * 8 + [0.9] * 2
    found = named([BEST] * 5, [WORST] * 3, [WORST] * 2, department_share_home_garden=shares)
    assert found == {0: "VIP Champions", 1: "Lost", 2: "Lost, Home & Garden"}


def test_two_clusters_with_one_striking_trait_still_have_names_of_their_own():
    shares = [0.0] * 40 + [0.9] * 4
    found = named([BEST] * 20, ["333"] * 20, [WORST] * 2, [WORST] * 2, department_share_home_garden=shares)
    assert sorted(found) == [0, 1, 2, 3]
    assert found[2] == "Lost, Home & Garden"
    assert found[3].startswith("Lost")
    assert len(set(found.values())) == 4


def test_money_kept_as_decimals_counts():
    money = [Decimal("9.00")] * 6 + [Decimal("5.00")] * 2 + [Decimal("8.00")] * 3
    found = named(["222"] * 6, [LAPSED_BEST] * 2, ["533"] * 3, net_revenue_amount=money)
    assert found[1] == "Lapsed, Frequent, High Spend"


def test_a_feature_without_a_phrase_is_called_by_its_label():
    counts = [5] * 3 + [1] * 3 + [3] * 6
    found = named([WORST] * 3, [WORST] * 3, [BEST] * 6, net_revenue_amount_90d=counts)
    assert found[1] == "Lost, Low Net Revenue in the Last 90 Days"


def test_names_in_use_are_avoided():
    found = named([WORST] * 3, [BEST] * 3, taken=["Lost"], return_rate=[0.1] * 3 + [0.2] * 3)
    assert found == {0: "Hibernating", 1: "VIP Champions"}


def test_with_all_names_in_use_clusters_are_still_named():
    taken = ["Lost", "Hibernating", "VIP Champions", "Loyal Regulars", "About To Sleep", "At-Risk"]
    found = named([WORST] * 3, [BEST] * 3, taken=taken, return_rate=[0.1] * 3 + [0.2] * 3)
    assert found == {0: "Lost, Few Returns", 1: "VIP Champions, Many Returns"}


def test_one_cluster_is_everyone():
    assert named([WORST, BEST]) == {0: "All Customers"}


def test_clusters_that_nothing_tells_apart_are_numbered():
    assert named(["333"], ["333"], ["333"], order_count=[1, 1, 1]) == {
        0: "Need Attention",
        1: "Need Attention 2",
        2: "Need Attention 3",
    }


def test_noise_gets_no_name():
    labels = pd.Series([-1, 0, 1], index=["a", "b", "c"])
    rfm = pd.DataFrame([(5, 5, 5), (1, 1, 1), (5, 5, 5)], columns=list(SCORES)).assign(customer_id=["a", "b", "c"])
    assert name_clusters(labels, rfm, rfm[["customer_id"]]) == {0: "Lost", 1: "VIP Champions"}


@pytest.mark.parametrize("k", range(1, 15))
def test_names_are_unique_and_free_of_the_currency_unit_and_row_order(k):
    features = shop()
    names = name_clusters(split(features, k), score_rfm(features)[0], features)
    assert sorted(names) == list(range(k))
    assert len(set(names.values())) == k
    for factor in (0.1, 100.0):
        scaled = features.assign(net_revenue_amount=features["net_revenue_amount"] * factor)
        assert name_clusters(split(scaled, k), score_rfm(scaled)[0], scaled) == names
    shuffled = features.sample(frac=1, random_state=k)
    labels = split(features, k).sample(frac=1, random_state=k + 1)
    assert name_clusters(labels, score_rfm(shuffled)[0], shuffled) == names


def test_best_and_worst_of_four_clusters_are_named_as_such():
    features = shop()
    names = name_clusters(split(features, 4), score_rfm(features)[0], features)
    assert names[0] in {"VIP Champions", "Loyal Regulars"}
    assert names[3] in {"Lost", "Hibernating"}
