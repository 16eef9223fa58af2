"""Why a customer is in its segment, and the smallest change that would class it as the runner-up."""

import dataclasses
import json

import pandas as pd
import pytest

from segmentation_assets.api import generate_shop, make_clusterer, prepare_matrix
from segmentation_assets.errors import DataError
from segmentation_assets.segments.assignment import assign_by_model
from segmentation_assets.segments.champion_model import RFM_MAP, ChampionModel, Segment
from segmentation_assets.segments.explanation import (
    Change,
    Explanation,
    Reason,
    Step,
    apply_change,
    describe_explanation,
    explain_customer,
)
from segmentation_assets.segments.feature_identities import broken_identities, levers_of, repair
from segmentation_assets.segments.rfm import RfmThresholds, fit_thresholds, rfm_map
from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES

NAMES = {"S001": "Best", "S002": "Middle", "S003": "Rest"}
FEATURES = pd.DataFrame(
    {
        "customer_id": ["d", "a", "b", "c"],
        "recency_days": [None, 3, 30, 300],
        "order_count": [None, 19.0, 9.0, 1.0],
        "net_revenue_amount": [-5.0, 900.0, 100.0, 10.0],
        "gap_days": [None, 2.0, None, 6.0],
        "lifetime_months": [None, 12.0, 12.0, 12.0],
    }
)
RFM_SEGMENTS = tuple(Segment(f"S{number + 1:03d}", number) for number in range(len(RFM_SEGMENT_NAMES)))
RFM_NAMES = {segment.segment_key: RFM_SEGMENT_NAMES[segment.cluster] for segment in RFM_SEGMENTS}

ROW = {
    "customer_id": "c",
    "recency_days": 100,
    "order_count": 4,
    "unit_count": 8,
    "gross_revenue_amount": 400.0,
    "returned_revenue_amount": 40.0,
    "net_revenue_amount": 360.0,
    "average_order_value_amount": 100.0,
    "tenure_days": 487,
    "lifetime_months": 16.0,
    "orders_per_month": 0.25,
    "order_day_count": 4,
    "last_order_date": pd.Timestamp("2025-03-23"),
    "order_count_90d": 0,
    "unit_count_90d": 0,
    "net_revenue_amount_90d": 0.0,
    "average_order_value_amount_90d": None,
    "order_count_365d": 3,
    "unit_count_365d": 6,
    "net_revenue_amount_365d": 324.0,
    "average_order_value_amount_365d": 120.0,
    "gap_days_mean": 100.0,
    "overdue_ratio": 1.0,
    "return_rate": 0.1,
    "return_order_count": 1,
    "department_count": 3,
    "department_share_shoes": 0.5,
    "department_revenue_amount_shoes": 200.0,
    "department_share_home": 0.3,
    "department_revenue_amount_home": 120.0,
    "department_share_other": 0.2,
    "department_revenue_amount_other": 80.0,
    "average_unit_price_amount": 50.0,
    "event_count_90d": 2,
    "days_since_event": 40,
    "visit_count_90d": 2,
    "recency_days_times_order_count": 400.0,
    "order_count_per_recency_days": 0.04,
}
"""Orders 400 and 100 days ago and two between, one of them older than a year."""


def one_row(**values):
    """Build that customer, with other values."""
    return pd.DataFrame([ROW | values]).astype({"average_order_value_amount_90d": "float64"})


def changed(**asked):
    """Return what is another value than before."""
    before, after = one_row(), repair(one_row(), pd.DataFrame([asked], dtype="float64"))
    pd.testing.assert_index_equal(before.columns, after.columns)
    pairs = {name: (before[name].iloc[0], after[name].iloc[0]) for name in before}
    return {
        name: None if pd.isna(new) else new
        for name, (old, new) in pairs.items()
        if old != new and not (pd.isna(old) and pd.isna(new))
    }


def money(gross, **others):
    """List what goes with gross revenue where shares stay."""
    departments = {"shoes": 0.5, "home": 0.3, "other": 0.2}
    return {
        "gross_revenue_amount": gross,
        "net_revenue_amount": 0.9 * gross,
        "returned_revenue_amount": 0.1 * gross,
        **{f"department_revenue_amount_{name}": share * gross for name, share in departments.items()},
        **others,
    }


