"""A check that fails: nothing is stored, the event log has the reason, and what follows does not run."""

from __future__ import annotations

import shutil

import dagster as dg
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.orchestration import build
from segmentation_assets.orchestration.assets import gold, silver
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.tables.gold import RFM_SEGMENTS
from segmentation_assets_tests.assets.conftest import MONTHS, Shop
from segmentation_assets_tests.assets.stored import files_of

NEWEST = MONTHS[-1]


def last_run_events(shop: Shop) -> list[dg.DagsterEvent]:
    """Events of the newest run in the shop's event log."""
    with open_instance(shop.data_dir) as instance:
        (run,) = instance.get_runs(limit=1)
        return [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event]


def checks_in(events: list[dg.DagsterEvent]) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    found = [
        event.asset_check_evaluation_data for event in events if event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    return {(check.asset_key.to_user_string(), check.check_name): check for check in found}


@pytest.fixture
def with_body(monkeypatch):
    """Replace the body of one asset."""

    def replace(key, body):
        original = build.body_of
        monkeypatch.setattr(build, "body_of", lambda node: body if node.key == key else original(node))

    return replace


def wrong_scores(step):
    """Score one customer 9 and list another one twice."""
    import pandas as pd

    scored, _ = gold.score_rfm(step.frame("silver/customer_features"))
    scored.loc[scored.index[0], "recency_score"] = 9
    step.write_frame(pd.concat([scored, scored.tail(1)]), RFM_SEGMENTS)


def fail(shop, run, *, keys):
    """Run keys of the newest month by force; return the error."""
    with pytest.raises(DataError) as caught:
        run(shop.settings(), keys=keys, month=NEWEST, force=True)
    return caught.value


def test_broken_contract_stops_the_step_and_names_rules_and_rows(shop, run, with_body):
    before = files_of(shop.data_dir)
    with_body("gold/rfm_segments", wrong_scores)

    problem = fail(shop, run, keys={"gold/rfm_segments", "clusters/leaderboard", "gold/champion"})

    assert problem.message.startswith(
        "gold/rfm_segments breaks its contract: recency_score <= 5: 1 rows, for example C"
    )
    assert "customer_id is unique: 1 rows, for example C" in problem.message
    assert problem.hint == "the previous result was left as it is."
    assert files_of(shop.data_dir) == before
    assert list((shop.data_dir / "staging").iterdir()) == []


def test_failed_check_is_in_the_event_log_and_what_follows_does_not_run(shop, run, with_body):
    with_body("gold/rfm_segments", wrong_scores)
    fail(shop, run, keys={"gold/rfm_segments", "clusters/leaderboard", "gold/champion"})

    events = last_run_events(shop)
    check = checks_in(events)["gold/rfm_segments", "contract"]
    assert (check.passed, check.blocking) == (False, True)
    assert check.metadata["violations"].value == {"recency_score <= 5": 1, "customer_id is unique": 1}
    assert "breaks its contract" in check.description
    steps = {
        kind: {event.step_key for event in events if event.event_type_value == kind}
        for kind in ("STEP_FAILURE", "STEP_SUCCESS", "ASSET_MATERIALIZATION")
    }
    assert steps == {"STEP_FAILURE": {"gold__rfm_segments"}, "STEP_SUCCESS": set(), "ASSET_MATERIALIZATION": set()}


def test_wrong_schema_is_a_broken_contract(shop, run, with_body):
    def body(step):
        step.write_sql("SELECT customer_id, 1 AS recency_score FROM (SELECT 'a' AS customer_id)", _two_columns())
        step.tables[""] = RFM_SEGMENTS

    with_body("gold/rfm_segments", body)
    problem = fail(shop, run, keys={"gold/rfm_segments"})
    assert "gold/rfm_segments breaks its contract: schema: " in problem.message


def _two_columns():
    from dataclasses import replace

    names = ("customer_id", "recency_score")
    return replace(RFM_SEGMENTS, columns=tuple(c for c in RFM_SEGMENTS.columns if c.name in names))


def test_line_lost_in_classification_is_found_by_reconciliation(shop, run, monkeypatch):
    before = files_of(shop.data_dir)
    original = silver.classified_lines_sql
    monkeypatch.setattr(
        silver, "classified_lines_sql", lambda *given: f"SELECT * FROM ({original(*given)}) WHERE source_row <> 5"
    )

    with pytest.raises(DataError, match=r"raw lines .* does not add up") as caught:
        run(shop.settings(), keys={"silver/order_lines", "silver/snapshot_input"}, force=True)

    assert caught.value.hint == "the previous result was left as it is."
    assert files_of(shop.data_dir) == before
    check = checks_in(last_run_events(shop))["silver/order_lines", "reconciliation"]
    assert not check.passed
    assert caught.value.message == check.description


def test_customer_lost_in_assignment_is_found_by_reconciliation(shop, run, monkeypatch):
    before = files_of(shop.data_dir)
    original = gold.assign_segments
    monkeypatch.setattr(gold, "assign_segments", lambda *given: original(*given).iloc[1:])

    fail(shop, run, keys={"gold/customer_segments", "gold/segment_profiles"})

    assert files_of(shop.data_dir) == before
    assert not checks_in(last_run_events(shop))["gold/customer_segments", "reconciliation"].passed


def test_defect_in_a_body_is_told_as_one_and_leaves_the_previous_result(shop, run, with_body):
    def body(step):
        (step.stage / "part-0.parquet").write_text("half a table")
        raise ZeroDivisionError("division by zero")

    before = files_of(shop.data_dir)
    with_body("gold/rfm_segments", body)
    problem = fail(shop, run, keys={"gold/rfm_segments"})
    assert "gold/rfm_segments failed: ZeroDivisionError: division by zero" in problem.message
    assert problem.hint == "this is a defect of the software; the log file has the details."
    assert files_of(shop.data_dir) == before
    assert list((shop.data_dir / "staging").iterdir()) == []


def test_lost_event_log_is_told_of_kept_results_and_their_checks(shop, run):
    before = files_of(shop.data_dir)
    shutil.rmtree(shop.data_dir / "dagster")

    computed = run(shop.settings(), keys={"gold/rfm_segments"}, month=NEWEST, is_reported_anew=True)

    events = last_run_events(shop)
    (materialization,) = [event for event in events if event.event_type_value == "ASSET_MATERIALIZATION"]
    assert (computed, files_of(shop.data_dir)) == (set(), before)
    assert checks_in(events)["gold/rfm_segments", "contract"].passed
    assert materialization.materialization.metadata["kept"].value is True
