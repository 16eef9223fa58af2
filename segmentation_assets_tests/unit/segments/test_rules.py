"""Rules that describe segments."""

import json
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from segmentation_assets.errors import DataError
from segmentation_assets.segments.rules import MAX_RULES, RULE_COLUMNS, _deal_folds, describe_by_rules, round_between


def describe(values, keys, **options):
    """Describe segments; customers are numbered in the order of the values."""
    ids = [f"c{number:05d}" for number in range(len(keys))]
    features = pd.DataFrame({"customer_id": ids, **values})
    segments = pd.DataFrame({"customer_id": ids, "segment_key": keys, "segment_name": "any"})
    return describe_by_rules(features, segments, list(values), **options)


def shown(found):
    """Keys and rules that are shown."""
    return list(found.loc[found["is_shown"], ["segment_key", "rule"]].itertuples(index=False, name=None))


def matches(conditions, values):
    """Say who fulfils stored conditions, in plain Python."""

    def fits(condition, value):
        if np.isnan(value):
            return condition["includes_unknown"]
        low, high = condition["low"], condition["high"]
        return condition["includes_known"] and (low is None or low < value) and (high is None or value <= high)

    listed = json.loads(conditions)
    return [
        all(fits(condition, values[condition["feature"]][row]) for condition in listed)
        for row in range(len(next(iter(values.values()))))
    ]


def matches_text(rule, values):
    """Say of whom the text of a rule is true, as one reads it."""
    pattern = r"\(?(?:(\S+) < )?(\w+)(?: (<=|>) ([^\s)]+))?(?: is (known|unknown))?( or unknown)?\)?"
    fitting = np.ones(len(next(iter(values.values()))), dtype=bool)
    for text in rule.split(" and "):
        low, feature, sign, limit, state, unknown = re.fullmatch(pattern, text).groups()
        value, is_unknown = np.asarray(values[feature]), np.isnan(values[feature])
        fits = {"known": ~is_unknown, "unknown": is_unknown, None: ~is_unknown | bool(unknown)}[state]
        if sign:
            fits &= is_unknown | ((value <= float(limit)) if sign == "<=" else (value > float(limit)))
        if low:
            fits &= is_unknown | (float(low) < value)
        fitting &= fits
    return fitting.tolist()


def planted(n_customers=600, seed=3):
    """Three segments that two limits define; nobody lies near a limit, and the third feature says nothing."""
    rng = np.random.default_rng(seed)
    values = {
        "recency_days": rng.choice([*range(81), *range(100, 200)], n_customers),
        "order_count": rng.choice([1, 2, 3, 4, 5, 11, 12, 13], n_customers),
        "return_rate": rng.random(n_customers),
    }
    few = np.where(values["order_count"] <= 5, "S002", "S001")
    return values, np.where(values["recency_days"] < 90, few, "S003")


def test_planted_limits_are_found():
    values, keys = planted()
    found = describe(values, keys)
    assert list(found.columns) == list(RULE_COLUMNS)
    assert shown(found) == [
        ("S001", "order_count > 8 and recency_days <= 90"),
        ("S002", "recency_days <= 90 and order_count <= 8"),
        ("S003", "recency_days > 90"),
    ]
    assert found[["recall", "precision"]].to_numpy().tolist() == [[1, 1]] * 3
    sizes = pd.Series(keys).value_counts().sort_index().tolist()
    assert found["matched_count"].tolist() == found["correct_count"].tolist() == sizes
    assert found["held_out_count"].tolist() == [600] * 3
    assert found["reason"].isna().all()
    assert json.loads(found.loc[2, "conditions"]) == [
        {"feature": "recency_days", "low": 90.0, "high": None, "includes_known": True, "includes_unknown": False}
    ]


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_segments_drawn_by_chance_are_hidden(share):
    rng = np.random.default_rng(5)
    keys = np.where(rng.random(400) < share, "S001", "S002")
    found = describe({f"x{number}": rng.random(400) for number in range(6)}, keys)
    assert found["rule_number"].tolist() == [1, 1]
    assert not found["is_shown"].any()
    assert found[["rule", "conditions"]].isna().all(axis=None)
    assert (found[["recall", "precision"]].min(axis=1) < 0.8).all()
    assert found["reason"].str.startswith("no short rule").all()