def test_the_customer_of_these_tests_keeps_all_identities():
    broken = broken_identities(one_row()).loc[0]
    assert list(broken[broken].index) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            {"recency_days": 50},
            money(
                500.0,
                recency_days=50,
                last_order_date=pd.Timestamp("2025-05-12"),
                order_count=5,
                order_count_90d=1,
                order_count_365d=4,
                order_day_count=5,
                orders_per_month=0.25 + 1 / 16,
                gap_days_mean=350 / 4,
                overdue_ratio=50 / (350 / 4),
                net_revenue_amount_90d=90.0,
                average_order_value_amount_90d=100.0,
                net_revenue_amount_365d=414.0,
                average_order_value_amount_365d=115.0,
                unit_count=10,
                unit_count_90d=2,
                unit_count_365d=8,
                recency_days_times_order_count=250,
                order_count_per_recency_days=0.1,
            ),
        ),
        (
            {"recency_days": 370},
            {
                "recency_days": 370,
                "last_order_date": pd.Timestamp("2024-06-26"),
                "order_count_365d": 0,
                "net_revenue_amount_365d": 0.0,
                "average_order_value_amount_365d": None,
                "unit_count_365d": 0,
                "gap_days_mean": 10.0,
                "overdue_ratio": 37.0,
                "recency_days_times_order_count": 1480,
                "order_count_per_recency_days": 4 / 370,
            },
        ),
        (
            {"order_count_90d": 2},
            money(
                600.0,
                recency_days=90,
                last_order_date=pd.Timestamp("2025-04-02"),
                order_count=6,
                order_count_90d=2,
                order_count_365d=5,
                order_day_count=6,
                orders_per_month=0.375,
                gap_days_mean=62.0,
                overdue_ratio=90 / 62,
                net_revenue_amount_90d=180.0,
                average_order_value_amount_90d=100.0,
                net_revenue_amount_365d=504.0,
                average_order_value_amount_365d=112.0,
                unit_count=12,
                unit_count_90d=4,
                unit_count_365d=10,
                recency_days_times_order_count=540,
                order_count_per_recency_days=6 / 90,
            ),
        ),
        (
            {"order_count": 2},
            money(
                160.0,
                order_count=2,
                order_count_365d=1,
                order_day_count=2,
                orders_per_month=0.125,
                gap_days_mean=300.0,
                overdue_ratio=1 / 3,
                average_order_value_amount=80.0,
                net_revenue_amount_365d=108.0,
                average_unit_price_amount=40.0,
                unit_count=4,
                unit_count_365d=2,
                recency_days_times_order_count=200,
                order_count_per_recency_days=0.02,
            ),
        ),
        (
            {"average_order_value_amount": 150},
            money(
                600.0,
                average_order_value_amount=150,
                average_order_value_amount_365d=180.0,
                net_revenue_amount_365d=486.0,
                average_unit_price_amount=75.0,
            ),
        ),
        (
            {"net_revenue_amount": 720},
            money(
                800.0,
                average_order_value_amount=200.0,
                average_order_value_amount_365d=240.0,
                net_revenue_amount_365d=648.0,
                average_unit_price_amount=100.0,
            ),
        ),
        (
            {"average_order_value_amount": 150, "order_count": 5, "net_revenue_amount": 600},
            money(
                750.0,
                net_revenue_amount=600,
                returned_revenue_amount=150.0,
                order_count=5,
                order_day_count=5,
                orders_per_month=0.3125,
                gap_days_mean=75.0,
                overdue_ratio=100 / 75,
                average_order_value_amount=150,
                average_order_value_amount_365d=180.0,
                net_revenue_amount_365d=432.0,
                unit_count=10,
                average_unit_price_amount=75.0,
                recency_days_times_order_count=500,
                order_count_per_recency_days=0.05,
            ),
        ),
        (
            {"return_rate": 0.2},
            {
                "return_rate": 0.2,
                "net_revenue_amount": 320.0,
                "returned_revenue_amount": 80.0,
                "net_revenue_amount_365d": 288.0,
            },
        ),
        (
            {"return_rate": 0},
            {
                "return_rate": 0,
                "return_order_count": 0,
                "net_revenue_amount": 400.0,
                "returned_revenue_amount": 0.0,
                "net_revenue_amount_365d": 360.0,
            },
        ),
        (
            {"average_unit_price_amount": 99},
            {"average_unit_price_amount": 100.0, "unit_count": 4, "unit_count_365d": 3},
        ),
        (
            {"department_share_shoes": 0.75},
            {
                "department_share_shoes": 0.75,
                "department_revenue_amount_shoes": 300.0,
                "department_share_home": 0.15,
                "department_revenue_amount_home": 60.0,
                "department_share_other": 0.1,
                "department_revenue_amount_other": 40.0,
            },
        ),
        (
            {"department_share_shoes": 1},
            {
                "department_share_shoes": 1,
                "department_revenue_amount_shoes": 400.0,
                "department_share_home": 0,
                "department_revenue_amount_home": 0.0,
                "department_share_other": 0,
                "department_revenue_amount_other": 0.0,
                "department_count": 1,
            },
        ),
        ({"event_count_90d": 0}, {"event_count_90d": 0, "visit_count_90d": 0, "days_since_event": 91}),
        ({"visit_count_90d": 5}, {"event_count_90d": 5, "visit_count_90d": 5}),
    ],
)
def test_what_follows_from_a_change_changes_with_it(asked, expected):
    found = changed(**asked)
    assert found == {
        name: value if isinstance(value, pd.Timestamp | None) else pytest.approx(value)
        for name, value in expected.items()
    }
    after = repair(one_row(), pd.DataFrame([asked], dtype="float64"))
    broken = broken_identities(after).loc[0]
    assert list(broken[broken].index) == []


