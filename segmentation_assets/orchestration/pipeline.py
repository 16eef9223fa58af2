"""The assets and the jobs over them: what it takes to run, without what starts runs by itself."""

import dagster as dg

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.asset_definition import Observer, define_asset
from segmentation_assets.orchestration.jobs import asset_jobs
from segmentation_assets.orchestration.options import RunOptions
from segmentation_assets.orchestration.partitions import snapshot_partitions
from segmentation_assets.orchestration.resources import engine_resource

_EXECUTORS = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}


def build_pipeline(settings: Settings, *, observer: Observer | None = None) -> dg.Definitions:
    """Build what it takes to run the asset jobs.

    Parameters
    ----------
    settings : Settings
    observer : callable, optional
        Told of every step that ended: node, partition, outcome. Without one, the steps are added to the record of
        Dagster's own run.
    """
    platform = Platform(settings)
    partitions = snapshot_partitions(settings.calendar)
    return dg.Definitions(
        assets=[define_asset(platform, node, partitions, observer) for node in platform.graph.nodes],
        jobs=asset_jobs(platform.graph),
        resources={"engine": engine_resource(platform.engine), "options": RunOptions()},
        executor=_EXECUTORS[settings.execution.executor],
    )
