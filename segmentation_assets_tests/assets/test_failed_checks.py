"""A check that fails: nothing is stored, the event log has the reason, and what follows does not run."""

from __future__ import annotations

from contextlib import contextmanager

import dagster as dg
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration import asset_definition
from segmentation_assets.orchestration.assets import gold, outputs, silver
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.serving import feature_inputs
from segmentation_assets.tables.gold import RFM_SEGMENTS
from segmentation_assets.tables.segment_descriptions import SEGMENT_PROFILES
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
        original = asset_definition.body_of
        monkeypatch.setattr(asset_definition, "body_of", lambda node: body if node.key == key else original(node))

    return replace


def wrong_scores(step):
    """Score one customer 9 and list another one twice."""
    import pandas as pd

    scored = gold.trace_scores(gold.score_rfm(step.frame("silver/customer_features"))[0], None, None)
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

    assert problem.message.startswith("gold/rfm_segments breaks its contract: recency_score <= 5: 1 row, for example C")
    assert "customer_id is unique: 1 row, for example C" in problem.message
    assert problem.hint == "the previous result was left as it is."
    assert files_of(shop.data_dir) == before
    assert list((shop.data_dir / "staging").iterdir()) == []


def test_failed_check_is_in_the_event_log_and_what_follows_does_not_run(shop, run, with_body):
    with_body("gold/rfm_segments", wrong_scores)
    fail(shop, run, keys={"gold/rfm_segments", "clusters/leaderboard", "gold/champion"})

    events = last_run_events(shop)
    check = checks_in(events)["gold/rfm_segments", "contract"]
    assert (check.passed, check.blocking) == (False, True)
    broken = {row.data["rule"]: row.data["rows_that_break_it"] for row in check.metadata["broken_rules"].records}
    assert broken == {"recency_score <= 5": 1, "customer_id is unique": 1}
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

    assert caught.value.hint == (
        "the previous result was left as it is. Left out in 2025-06 to 2025-08, as it builds on that: "
        "silver/snapshot_input."
    )
    assert files_of(shop.data_dir) == before
    check = checks_in(last_run_events(shop))["silver/order_lines", "reconciliation"]
    assert not check.passed
    assert caught.value.message == check.description


def test_cent_lost_in_the_features_is_found_by_reconciliation(shop, run, monkeypatch):
    before = files_of(shop.data_dir)
    original = feature_inputs.computed_features
    first = "(SELECT min(customer_id) FROM made)"
    money = f"net_revenue_amount - CASE WHEN customer_id = {first} THEN 0.01 ELSE 0 END"

    @contextmanager
    def a_cent_less(*given, **named):
        with original(*given, **named) as sql:
            changed = f"SELECT * REPLACE (CAST({money} AS DECIMAL(18, 2)) AS net_revenue_amount) FROM made"
            yield f"WITH made AS ({sql}) {changed}"

    monkeypatch.setattr(feature_inputs, "computed_features", a_cent_less)

    problem = fail(shop, run, keys={"silver/customer_features"})

    assert "silver/customer_features does not add up with its input" in problem.message
    assert files_of(shop.data_dir) == before


def test_customer_lost_in_assignment_is_found_by_reconciliation(shop, run, monkeypatch):
    before = files_of(shop.data_dir)
    original = gold.assign_segments
    monkeypatch.setattr(gold, "assign_segments", lambda *given, **named: original(*given, **named).iloc[1:])

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
    assert problem.hint == "this is a defect of the software; the log of the run has the details."
    assert files_of(shop.data_dir) == before
    assert list((shop.data_dir / "staging").iterdir()) == []


def steps_by_outcome(shop):
    """Keys of the last run by what became of them."""
    events = last_run_events(shop)
    started, made, failed = (
        {event.step_key.replace("__", "/") for event in events if event.event_type_value == kind}
        for kind in ("STEP_START", "ASSET_MATERIALIZATION", "STEP_FAILURE")
    )
    return started, made, failed


