"""Assigning customers with the frozen model."""

import dataclasses
import datetime as dt
import json

import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.features.preparation import prepare
from segmentation_assets.segments import rfm
from segmentation_assets.segments.assignment import assign_by_model, assign_segments, note_population
from segmentation_assets.segments.champion_model import RFM_MAP, ChampionModel, Segment
from segmentation_assets.segments.rfm import RfmThresholds, rfm_map
from segmentation_assets.tables.gold import CUSTOMER_SEGMENTS, RFM_SEGMENT_NAMES

JULY = dt.date(2025, 7, 1)
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
AUGUST = dt.date(2025, 8, 1)
RFM = pd.DataFrame({"customer_id": ["a", "b", "c"], "rfm_segment": ["Champions", "Loyal", "Lost"]})


def before(**segments):
    """Build the month before: customer = (key or None, changed_at or None)."""
    return pd.DataFrame(
        {
            "customer_id": list(segments),
            "segment_key": [key for key, _ in segments.values()],
            "changed_at": pd.to_datetime([day for _, day in segments.values()]),
            "months_in_segment": 2,
        }
    )


def assigned(champion, model, previous=None, features=FEATURES, **options):
    """Assign the customers in July."""
    by_model = assign_by_model(features, model)
    return assign_segments(features, champion, by_model, RFM, previous, JULY, next_as_of=AUGUST, **options)


def test_every_customer_gets_a_row_that_keeps_the_declaration(champion, model, stored):
    rows = stored(assigned(champion, model), CUSTOMER_SEGMENTS)
    assert [row[5] is None or 0.5 <= row[5] <= 1 for row in rows] == [True] * 4
    assert all(row[10:18] == (None,) * 8 for row in rows)
    assert [(*row[:5], *row[6:10], *row[18:]) for row in rows] == [
        ("a", "assigned", "S001", "Best", "S002", None, JULY, 1, "Champions", 0.0, None, False, JULY, JULY, AUGUST),
        ("b", "assigned", "S002", "Middle", "S003", None, JULY, 1, "Loyal", 0.5, None, False, JULY, JULY, AUGUST),
        ("c", "assigned", "S003", "Rest", "S002", None, JULY, 1, "Lost", 0.0, None, False, JULY, JULY, AUGUST),
        ("d", "no_purchases", None, None, None, None, None, None, None, None, None, False, JULY, JULY, AUGUST),
    ]


def test_the_cluster_of_every_algorithm_stands_beside_the_segment(champion, model, stored):
    by_kmeans = pd.Series({"a": 1, "b": 0, "c": -1})
    rows = stored(assigned(champion, model, clusters={"kmeans": by_kmeans}), CUSTOMER_SEGMENTS)
    place = CUSTOMER_SEGMENTS.column_names.index("kmeans_cluster")
    assert [row[place] for row in rows] == [1, 0, -1, None]
    assert {row[place + 1] for row in rows} == {None}


def test_values_that_the_model_changes_are_counted(model):
    assert assign_by_model(FEATURES, model).adjustments == ()
    limited = dataclasses.replace(model.preparation.columns[0], limits=(5.0, 15.0))
    preparation = dataclasses.replace(model.preparation, columns=(limited, model.preparation.columns[1]))
    winsorising = dataclasses.replace(model, preparation=preparation)
    assert assign_by_model(FEATURES, winsorising).adjustments == (
        {"feature": "order_count", "winsorised_low": 1, "winsorised_high": 1},
    )


def test_changed_at_is_carried_on_while_the_segment_stays(champion, model, stored):
    previous = before(a=("S001", "2025-05-01"), b=("S003", "2025-05-01"), d=("S003", "2025-04-01"), gone=("S001", None))
    rows = stored(assigned(champion, model, previous), CUSTOMER_SEGMENTS)
    assert [(row[0], row[6], row[7], row[8]) for row in rows] == [
        ("a", "S001", dt.date(2025, 5, 1), 3),
        ("b", "S003", JULY, 1),
        ("c", None, JULY, 1),
        ("d", "S003", None, None),
    ]


def test_newcomers_have_a_segment_and_say_that_they_are_new(champion, model, stored):
    young = FEATURES.assign(lifetime_months=[None, 30 / 30.4375, 29 / 30.4375, 0.0])
    rows = stored(assigned(champion, model, features=young, min_known_days=30), CUSTOMER_SEGMENTS)
    assert [row[1:3] for row in rows] == [
        ("assigned", "S001"),
        ("too_new", "S002"),
        ("too_new", "S003"),
        ("no_purchases", None),
    ]


def test_who_is_unlike_all_at_the_promotion_says_so(champion, model, stored):
    promoted = note_population(model, FEATURES)
    assert set(assigned(champion, promoted)["state"]) == {"assigned", "no_purchases"}
    whale = FEATURES.assign(order_count=[None, 500.0, 9.0, 1.0])
    rows = stored(assigned(champion, promoted, features=whale), CUSTOMER_SEGMENTS)
    assert [row[1:3] for row in rows[:2]] == [("outside_known_range", "S001"), ("assigned", "S002")]
    again = ChampionModel.from_state(json.loads(json.dumps(promoted.to_state())), promoted.estimator)
    assert again.known_distance == promoted.known_distance
    assert again.reference == promoted.reference


def test_suppressed_customers_are_marked_and_stay(champion, model):
    found = assigned(champion, model, suppressed=["b", "unknown"]).set_index("customer_id")
    assert found["is_suppressed"].to_dict() == {"a": False, "b": True, "c": False, "d": False}
    assert found.loc["b", "segment_key"] == "S002"


