"""The catch-up: brings everything that is out of date up to date, month by month in order, in one run.

Manifests say what is out of date, so nothing is forgotten: older months, what was stale when Dagster started, what a
failed or killed run left behind. Tries for the same cause are bounded.
"""

import hashlib
import time
from collections.abc import Callable

import dagster as dg
from pydantic import Field

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import SegmentationError
from segmentation_assets.graph.inputs import read_fingerprints
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.plan import Scope, external_nodes, is_taken_in, to_do
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import Evaluation
from segmentation_assets.graph.watching import Verdict, Watch, look
from segmentation_assets.orchestration.automation import default_sensor_status
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.jobs import CATCH_UP_JOB
from segmentation_assets.orchestration.log_repair import repair_log
from segmentation_assets.orchestration.options import FORCE_WORDS, MONTHS_WORDS, SEED_WORDS
from segmentation_assets.orchestration.recording import record_failure, record_step
from segmentation_assets.orchestration.run_liveness import active_runs, is_queued, tag_process
from segmentation_assets.orchestration.run_tags import STARTED_BY_TAG
from segmentation_assets.orchestration.runner import run_scope


class CatchUpOptions(dg.Config):
    """What a person changes for one catch-up."""

    months: int | None = Field(default=None, ge=1, description=MONTHS_WORDS)
    force: bool = Field(default=False, description=FORCE_WORDS)
    seed: int | None = Field(default=None, ge=0, lt=2**31, description=SEED_WORDS)


def catch_up_job(settings: Settings) -> dg.JobDefinition:
    """Make the job that brings everything up to date, as `segmentation run` does."""

    @dg.op(name="catch_up", description="Makes what is out of date, in runs of one month each, in order.")
    def catch_up(context: dg.OpExecutionContext, config: CatchUpOptions) -> None:
        platform = Platform(settings)
        tag_process(context.instance, context.run)

        def observe(node: Node, partition: str, outcome: StepOutcome) -> None:
            record_step(platform, context.run_id, partition, outcome)

        scope = Scope(_keys(platform), months=config.months, force=config.force, seed=config.seed)
        try:
            run_scope(platform, scope, observe, instance=context.instance, started_by=context.run_id)
        except SegmentationError as problem:
            record_failure(platform, context.run_id, str(problem))
            raise dg.Failure(description=str(problem), allow_retries=False) from None

    @dg.job(
        name=CATCH_UP_JOB,
        executor_def=dg.in_process_executor,
        description="Everything that is out of date, all months in order; what has not changed is kept. The delivery "
        "is taken in as it was last listed: new files are the work of ingest_job.",
    )
    def job() -> None:
        catch_up()

    return job


def _keys(platform: Platform) -> frozenset[str]:
    """Asset keys that a catch-up makes: what is read from outside may be half-written, and has its own sensor."""
    return frozenset(platform.graph.by_key) - {node.key for node in external_nodes(platform)}


def catch_up_sensor(settings: Settings, current_settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """Make the sensor that starts a catch-up when something stays out of date without a run.

    It judges by the settings as they are now, as the run does that it starts.
    """
    automation = settings.automation

    @dg.sensor(
        name="catch_up_sensor",
        job_name=CATCH_UP_JOB,
        default_status=default_sensor_status(automation),
        minimum_interval_seconds=automation.interval_seconds,
        description=f"Starts {CATCH_UP_JOB} when something has been out of date for "
        f"{automation.catch_up_after_seconds} seconds without a run; at most "
        f"{automation.max_attempts} times for the same cause.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            platform = Platform(current_settings())
            runs = active_runs(context.instance, platform.graph.by_key)
            todo = to_do(platform, Scope(_keys(platform))) if is_taken_in(platform) else ()
        except SegmentationError as problem:
            return dg.SkipReason(str(problem))
        verdict, watch = look(
            Watch.from_json(context.cursor),
            _cause(platform, todo),
            time.time(),
            quiet_seconds=platform.settings.automation.catch_up_after_seconds,
            max_attempts=platform.settings.automation.max_attempts,
            is_busy=bool(runs),
        )
        context.update_cursor(watch.to_json())
        if verdict == Verdict.NOTHING:
            platform.store.tidy()
        if all(is_queued(run) for run in runs):
            repair_log(platform, context.instance)
        if verdict == Verdict.ACT:
            return dg.RunRequest(tags={STARTED_BY_TAG: "catch_up_sensor"})
        words = _words(verdict, todo, watch, is_busy=bool(runs))
        return dg.SkipReason(words if platform.settings == settings else f"{words}. {_CHANGED_SETTINGS}")

    return sensor


_CHANGED_SETTINGS = (
    "The settings have changed since this code location was loaded; reload it on the Deployment page, so that its "
    "assets and on_data_change_sensor follow them."
)


def _cause(platform: Platform, todo: tuple[Evaluation, ...]) -> str:
    """Name all that is to be done, with what it rests on, so that any change starts anew; empty for nothing."""
    if not todo:
        return ""
    facts = repr([_facts(platform, evaluation) for evaluation in todo])
    return f"{todo[0].key} {todo[0].partition} {hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def _facts(platform: Platform, evaluation: Evaluation) -> tuple[object, ...]:
    node = platform.graph.node(evaluation.key)
    try:
        inputs = sorted(read_fingerprints(platform, node, evaluation.partition).items())
    except SegmentationError as problem:
        inputs = [("problem", problem.message)]
    return evaluation.key, evaluation.partition, evaluation.reasons, platform.code_version(node), inputs


def _words(verdict: Verdict, todo: tuple[Evaluation, ...], watch: Watch, *, is_busy: bool) -> str:
    if not todo:
        return "everything that has been taken in is up to date"
    first = todo[0]
    what = f"{first.key} of {first.partition[:7]} is {first.state}: {'; '.join(first.reasons[:2])}"
    if verdict == Verdict.GIVEN_UP:
        return f"given up after {watch.attempts} tries; {what}. See its runs, or start {CATCH_UP_JOB} by hand."
    return f"waiting for {'the runs under way' if is_busy else 'automation to see to it'}; {what}"
