"""Makes the Dagster asset of one node of the graph; its body keeps or computes."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from segmentation_assets.errors import MonthNotDeliveredError, PredecessorError, SegmentationError
from segmentation_assets.graph.declarations import declared_checks
from segmentation_assets.graph.log_mark import note_attempt
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.interrupts import as_interrupts
from segmentation_assets.orchestration.automation import freshness_policy, on_data_change
from segmentation_assets.orchestration.bodies import body_of
from segmentation_assets.orchestration.columns import column_schema
from segmentation_assets.orchestration.incremental import CheckFailedError, StepOutcome, keep_or_compute
from segmentation_assets.orchestration.notifying import failure_hooks
from segmentation_assets.orchestration.options import RunOptions
from segmentation_assets.orchestration.partitions import dependency
from segmentation_assets.orchestration.presentation import check_result, materialize_result
from segmentation_assets.orchestration.recording import record_failure, record_step
from segmentation_assets.orchestration.resources import EngineResource
from segmentation_assets.orchestration.run_liveness import tag_process
from segmentation_assets.orchestration.run_tags import is_automated
from segmentation_assets.orchestration.waiting import compute_in_order
from segmentation_assets.storage.engine import EngineInputOutputError
from segmentation_assets.storage.store import WHOLE

OWNER = "team:data-platform"

TAGS = {
    "source": {"audience": "engineers"},
    "raw": {"audience": "engineers"},
    "silver": {"audience": "analysts"},
    "clusters": {"audience": "analysts"},
    "gold": {"audience": "everyone"},
    "models": {"audience": "analysts"},
    "monitoring": {"audience": "engineers"},
    "reports": {"audience": "marketers"},
    "exports": {"audience": "marketers"},
    "serving": {"audience": "everyone"},
}
"""For whom a layer is, to filter the catalogue by."""

MOST_RETRIES = 2
"""Tries after the first when the engine could not read or write, which may pass by itself; nothing else is retried."""

Observer = Callable[[Node, str, StepOutcome], None]

_log = logging.getLogger("segmentation_assets")


def define_asset(
    platform: Platform, node: Node, partitions: dg.PartitionsDefinition, observer: Observer | None
) -> dg.AssetsDefinition:
    """Make the asset of one node.

    Parameters
    ----------
    platform : Platform
    node : Node
    partitions : PartitionsDefinition
        The snapshot months.
    observer : callable or None
        Told of every step that ended; without one, the step is added to the record of Dagster's run.
    """
    graph = platform.graph
    asset_key = node.key.split("/")
    spec = dg.AssetSpec(
        key=asset_key,
        group_name=node.layer,
        description=node.description,
        owners=[OWNER],
        kinds=set(node.kinds),
        code_version=platform.code_version(node),
        partitions_def=partitions if node.is_partitioned else None,
        deps=[
            dependency(node, item, is_partitioned_input=graph.node(item.key).is_partitioned)
            for item in node.inputs
            if item.window not in ("fact", "parts") or [other.key for other in node.inputs].count(item.key) == 1
        ],
        metadata=column_schema(platform, node),
        automation_condition=on_data_change(graph, node),
        freshness_policy=freshness_policy(platform.settings, node),
        tags=TAGS[node.layer],
        skippable=True,
    )
    checks = [
        dg.AssetCheckSpec(name=check.name, asset=asset_key, description=check.description, blocking=check.is_blocking)
        for check in declared_checks(node)
    ]

    def note_failure(words: str, context: dg.AssetExecutionContext) -> None:
        note_attempt(platform)
        if observer is None:
            record_failure(platform, context.run.run_id, words)

    # can_subset makes the results of the checks optional, for a step that is left out.
    @dg.multi_asset(
        name=node.key.replace("/", "__"),
        specs=[spec],
        check_specs=checks,
        can_subset=True,
        hooks=failure_hooks(platform.settings),
    )
    def _asset(context: dg.AssetExecutionContext, engine: EngineResource, options: RunOptions) -> Iterator[Any]:
        partition = context.partition_key if node.is_partitioned else WHOLE
        tag_process(context.instance, context.run, is_step_process=_has_process_per_step(context))
        try:
            with as_interrupts(dg.DagsterExecutionInterruptedError):
                outcome = compute_in_order(
                    platform,
                    context,
                    partition,
                    lambda: _step(platform, node, partition, engine, options, context),
                    _log,
                )
        except EngineInputOutputError as problem:
            raise dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=1) from problem
        except (CheckFailedError, SegmentationError) as problem:
            if _waits_for_its_turn(problem, context):
                context.log.info(f"{problem} Automation comes back to it.")
                return
            yield from (check_result(node, check) for check in getattr(problem, "checks", ()))
            note_failure(str(problem), context)
            raise dg.Failure(description=str(problem), allow_retries=False) from None
        except Exception as problem:
            note_failure(f"{type(problem).__name__}: {problem}", context)
            raise
        if observer is None:
            record_step(platform, context.run.run_id, partition, outcome)
        else:
            observer(node, partition, outcome)
        yield materialize_result(platform, node, outcome)

    return _asset


def _step(
    platform: Platform,
    node: Node,
    partition: str,
    engine: EngineResource,
    options: RunOptions,
    context: dg.AssetExecutionContext,
) -> StepOutcome:
    return keep_or_compute(
        platform,
        node,
        partition,
        body_of(node),
        connect=engine.get_connection,
        log=_log,
        options=options.for_step(context.run),
    )


def _has_process_per_step(context: dg.AssetExecutionContext) -> bool:
    """Whether the executor started this process for one step; a caller that executes a run in process replaces it."""
    return context.job_def.executor_def is dg.multiprocess_executor


def _waits_for_its_turn(problem: Exception, context: dg.AssetExecutionContext) -> bool:
    """Whether automation started the run too early: then the step is left out, and no failure is reported."""
    return is_automated(context.run) and isinstance(problem, PredecessorError | MonthNotDeliveredError)