@pytest.mark.parametrize(
    ("values", "identity"),
    [
        ({"order_count": 0}, "there is an order, of some value"),
        ({"order_count_90d": 4}, "order_count_90d is within order_count_365d"),
        ({"unit_count_365d": 9}, "unit_count_365d is within unit_count"),
        ({"average_order_value_amount_365d": 200.0}, "money_365d is within money"),
        ({"recency_days": 80}, "the last order is not in _90d"),
        ({"order_count_90d": 1}, "the last order is in _90d"),
        ({"unit_count": 3}, "every order has units"),
        ({"average_order_value_amount": 101.0}, "average_order_value_amount is gross_revenue_amount / order_count"),
        ({"overdue_ratio": 2.0}, "overdue_ratio is recency_days / gap_days_mean"),
        ({"net_revenue_amount": 401.0}, "net revenue is within gross"),
        ({"returned_revenue_amount": 41.0}, "returned is gross less net"),
        ({"tenure_days": 399}, "no order is before the first"),
        ({"lifetime_months": 15.0}, "tenure is of these months"),
        ({"orders_per_month": 0.2}, "orders are among those ever"),
        ({"orders_per_month": 0.26}, "orders ever are whole"),
        ({"orders_per_month": 0.0625}, "of one order ever the last is the first"),
        ({"recency_days": 487}, "several orders are of several days"),
        ({"tenure_days": 50}, "all orders of a newcomer are in _90d"),
        ({"tenure_days": 50}, "all units of a newcomer are in _90d"),
        ({"tenure_days": 50, "average_order_value_amount_90d": 1.0}, "all money of a newcomer is in _90d"),
        ({"order_count_365d": 4}, "the first order is not in _365d"),
        ({"order_count": 1}, "one order is of one day"),
        ({"gap_days_mean": 0.5}, "order days are different"),
        ({"order_day_count": 1}, "gaps lie between order days"),
        ({"department_share_home": 0.4}, "shares of departments sum to 1"),
        ({"department_count": 1}, "departments are counted"),
        ({"days_since_event": 95}, "the last event is in its window"),
        ({"visit_count_90d": 3}, "visit_count_90d is within all events"),
        ({"order_count": 4.5}, "order_count is whole and no less than 0"),
        ({"return_rate": 1.1}, "return_rate is from 0 to 1"),
        (
            {"order_count_per_recency_days": 1.0},
            "order_count_per_recency_days is made from order_count and recency_days",
        ),
    ],
)
def test_a_broken_identity_is_named(values, identity):
    broken = broken_identities(one_row(**values)).loc[0]
    assert identity in broken[broken].index


@pytest.mark.parametrize(
    ("feature", "levers"),
    [
        ("age_years", ()),
        ("btyd_T", ()),
        ("class_share_shoes_boots", ()),
        ("net_revenue_amount", ("net_revenue_amount",)),
        ("overdue_ratio", ("recency_days", "order_count")),
        ("net_revenue_amount_90d", ("order_count_90d", "average_order_value_amount")),
        ("department_revenue_amount_shoes", ("department_share_shoes", "average_order_value_amount")),
        ("recency_days_times_orders_per_month", ("recency_days", "order_count")),
        ("tenure_days_per_recency_days", ("recency_days",)),
    ],
)
def test_features_that_follow_are_changed_through_others(feature, levers):
    assert levers_of(feature, ["recency_days", "orders_per_month", "tenure_days"]) == levers


