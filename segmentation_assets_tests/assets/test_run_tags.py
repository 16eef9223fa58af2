"""Runs that are executed again carry the tags of the first one, and must not be taken for it."""

from __future__ import annotations

import dagster as dg
import pytest

from segmentation_assets.graph.plan import ingest_nodes
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.options import RunOptions
from segmentation_assets.orchestration.run_tags import (
    AUTOMATION,
    FORCE_TAG,
    IN_ORDER_TAG,
    STARTED_BY_TAG,
    is_automated,
    own_value,
)
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import rewrite

FIRST, AGAIN = "first-run", "second-run"


def run_with(tags: dict[str, str], *, run_id: str = FIRST, parent: str | None = None) -> dg.DagsterRun:
    return dg.DagsterRun(job_name="any", run_id=run_id, tags=tags, parent_run_id=parent, root_run_id=parent)


@pytest.mark.parametrize(("run_id", "expected"), [(FIRST, True), (AGAIN, False)])
def test_only_the_run_that_its_caller_puts_in_order_is_in_order(run_id: str, expected: bool) -> None:
    run = run_with({IN_ORDER_TAG: own_value(FIRST, "true")}, run_id=run_id)
    assert RunOptions().for_step(run).is_in_order is expected


def test_forced_run_executed_again_is_forced() -> None:
    assert RunOptions().for_step(run_with({FORCE_TAG: "true"}, run_id=AGAIN, parent=FIRST)).force


@pytest.mark.parametrize(("parent", "expected"), [(None, True), (FIRST, False)])
def test_run_that_a_person_executes_again_is_not_one_of_automation(parent: str | None, expected: bool) -> None:
    assert is_automated(run_with({STARTED_BY_TAG: AUTOMATION}, run_id=AGAIN, parent=parent)) is expected


def test_run_of_a_later_month_executed_again_minds_the_earlier_months(shop, run):
    """The run of `segmentation run` made July in order; by hand, June changed meanwhile, July must not be made."""
    with open_instance(shop.data_dir) as instance:
        (july,) = [found for found in instance.get_runs() if found.tags.get("dagster/partition") == MONTHS[1]]
        rewrite(shop.lines(MONTHS[0]), "SELECT * REPLACE (quantity + 3 AS quantity) FROM t")
        run(shop.settings(), keys={node.key for node in ingest_nodes(Platform(shop.settings()).graph)})
        defs = build_defs(shop.settings())
        result = defs.resolve_job_def("monthly_snapshot_job").execute_in_process(
            instance=instance,
            partition_key=MONTHS[1],
            asset_selection=[dg.AssetKey(["gold", "customer_segments"])],
            tags={**july.tags, "dagster/parent_run_id": july.run_id, "dagster/root_run_id": july.run_id},
            raise_on_error=False,
        )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "builds on 2025-06, which is not up to date" in failure.step_failure_data.user_failure_data.description
