"""The jobs over assets, and the schedule of the month."""

from typing import Any

import dagster as dg

from segmentation_assets.config.settings import AutomationSettings
from segmentation_assets.graph.build import Graph
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.plan import ingest_nodes

INGEST_JOB, MONTHLY_JOB, REFIT_JOB, REPORTS_JOB = "ingest_job", "monthly_snapshot_job", "refit_job", "reports_job"
CATCH_UP_JOB = "catch_up_job"
JOBS = frozenset({INGEST_JOB, MONTHLY_JOB, REFIT_JOB, REPORTS_JOB, CATCH_UP_JOB})


def asset_jobs(graph: Graph) -> list[Any]:
    """Make the jobs of a whole month, of the ingestion, of a refit and of the reports."""
    return [
        dg.define_asset_job(
            MONTHLY_JOB,
            selection=dg.AssetSelection.all(),
            description="One month from the delivery to the dashboard; what has not changed is kept.",
        ),
        dg.define_asset_job(
            INGEST_JOB,
            selection=_selection(ingest_nodes(graph)),
            description="Take the delivery in, up to the classified order lines.",
        ),
        dg.define_asset_job(
            REFIT_JOB,
            selection=_selection(_made_from_clusterings(graph)),
            config={"resources": {"options": {"config": {"force": True}}}},
            description="Fit all clusterings of a month again, though nothing changed, with what follows from them. "
            "Give another seed to see what hangs on it. The model in force stays in force.",
        ),
        dg.define_asset_job(
            REPORTS_JOB,
            selection=_selection(node for node in graph.nodes if node.layer in ("reports", "exports", "serving")),
            description="Reports, exports and the published database of a month.",
        ),
    ]


def _made_from_clusterings(graph: Graph) -> list[Node]:
    clusterings = {node.key for node in graph.nodes if node.layer == "clusters"}
    reached = graph.descendants(clusterings)
    return [node for node in graph.nodes if node.key in reached]


def _selection(nodes: Any) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(dg.AssetKey.from_user_string(node.key) for node in nodes))


def monthly_schedule(job: Any, settings: AutomationSettings) -> Any:
    """Make the schedule that brings in the month that has ended."""
    return dg.build_schedule_from_partitioned_job(
        job,
        name="monthly_snapshot_schedule",
        minute_of_hour=0,
        hour_of_day=settings.schedule_hour,
        day_of_month=settings.schedule_day,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.enabled else dg.DefaultScheduleStatus.STOPPED,
        description="Makes the month that has just ended; fails, and says so, while that month is not delivered.",
    )