@pytest.mark.parametrize(
    ("customer", "key", "runner_up", "before", "after"),
    [("a", "S001", "S002", 19.0, 14.0), ("b", "S002", "S003", 9.0, 4.0), ("c", "S003", "S002", 1.0, 6.0)],
)
def test_the_change_goes_just_over_the_border_between_two_centres(model, customer, key, runner_up, before, after):
    found = explain_customer(FEATURES, customer, model, NAMES)
    assert (found.state, found.segment_key, found.segment_name) == ("assigned", key, NAMES[key])
    assert (found.runner_up_segment_key, found.runner_up_segment_name) == (runner_up, NAMES[runner_up])
    assert found.runner_up_by == "model"
    spread = FEATURES["order_count"].std(ddof=0)
    step = Step("order_count", "Orders", before, after)
    assert found.change == Change((step,), (), pytest.approx(abs(after - before) / spread, abs=1e-4))


def test_what_is_filled_in_is_no_value_of_the_customer(model):
    known = FEATURES.assign(order_count=[None, 19.0, 9.0, 9.0], gap_days=[None, 2.0, None, 30.0])
    found = explain_customer(known, "b", model, NAMES)
    assert found.reasons == (Reason("gap_days", "Gap days", None, None, 30.0, 1.0, was_filled_in=True),)
    expected = "- Gap days: unknown, filled in (typical of Middle: unknown, of Rest: 30; weight 100%)"
    assert describe_explanation(found).splitlines()[4] == expected


def rfm_model(thresholds):
    return ChampionModel(RFM_MAP, RFM_SEGMENTS, rfm_thresholds=thresholds, rfm_cells=rfm_map())


def test_the_rfm_map_is_explained_by_its_neighbours():
    customers = pd.DataFrame(
        {
            "customer_id": ["late", "good"],
            "recency_days": [35, 20],
            "order_count": [6, 5],
            "net_revenue_amount": [600.0, 450.0],
        }
    )
    model = rfm_model(RfmThresholds((10, 30, 60, 90), (1, 2, 3, 4), (100, 200, 300, 400)))
    found = explain_customer(customers, "late", model, RFM_NAMES, {"recency_days": "Days since last order"})
    assert found.reasons == (
        Reason("recency_days", "Days since last order", 35.0, 35.0, 20.0, 1.0, was_filled_in=False),
    )
    assert describe_explanation(found).splitlines() == [
        "Customer late is classed as Loyal. The model names no runner-up; Champions is the segment of most of the "
        "nearest customers of others.",
        "",
        "What puts it into Loyal rather than into Champions:",
        "",
        "- Days since last order: 35 (typical of Loyal: 35, of Champions: 20; weight 100%)",
        "",
        "It would be classed as Champions if Days since last order were 30 instead of 35. With that goes: Orders 7 "
        "instead of 6, Net revenue 700.00 instead of 600.00. This says where the model draws its line, not what would "
        "come of it.",
    ]


def test_customers_without_a_segment_get_a_state(model):
    small = dataclasses.replace(model, segments=model.segments[:2], exceptional_clusters=(2,))
    assert explain_customer(FEATURES, "d", model, NAMES) == Explanation("d", "no_purchases")
    assert explain_customer(FEATURES, "c", small, NAMES) == Explanation("c", "exceptional")
    assert describe_explanation(Explanation("c", "exceptional")) == "Customer c has no segment: exceptional."


def test_without_another_segment_there_is_no_runner_up(model):
    found = explain_customer(FEATURES.head(2), "a", model, NAMES)
    assert found == Explanation("a", "assigned", "S001", "Best")
    assert describe_explanation(found) == "Customer a is classed as Best. No other segment has customers."


def test_time_alone_makes_no_change():
    customers = pd.DataFrame(
        {
            "customer_id": ["lost", "new"],
            "recency_days": [100, 5],
            "order_count": [1, 1],
            "net_revenue_amount": [150.0, 150.0],
            "lifetime_months": [100 / 30.4375, 5 / 30.4375],
            "orders_per_month": [30.4375 / 100, 1.0],
        }
    )
    model = rfm_model(RfmThresholds((10, 30, 60, 90), (1, 2, 3, 4), (100, 200, 300, 400)))
    found = explain_customer(customers, "new", model, RFM_NAMES)
    assert (found.segment_name, found.runner_up_segment_name, found.change) == ("New Customers", "Lost", None)
    assert describe_explanation(found).endswith(
        "No change of what a customer can change was found that would class it as Lost."
    )