def test_failed_check_stops_what_depends_on_it_and_nothing_else(shop, run, with_body):
    """The profiles of the month break their contract: reports, workbook and warehouse wait, all others are made."""
    before = files_of(shop.data_dir)
    graph = Platform(shop.settings()).graph
    with_body("gold/segment_profiles", lambda step: step.write_frame(_no_customers(step), SEGMENT_PROFILES))

    with pytest.raises(DataError, match="gold/segment_profiles breaks its contract"):
        run(shop.settings(), keys={node.key for node in graph.nodes if node.is_partitioned}, month=NEWEST, force=True)

    monthly = {node.key for node in graph.nodes if node.is_partitioned}
    dependent = graph.descendants({"gold/segment_profiles"}) & monthly
    started, made, failed = steps_by_outcome(shop)
    assert failed == {"gold/segment_profiles"}
    assert made == monthly - dependent
    assert started == made | failed
    assert {"exports/customer_segments", "reports/dashboard", "reports/business_report"} <= dependent
    assert {"clusters/kmeans", "monitoring/data_quality", "gold/customer_segments"} <= made
    after = files_of(shop.data_dir)
    parts = ("gold/segment_profiles", "reports/", "exports/", "segmentation.duckdb")
    assert {name: what for name, what in after.items() if _is_one_of(name, parts)} == {
        name: what for name, what in before.items() if _is_one_of(name, parts)
    }


def _is_one_of(name: str, parts: tuple[str, ...]) -> bool:
    """Whether a file is of these assets; pages about data, features, clusterings and moves rest on no profile."""
    apart = ("eda", "feature_report", "clusterings", "segment_moves")
    return any(part in name for part in parts) and not any(page in name for page in apart)


def test_later_months_leave_out_only_what_builds_on_what_failed_and_the_message_says_so(shop, run, with_body):
    """June's profiles break their contract: later ones and dashboards look back at them, the RFM map does not."""

    def body(step):
        if step.partition == MONTHS[0]:
            step.write_frame(_no_customers(step), SEGMENT_PROFILES)
        else:
            gold.segment_profiles(step)

    with_body("gold/segment_profiles", body)
    keys = {"gold/rfm_segments", "gold/segment_profiles", "reports/dashboard", "serving/warehouse"}

    with pytest.raises(DataError, match="gold/segment_profiles breaks its contract") as caught:
        run(shop.settings(), keys=keys, force=True)

    assert caught.value.hint == (
        "the previous result was left as it is. Left out in 2025-07 to 2025-08, as it builds on that: "
        "gold/segment_profiles, reports/dashboard, serving/warehouse."
    )
    assert [month for _, month in latest_runs(shop, 3)] == list(reversed(MONTHS))
    started, made, failed = steps_by_outcome(shop)
    assert started == made == {"gold/rfm_segments"}
    assert failed == set()


def test_break_in_the_chain_of_months_leaves_out_all_that_follows_it(shop, run, with_body):
    """The champion of June fails: segments of later months build on it, their features and scores do not."""

    def body(step):
        if step.partition == MONTHS[0]:
            raise DataError("no champion today")

    with_body("gold/champion", body)
    graph = Platform(shop.settings()).graph
    monthly = {node.key for node in graph.nodes if node.is_partitioned}

    with pytest.raises(DataError, match="no champion today"):
        run(shop.settings(), force=True)

    started, made, _ = steps_by_outcome(shop)
    assert started == made == monthly - graph.descendants({"gold/champion"})
    assert latest_runs(shop, 1)[0][1] == MONTHS[2]


def test_later_months_go_on_when_nothing_in_them_reads_what_failed(shop, run, monkeypatch):
    original = outputs.export_frame
    monkeypatch.setattr(outputs, "export_frame", lambda snapshot: original(snapshot).iloc[1:])

    with pytest.raises(DataError, match=r"2025-06: exports/customer_segments does not .* 2025-07: exports/") as caught:
        run(shop.settings(), keys={"exports/customer_segments", "reports/business_report"}, force=True)

    assert caught.value.hint == "the previous result was left as it is."
    assert [month for _, month in latest_runs(shop, 3)] == list(reversed(MONTHS))
    assert steps_by_outcome(shop)[1:] == ({"reports/business_report"}, {"exports/customer_segments"})


def latest_runs(shop, count):
    """Id and month of the newest runs, newest first."""
    with open_instance(shop.data_dir) as instance:
        return [(run.run_id, run.tags.get("dagster/partition")) for run in instance.get_runs(limit=count)]


def _no_customers(step):
    """Profiles that miss their counts."""
    return step.frame("gold/segment_profiles").assign(customer_count=-1)
