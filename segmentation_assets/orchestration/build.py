"""Builds all Dagster definitions from the graph."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import SegmentationError
from segmentation_assets.graph.declarations import declared_checks, declared_table
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.bodies import body_of
from segmentation_assets.orchestration.incremental import CheckFailedError, StepOutcome, keep_or_compute
from segmentation_assets.orchestration.partitions import dependency, snapshot_partitions
from segmentation_assets.orchestration.presentation import check_result, column_schema, materialize_result
from segmentation_assets.orchestration.recording import record_failure, record_step
from segmentation_assets.orchestration.resources import EngineResource, engine_resource
from segmentation_assets.storage.store import WHOLE

OWNER = "team:data-platform"
FORCE_TAG = "segmentation/force"
IN_ORDER_TAG = "segmentation/in_order"

Observer = Callable[[Node, str, StepOutcome], None]


def build_defs(settings: Settings, *, observer: Observer | None = None) -> dg.Definitions:
    """Build the definitions that the settings call for.

    Parameters
    ----------
    settings : Settings
    observer : callable, optional
        Told of every step that ended: node, partition, outcome. Without one, the steps are added to the record of
        Dagster's own run.

    Returns
    -------
    Definitions
        One asset per node of the graph, its checks, the jobs and the engine resource.
    """
    platform = Platform(settings)
    partitions = snapshot_partitions(settings.calendar)
    assets = [_build_asset(platform, node, partitions, observer) for node in platform.graph.nodes]
    executor = dg.in_process_executor if settings.execution.executor == "in_process" else dg.multiprocess_executor
    return dg.Definitions(
        assets=assets,
        jobs=_build_jobs(platform),
        resources={"engine": engine_resource(platform.engine)},
        executor=executor,
    )


def _build_jobs(platform: Platform) -> list[Any]:
    """Make the job of a whole month, and the one that only takes the delivery in."""
    ingest = [
        "/".join(node.key.split("/"))
        for node in platform.graph.nodes
        if not node.is_partitioned and node.layer in ("source", "raw", "silver")
    ]
    return [
        dg.define_asset_job(
            "monthly_snapshot_job",
            selection=dg.AssetSelection.all(),
            description="One month from the delivery to the dashboard; what has not changed is kept.",
        ),
        dg.define_asset_job(
            "ingest_job",
            selection=dg.AssetSelection.assets(*ingest),
            description="Take the delivery in, up to the classified order lines.",
        ),
    ]


def _build_asset(
    platform: Platform, node: Node, partitions: dg.PartitionsDefinition, observer: Observer | None
) -> dg.AssetsDefinition:
    """Make the Dagster asset of one node; its body keeps or computes."""
    graph = platform.graph

    @dg.asset(
        key=node.key.split("/"),
        group_name=node.layer,
        description=node.description,
        owners=[OWNER],
        kinds=set(node.kinds),
        code_version=platform.code_version(node),
        partitions_def=partitions if node.is_partitioned else None,
        deps=[dependency(node, item, is_partitioned_input=graph.node(item.key).is_partitioned) for item in node.inputs],
        check_specs=[
            dg.AssetCheckSpec(name=check.name, asset=node.key.split("/"), blocking=check.is_blocking)
            for check in declared_checks(node)
        ],
        metadata={"dagster/column_schema": column_schema(declared_table(platform, node))},
        output_required=False,
    )
    def _asset(context: dg.AssetExecutionContext, engine: EngineResource) -> Iterator[Any]:
        partition = context.partition_key if node.is_partitioned else WHOLE
        try:
            outcome = keep_or_compute(
                platform,
                node,
                partition,
                body_of(node),
                connect=engine.get_connection,
                log=logging.getLogger("segmentation_assets"),
                force=context.run.tags.get(FORCE_TAG) == "true",
                is_in_order=context.run.tags.get(IN_ORDER_TAG) == "true",
            )
        except (CheckFailedError, SegmentationError) as problem:
            yield from (check_result(node, check) for check in getattr(problem, "checks", ()))
            if observer is None:
                record_failure(platform, context.run_id, str(problem))
            raise dg.Failure(description=str(problem), allow_retries=False) from None
        if observer is None:
            record_step(platform, context.run_id, partition, outcome)
        else:
            observer(node, partition, outcome)
        yield materialize_result(node, outcome)

    return _asset