def test_recall_and_precision_are_not_those_of_the_customers_learned_from():
    rng = np.random.default_rng(5)
    keys = rng.choice(["S001", "S002"], 400)
    found = describe({f"x{number}": rng.random(400) for number in range(6)}, keys)
    assert (found["correct_count"] / found["matched_count"] > 0.6).all()
    assert found["precision"].between(0.4, 0.58).all()


def test_reason_gives_the_figures_rounded_down():
    # 799 of 1,000 at x = 0, and the others where most are of another segment
    x = np.repeat([0, 1, 1], [799, 201, 1000])
    found = describe({"x": x}, np.repeat(["S001", "S001", "S002"], [799, 201, 1000]))
    assert found.loc[0, ["matched_count", "correct_count", "recall", "precision"]].tolist() == [799, 799, 0.799, 1.0]
    assert found["reason"].tolist()[0] == (
        "no short rule describes this segment: recall 0.79, precision 1.00, shown from 0.80"
    )


def noisy(seed):
    """Customers with unknown values, of segments that a tree finds nearly."""
    rng = np.random.default_rng(seed)
    values = {name: rng.lognormal(3, 1, 500).round(2) for name in ("a", "b", "c", "d")}
    for column in values.values():
        column[rng.random(500) < 0.15] = np.nan
    values["b"][rng.random(500) < 0.3] = np.nan
    first = ~(values["a"] <= 25) & (values["b"] > 8)
    second = np.isnan(values["b"]) & (values["c"] <= 40)
    keys = np.select([first, second], ["S001", "S002"], "S003")
    return values, np.where(rng.random(500) < 0.02, "S003", keys)


def leaves_of_a_tree(values, is_member):
    """Whom the leaves hold, most of them of the segment, in a tree of the values instead of the ranks."""
    matrix = np.column_stack(list(values.values()))
    weight = np.sqrt((~is_member).sum() / is_member.sum())
    tree = DecisionTreeClassifier(
        max_depth=3, min_samples_leaf=5, min_impurity_decrease=0.005, class_weight={0: 1, 1: weight}, random_state=7
    ).fit(matrix, is_member.astype(int))
    leaves = tree.apply(matrix)
    groups = [leaves == leaf for leaf in np.unique(leaves)]
    return [group for group in groups if is_member[group].mean() > max(0.5, is_member.mean())]


@pytest.mark.parametrize("seed", range(4))
def test_rules_hold_whom_the_leaves_hold(seed):
    values, keys = noisy(seed)
    found = describe(values, keys)
    rules = found[found["is_shown"]]
    assert {"S001", "S002"} <= set(rules["segment_key"])
    for key, listed in rules.groupby("segment_key"):
        held = [np.array(matches(conditions, values)) for conditions in listed["conditions"]]
        leaves = leaves_of_a_tree(values, keys == key)
        in_rules = np.any(held, axis=0)
        inside = [leaf for leaf in leaves if in_rules[leaf].all()]
        assert in_rules.tolist() == np.any(inside, axis=0).tolist()
        left_out = [leaf for leaf in leaves if not in_rules[leaf].any()]
        assert len(inside) + len(left_out) == len(leaves)
        assert all((keys[leaf] == key).sum() < 0.1 * (keys == key).sum() for leaf in left_out)
        assert np.sum(held, axis=0).max() == 1
        assert listed["matched_count"].tolist() == [rows.sum() for rows in held]
        assert listed["correct_count"].tolist() == [(keys == key)[rows].sum() for rows in held]


@pytest.mark.parametrize("seed", range(4))
def test_texts_say_what_the_conditions_say(seed):
    values, keys = noisy(seed)
    rules = describe(values, keys).dropna(subset="rule")
    assert rules["rule"].str.contains("unknown").any()
    for row in rules.itertuples():
        assert matches_text(row.rule, values) == matches(row.conditions, values)
        assert len(json.loads(row.conditions)) <= 3


def test_unknown_values_alone_make_a_rule():
    gap = np.where(np.arange(100) < 40, np.nan, np.arange(100) % 7)
    found = describe({"gap_days": gap}, np.where(np.isnan(gap), "S001", "S002"))
    assert shown(found) == [("S001", "gap_days is unknown"), ("S002", "gap_days is known")]
    assert matches(found.loc[0, "conditions"], {"gap_days": gap}) == np.isnan(gap).tolist()