def test_a_customer_who_had_no_segment_a_month_earlier_starts_anew(champion, model):
    found = assigned(champion, model, before(a=(None, None))).set_index("customer_id")
    assert found.loc["a", "changed_at"] == pd.Timestamp(JULY)
    assert pd.isna(found.loc["a", "previous_segment_key"])


def test_row_order_changes_nothing(champion, model):
    first, second = (assigned(champion, model, features=features) for features in (FEATURES, FEATURES.iloc[::-1]))
    pd.testing.assert_frame_equal(first, second)


def test_one_customer_alone_gets_what_the_batch_says(model):
    batch = assign_by_model(FEATURES, model).frame.set_index("customer_id")
    for position in range(1, 4):
        alone = assign_by_model(FEATURES.iloc[position : position + 1], model).frame.set_index("customer_id")
        pd.testing.assert_frame_equal(alone, batch.loc[alone.index])


def test_nobody_with_purchases_gives_states_only(champion, model, stored):
    rows = stored(assigned(champion, model, features=FEATURES.head(1)), CUSTOMER_SEGMENTS)
    assert [row[:3] for row in rows] == [("d", "no_purchases", None)]


def test_the_rfm_map_assigns_by_the_thresholds_of_its_promotion(stored):
    cuts = RfmThresholds((5, 10, 20, 40), (1, 2, 3, 4), (10, 20, 30, 40))
    segments = tuple(Segment(f"S{number + 1:03d}", number) for number in range(11))
    names = pd.DataFrame({"segment_key": [s.segment_key for s in segments], "segment_name": RFM_SEGMENT_NAMES})
    model = ChampionModel(RFM_MAP, segments, rfm_thresholds=cuts, rfm_cells=rfm_map())
    rows = stored(assigned(names, model), CUSTOMER_SEGMENTS)
    assert [(row[0], row[3], row[4], row[5], row[18]) for row in rows] == [
        ("a", "Champions", None, None, 0.0),
        ("b", "At Risk", None, None, 0.0),
        ("c", "Lost", None, None, 0.0),
        ("d", None, None, None, None),
    ]


def test_the_rfm_map_assigns_by_the_cells_of_its_promotion(monkeypatch):
    cuts = RfmThresholds((5, 10, 20, 40), (1, 2, 3, 4), (10, 20, 30, 40))
    segments = tuple(Segment(f"S{number + 1:03d}", number) for number in range(11))
    promoted = ChampionModel(RFM_MAP, segments, rfm_thresholds=cuts, rfm_cells=rfm_map())
    state = json.loads(json.dumps(promoted.to_state()))
    before_change = assign_by_model(FEATURES, promoted).frame
    assert before_change["segment_key"].tolist() == ["S001", "S008", "S011"]
    monkeypatch.setattr(rfm, "rfm_map", lambda name: dict.fromkeys(rfm_map(), "Promising"))
    assert rfm.score_rfm(FEATURES)[0]["rfm_segment"].unique().tolist() == ["Promising"]
    again = assign_by_model(FEATURES, ChampionModel.from_state(state, None)).frame
    pd.testing.assert_frame_equal(again, before_change)


def test_a_model_with_one_cluster_has_no_runner_up(model, champion):
    estimator = model.estimator.refit_copy(1).set_params(n_clusters=1).fit(prepare(FEATURES, model.preparation).matrix)
    single = dataclasses.replace(model, estimator=estimator)
    assert assign_by_model(FEATURES, single).frame["runner_up_segment_key"].isna().all()


def test_a_cluster_too_small_to_be_a_segment_makes_its_customers_exceptional(champion, model, stored):
    small = dataclasses.replace(model, segments=model.segments[:2], exceptional_clusters=(2,))
    rows = stored(assigned(champion, small), CUSTOMER_SEGMENTS)
    assert [(row[0], row[1], row[2], row[4], row[9]) for row in rows] == [
        ("a", "assigned", "S001", "S002", "Champions"),
        ("b", "assigned", "S002", None, "Loyal"),
        ("c", "exceptional", None, "S002", "Lost"),
        ("d", "no_purchases", None, None, None),
    ]


def test_confidence_follows_the_curve_of_the_model(model):
    found = assign_by_model(FEATURES, model).frame.set_index("customer_id")["segment_confidence"]
    estimator, matrix = model.estimator, prepare(FEATURES, model.preparation).matrix
    expected = 0.5 + 0.5 * estimator.assign(matrix).certainties
    assert found.loc[matrix.index].tolist() == pytest.approx(expected.tolist())


def test_a_cluster_without_a_segment_is_refused(model):
    short = dataclasses.replace(model, segments=model.segments[:2])
    with pytest.raises(DataError, match=r"into cluster 2, which has no segment\nHint: its segments .* clusters 0, 1"):
        assign_by_model(FEATURES, short)


@pytest.mark.parametrize("parts", [{"rfm_cells": rfm_map()}, {"rfm_thresholds": RfmThresholds(*[(1, 2, 3, 4)] * 3)}])
def test_a_rule_without_thresholds_or_cells_is_refused(parts):
    with pytest.raises(DataError, match="rfm_map, holds neither an estimator nor RFM thresholds with their map"):
        assign_by_model(FEATURES, ChampionModel(RFM_MAP, (), **parts))


def test_a_fitted_model_without_its_preparation_is_refused(model):
    with pytest.raises(DataError, match="kmeans, lacks its estimator or its preparation"):
        assign_by_model(FEATURES, dataclasses.replace(model, preparation=None))
