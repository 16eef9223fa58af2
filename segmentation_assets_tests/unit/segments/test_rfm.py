"""RFM scores and the map."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation_assets.config.rfm import RfmCuts, RfmSettings
from segmentation_assets.errors import DataError
from segmentation_assets.segments.rfm import (
    RfmThresholds,
    apply_thresholds,
    fit_thresholds,
    read_rfm_map,
    rfm_map,
    score_rfm,
    trace_scores,
)
from segmentation_assets.tables.gold import RFM_SEGMENTS


def customers(recency, orders, revenue):
    """Build features of customers c0, c1, …"""
    ids = [f"c{number}" for number in range(len(recency))]
    return pd.DataFrame(
        {"customer_id": ids, "recency_days": recency, "order_count": orders, "net_revenue_amount": revenue}
    )


def test_map_is_complete_and_has_the_published_number_of_cells():
    assert sorted(rfm_map()) == [f"{r}{f}{m}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    assert Counter(rfm_map().values()) == {
        "Champions": 7, "Loyal": 8, "Potential Loyalist": 24, "New Customers": 7, "Promising": 16,
        "Need Attention": 8, "About To Sleep": 8, "At Risk": 22, "Cannot Lose Them": 8, "Hibernating": 11, "Lost": 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "segment"), [("555", "Champions"), ("512", "New Customers"), ("155", "Cannot Lose Them"), ("111", "Lost")]
)
def test_map_names_known_cells(code, segment):
    assert rfm_map()[code] == segment


def test_the_grid_of_25_cells_is_complete_and_looks_at_no_money():
    grid = rfm_map("grid_25")
    assert sorted(grid) == sorted(rfm_map())
    by_cell = {code[:2]: {grid[code[:2] + money] for money in "12345"} for code in grid}
    assert {len(names) for names in by_cell.values()} == {1}
    assert Counter(name for names in by_cell.values() for name in names) == {
        "Champions": 2, "Loyal": 4, "Potential Loyalist": 4, "New Customers": 1, "Promising": 1, "Need Attention": 1,
        "About To Sleep": 2, "At Risk": 4, "Cannot Lose Them": 2, "Hibernating": 4,
    }  # fmt: skip
    assert [grid[f"{code}3"] for code in ("55", "51", "33", "15", "11")] == [
        "Champions",
        "New Customers",
        "Need Attention",
        "Cannot Lose Them",
        "Hibernating",
    ]


def test_points_of_ones_own_and_another_map_count():
    own = RfmSettings(map="grid_25", cuts=RfmCuts(order_count=(1, 2, 3, 100)))
    frame = customers([5, 10, 20, 40, 80], [9, 7, 5, 3, 1], [10, 20, 30, 40, 50])
    scored, thresholds = score_rfm(frame, own)
    assert thresholds.order_count == (1, 2, 3, 100)
    assert thresholds.recency_days == fit_thresholds(frame).recency_days
    assert scored["rfm_code"].tolist() == ["541", "442", "343", "234", "115"]
    assert scored["rfm_segment"].tolist() == ["Champions", "Loyal", "Loyal", "At Risk", "Hibernating"]


@pytest.mark.parametrize("points", [(1, 1, 2, 3), (4, 3, 2, 1)])
def test_points_that_do_not_rise_are_refused(points):
    with pytest.raises(ValueError, match="do not rise; write four points, the smallest first"):
        RfmCuts(order_count=points)


def test_what_moved_a_customer_is_told(stored):
    before = customers([5, 10, 20, 40, 80], [9, 7, 5, 3, 1], [10, 20, 30, 40, 50])
    scored, former = score_rfm(before)
    first = trace_scores(scored, None, None)
    assert len(stored(first, RFM_SEGMENTS)) == 5
    assert first["moved_by"].isna().all()
    now = pd.concat([before.assign(recency_days=[5, 10, 90, 40, 80]), customers([1] * 9, [1] * 9, [1] * 9)[5:]])
    cells = rfm_map()
    traced = trace_scores(score_rfm(now)[0], apply_thresholds(now, former, cells), first).set_index("customer_id")
    assert len(stored(traced.reset_index(), RFM_SEGMENTS)) == 9
    assert traced.loc["c5":"c8", "moved_by"].isna().all(), "they are new"
    fixed = apply_thresholds(now, former, cells).set_index("customer_id")["rfm_segment"]
    for customer in before["customer_id"]:
        own = fixed[customer] != first.set_index("customer_id").loc[customer, "rfm_segment"]
        others = fixed[customer] != traced.loc[customer, "rfm_segment"]
        words = {(False, False): "nobody", (True, False): "customer", (False, True): "population"}
        assert traced.loc[customer, "moved_by"] == words.get((own, others), "customer+population")
    assert {"customer", "population", "customer+population"} & set(traced["moved_by"].dropna())
    same = trace_scores(scored, apply_thresholds(before, former, cells), first)
    assert set(same["moved_by"]) == {"nobody"}


def test_five_customers_get_one_fifth_each_and_five_is_best():
    scored, thresholds = score_rfm(customers([5, 10, 20, 40, 80], [9, 7, 5, 3, 1], [10, 20, 30, 40, 50]))
    expected = pd.DataFrame(
        {
            "customer_id": ["c0", "c1", "c2", "c3", "c4"],
            "recency_score": [5, 4, 3, 2, 1],
            "frequency_score": [5, 4, 3, 2, 1],
            "monetary_score": [1, 2, 3, 4, 5],
            "rfm_code": ["551", "442", "333", "224", "115"],
            "rfm_segment": ["Potential Loyalist"] * 3 + ["At Risk", "Cannot Lose Them"],
        }
    )
    assert [*scored.columns, "previous_rfm_segment", "moved_by"] == list(RFM_SEGMENTS.column_names)
    pd.testing.assert_frame_equal(scored, expected, check_dtype=False)
    assert thresholds == RfmThresholds((5.0, 10.0, 20.0, 40.0), (1.0, 3.0, 5.0, 7.0), (10.0, 20.0, 30.0, 40.0))


def test_half_the_customers_with_one_order_share_the_lowest_score():
    scored, thresholds = score_rfm(customers(range(10), [1, 1, 1, 1, 1, 2, 2, 3, 4, 8], range(10)))
    assert thresholds.order_count == (1.0, 1.0, 2.0, 3.0)
    assert scored["frequency_score"].tolist() == [1, 1, 1, 1, 1, 3, 3, 4, 5, 5]


def test_customers_without_an_order_are_left_out():
    scored, _ = score_rfm(customers([3, None, 9], [2, 0, 1], [20.0, -5.0, 10.0]))
    assert scored["customer_id"].tolist() == ["c0", "c2"]


def test_one_customer_alone_is_scored():
    scored, _ = score_rfm(customers([3], [1], [10.0]))
    assert scored["rfm_code"].tolist() == ["511"]


def test_thresholds_of_one_snapshot_score_another():
    thresholds = fit_thresholds(customers([5, 10, 20, 40, 80], [1, 3, 5, 7, 9], [10, 20, 30, 40, 50]))
    scored = apply_thresholds(customers([100, 1], [20, 0], [999, -1]), thresholds, rfm_map())
    assert scored["rfm_code"].tolist() == ["155", "511"]
    assert RfmThresholds.from_plain(thresholds.to_plain()) == thresholds


@given(
    orders=st.lists(st.integers(1, 6), min_size=1, max_size=40),
    factor=st.sampled_from([0.1, 100.0]),
    seed=st.integers(0, 9),
)
def test_currency_unit_and_row_order_change_nothing_and_scores_follow_the_values(orders, factor, seed):
    rng = np.random.default_rng(seed)
    frame = customers(rng.integers(0, 300, len(orders)), orders, np.round(rng.normal(50, 40, len(orders)), 2))
    scored, _ = score_rfm(frame)
    scaled, _ = score_rfm(frame.assign(net_revenue_amount=frame["net_revenue_amount"] * factor))
    shuffled, _ = score_rfm(frame.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(scored, scaled)
    pd.testing.assert_frame_equal(scored, shuffled)
    ranked = frame.merge(scored, on="customer_id").sort_values("order_count")
    assert ranked["frequency_score"].is_monotonic_increasing
    assert ranked.groupby("order_count")["frequency_score"].nunique().max() == 1


def test_no_customer_with_an_order_is_refused():
    with pytest.raises(DataError, match="none of 1 customers has an order"):
        score_rfm(customers([None], [0], [-5.0]))


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="RFM scores need the columns order_count\nHint: did you mean 'order_counts'"):
        score_rfm(customers([1], [1], [1.0]).rename(columns={"order_count": "order_counts"}))


def test_a_map_with_a_repeated_code_is_refused():
    with pytest.raises(DataError, match="names code 555 twice, again in row 2"):
        read_rfm_map("code,segment\n555,Champions\n555,Loyal\n")


def test_a_map_with_a_missing_code_is_refused():
    with pytest.raises(DataError, match="missing or unknown: 111, 112, 113, 114, 115"):
        read_rfm_map("code,segment\n555,Champions\n")


def test_a_map_with_an_unknown_segment_is_refused():
    with pytest.raises(DataError, match="the segment 'Champion' in row 1\nHint: did you mean 'Champions'"):
        read_rfm_map("code,segment\n555,Champion\n")
