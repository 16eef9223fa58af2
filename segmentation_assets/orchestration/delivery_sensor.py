"""Watches the delivery folder and the decisions file, and has them taken in once no file grows any more."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import SettingsError, noun, plural
from segmentation_assets.graph.plan import external_nodes, is_taken_in
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.reading_due import reading_due
from segmentation_assets.graph.staleness import evaluate
from segmentation_assets.graph.watching import Verdict, Watch, look
from segmentation_assets.ingestion.decisions import DECISIONS_FILE
from segmentation_assets.ingestion.delivery import mapped_files
from segmentation_assets.ingestion.mapping import delivery_folder
from segmentation_assets.ingestion.unread_files import find_unread_files
from segmentation_assets.orchestration.automation import default_sensor_status
from segmentation_assets.orchestration.jobs import INGEST_JOB
from segmentation_assets.orchestration.run_liveness import active_runs
from segmentation_assets.orchestration.run_tags import STARTED_BY_TAG
from segmentation_assets.storage.store import WHOLE


def delivery_sensor(settings: Settings, current_settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """Make the sensor that starts `ingest_job` for new or changed files, by the settings as they are now."""
    automation = settings.automation

    @dg.sensor(
        name="delivery_sensor",
        job_name=INGEST_JOB,
        default_status=default_sensor_status(automation),
        minimum_interval_seconds=automation.interval_seconds,
        description=f"Starts {INGEST_JOB} for new or changed files in the delivery folder, and for decisions.csv, once "
        f"no file has changed for {automation.delivery_quiet_seconds} seconds.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            platform = Platform(current_settings())
        except SettingsError as problem:
            return dg.SkipReason(str(problem))
        files = watched_files(platform)
        is_server = platform.settings.source.kind == "postgres"
        if not files and not is_server and not is_taken_in(platform):
            return dg.SkipReason(
                f"there is neither a file in {delivery_folder(platform.settings)} that the settings name nor a "
                "decisions.csv yet"
            )
        watch, listing = Watch.from_json(context.cursor), _listing(platform, files)
        if watch.cause == listing and _is_taken_up(platform):
            context.update_cursor(Watch(listing).to_json())
            what = f"all {len(files)} files have been taken up" if files else "there is no file to take up"
            what = f"{what}, and the next reading of Postgres is not due yet" if is_server else what
            return dg.SkipReason(f"{what}; catch_up_sensor tells what is left to do{_unread_words(platform)}")
        verdict, watch = look(
            watch,
            listing,
            time.time(),
            quiet_seconds=platform.settings.automation.delivery_quiet_seconds,
            max_attempts=platform.settings.automation.max_attempts,
            is_busy=any(run.job_name == INGEST_JOB for run in active_runs(context.instance, platform.graph.by_key)),
        )
        context.update_cursor(watch.to_json())
        if verdict == Verdict.ACT:
            return dg.RunRequest(tags={STARTED_BY_TAG: "delivery_sensor"})
        if verdict == Verdict.WAIT and is_server and not files:
            return dg.SkipReason("the next reading of Postgres is due and begins at one of the next looks")
        return dg.SkipReason(_WORDS[verdict])

    return sensor


def _unread_words(platform: Platform) -> str:
    """Tell how many files in the delivery folder look like tables and are not read."""
    count = find_unread_files(platform.settings).count
    told = f"{plural(count, 'other file')} in the delivery folder {noun(count, 'is', 'are')} not read"
    return f"; {told}, and 'segmentation status' names {noun(count, 'it', 'them')}" if count else ""


def _listing(platform: Platform, files: tuple[tuple[str, int, int], ...]) -> str:
    """Name what lies there and how it is to be read; another name starts anew."""
    source = platform.settings.source
    due = reading_due(platform) if source.kind == "postgres" else ""
    return hashlib.sha256(repr((files, source, due)).encode()).hexdigest()[:16]


_WORDS = {
    Verdict.WAIT: "files are new or have changed; waiting until they stay as they are",
    Verdict.GIVEN_UP: "given up on these files after several tries; see the failed runs of ingest_job, and deliver "
    "corrected files or start ingest_job by hand",
}


def watched_files(platform: Platform) -> tuple[tuple[str, int, int], ...]:
    """List the files that come from outside and are read: path, size in bytes and time of change in nanoseconds."""
    paths = [platform.data_dir / DECISIONS_FILE]
    if platform.settings.population.crosswalk is not None:
        paths.append(platform.settings.population.crosswalk)
    if platform.settings.source.kind == "files":
        folder = delivery_folder(platform.settings)
        names = mapped_files(folder, platform.settings.source, platform.data_dir)
        paths += [folder / name for name in sorted(names)]
    return tuple(_description(path) for path in paths if path.is_file())


def _description(path: Path) -> tuple[str, int, int]:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def _is_taken_up(platform: Platform) -> bool:
    """Whether the stored delivery and decisions are those that lie there now, by their content.

    What is made of a delivery and fails is tried again by the catch-up, which begins once a first one is taken in.
    """
    found = (evaluate(platform, node, WHOLE) for node in external_nodes(platform))
    return is_taken_in(platform) and all(evaluation.state == "fresh" for evaluation in found)
