"""Who the noise is, on customers whose groups are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from segmentation_assets.reporting.noise_profile import profile_noise

EVERYONE = np.ones(20, dtype=bool)


def customers(**columns):
    """Return 20 customers with a net revenue of 1 to 20, together 210."""
    return pd.DataFrame({"net_revenue_amount": np.arange(1.0, 21.0), **columns})


def counts(rows):
    return {row["group"]: row["customer_count"] for row in rows}


def test_the_five_percent_with_most_revenue_are_vips_and_the_rest_niches():
    rows = profile_noise(customers(), EVERYONE)
    assert counts(rows) == {"vip": 1, "possible_error": 0, "newcomer": 0, "niche": 19}
    assert [row["customer_share"] for row in rows] == [0.05, 0.0, 0.0, 0.95]
    assert [row["net_revenue_share"] for row in rows] == [0.09523809524, 0.0, 0.0, 0.9047619048]


def test_a_customer_counts_to_the_first_group_that_fits():
    tenure = [90.0, 91.0, np.nan] + [400.0] * 16 + [1.0]
    rows = profile_noise(customers(tenure_days=tenure), EVERYONE)
    assert counts(rows) == {"vip": 1, "possible_error": 0, "newcomer": 1, "niche": 18}


def test_who_returned_more_than_was_bought_may_be_an_error():
    features = customers()
    features.loc[0, "net_revenue_amount"] = -1.0
    assert counts(profile_noise(features, EVERYONE))["possible_error"] == 1


def test_a_value_far_outside_of_the_others_may_be_an_error():
    orders = [1, 2, 3, 4] * 4 + [1, 2, 3, 2_000_000]
    features = customers(order_count=orders).iloc[::-1].assign(net_revenue_amount=np.arange(1.0, 21.0))
    assert counts(profile_noise(features, EVERYONE)) == {"vip": 1, "possible_error": 1, "newcomer": 0, "niche": 18}


def test_only_those_set_apart_are_counted_beside_everyone():
    is_apart = np.arange(20) >= 18
    rows = profile_noise(customers(), is_apart)
    assert counts(rows) == {"vip": 1, "possible_error": 0, "newcomer": 0, "niche": 1}
    assert rows[3]["net_revenue_share"] == 0.09047619048


def test_without_net_revenue_there_is_no_share_of_it():
    features = customers().assign(net_revenue_amount=0.0)
    rows = profile_noise(features, EVERYONE)
    assert counts(rows)["vip"] == 0
    assert {row["net_revenue_share"] for row in rows} == {None}
