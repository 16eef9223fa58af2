"""Scores of a model by country and tenure."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.prediction.group_scores import MOST_GROUPS, measure_groups, sum_groups


def test_shares_are_counted_within_groups():
    features = pd.DataFrame(
        {"main_country": ["DE", "DE", None, "FR"], "tenure_days": pd.array([90, 91, 366, None], dtype="Int64")}
    )
    found = measure_groups(features, np.array([True, False, True, False]), np.array([0.8, 0.4, 0.6, 0.2]))
    assert found[["grouping", "group", "customer_count"]].to_numpy().tolist() == [
        ["country", "DE", 2], ["country", "FR", 1], ["country", "unknown", 1], ["tenure", "91 to 365 days", 1],
        ["tenure", "more than a year", 1], ["tenure", "unknown", 1], ["tenure", "up to 90 days", 1],
    ]  # fmt: skip
    assert found.loc[0, ["found_share", "mean_probability"]].tolist() == pytest.approx([0.5, 0.6])
    assert found["auc"].isna().all()


def test_large_groups_have_an_area_and_rare_countries_are_one_group():
    rng = np.random.default_rng(0)
    countries = np.repeat([f"C{number}" for number in range(10)], [400, *[40] * 9])
    probability = rng.random(len(countries))
    outcome = rng.random(len(countries)) < probability
    found = measure_groups(pd.DataFrame({"main_country": countries}), outcome, probability).set_index("group")
    assert found.loc["C0", "auc"] == pytest.approx(0.83, abs=0.06)
    assert len(found) == MOST_GROUPS + 1
    assert found.loc["others", "customer_count"] == 160
    assert found.drop(["C0", "others"])["auc"].isna().all()


def test_without_country_and_tenure_there_are_no_groups():
    assert measure_groups(pd.DataFrame({"x": [1.0]}), np.array([True]), np.array([0.5])).empty


def test_sums_are_those_of_each_group():
    features = pd.DataFrame({"main_country": ["NL", None, "NL"], "tenure_days": [10, 400, 90]})
    found = sum_groups(features, {"orders": np.array([1.0, 2.0, 4.0])})
    assert found.to_numpy().tolist() == [
        ["country", "NL", 2, 5.0],
        ["country", "unknown", 1, 2.0],
        ["tenure", "up to 90 days", 2, 5.0],
        ["tenure", "more than a year", 1, 2.0],
    ]
