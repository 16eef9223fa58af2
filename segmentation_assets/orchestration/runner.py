"""Runs what is stale through Dagster, in this process: the delivery, then each month in order, then publishing."""

import logging
import uuid
from collections.abc import Callable
from contextlib import nullcontext

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from segmentation_assets.errors import DataError, SegmentationError, SettingsError
from segmentation_assets.graph.log_mark import note_told, stored_mark
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.plan import (
    Scope,
    ingest_nodes,
    monthly_nodes,
    months_to_visit,
    publishing_nodes,
    resting_on,
    to_run,
)
from segmentation_assets.graph.platform import Platform
from segmentation_assets.interrupts import as_interrupts
from segmentation_assets.monitoring.cost import CostMeter
from segmentation_assets.orchestration.asset_definition import Observer
from segmentation_assets.orchestration.failed_steps import is_interrupted_run, step_failure
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.jobs import INGEST_JOB, MONTHLY_JOB
from segmentation_assets.orchestration.log_repair import repair_log
from segmentation_assets.orchestration.pipeline import build_pipeline
from segmentation_assets.orchestration.run_liveness import active_runs, is_queued, process_mark
from segmentation_assets.orchestration.run_tags import IN_ORDER_TAG, PROCESS_TAG, STARTED_BY_TAG, own_value
from segmentation_assets.storage.store import WHOLE