def test_an_unknown_customer_is_refused(model):
    with pytest.raises(DataError, match=r"no customer 'aa' among the 4 with features\nHint: did you mean 'a'\?"):
        explain_customer(FEATURES, "aa", model, NAMES)


@pytest.fixture(scope="module")
def shop():
    """Features of a small shop."""
    return generate_shop(customers=250, months=14, seed=5).features


@pytest.fixture(scope="module", params=["kmeans", "gaussian_mixture", "ward", "hdbscan", RFM_MAP])
def shop_model(request, shop):
    """A model of each kind, fitted on that shop."""
    if request.param == RFM_MAP:
        return rfm_model(fit_thresholds(shop))
    matrix, preparation = prepare_matrix(shop)
    options = {"kmeans": {"n_clusters": 4}, "gaussian_mixture": {"n_components": 4}, "ward": {"n_clusters": 4}}
    estimator = make_clusterer(request.param, **options.get(request.param, {})).fit(matrix)
    segments = tuple(Segment(f"S{number + 1:03d}", number) for number in range(estimator.n_clusters_))
    return ChampionModel(request.param, segments, preparation=preparation, estimator=estimator)


def test_what_the_shop_computes_keeps_all_identities(shop):
    broken = broken_identities(shop[shop["order_count"] > 0]).any()
    assert list(broken[broken].index) == []


def test_a_change_classes_as_the_runner_up_and_needs_all_its_steps(shop, shop_model):
    """Of a few customers of every segment."""
    keys = assign_by_model(shop, shop_model).frame.dropna(subset="segment_key").groupby("segment_key")["customer_id"]
    found = [explain_customer(shop, customer, shop_model, {}) for customer in keys.nth(1).head(3)]
    changes = [(one, one.change) for one in found if one.change is not None]
    assert len(changes) >= 2
    for explanation, change in changes:
        row = shop[shop["customer_id"] == explanation.customer_id]
        assert classed(row, change, shop_model) == explanation.runner_up_segment_key
        for step in change.steps:
            rest = dataclasses.replace(change, steps=tuple(other for other in change.steps if other != step))
            assert classed(row, rest, shop_model) != explanation.runner_up_segment_key
        before, after = (
            dict(one.astype(object).where(one.notna(), None).iloc[0]) for one in (row, apply_change(row, change))
        )
        for step in (*change.steps, *change.consequences):
            assert (before[step.feature], after[step.feature]) == (step.before, step.after)


def test_a_change_of_a_newcomer_keeps_all_orders_in_the_windows_that_hold_the_first(shop):
    """Told from the rows alone: who is known for less than a window has every order in it."""
    model = rfm_model(fit_thresholds(shop))
    newcomers = shop[(shop["tenure_days"] < 80) & (shop["order_count"] > 0)]
    found = [explain_customer(shop, customer, model, RFM_NAMES) for customer in newcomers["customer_id"].head(12)]
    changes = [(one, one.change) for one in found if one.change is not None]
    assert len(changes) >= 3
    for explanation, change in changes:
        row = apply_change(shop[shop["customer_id"] == explanation.customer_id], change).iloc[0]
        for days in (90, 180, 365):
            assert row[f"order_count_{days}d"] == row["order_count"]
            assert row[f"unit_count_{days}d"] == row["unit_count"]


def classed(row, change, model):
    """Say how the customer is classed after a change; not at all where an identity that it kept is broken."""
    after = apply_change(row, change)
    if (broken_identities(after) & ~broken_identities(row)).any(axis=None):
        return None
    return assign_by_model(after, model).frame["segment_key"].iloc[0]


def test_an_explanation_depends_on_no_order_of_rows_and_fits_into_json(shop):
    model = rfm_model(fit_thresholds(shop))
    customer = shop["customer_id"].iloc[5]
    found = explain_customer(shop, customer, model, RFM_NAMES)
    assert explain_customer(shop.iloc[::-1], customer, model, RFM_NAMES) == found
    plain = json.loads(json.dumps(found.to_plain()))
    assert plain["reasons"][0]["feature"] == found.reasons[0].feature