def test_unknown_values_that_a_limit_leaves_over_lose_the_limit():
    # the first split is x <= 10 or unknown, the second y, the third parts x that is known from x that is not
    x = np.repeat([np.nan, 10, 20], [60, 200, 300])
    y = np.concatenate([np.arange(60) % 2, np.repeat([1, 0], [90, 110]), np.arange(300) % 2])
    found = describe({"x": x, "y": y}, np.where(np.isnan(x) | ((x == 10) & (y == 1)), "S001", "S002"))
    assert shown(found)[:2] == [("S001", "(x <= 10 or unknown) and y > 0"), ("S001", "x is unknown and y <= 0")]
    assert found["correct_count"].tolist()[:2] == [120, 30]


def test_two_limits_of_a_feature_make_one_interval():
    x = np.arange(300)
    found = describe({"x": x}, np.where((x > 100) & (x <= 200), "S001", "S002"))
    assert shown(found)[0] == ("S001", "100 < x <= 200")


def test_leaves_that_are_all_of_the_segment_become_one_rule():
    # the tree parts y < 3, where all are of the segment, from y = 3, where three in four are
    x, y = np.arange(400) % 100, np.arange(400) // 100
    is_member = (x < 50) & ((y < 3) | (x % 4 > 0))
    found = describe({"x": x, "y": y}, np.where(is_member, "S001", "S002"))
    assert shown(found)[0] == ("S001", "x <= 49")


def test_rules_that_add_little_are_dropped_and_count_as_missed():
    # 200 customers of the segment at x = 0, 16 at x = 2
    x = np.repeat([0, 1, 2], [200, 200, 16])
    found = describe({"x": x}, np.where(x == 1, "S002", "S001"))
    assert shown(found) == [("S001", "x <= 0"), ("S002", "0 < x <= 1")]
    assert found["recall"].tolist() == [round(200 / 216, 10), 1.0]
    assert found["precision"].tolist() == [1.0, 1.0]


def test_there_are_at_most_three_rules_and_the_rest_counts_as_missed():
    # four islands, which a deep tree parts from the three between them
    x = np.repeat(range(7), [50, 40, 50, 40, 50, 40, 40])
    found = describe({"x": x}, np.where(x % 2, "S002", "S001"), max_depth=6)
    assert found["is_shown"].tolist() == [False, True, True, True]
    assert found["recall"].tolist() == [round(150 / 190, 10), 1.0, 1.0, 1.0]
    assert found.loc[0, ["matched_count", "correct_count"]].tolist() == [150, 150]
    assert found.loc[1:, "rule_number"].tolist() == list(range(1, MAX_RULES + 1))


def test_every_segment_is_dealt_out_evenly():
    keys = np.array(["S001"] * 23 + ["S002"] * 41)
    counts = pd.crosstab(keys, _deal_folds(keys, seed=7))
    assert counts.max(axis=1).sub(counts.min(axis=1)).tolist() == [1, 1]