def run_scope(
    platform: Platform,
    scope: Scope,
    observer: Observer,
    *,
    instance: dg.DagsterInstance | None = None,
    started_by: str = "",
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
    started_by : str
        Run that does this, whose id becomes a tag of the runs.

    Returns
    -------
    float
        CPU seconds of Dagster itself: definitions, instance and events, the bodies of the steps left out.

    Raises
    ------
    DataError
        A step failed; carries the step's own message. What does not rest on it has been made all the same, in later
        months too.
    """
    steps: list[float] = []

    def observe(node: Node, partition: str, outcome: StepOutcome) -> None:
        steps.append(outcome.cost.cpu_seconds)
        observer(node, partition, outcome)

    meter = CostMeter()
    defs = build_pipeline(platform.settings, observer=observe)
    with (
        as_interrupts(KeyboardInterrupt) as is_interrupted,
        nullcontext(instance) if instance else open_instance(platform.data_dir) as opened,
    ):
        run = _Runner(platform, scope, defs, opened, started_by, is_interrupted, meter.read().cpu_seconds)
        run.everything()
        run.tell_dagster()
        run.raise_problems()
    return run.cpu_seconds - sum(steps)


_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
"""Logger configuration that keeps Dagster's own lines off the console; progress is shown by the caller."""

_MOST_NAMED = 4

_log = logging.getLogger("segmentation_assets.runner")


class _Runner:
    """Executes parts of the prebuilt jobs against one instance."""

    def __init__(
        self,
        platform: Platform,
        scope: Scope,
        defs: dg.Definitions,
        instance: dg.DagsterInstance,
        started_by: str,
        is_interrupted: Callable[[], bool],
        cpu_seconds: float,
    ) -> None:
        self.platform = platform
        self.scope = scope
        self.defs = defs
        self.instance = instance
        self.started_by = started_by
        self.is_interrupted = is_interrupted
        self.cpu_seconds = cpu_seconds
        self.problems: list[tuple[str, DataError]] = []
        self.not_made: dict[str, frozenset[str]] = {}
        self.left_out: dict[str, tuple[str, ...]] = {}

    def everything(self) -> None:
        """Run the delivery, then the months in order; what rests on something that failed is left out everywhere."""
        self._part(INGEST_JOB, WHOLE, ingest_nodes(self.platform.graph))
        months = self._months()
        for month in months:
            self._part(MONTHLY_JOB, month, monthly_nodes(self.platform.graph), is_newest=month == months[-1])

    def _months(self) -> tuple[str, ...]:
        try:
            return months_to_visit(self.platform, self.scope)
        except SettingsError:
            if self.problems:
                return ()
            raise

    def _part(self, job: str, partition: str, nodes: tuple[Node, ...], *, is_newest: bool = False) -> None:
        """Run what has to run of a partition and can; publishing is part of the newest month's run."""
        keys = self._without_blocked(partition, nodes, to_run(self.platform, nodes, partition, self.scope))
        if is_newest:
            publishing = publishing_nodes(self.platform.graph)
            published = tuple(node.key for node in publishing if node.key in self.scope.keys)
            due = published if keys else to_run(self.platform, publishing, WHOLE, self.scope)
            keys += self._without_blocked(WHOLE, publishing, due)
        self.not_made[partition] |= self._execute(job, None if partition == WHOLE else partition, keys)

    def _without_blocked(self, partition: str, nodes: tuple[Node, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
        """Take from the keys of a partition what rests on a failure, and note it."""
        blocked = self.not_made[partition] = resting_on(nodes, partition, self.not_made)
        self.left_out[partition] = tuple(key for key in keys if key in blocked)
        return tuple(key for key in keys if key not in blocked)

    def _execute(self, job: str, partition: str | None, keys: tuple[str, ...]) -> frozenset[str]:
        """Run some assets of a job for one partition; return what of them was not made."""
        if not keys:
            return frozenset()
        meter = CostMeter()
        run_id = str(uuid.uuid4())
        tags = {IN_ORDER_TAG: own_value(run_id, "true"), PROCESS_TAG: own_value(run_id, process_mark())}
        if self.started_by:
            tags[STARTED_BY_TAG] = self.started_by
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
            run_config={
                "loggers": _QUIET,
                "resources": {"options": {"config": {"force": self.scope.force, "seed": self.scope.seed}}},
            },
            tags=tags,
            run_id=run_id,
            raise_on_error=False,
        )
        self.cpu_seconds += meter.read().cpu_seconds
        if self.is_interrupted() or any(is_interrupted_run(event) for event in result.all_events):
            if not result.success:
                self.instance.report_run_canceled(result.dagster_run, "The run was stopped by the user.")
            raise KeyboardInterrupt
        if result.success:
            return frozenset()
        self.problems.append((partition or WHOLE, _failure(result)))
        made = {event.asset_key for event in result.all_events if event.is_step_materialization}
        return frozenset(key for key in keys if dg.AssetKey.from_user_string(key) not in made)

    def tell_dagster(self) -> None:
        """Have Dagster's log know what is stored, unless other runs are about to tell it.

        The results are in place whether or not the log can be told, so that does not make a run fail.
        """
        meter = CostMeter()
        try:
            active = active_runs(self.instance, self.platform.graph.by_key)
            if all(is_queued(run) or run.run_id == self.started_by for run in active):
                mark = stored_mark(self.platform)
                repair_log(self.platform, self.instance)
                note_told(self.platform, mark)
        except Exception as problem:
            if not self.problems and not isinstance(problem, OSError | SegmentationError | SQLAlchemyError):
                raise
            _log.warning("Dagster could not be told of all that is stored; the next run tries again", exc_info=True)
        self.cpu_seconds += meter.read().cpu_seconds

    def raise_problems(self) -> None:
        """Make one error of those of all parts, and say what was left out because of them."""
        if not self.problems:
            return
        (_, first), *others = self.problems
        message = first.message
        if others:
            message = " ".join(f"{partition[:7]}: {problem.message}" for partition, problem in self.problems)
        raise DataError(message, f"{first.hint} {self._words_of_left_out()}".strip())

    def _words_of_left_out(self) -> str:
        """Say what was left out of parts other than those that failed, and in which months."""
        keys = list(dict.fromkeys(key for part in sorted(self.left_out) for key in self.left_out[part]))
        if not keys:
            return ""
        named = ", ".join(keys[:_MOST_NAMED]) + (f" and {len(keys) - _MOST_NAMED} more" * (len(keys) > _MOST_NAMED))
        months = [month[:7] for month, left_out in self.left_out.items() if left_out and month != WHOLE]
        span = f" in {months[0]} to {months[-1]}" if len(months) > 1 else "".join(f" in {month}" for month in months)
        return f"Left out{span}, as it builds on that: {named}."


def _failure(result: dg.ExecuteInProcessResult) -> DataError:
    """Turn the first failed step into an error with the message a user can act on."""
    failures = [step_failure(event) for event in result.all_events if event.is_step_failure]
    if not failures:
        return DataError("the run failed before its first step", "see the log file.")
    first = failures[0]
    if not first.details:
        return DataError(first.message, first.hint)
    _log.error("%s", first.details)
    return DataError(f"{first.key} failed: {first.message}", first.hint)
