"""Who moved from segment to segment, and why."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation_assets.segments.migration import places_of, sum_flows, trace_migration
from segmentation_assets.segments.sizes import judge_size_changes
from segmentation_assets.tables.gold import SEGMENT_FLOWS, SEGMENT_MIGRATION

MONEY = {"a": 100.0, "b": 10.0, "c": 50.0, "d": 20.0, "e": 5.0}


def trace(before, after, restated=None, moved=None, active=(), money=MONEY, money_before=None):
    """Trace customers given as place by customer; by default nothing was restated and the model is the same."""
    found = trace_migration(
        pd.Series(before, dtype="str"),
        pd.Series(before if restated is None else restated, dtype="str"),
        pd.Series(after if moved is None else moved, dtype="str"),
        pd.Series(after, dtype="str"),
        active=active,
        money_before=pd.Series(money if money_before is None else money_before, dtype="float64"),
        money_after=pd.Series(money, dtype="float64"),
    )
    return found.set_index("customer_id")


def test_a_customer_without_a_segment_is_where_its_state_says():
    segments = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "segment_key": ["S001", None, "S002"],
            "state": ["assigned", "no_purchases", "too_new"],
        }
    )
    assert places_of(segments).to_dict() == {"a": "S001", "b": "no_purchases", "c": "S002"}


def test_every_cause_is_named_and_moves_that_cancel_each_other_stay_visible(stored):
    before = dict.fromkeys("abcdefg", "S001")
    found = trace(
        before,
        {**before, "b": "S002", "c": "S002", "d": "S003", "g": "S002"},
        restated={**before, "b": "S002"},
        moved={**before, "b": "S002", "c": "S002", "e": "S002", "g": "S002"},
        active={"c", "e"},
    )
    assert found["cause"].to_dict() == {
        "a": "none",
        "b": "restatement",
        "c": "behaviour",
        "d": "model",
        "e": "behaviour+model",
        "f": "none",
        "g": "ageing",
    }
    assert found.loc["e", ["before_place", "after_place", "direction"]].tolist() == ["S001", "S001", "stayed"]
    assert len(stored(found.reset_index(), SEGMENT_MIGRATION)) == 7


def test_direction_goes_by_what_the_customers_of_a_place_bring():
    before = {"a": "S001", "b": "S002", "c": "S001", "d": "S002", "e": "exceptional", "z": "no_purchases"}
    after = {"a": "S001", "b": "S001", "c": "S002", "d": "no_purchases", "e": "S002", "f": "S001", "z": "exceptional"}
    found = trace(before, after)["direction"].to_dict()
    assert found == {
        "a": "stayed",
        "b": "upgrade",
        "c": "downgrade",
        "d": "exit",
        "e": "entry",
        "f": "entry",
        "z": "outside",
    }


def test_who_left_and_who_is_new_are_rows_too():
    found = trace({"a": "S001", "b": "S001"}, {"b": "S001", "c": "S001"}, money_before={"a": 7.0, "b": 1.0})
    assert found["before_place"].to_dict() == {"a": "S001", "b": "S001", "c": "absent"}
    assert found["after_place"].to_dict() == {"a": "absent", "b": "S001", "c": "S001"}
    assert found["direction"].to_dict() == {"a": "exit", "b": "stayed", "c": "entry"}
    assert found["before_revenue_amount"].to_dict() == {"a": 7.0, "b": 1.0, "c": 0.0}


def test_with_the_same_data_and_model_nobody_moves():
    places = {name: f"S00{1 + number % 3}" for number, name in enumerate("abcde")}
    found = trace(places, places, active=set("ab"))
    assert set(found["cause"]) == {"none"}
    flows = sum_flows(found.reset_index())
    assert (flows["from_place"] == flows["to_place"]).all()


def test_flows_add_up_to_customers_and_money(stored):
    before = {"a": "S001", "b": "S001", "c": "S002", "d": "S002"}
    after = {"a": "S002", "b": "S001", "c": "S002", "d": "S001", "e": "S001"}
    flows = sum_flows(trace(before, after, active={"a"}).reset_index())
    rows = {tuple(row[:3]): row[3:] for row in flows.astype(object).to_numpy().tolist()}
    assert rows["behaviour", "S001", "S002"] == [1, 100.0, 100.0]
    assert rows["ageing", "S002", "S001"] == [1, 20.0, 20.0]
    assert rows["total", "S001", "S002"] == [1, 100.0, 100.0]
    assert rows["total", "absent", "S001"] == [1, 5.0, 5.0]
    assert len(stored(flows, SEGMENT_FLOWS)) == len(flows)


PLACES = st.sampled_from(["S001", "S002", "S003", "no_purchases", "exceptional"])


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefghij"), PLACES),
    st.dictionaries(st.sampled_from("abcdefghij"), PLACES),
    st.randoms(),
)
def test_the_customers_of_every_step_are_the_population(before, after, random):
    customers = sorted({*before, *after})
    restated = {name: random.choice(["S001", "S002"]) for name in before}
    moved = {name: random.choice(["S001", "S002"]) for name in after}
    active = set(random.sample(customers, len(customers) // 2))
    migration = trace(before, after, restated, moved, active).reset_index()
    flows = sum_flows(migration)
    counts = flows.groupby("step")["customer_count"].sum()
    assert {counts.get(step, 0) for step in ("total", "restatement", "model")} == {len(customers)}
    assert counts.get("behaviour", 0) + counts.get("ageing", 0) == len(customers)
    for places, step, column in ((before, "total", "from_place"), (after, "total", "to_place")):
        sizes = flows[flows["step"] == step].groupby(column)["customer_count"].sum().drop("absent", errors="ignore")
        assert sizes.to_dict() == pd.Series(places, dtype="str").value_counts().to_dict()


@pytest.mark.parametrize(("limit", "passed"), [(1.0, True), (0.49, False)])
def test_a_segment_that_changed_much_is_told(limit, passed):
    before = {f"c{number}": "S001" if number < 4 else "S002" for number in range(6)}
    after = {**before, "c0": "S002", "c1": "S002"}
    migration = trace(before, {**after, "new": "S003"}).reset_index()
    found = judge_size_changes(migration, {"S001", "S002"}, limit)
    assert found.passed == passed
    if not passed:
        assert "S002 +100.0% (2 to 4 customers), S001 -50.0% (4 to 2 customers)" in found.description
    else:
        assert np.isclose(found.figures["changes"]["S001"], -0.5)


@pytest.mark.parametrize(("first", "second"), [("S001", "S002"), ("S002", "S001")])
def test_a_segment_that_lost_everybody_or_had_nobody_is_told(first, second):
    before = {f"c{number}": first if number < 100 else second for number in range(150)}
    migration = trace(before, dict.fromkeys(before, first)).reset_index()
    found = judge_size_changes(migration, {"S001", "S002"}, 0.6)
    assert not found.passed
    assert f"{second} -100.0% (50 to 0 customers)" in found.description
    arrived = judge_size_changes(trace(dict.fromkeys(before, first), before).reset_index(), {"S001", "S002"}, 0.6)
    assert f"{second} +5000.0% (0 to 50 customers)" in arrived.description
    assert judge_size_changes(migration, {first}, 0.6).passed
