"""Whether the model in force gives way, and to which candidate."""

import pandas as pd
import pytest

from segmentation_assets.config.champion import ChampionSettings
from segmentation_assets.errors import DataError
from segmentation_assets.segments.drift import Drift
from segmentation_assets.segments.promotion import Promotion, choose_promotion

IN_FORCE = pd.Series({"algorithm": "kmeans", "trained_month": "2024-12"})
PRESENT = "The model in force, kmeans of 2024-12, stays"
MOVED = Drift(0.3, {"recency": 0.6, "orders": 0.2}, 100)


def board(compared="2025-06", **ranks):
    """Build a leaderboard: candidate = rank or None."""
    return pd.DataFrame(
        {
            "candidate": [*ranks, "rfm_map"],
            "rank": pd.array([*ranks.values(), None], dtype="Int64"),
            "is_baseline": [False] * len(ranks) + [True],
            "reason": [f"why {name}" for name in (*ranks, "rfm_map")],
            "compared_month": compared,
        }
    )


def asked(*rows):
    """Build decisions that promote: (month, algorithm)."""
    frame = pd.DataFrame(rows, columns=["from_month", "subject"], dtype="str")
    return frame.assign(
        decision_number=range(1, len(rows) + 1),
        kind="promote",
        value="a reason",
        decided_by="Ann",
        decided_on=pd.Timestamp("2025-07-03"),
    )


def choose(leaderboard=None, decisions=None, in_force=IN_FORCE, drift=None, **policy):
    return choose_promotion(
        in_force,
        board(ward=1, kmeans=2, dbscan=None) if leaderboard is None else leaderboard,
        asked() if decisions is None else decisions,
        ChampionSettings(**policy),
        "2025-06-01",
        lambda: drift,
    )


def test_by_default_the_model_in_force_stays():
    assert choose() == Promotion("", f"{PRESENT}: nothing asked for another one.")


def test_a_decision_promotes_what_it_names_in_its_month_only():
    found = choose(decisions=asked(("2025-06", "ward"), ("2025-06", "kmeans"), ("2025-07", "ward")))
    assert found == Promotion(
        "kmeans",
        "kmeans takes the place of the model in force, kmeans of 2024-12: Ann asked for it on 2025-07-03. why kmeans.",
    )
    assert choose(decisions=asked(("2025-05", "ward"), ("2025-07", "ward"))).algorithm == ""
    assert choose(decisions=asked(("2025-06", "best"))).algorithm == "ward"
    assert choose(decisions=asked(("2025-06", "rfm_map"))).algorithm == "rfm_map"


def test_a_decision_does_not_lead_past_the_gates():
    found = choose(decisions=asked(("2025-06", "dbscan")))
    assert found == Promotion("", f"{PRESENT}, although Ann asked for it on 2025-07-03: why dbscan.")
    none = choose(board(ward=None), asked(("2025-06", "best")))
    assert none == Promotion("", f"{PRESENT}, although Ann asked for it on 2025-07-03: ward: why ward.")


def test_a_decision_for_an_unknown_algorithm_is_refused():
    with pytest.raises(
        DataError, match="'wart' cannot be promoted, as it is no candidate .*\nHint: did you mean 'ward'"
    ):
        choose(decisions=asked(("2025-06", "wart")))


def test_a_candidate_of_an_earlier_month_is_not_promoted():
    found = choose(board("2025-04", ward=1), promotion="every_month")
    assert found.algorithm == ""
    assert found.reason.endswith(
        "promotion is every_month: candidates are not due in 2025-06, the last comparison is of 2025-04."
    )


@pytest.mark.parametrize(("every", "algorithm"), [(6, "ward"), (7, "")])
def test_a_model_gives_way_at_the_age_that_is_set(every, algorithm):
    found = choose(promotion="every_n_months", every_months=every)
    assert found.algorithm == algorithm
    assert f"it is 6 months old, and champion.every_months is {every}" in found.reason


@pytest.mark.parametrize(("drift", "algorithm"), [(MOVED, "ward"), (Drift(0.1, {"recency": 0.2}, 100), ""), (None, "")])
def test_a_model_gives_way_when_customers_have_moved(drift, algorithm):
    assert choose(promotion="on_drift", drift=drift).algorithm == algorithm


def test_drift_is_told_with_its_evidence():
    assert (
        "population stability index of segment sizes 0.30, of the model's columns 0.40 on average (most: recency 0.60, "
        "orders 0.20); champion.max_psi is 0.25"
    ) in choose(promotion="on_drift", drift=MOVED).reason


def test_without_a_model_in_force_one_is_needed():
    assert choose(in_force=None).algorithm == "ward"
    assert choose(in_force=None, decisions=asked(("2025-06", "kmeans"))).algorithm == "kmeans"
    none = choose(board(ward=None), in_force=None)
    assert none == Promotion("rfm_map", "No usable clustering; the RFM map is in force. ward: why ward.")
