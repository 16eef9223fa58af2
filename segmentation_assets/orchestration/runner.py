"""Runs what is stale through Dagster, in this process: the delivery, then each month in order, then publishing."""

import logging
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType

import dagster as dg

from segmentation_assets.errors import DataError
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.plan import (
    Scope,
    ingest_nodes,
    is_needed_in_other_months,
    monthly_nodes,
    months_to_visit,
    publishing_nodes,
    to_run,
)
from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.cost import CostMeter
from segmentation_assets.orchestration.asset_definition import Observer
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.pipeline import build_pipeline
from segmentation_assets.orchestration.provenance import confirm_kept
from segmentation_assets.orchestration.run_liveness import process_mark
from segmentation_assets.orchestration.run_tags import IN_ORDER_TAG, PROCESS_TAG, own_value
from segmentation_assets.storage.store import WHOLE


def run_scope(
    platform: Platform,
    scope: Scope,
    observer: Observer,
    *,
    instance: dg.DagsterInstance | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> float:
    """Bring everything in the scope up to date.

    Parameters
    ----------
    platform : Platform
    scope : Scope
    observer : callable
        Told of every step that ended.
    instance : DagsterInstance, optional
        Where the runs are recorded; the one of the data folder when left out.
    tags : dict of str to str
        Tags of the runs.

    Returns
    -------
    float
        CPU seconds of Dagster itself: definitions, instance and events, the bodies of the steps left out.

    Raises
    ------
    DataError
        A step failed; carries the step's own message. What does not rest on it has been made all the same; the later
        months have not been begun if they read it.
    """
    steps: list[float] = []

    def observe(node: Node, partition: str, outcome: StepOutcome) -> None:
        steps.append(outcome.cost.cpu_seconds)
        observer(node, partition, outcome)

    meter = CostMeter()
    defs = build_pipeline(platform.settings, observer=observe)
    with nullcontext(instance) if instance else open_instance(platform.data_dir) as opened:
        run = _Runner(platform, scope, defs, opened, tags, meter.read().cpu_seconds)
        run.part("ingest_job", to_run(platform, ingest_nodes(platform), WHOLE, scope), None)
        run.months(months_to_visit(platform, scope))
        meter = CostMeter()
        confirm_kept(platform, opened)
        run.cpu_seconds += meter.read().cpu_seconds
    return run.cpu_seconds - sum(steps)


_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
"""Logger configuration that keeps Dagster's own lines off the console; progress is shown by the caller."""

_INTERRUPTED = "UNEXPECTED_TERMINATION"
"""Reason that Dagster gives for the end of a run that was interrupted."""

_log = logging.getLogger("segmentation_assets.runner")


class _Runner:
    """Executes parts of the prebuilt jobs against one instance."""

    def __init__(
        self,
        platform: Platform,
        scope: Scope,
        defs: dg.Definitions,
        instance: dg.DagsterInstance,
        tags: Mapping[str, str],
        cpu_seconds: float,
    ) -> None:
        self.platform = platform
        self.scope = scope
        self.defs = defs
        self.instance = instance
        self.tags = tags
        self.cpu_seconds = cpu_seconds
        self.failed: set[str] = set()

    def months(self, months: tuple[str, ...]) -> None:
        """Make the months in order; go on after a failure only if nothing of the later months rests on it."""
        problems: list[tuple[str, DataError]] = []
        for place, month in enumerate(months):
            keys = self._keys_of(month, is_newest=month == months[-1])
            try:
                self.part("monthly_snapshot_job", keys, month)
            except DataError as problem:
                problems.append((month, problem))
                later = months[place + 1 :]
                if later and is_needed_in_other_months(self.platform, self.failed):
                    raise _summed_up(problems, later) from None
        if problems:
            raise _summed_up(problems, ())

    def _keys_of(self, month: str, *, is_newest: bool) -> tuple[str, ...]:
        """List what has to run in a month; publishing is part of the newest one."""
        keys = to_run(self.platform, monthly_nodes(self.platform), month, self.scope)
        if not is_newest:
            return keys
        nodes = publishing_nodes(self.platform)
        publishing = tuple(node.key for node in nodes if node.key in self.scope.keys)
        return keys + (publishing if keys else to_run(self.platform, nodes, WHOLE, self.scope))

    def part(self, job: str, keys: tuple[str, ...], partition: str | None) -> None:
        """Run some assets of a job for one partition, and stop with the step's own message when one fails."""
        if not keys:
            return
        meter = CostMeter()
        run_id = str(uuid.uuid4())
        own = {IN_ORDER_TAG: own_value(run_id, "true"), PROCESS_TAG: own_value(run_id, process_mark())}
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
            run_config={
                "loggers": _QUIET,
                "resources": {"options": {"config": {"force": self.scope.force, "seed": self.scope.seed}}},
            },
            tags={**self.tags, **own},
            run_id=run_id,
            raise_on_error=False,
        )
        self.cpu_seconds += meter.read().cpu_seconds
        if not result.success:
            if _is_interrupted(result):
                self.instance.report_run_canceled(result.dagster_run, "The run was stopped by the user.")
                raise KeyboardInterrupt
            failures = (event for event in result.all_events if event.is_step_failure)
            self.failed = {(event.step_key or "").replace("__", "/") for event in failures}
            raise _failure(result)


def _summed_up(problems: list[tuple[str, DataError]], later: tuple[str, ...]) -> DataError:
    """Make one error of those of several months, and say which months were not begun."""
    (_, first), *others = problems
    message = " ".join(f"{month[:7]}: {problem.message}" for month, problem in problems) if others else first.message
    if not later:
        return DataError(message, first.hint)
    span = later[0][:7] if len(later) == 1 else f"{later[0][:7]} to {later[-1][:7]}"
    return DataError(message, f"{first.hint} {span} builds on it and was not begun.".strip())


def _is_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether the run was stopped from outside, in a step or between two."""
    ends = [event.job_failure_data for event in result.all_events if event.is_job_failure]
    return any(end.failure_reason is not None and end.failure_reason.value == _INTERRUPTED for end in ends)


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
