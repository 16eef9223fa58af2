"""Runs what is stale through Dagster, in this process: the delivery, then each month in order, then publishing."""

import logging

import dagster as dg

from segmentation_assets.errors import DataError
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.plan import (
    Scope,
    ingest_nodes,
    monthly_nodes,
    months_to_visit,
    publishing_nodes,
    to_run,
)
from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.cost import CostMeter
from segmentation_assets.orchestration.build import FORCE_TAG, IN_ORDER_TAG, Observer, build_defs
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.storage.store import WHOLE


def run_scope(platform: Platform, scope: Scope, observer: Observer) -> float:
    """Bring everything in the scope up to date.

    Parameters
    ----------
    platform : Platform
    scope : Scope
    observer : callable
        Told of every step that ended.

    Returns
    -------
    float
        CPU seconds of Dagster itself: definitions, instance and events, the bodies of the steps left out.

    Raises
    ------
    DataError
        A step failed; carries the step's own message.
    """
    steps: list[float] = []

    def observe(node: Node, partition: str, outcome: StepOutcome) -> None:
        steps.append(outcome.cost.cpu_seconds)
        observer(node, partition, outcome)

    meter = CostMeter()
    defs = build_defs(platform.settings, observer=observe)
    with open_instance(platform.data_dir) as instance:
        run = _Runner(platform, scope, defs, instance, meter.read().cpu_seconds)
        run.part("ingest_job", to_run(platform, ingest_nodes(platform), WHOLE, scope), None)
        months = months_to_visit(platform, scope)
        for month in months[:-1]:
            run.part("monthly_snapshot_job", to_run(platform, monthly_nodes(platform), month, scope), month)
        for month in months[-1:]:
            keys = to_run(platform, monthly_nodes(platform), month, scope)
            publishing = tuple(node.key for node in publishing_nodes(platform) if node.key in scope.keys)
            published = publishing if keys else to_run(platform, publishing_nodes(platform), WHOLE, scope)
            run.part("monthly_snapshot_job", keys + published, month)
    return run.cpu_seconds - sum(steps)


_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration that keeps Dagster's own lines off the console; progress is shown by the caller."""

_log = logging.getLogger("segmentation_assets.runner")


class _Runner:
    """Executes parts of the prebuilt jobs against one instance."""

    def __init__(
        self,
        platform: Platform,
        scope: Scope,
        defs: dg.Definitions,
        instance: dg.DagsterInstance,
        cpu_seconds: float,
    ) -> None:
        self.platform = platform
        self.scope = scope
        self.defs = defs
        self.instance = instance
        self.cpu_seconds = cpu_seconds

    def part(self, job: str, keys: tuple[str, ...], partition: str | None) -> None:
        """Run some assets of a job for one partition, and stop with the step's own message when one fails."""
        if not keys:
            return
        meter = CostMeter()
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
            run_config=_QUIET,
            tags={IN_ORDER_TAG: "true", **({FORCE_TAG: "true"} if self.scope.force else {})},
            raise_on_error=False,
        )
        self.cpu_seconds += meter.read().cpu_seconds
        if not result.success:
            _stop_if_interrupted(result)
            raise _failure(result)


def _stop_if_interrupted(result: dg.ExecuteInProcessResult) -> None:
    """Turn Dagster's note of an interrupt back into the interrupt."""
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        if error is not None and error.cls_name == "DagsterExecutionInterruptedError":
            raise KeyboardInterrupt


def _failure(result: dg.ExecuteInProcessResult) -> DataError:
    """Turn the first failed step into an error with the message a user can act on."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None and data.user_failure_data.description:
                message, _, hint = data.user_failure_data.description.partition("\nHint: ")
                return DataError(message, hint)
            cause = data.error.cause or data.error if data.error else None
            _log.error("%s", data.error.to_string() if data.error else "no details")
            step = (event.step_key or "").replace("__", "/")
            return DataError(
                f"{step} failed: {cause.message.strip() if cause else 'no message'}",
                "this is a defect of the software; the log file has the details.",
            )
    return DataError("the run failed before its first step", "see the log file.")
