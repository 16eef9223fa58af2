"""When people are told of a failure: a hook on every step, and a sensor for what no hook could tell.

The hook works wherever a step runs, with or without a daemon: the first failed step of a run tells of it, later ones
do not. It tags the run with the channels that took the message. The sensor, which needs the daemon, tells of failed
runs without this tag: their process was killed, or they failed outside a step, or no channel took the message.
"""

import logging
from collections.abc import Sequence

import dagster as dg

from segmentation_assets.config.settings import Settings
from segmentation_assets.monitoring.failure_report import FailureReport
from segmentation_assets.monitoring.notifications import Delivery, configured_channels, deliver
from segmentation_assets.orchestration.failed_steps import asset_key, is_interrupted_step, step_failure
from segmentation_assets.orchestration.run_tags import (
    NOTIFIED_TAG,
    PARTITION_TAG,
    STARTED_BY_TAG,
    own_tag,
    own_value,
)

_PARTITION_TAGS = (PARTITION_TAG, "dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_RUN_HINT = "no step failed, so look at the log of the run: its process may have been killed or out of memory."
_log = logging.getLogger("segmentation_assets.notifying")


def failure_hooks(settings: Settings) -> set[dg.HookDefinition]:
    """Make the hook that tells of a failed step.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    set of HookDefinition
        For ``hooks=`` of assets and jobs, one of both is enough; empty when nobody is to be told.
    """
    if not settings.notifications.is_configured:
        return set()

    @dg.failure_hook(name="tell_of_failed_step")
    def _tell_of_failed_step(context: dg.HookContext) -> None:
        failures = _step_failures(context.instance, context.run_id)
        run = context.instance.get_run_by_id(context.run_id)
        if run is None or not failures or failures[0].step_key != context.step_key:
            return
        _tell(_report(settings, run, failures[:1]), run, settings, context.instance, context.log)

    return {_tell_of_failed_step}


def run_failure_sensor_of(settings: Settings) -> dg.SensorDefinition | None:
    """Make the sensor that tells of failed runs which the hook has not told of.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    SensorDefinition or None
        Running by default, over all runs of this code location; ``None`` when nobody is to be told.
    """
    if not settings.notifications.is_configured:
        return None

    @dg.run_failure_sensor(
        name="run_failure_sensor",
        description="Tells of failed runs by webhook or e-mail, unless a step of the run has done so already.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def _run_failure_sensor(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.status == dg.DagsterRunStatus.CANCELED:
            return dg.SkipReason("the run was stopped by the user")
        if set(configured_channels(settings.notifications)) <= _told(run, context.instance):
            return None
        failures = _step_failures(context.instance, run.run_id)
        report = _report(settings, run, failures or [context.failure_event])
        delivery = _tell(report, run, settings, context.instance, context.log)
        return dg.SkipReason("; ".join(delivery.problems)) if delivery.problems else None

    return _run_failure_sensor


def _tell(
    report: FailureReport,
    run: dg.DagsterRun,
    settings: Settings,
    instance: dg.DagsterInstance,
    run_log: logging.Logger,
) -> Delivery:
    """Send the message through the channels that have not had it, and tag the run with those that took it."""
    told = _told(run, instance)
    delivery = deliver(report, settings.notifications, already=told)
    for problem in delivery.problems:
        run_log.warning("failure message: %s", problem)
        _log.warning("failure message: %s", problem)
    if delivery.channels:
        channels = ",".join(sorted(told | set(delivery.channels)))
        instance.add_run_tags(run.run_id, {NOTIFIED_TAG: own_value(run.run_id, channels)})
    return delivery


def _told(run: dg.DagsterRun, instance: dg.DagsterInstance) -> set[str]:
    """Return the channels that took the message about a run, or about one that it started and failed with."""
    started = instance.get_runs(filters=dg.RunsFilter(tags={STARTED_BY_TAG: run.run_id}))
    return {channel for each in (run, *started) for channel in _tagged_channels(each)}


def _tagged_channels(run: dg.DagsterRun) -> list[str]:
    channels = own_tag(run, NOTIFIED_TAG)
    return channels.split(",") if channels else []


def _step_failures(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    """Return the failed steps of a run in the order of their failing; steps that were interrupted have not failed."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    events = [record.event_log_entry.get_dagster_event() for record in records]
    return [event for event in events if not is_interrupted_step(event)]


def _report(settings: Settings, run: dg.DagsterRun, failures: Sequence[dg.DagsterEvent]) -> FailureReport:
    """Describe a failed run; the first of its failures is told in full."""
    message, hint = _error_of(failures[0])
    ui_url = settings.notifications.ui_url
    return FailureReport(
        job="assets without a job" if run.job_name == "__ASSET_JOB" else run.job_name,
        run_id=run.run_id,
        assets=tuple(asset_key(event) for event in failures if event.step_key),
        month=_month(run),
        error=message,
        hint=hint,
        data_folder=settings.data_dir.name,
        run_url=f"{ui_url}/runs/{run.run_id}" if ui_url else "",
    )


def _month(run: dg.DagsterRun) -> str:
    """Return the month of a run, or the first and the last of several; empty when it has none."""
    return " to ".join(run.tags[tag][:7] for tag in _PARTITION_TAGS if tag in run.tags)


def _error_of(failure: dg.DagsterEvent) -> tuple[str, str]:
    """Return the sentence of a failed step or run, and its hint."""
    if not failure.is_step_failure:
        return _run_error(failure), _RUN_HINT
    found = step_failure(failure)
    return found.message, found.hint


def _run_error(failure: dg.DagsterEvent) -> str:
    """Return what Dagster says of a run that failed outside its steps."""
    error = getattr(failure.event_specific_data, "error", None)
    return f"{failure.message or 'The run failed.'} {error.message.strip() if error else ''}".rstrip()
