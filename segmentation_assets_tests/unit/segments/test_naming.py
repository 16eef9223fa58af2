"""Names of clusters."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.segments.naming import name_clusters
from segmentation_assets.segments.rfm import score_rfm


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


def named(rows, **clusters):
    """Name clusters given as lists of RFM segments; returns are high in the last cluster."""
    ids = [f"{cluster}{n}" for cluster, names in clusters.items() for n in range(len(names))]
    labels = pd.Series([n for n, names in enumerate(clusters.values()) for _ in names], index=ids)
    rfm = pd.DataFrame({"customer_id": ids, "rfm_segment": [name for names in clusters.values() for name in names]})
    features = pd.DataFrame({"customer_id": ids, "return_rate": [float(label) for label in labels]})
    return name_clusters(labels, rfm, features, **rows)


def test_each_cluster_takes_the_rfm_segment_it_is_richest_in():
    found = named({}, a=["Lost", "Lost", "Loyal"], b=["Champions", "Champions", "Loyal"])
    assert found == {0: "Lost", 1: "Champions"}


def test_two_clusters_of_one_kind_are_told_apart_by_a_feature():
    found = named({}, a=["Lost"] * 3, b=["Lost"] * 3, c=["Champions"] * 4)
    assert found == {0: "Lost", 1: "Lost, Low Return Rate", 2: "Champions"}


def test_a_name_that_fits_only_a_few_members_is_not_taken():
    few = ["Lost"] * 9
    found = named({}, a=[*few, "Hibernating"], b=[*few, "Need Attention"], c=["Champions"] * 12)
    assert found == {0: "Lost", 1: "Lost, Low Return Rate", 2: "Champions"}


def test_names_in_use_are_avoided():
    found = named({"taken": ["Lost"]}, a=["Lost", "Lost", "Lost"], b=["Champions"] * 3)
    assert found == {0: "Lost, Low Return Rate", 1: "Champions"}


def test_one_cluster_is_everyone():
    assert named({}, a=["Lost", "Champions"]) == {0: "All Customers"}


def test_clusters_that_nothing_tells_apart_are_numbered():
    labels = pd.Series([0, 1, 2], index=["a", "b", "c"])
    rfm = pd.DataFrame({"customer_id": ["a", "b", "c"], "rfm_segment": "Lost"})
    features = pd.DataFrame({"customer_id": ["a", "b", "c"], "order_count": 1})
    assert len(set(name_clusters(labels, rfm, features).values())) == 3


def test_a_cluster_that_stands_in_the_middle_of_every_feature_is_numbered():
    few = ["Lost"] * 10
    assert named({}, a=few, b=few, c=["Champions"] * 10) == {0: "Lost", 1: "Lost 2", 2: "Champions"}


def test_noise_gets_no_name():
    labels = pd.Series([-1, 0, 1], index=["a", "b", "c"])
    rfm = pd.DataFrame({"customer_id": ["a", "b", "c"], "rfm_segment": ["Loyal", "Lost", "Champions"]})
    assert name_clusters(labels, rfm, rfm[["customer_id"]]) == {0: "Lost", 1: "Champions"}


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
    assert names[0] in {"Champions", "Loyal", "Potential Loyalist"}
    assert names[3] in {"Lost", "Hibernating", "About To Sleep", "At Risk"}
