"""The decision on the model in force."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.clustering.registry import model_types
from segmentation_assets.config.champion import ChampionSettings
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.errors import DataError
from segmentation_assets.segments.assignment import assign_by_model
from segmentation_assets.segments.champion import MonthInView, decide_champion
from segmentation_assets.segments.champion_model import RFM_MAP, ChampionModel, Segment
from segmentation_assets.segments.rfm import RfmThresholds, rfm_map
from segmentation_assets.storage.models import ModelStore
from segmentation_assets.tables.gold import CHAMPION, RFM_SEGMENT_NAMES

IDS = [f"c{number}" for number in range(9)]
SCORES = np.repeat([(5, 5, 5), (4, 5, 5), (1, 1, 1)], 3, axis=0)
RFM = pd.DataFrame(SCORES, columns=["recency_score", "frequency_score", "monetary_score"]).assign(
    customer_id=IDS, rfm_segment=["Champions"] * 3 + ["Loyal"] * 3 + ["Lost"] * 3
)
FEATURES = pd.DataFrame({"customer_id": IDS, "return_rate": np.arange(9.0)})
LABELS = {
    "kmeans": pd.Series([0] * 3 + [1] * 3 + [2] * 3, index=IDS),
    "ward": pd.Series([0] * 6 + [1] * 3, index=IDS),
}


def board(**ranks):
    """Build a leaderboard: candidate = rank or None."""
    names = [*ranks, RFM_MAP]
    return pd.DataFrame(
        {
            "candidate": names,
            "rank": pd.array([*ranks.values(), None], dtype="Int64"),
            "is_baseline": [name == RFM_MAP for name in names],
            "reason": [f"reason of {name}" for name in names],
            "compared_month": "2025-06",
        }
    )


def decided(*rows):
    """Build decisions: (kind, from_month, subject, value)."""
    return pd.DataFrame(
        {
            "decision_number": range(1, len(rows) + 1),
            "decided_on": pd.Timestamp("2025-07-02"),
            "kind": [row[0] for row in rows],
            "from_month": [row[1] for row in rows],
            "subject": [row[2] for row in rows],
            "value": [row[3] for row in rows],
            "decided_by": "Ann",
        }
    ).astype({"kind": "str", "from_month": "str", "subject": "str"})


def decide(previous=None, leaderboard=None, decisions=None, former=None, drift=None, labels=LABELS, **policy):
    """Decide for June 2025; `former` are the keys that the model in force gives the customers."""
    view = MonthInView(
        month="2025-06-01",
        leaderboard=board(kmeans=1) if leaderboard is None else leaderboard,
        candidates=labels,
        matrix=pd.DataFrame({"place": np.arange(9.0)}, index=IDS),
        rfm_segments=RFM,
        features=FEATURES,
        feature_labels={},
        assign_by_former=lambda: pd.Series(former, index=IDS),
        measure_drift=lambda: drift,
    )
    gates = LeaderboardSettings(min_segment_customers=1)
    return decide_champion(
        previous, view, decided() if decisions is None else decisions, gates, ChampionSettings(**policy)
    )


def test_without_a_model_in_force_the_best_ranked_candidate_is_promoted(stored):
    found = decide(leaderboard=board(ward=2, kmeans=1))
    assert (found.decision, found.algorithm, found.model_hash) == ("promoted", "kmeans", None)
    reason = "No model was in force; kmeans is promoted. reason of kmeans."
    assert stored(found.table("f" * 32), CHAMPION) == [
        ("S001", "VIP Champions", 0, "kmeans", "f" * 32, "2025-06", "2025-06", 3, "promoted", reason, "champions"),
        ("S002", "Loyal Regulars", 1, "kmeans", "f" * 32, "2025-06", "2025-06", 3, "promoted", reason, "loyal"),
        ("S003", "Lost", 2, "kmeans", "f" * 32, "2025-06", "2025-06", 3, "promoted", reason, "lost"),
    ]
    assert found.segments == (Segment("S001", 0), Segment("S002", 1), Segment("S003", 2))


def test_a_model_in_force_stays_with_keys_names_and_hash(champion, stored):
    found = decide(previous=champion, leaderboard=board(ward=1))
    assert (found.decision, found.algorithm, found.model_hash) == ("kept", "kmeans", "0" * 32)
    assert found.reason == "The model in force, kmeans of 2025-05, stays: nothing asked for another one."
    rows = stored(found.table(found.model_hash), CHAMPION)
    assert [row[:9] for row in rows] == [
        ("S001", "Best", 0, "kmeans", "0" * 32, "2025-05", "2025-05", 3, "kept"),
        ("S002", "Middle", 1, "kmeans", "0" * 32, "2025-05", "2025-05", 3, "kept"),
        ("S003", "Rest", 2, "kmeans", "0" * 32, "2025-05", "2025-05", 3, "kept"),
    ]


def test_when_no_candidate_passes_the_rfm_map_is_in_force_and_says_why():
    found = decide(leaderboard=board(ward=None, kmeans=None))
    assert found.algorithm == RFM_MAP
    assert found.frame["segment_name"].tolist() == list(RFM_SEGMENT_NAMES)
    assert found.frame["segment_key"].tolist()[::10] == ["S001", "S011"]
    assert found.reason == (
        "No usable clustering; the RFM map is in force. kmeans: reason of kmeans. ward: reason of ward."
    )


def test_without_any_candidate_the_rfm_map_is_in_force():
    assert decide(leaderboard=board()).reason.endswith("in force. There was no candidate.")


def test_an_own_name_wins_from_its_day_on_and_the_last_one_counts(champion):
    due = decided(
        ("rename", "2025-06", "S001", "First"),
        ("rename", "2025-05", "S001", "VIP"),
        ("rename", "2025-07", "S002", "Late"),
    )
    assert decide(previous=champion, decisions=due).frame["segment_name"].tolist() == ["VIP", "Middle", "Rest"]


def test_an_own_name_holds_for_a_promoted_model_too():
    found = decide(decisions=decided(("rename", "2025-06", "S003", "Sleepers")))
    assert found.frame["segment_name"].tolist() == ["VIP Champions", "Loyal Regulars", "Sleepers"]


def test_names_can_be_swapped_and_passed_on(champion):
    swapped = decided(("rename", "2025-06", "S001", "Rest"), ("rename", "2025-06", "S003", "Best"))
    first = decide(previous=champion, decisions=swapped)
    assert first.frame["segment_name"].tolist() == ["Rest", "Middle", "Best"]
    again = decide(previous=first.table("0" * 32), decisions=swapped)
    assert again.frame["segment_name"].tolist() == ["Rest", "Middle", "Best"]


def test_a_rename_of_an_unknown_segment_is_refused(champion):
    with pytest.raises(
        DataError, match="renames segment 'S04', which there has never been\nHint: known names are S001"
    ):
        decide(previous=champion, decisions=decided(("rename", "2025-06", "S04", "VIP")))


def test_a_name_that_is_in_use_is_refused(champion):
    with pytest.raises(DataError, match="names segment S001 'middle', the name of segment S002"):
        decide(previous=champion, decisions=decided(("rename", "2025-06", "S001", "middle")))


def test_an_empty_name_is_refused(champion):
    with pytest.raises(DataError, match="gives segment S001 no name"):
        decide(previous=champion, decisions=decided(("rename", "2025-06", "S001", " ")))


def test_a_name_for_a_segment_that_ended_is_left_out(champion):
    gone = champion.head(2).assign(keys_issued=3)
    found = decide(previous=gone, decisions=decided(("rename", "2025-05", "S003", "Sleepers")))
    assert found.frame["segment_name"].tolist() == ["Best", "Middle"]


def test_a_promoted_model_takes_over_keys_names_and_first_months(champion, stored):
    former = ["S003", "S003", "S003", "S001", "S001", "S001", "S002", "S002", "S001"]
    found = decide(champion, former=former, promotion="every_month")
    assert found.decision == "promoted"
    assert found.reason == (
        "kmeans takes the place of the model in force, kmeans of 2025-05: champion.promotion is every_month. "
        "reason of kmeans."
    )
    rows = stored(found.table("f" * 32), CHAMPION)
    assert [(row[0], row[1], row[2], row[5], row[6], row[7]) for row in rows] == [
        ("S001", "Best", 1, "2025-06", "2025-05", 3),
        ("S002", "Middle", 2, "2025-06", "2025-05", 3),
        ("S003", "Rest", 0, "2025-06", "2025-05", 3),
    ]
    assert {event.event for event in found.events} == {"kept"}
    assert found.frame["kind"].tolist() == ["champions", "loyal", "lost"]


def test_a_new_segment_leaves_the_own_name_of_another_alone_whatever_its_case(champion):
    two = champion.head(2).assign(segment_name=["Best", "Rest"])
    own = decided(("rename", "2025-06", "S001", "LOST"))
    found = decide(two, former=["S001"] * 6 + ["S002"] * 3, promotion="every_month", decisions=own)
    names = found.frame.set_index("segment_key")["segment_name"]
    assert names["S001"] == "LOST"
    assert names.str.casefold().is_unique


def test_a_new_segment_has_a_new_key_and_a_name_that_no_other_has(champion):
    two = champion.head(2).assign(segment_name=["Champions", "Lost"])
    former = ["S001"] * 6 + ["S002"] * 3
    found = decide(two, former=former, promotion="every_month")
    assert found.frame["segment_key"].tolist() == ["S001", "S002", "S004"]
    assert found.frame["segment_name"].tolist()[:2] == ["Champions", "Lost"]
    assert found.frame["segment_name"].is_unique
    assert found.frame["first_month"].tolist() == ["2025-05", "2025-05", "2025-06"]
    assert found.frame["keys_issued"].unique().tolist() == [4]
    assert found.frame["kind"].tolist()[:2] == ["champions", "loyal"]
    assert [(event.event, event.segment_key) for event in found.events] == [
        ("kept", "S001"),
        ("kept", "S002"),
        ("split", "S004"),
    ]


def test_the_rfm_map_has_keys_and_names_of_its_own_and_keeps_them_when_fitted_again(champion):
    asked = decided(("promote", "2025-06", RFM_MAP, "campaign"))
    found = decide(champion, decisions=asked, former=["S001"] * 9)
    assert found.frame["segment_key"].tolist() == [f"S{number:03d}" for number in range(4, 15)]
    assert set(found.frame["segment_name"]) == set(RFM_SEGMENT_NAMES)
    assert {event.segment_key: event.event for event in found.events if event.segment_key < "S004"} == {
        "S001": "retired",
        "S002": "retired",
        "S003": "retired",
    }
    own = found.table("0" * 32).assign(segment_name=[f"own {number}" for number in range(11)])
    again = decide(own, decisions=asked, former=["S004"] * 9)
    columns = ["segment_key", "cluster", "segment_name"]
    assert again.frame[columns].to_dict("list") == own[columns].to_dict("list")
    assert {event.event for event in again.events} == {"kept"}


def test_a_model_comes_back_whole_from_the_model_store(model, tmp_path):
    store = ModelStore(tmp_path, allowed_types=model_types())
    stored_model = store.load(store.save("champion", model.estimator, {}, state=model.to_state()))
    found = ChampionModel.from_state(stored_model.state, stored_model.estimator)
    customers = pd.DataFrame({"customer_id": ["a", "b"], "order_count": [18.0, 3.0], "gap_days": [None, 5.0]})
    first, second = (assign_by_model(customers, one).frame for one in (found, model))
    pd.testing.assert_frame_equal(first, second)
    assert (found.algorithm, found.segments, found.preparation) == (model.algorithm, model.segments, model.preparation)


def test_the_rfm_map_comes_back_from_its_state():
    cuts = RfmThresholds((5.0, 10.0, 20.0, 40.0), (1.0, 2.0, 3.0, 4.0), (10.0, 20.0, 30.0, 40.0))
    model = ChampionModel(RFM_MAP, (Segment("S001", 0),), rfm_thresholds=cuts, rfm_cells=rfm_map())
    assert ChampionModel.from_state(model.to_state(), None) == model
