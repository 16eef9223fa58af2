"""Builds all Dagster definitions from the graph."""

from collections.abc import Callable

import dagster as dg

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.automation import automation_sensor
from segmentation_assets.orchestration.catch_up import catch_up_job, catch_up_sensor
from segmentation_assets.orchestration.delivery_sensor import delivery_sensor
from segmentation_assets.orchestration.jobs import monthly_schedule
from segmentation_assets.orchestration.notifying import run_failure_sensor_of
from segmentation_assets.orchestration.pipeline import build_pipeline
from segmentation_assets.orchestration.run_liveness import killed_runs_sensor


def build_defs(settings: Settings, *, current_settings: Callable[[], Settings] | None = None) -> dg.Definitions:
    """Build the definitions that the settings call for.

    Parameters
    ----------
    settings : Settings
    current_settings : callable, optional
        Reads the settings anew, as the processes do that runs are started in. By default, they never change.

    Returns
    -------
    Definitions
        One asset per node of the graph with its checks; jobs, the schedule, sensors and resources.
    """
    base = build_pipeline(settings)
    jobs = list(base.jobs or ())
    failures = run_failure_sensor_of(settings)
    automation = settings.automation
    current = current_settings or (lambda: settings)
    return dg.Definitions.merge(
        base,
        dg.Definitions(
            jobs=[catch_up_job(settings)],
            schedules=[monthly_schedule(jobs[0], automation)],
            sensors=[
                automation_sensor(automation),
                catch_up_sensor(settings, current),
                delivery_sensor(settings, current),
                killed_runs_sensor(Platform(settings).graph.by_key, automation.interval_seconds),
                *([failures] if failures else []),
            ],
        ),
    )