def test_order_of_rows_changes_no_bit():
    values, keys = noisy(1)
    ids = [f"c{number:03d}" for number in range(len(keys))]
    features = pd.DataFrame({"customer_id": ids, **values})
    segments = pd.DataFrame({"customer_id": ids, "segment_key": keys})
    first = describe_by_rules(features, segments, list(values), max_customers=400)
    second = describe_by_rules(
        features.iloc[::-1], segments.sample(frac=1, random_state=1), list(values), max_customers=400
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_hundredfold_of_money_scales_the_limits_and_nothing_else():
    rng = np.random.default_rng(8)
    cents = rng.integers(100, 100_000, 400)
    keys = np.where(cents > 43_210, "S001", "S002")
    amounts = describe({"revenue": [Decimal(int(number)) / 100 for number in cents]}, keys)
    whole = describe({"revenue": cents}, keys)
    texts = ["rule", "conditions"]
    pd.testing.assert_frame_equal(amounts.drop(columns=texts), whole.drop(columns=texts))
    limits = [[json.loads(text)[0]["high"] for text in found["conditions"]] for found in (amounts, whole)]
    assert limits[1] == [None, pytest.approx(100 * limits[0][1])]


@pytest.mark.parametrize(("factor", "shift"), [(1e-12, 0), (1e12, 0), (1, 1e9)])
def test_any_unit_will_do(factor, shift):
    x = np.arange(400) * factor + shift
    keys = np.where(np.arange(400) < 123, "S001", "S002")
    found = describe({"x": x}, keys)
    assert matches(found.loc[0, "conditions"], {"x": x}) == (keys == "S001").tolist()


def test_equal_features_are_chosen_from_alike_every_time():
    x = np.arange(100)
    found = [describe({f"x{n}": x for n in range(8)}, np.where(x < 50, "S001", "S002"))["rule"] for _ in range(4)]
    assert len({tuple(rules) for rules in found}) == 1


def test_a_small_segment_weighs_enough_not_to_be_cut_short():
    # of 60 customers in 1,000, a > 0 holds for 49 and nobody else, b > 0 for all and for 15 others
    is_member = np.arange(1_000) < 60
    values = {"a": (np.arange(1_000) < 49).astype(int), "b": (np.arange(1_000) < 75).astype(int)}
    found = describe(values, np.where(is_member, "S001", "S002"), max_depth=1)
    assert shown(found)[0] == ("S001", "b > 0")


def test_a_condition_that_gains_little_is_left_out():
    # y > 0 would leave 6 customers out who are not among the 194 of the segment
    x, y = np.arange(3_000), (np.arange(3_000) % 200 >= 6).astype(int)
    found = describe({"x": x, "y": y}, np.where((x < 200) & (y > 0), "S001", "S002"))
    assert shown(found)[0] == ("S001", "x <= 199")


def test_a_small_segment_is_not_measured():
    x = np.repeat([0, 1, 2], [12, 100, 100])
    found = describe({"x": x}, np.array(["S001", "S002", "S003"])[x])
    assert found["is_shown"].tolist() == [False, True, True]
    assert found.loc[0, ["rule", "conditions", "matched_count", "correct_count", "recall", "precision"]].isna().all()
    assert (found.loc[0, "rule_number"], found.loc[0, "held_out_count"]) == (1, 0)
    assert found.loc[0, "reason"] == (
        "12 of 212 customers looked at are in this segment, 200 in others; recall and precision take 20 of each"
    )


def test_the_only_segment_has_no_rule():
    found = describe({"x": np.arange(50)}, ["S001"] * 50)
    assert found["is_shown"].tolist() == [False]
    assert "50 of 50 customers looked at are in this segment, 0 in others" in found.loc[0, "reason"]


def test_customers_without_a_segment_do_not_count():
    values, keys = planted()
    keys = np.where(values["recency_days"] < 90, keys, None)
    found = describe(values, keys)
    assert shown(found) == [("S001", "order_count > 8"), ("S002", "order_count <= 8")]
    assert found["matched_count"].sum() == found.loc[0, "held_out_count"] == (keys != None).sum()  # noqa: E711
    assert describe(values, [None] * 600).empty


def test_a_sample_is_measured_and_everyone_is_counted():
    x = np.arange(3_000) % 10
    found = describe({"x": x}, np.where(x < 4, "S001", "S002"), max_customers=300)
    assert shown(found) == [("S001", "x <= 3"), ("S002", "x > 3")]
    assert found["held_out_count"].tolist() == [300, 300]
    assert found["matched_count"].tolist() == [1_200, 1_800]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (4, 5, 4),
        (0, 1, 0),
        (4, 9, 6),
        (105, 106, 105),
        (31.2, 39.9, 36),
        (123.45, 456.78, 300),
        (0.4132, 0.4136, 0.4134),
        (0.1, 0.1 + 0.2 - 0.2, 0.1),
        (-9.7, 9.9, 0.1),
        (-0.5, 0.5, 0),
        (1_234_567.25, 1_234_567.5, 1_234_567.4),
    ],
)
def test_limits_are_the_roundest_number_between_two_values(low, high, expected):
    assert round_between(low, high) == expected


def test_a_missing_feature_is_named():
    with pytest.raises(DataError, match="the features lack the columns y\nHint: "):
        describe_by_rules(
            pd.DataFrame({"customer_id": ["a"], "x": [1]}),
            pd.DataFrame({"customer_id": ["a"], "segment_key": ["S001"]}),
            ["y"],
        )


def test_a_feature_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="rules compare numbers, but colour is of type str\nHint: leave the column out"):
        describe({"colour": ["red", "blue"]}, ["S001", "S002"])
