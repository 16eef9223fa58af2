"""Which segment of a promoted model is which of the former one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs

from segmentation_assets.api import make_clusterer
from segmentation_assets.segments.events import describe_events
from segmentation_assets.segments.identity import Overlap, first_identity, match_segments


def match(before, after, *, keys_issued=3, former_keys=None, clusters=None, places=None, same=None):
    """Match by labels of customers c0, c1, …; their places lie on a line."""
    index = [f"c{number:03d}" for number in range(len(before))]
    keys = sorted({key for key in before if key}) if former_keys is None else former_keys
    numbers = sorted({cluster for cluster in after if cluster >= 0}) if clusters is None else clusters
    return match_segments(
        pd.Series(before, index=index, dtype=object),
        pd.Series(after, index=index),
        pd.DataFrame({"place": np.arange(float(len(before))) if places is None else places}, index=index),
        former_keys=keys,
        clusters=numbers,
        keys_issued=keys_issued,
        same=same,
    )


def told(identity):
    return [(event.segment_key, event.event, event.related_key) for event in identity.events]


def test_other_numbers_for_the_same_customers_change_no_key():
    found = match(["S001"] * 4 + ["S002"] * 3 + ["S003"] * 2, [2] * 4 + [0] * 3 + [1] * 2)
    assert found.keys == {0: "S002", 1: "S003", 2: "S001"}
    assert told(found) == [("S001", "kept", None), ("S002", "kept", None), ("S003", "kept", None)]
    assert found.keys_issued == 3


def test_a_scripted_split_is_reported_as_such():
    found = match(["S001"] * 10 + ["S002"] * 5, [0] * 6 + [1] * 4 + [2] * 5, keys_issued=7)
    assert found.keys == {0: "S001", 1: "S008", 2: "S002"}
    assert told(found) == [("S001", "kept", None), ("S002", "kept", None), ("S008", "split", "S001")]
    split = found.events[2]
    assert (split.cluster, split.overlap.before, split.overlap.after, split.overlap.both) == (1, 10, 4, 4)
    assert (split.overlap.share_of_before, split.overlap.share_of_after) == (0.4, 1.0)


def test_a_scripted_merge_is_reported_as_such():
    found = match(["S001"] * 6 + ["S002"] * 4 + ["S003"] * 5, [0] * 10 + [1] * 5)
    assert found.keys == {0: "S001", 1: "S003"}
    assert told(found) == [("S001", "kept", None), ("S002", "merged", "S001"), ("S003", "kept", None)]
    assert found.events[1].cluster is None


def test_a_segment_of_customers_from_everywhere_is_born_and_one_whose_customers_went_apart_is_retired():
    before = ["S001"] * 10 + ["S002"] * 10 + ["S003"] * 6
    after = [0] * 6 + [3] * 4 + [1] * 6 + [3] * 4 + [0] * 2 + [1] * 2 + [3] * 2
    found = match(before, after)
    assert told(found) == [
        ("S001", "kept", None),
        ("S002", "kept", None),
        ("S003", "retired", None),
        ("S004", "born", None),
    ]


def test_keys_of_segments_that_ended_are_not_given_again():
    found = match(["S002"] * 4 + ["S003"] * 4, [0] * 4 + [1] * 2 + [2] * 2, keys_issued=12)
    assert sorted(found.keys.values()) == ["S002", "S003", "S013"]
    assert found.keys_issued == 13


def test_of_equal_matches_the_one_with_the_nearer_centres_counts():
    before = ["S001"] * 4 + ["S002"] * 4
    after = [0, 0, 1, 1, 0, 0, 1, 1]
    near = match(before, after, places=[0, 0, 9, 9, 1, 1, 10, 10])
    far = match(before, after, places=[9, 9, 0, 0, 10, 10, 1, 1])
    assert near.keys == {0: "S001", 1: "S002"}
    assert far.keys == {0: "S002", 1: "S001"}


def test_only_customers_that_both_models_know_count():
    found = match(["S001", "S001", None, None, None], [0, 0, 0, -1, -1], keys_issued=1)
    assert found.events[0].overlap == Overlap(2, 2, 2, 0.0)


def test_a_former_segment_without_a_customer_is_retired_and_one_that_is_given_stays():
    found = match(["S001"] * 3, [0] * 3, former_keys=["S001", "S002"])
    assert told(found) == [("S001", "kept", None), ("S002", "retired", None)]
    given_same = match(
        ["S001"] * 3, [0] * 3, former_keys=["S001", "S002"], clusters=[0, 1], same={0: "S001", 1: "S002"}
    )
    assert told(given_same) == [("S001", "kept", None), ("S002", "kept", None)]
    assert given_same.events[1].overlap == Overlap(0, 0, 0, None)


def test_the_first_segments_are_born_in_the_order_of_their_clusters():
    found = first_identity([4, 1], {4: 10})
    assert found.keys == {1: "S001", 4: "S002"}
    assert [(event.event, event.overlap.after) for event in found.events] == [("born", 0), ("born", 10)]


PARTITIONS = st.integers(10, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from(["S001", "S002", "S003", None]), min_size=n, max_size=n),
        st.lists(st.integers(-1, 4), min_size=n, max_size=n),
        st.permutations(range(5)),
        st.permutations(range(n)),
    )
)


@settings(max_examples=60, deadline=None)
@given(PARTITIONS)
def test_every_segment_has_one_event_and_neither_labels_nor_rows_matter(drawn):
    before, after, numbers, order = drawn
    places = np.random.default_rng(1).normal(size=len(before))
    found = match(before, after, places=places)
    former, new = {key for key in before if key}, {cluster for cluster in after if cluster >= 0}
    assert set(found.keys) == new
    assert len(set(found.keys.values())) == len(new)
    assert sorted(event.segment_key for event in found.events) == sorted(former | set(found.keys.values()))
    lasting = {event.segment_key for event in found.events if event.event == "kept"}
    assert lasting == former & set(found.keys.values())

    index = [f"c{number:03d}" for number in range(len(before))]
    renumbered = [cluster if cluster < 0 else numbers[cluster] for cluster in after]
    again = match_segments(
        pd.Series(before, index=index, dtype=object).iloc[list(order)],
        pd.Series(renumbered, index=index).iloc[list(order)],
        pd.DataFrame({"place": places}, index=index).iloc[list(order)],
        former_keys=sorted(former),
        clusters=sorted(numbers[cluster] for cluster in new),
        keys_issued=3,
    )
    assert {numbers[cluster]: key for cluster, key in found.keys.items()} == dict(again.keys)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("S001", "S001 (Best) goes on: 6 of its 10 customers (60%) are in it again, of 6 (100%)."),
        ("S002", "S002 (Rest) ended: 5 of its 5 customers (100%) are in S003 (Third)."),
        ("S004", "S004 (New) is new: 4 of its 4 customers (100%) were in S001 (Best)."),
    ],
)
def test_an_event_is_told_in_a_sentence(key, sentence):
    before = ["S001"] * 10 + ["S002"] * 5 + ["S003"] * 8
    found = match(before, [0] * 6 + [1] * 4 + [2] * 13)
    names = {"S001": "Best", "S002": "Rest", "S003": "Third"}
    rows = describe_events(found.events, names, {"S001": "Best", "S003": "Third", "S004": "New"})
    assert rows.set_index("segment_key").loc[key, "explanation"] == sentence


@pytest.mark.parametrize("name", ["kmeans", "hybrid", "gaussian_mixture", "ward", "fuzzy_cmeans", "dbscan", "hdbscan"])
def test_another_seed_other_rows_and_other_numbers_change_no_key(name):
    values, _ = make_blobs(600, centers=np.eye(4, 5) * 8, cluster_std=1.0, random_state=5)
    customers = pd.Index([f"c{number:03d}" for number in range(len(values))])
    rng = np.random.default_rng(3)
    first = pd.Series(make_clusterer(name, random_state=1).fit(values).predict(values), index=customers)
    keys = first_identity([0, 1, 2, 3], {}).keys
    order = rng.permutation(len(values))
    fitted = make_clusterer(name, random_state=2).fit(values[order])
    renumbered = np.array([*rng.permutation(4), -1])
    after = pd.Series(renumbered[fitted.predict(values)], index=customers)

    found = match_segments(
        first.map(keys),
        after,
        pd.DataFrame(values, index=customers),
        former_keys=sorted(keys.values()),
        clusters=[0, 1, 2, 3],
        keys_issued=4,
    )

    assert {event.event for event in found.events} == {"kept"}
    both = (first >= 0) & (after >= 0)
    assert both.mean() > 0.9
    assert (first.map(keys) == after.map(found.keys))[both].mean() > 0.99
