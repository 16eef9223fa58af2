"""Failed runs in Dagster: who tells of them, how often, and what it does to the run when nobody can be reached."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError
from segmentation_assets.orchestration.assets import gold
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.notifying import _step_failures, failure_hooks, run_failure_sensor_of
from segmentation_assets.orchestration.run_tags import NOTIFIED_TAG, STARTED_BY_TAG, own_tag
from segmentation_assets.orchestration.step import Step
from segmentation_assets_tests.assets.local_servers import HOST, MailServer, WebServer, web_server

MONTHS = dg.MonthlyPartitionsDefinition("2025-06-01", end_date="2025-09-01")
ERROR = "gold/first breaks its contract: share <= 1: 1 row"
HINT = "the previous result was left as it is."
RFM_SEGMENTS = gold.rfm_segments

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that keeps its events in a folder, as the platform's does."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


def settings_for(*, web: WebServer | None = None, mail: MailServer | None = None, **overrides: object) -> Settings:
    dotted: dict[str, object] = {"data_dir": "/somewhere/demo", **overrides}
    if web is not None:
        dotted |= {"notifications.webhook.url": web.url, "notifications.webhook.timeout_seconds": 10}
    if mail is not None:
        dotted |= {
            "notifications.email.host": HOST,
            "notifications.email.port": mail.port,
            "notifications.email.security": "none",
            "notifications.email.sender": "shop@example.org",
            "notifications.email.recipients": ["a@example.org"],
        }
    return load_settings(profile="demo", overrides=dotted).settings


def shop_of(settings: Settings, *, executor: dg.ExecutorDefinition = dg.in_process_executor) -> dg.Definitions:
    """Three assets: the first fails as the platform's do, the second by a defect, the third works."""
    hooks = failure_hooks(settings)

    @dg.asset(key=["gold", "first"], partitions_def=MONTHS)
    def first() -> None:
        problem = DataError(ERROR, HINT)
        raise dg.Failure(description=str(problem), allow_retries=False)

    @dg.asset(key=["gold", "second"], partitions_def=MONTHS, deps=["raw"], retry_policy=dg.RetryPolicy(max_retries=1))
    def second() -> None:
        raise ZeroDivisionError("division by zero")

    @dg.asset(key=["raw"], partitions_def=MONTHS)
    def raw() -> None:
        """Work."""

    @dg.asset(key=["gold", "hooked"], partitions_def=MONTHS, hooks=hooks)
    def hooked() -> None:
        raise dg.Failure(description="gold/hooked is empty", allow_retries=False)

    @dg.asset(key=["gold", "stopped"], partitions_def=MONTHS, hooks=hooks)
    def stopped() -> None:
        raise dg.DagsterExecutionInterruptedError

    keys = ["gold/first", "gold/second", "gold/hooked", "raw"]
    job = dg.define_asset_job("monthly_snapshot_job", selection=keys, hooks=failure_hooks(settings))
    sensor = run_failure_sensor_of(settings)
    return dg.Definitions(
        assets=[first, second, raw, hooked, stopped],
        jobs=[job],
        sensors=[sensor] if sensor else [],
        executor=executor,
    )


def shop_of_environment() -> dg.JobDefinition:
    """The job of the shop with a process per step, for the settings that the environment names."""
    settings = load_settings(profile="demo", environment=os.environ).settings
    defs = shop_of(settings, executor=dg.multiprocess_executor)
    return defs.resolve_job_def("monthly_snapshot_job")


def run_job(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    *keys: str,
    job: str = "monthly_snapshot_job",
    tags: dict[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run the named assets of a job for August."""
    return defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key="2025-08-01",
        asset_selection=[dg.AssetKey.from_user_string(key) for key in keys],
        raise_on_error=False,
        tags=tags,
    )


def tick(defs: dg.Definitions, instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[str | None, list]:
    """Evaluate the sensor once, as the daemon does; return its cursor and the runs it acted on."""
    sensor = defs.resolve_sensor_def("run_failure_sensor")
    with dg.build_sensor_context(instance=instance, cursor=cursor, definitions=defs) as context:
        data = sensor.evaluate_tick(context)
    assert [reaction.error for reaction in data.dagster_run_reactions if reaction.error] == []
    return data.cursor, [reaction.dagster_run.run_id for reaction in data.dagster_run_reactions]


def tag_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> str | None:
    """Return the channels in the tag of a run."""
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return own_tag(run, NOTIFIED_TAG) or None


def test_failing_step_of_a_job_is_told_once_by_webhook_and_mail(
    web: WebServer, mail: MailServer, instance: dg.DagsterInstance
) -> None:
    settings = settings_for(web=web, mail=mail, **{"notifications.ui_url": "http://ui:3000/"})

    result = run_job(shop_of(settings), instance, "gold/first", "raw")

    assert not result.success
    (post,) = web.posts
    assert (post["headline"], post["error"], post["hint"]) == ("gold/first failed for 2025-08", ERROR, HINT)
    assert (post["job"], post["assets"], post["month"]) == ("monthly_snapshot_job", ["gold/first"], "2025-08")
    assert (post["data_folder"], post["run_url"]) == ("demo", f"http://ui:3000/runs/{result.run_id}")
    (received,) = mail.mails
    assert received["Subject"] == "[segmentation] gold/first failed for 2025-08 (demo)"
    assert f"{ERROR}\r\nHint: {HINT}" in received.get_content()
    assert tag_of(instance, result) == "email,webhook"


def test_later_failures_of_the_same_run_are_not_told(web: WebServer, instance: dg.DagsterInstance) -> None:
    result = run_job(shop_of(settings_for(web=web)), instance, "gold/first", "gold/second", "raw")
    assert len([event for event in result.all_events if event.is_step_failure]) == 2
    assert [post["assets"] for post in web.posts] == [["gold/first"]]


def test_defect_is_told_as_one_after_the_last_try_and_without_its_trace(
    web: WebServer, instance: dg.DagsterInstance
) -> None:
    result = run_job(shop_of(settings_for(web=web)), instance, "gold/second", "raw")
    assert [event.step_key for event in result.all_events if event.is_step_up_for_retry] == ["gold__second"]
    (post,) = web.posts
    assert post["error"] == "ZeroDivisionError: division by zero"
    assert post["hint"] == "this is a defect of the software; the log of the run has the details."
    assert "Traceback" not in post["text"]


def test_run_that_works_and_run_that_is_stopped_are_not_told(web: WebServer, instance: dg.DagsterInstance) -> None:
    defs = shop_of(settings_for(web=web))
    assert run_job(defs, instance, "raw").success
    assert not run_job(defs, instance, "gold/stopped", job="__ASSET_JOB").success
    assert web.posts == []


def stop_in_a_library(_: object) -> None:
    """Be interrupted in a query or while a module is loaded, which make an error of their own of that."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    except BaseException:  # noqa: BLE001 - as compiled code does
        raise RuntimeError("Query interrupted") from None


def stop_in_a_destructor(step: Step) -> None:
    """Be interrupted where nothing can be raised, and go on."""

    class Closed:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    Closed()
    RFM_SEGMENTS(step)


@pytest.mark.parametrize("stop", [stop_in_a_library, stop_in_a_destructor])
def test_interrupt_that_a_library_made_an_error_of_cancels_the_run_and_is_not_told(
    shop, run, web, monkeypatch, stop
) -> None:
    monkeypatch.setattr(gold, "rfm_segments", stop)
    settings = shop.settings(notifications__webhook__url=web.url)
    with pytest.raises(KeyboardInterrupt):
        run(settings, keys={"gold/rfm_segments"}, force=True)
    with open_instance(shop.data_dir) as instance:
        stopped = instance.get_runs()[0]
        assert stopped.status == dg.DagsterRunStatus.CANCELED
        assert _step_failures(instance, stopped.run_id) == [], "an interrupted step has not failed"
    assert web.posts == []


def test_hook_of_an_asset_tells_of_it_outside_of_jobs_too(web: WebServer, instance: dg.DagsterInstance) -> None:
    run_job(shop_of(settings_for(web=web)), instance, "gold/hooked", job="__ASSET_JOB")
    (post,) = web.posts
    assert (post["headline"], post["job"]) == ("gold/hooked failed for 2025-08", "assets without a job")


def test_hook_of_an_asset_and_of_its_job_tell_once(web: WebServer, instance: dg.DagsterInstance) -> None:
    run_job(shop_of(settings_for(web=web)), instance, "gold/hooked")
    assert [post["headline"] for post in web.posts] == ["gold/hooked failed for 2025-08"]


def test_process_per_step_tells_once(
    web: WebServer, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGMENTATION__NOTIFICATIONS__WEBHOOK__URL", web.url)
    with dg.execute_job(
        dg.reconstructable(shop_of_environment),
        instance=instance,
        tags={"dagster/partition": "2025-08-01"},
        asset_selection=[dg.AssetKey(["gold", "first"]), dg.AssetKey(["gold", "second"]), dg.AssetKey("raw")],
    ) as result:
        failed = {event.step_key for event in result.all_events if event.is_step_failure}
    assert failed == {"gold__first", "gold__second"}
    (post,) = web.posts
    assert post["month"] == "2025-08"
    assert post["assets"][0] in ("gold/first", "gold/second")


def test_server_that_is_not_there_is_a_warning_and_the_run_is_as_before(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    with web_server() as gone:
        settings = settings_for(web=gone)

    result = run_job(shop_of(settings), instance, "gold/first", "raw")

    kinds = [event.event_type_value for event in result.all_events]
    assert (kinds.count("STEP_FAILURE"), kinds.count("HOOK_ERRORED")) == (1, 0)
    assert tag_of(instance, result) is None
    logged = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.level == 30]
    assert logged == ["failure message: webhook through 127.0.0.1: Connection refused"]
    assert logged[0] in caplog.messages
    everything = caplog.text + "".join(entry.to_json() for entry in instance.all_logs(result.run_id))
    assert "t0p-s3cret" not in everything


def test_nothing_configured_means_no_hook_and_no_sensor() -> None:
    assert failure_hooks(settings_for()) == set()
    assert run_failure_sensor_of(settings_for()) is None


def test_sensor_runs_by_default_and_watches_this_code_location(web: WebServer) -> None:
    sensor = run_failure_sensor_of(settings_for(web=web))
    assert sensor is not None
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.name == "run_failure_sensor"


def test_sensor_tells_of_a_run_that_no_hook_told_of_and_tags_it(web: WebServer, instance: dg.DagsterInstance) -> None:
    defs = shop_of(settings_for(web=web))
    cursor, _ = tick(defs, instance)
    result = run_job(defs, instance, "gold/first", "gold/second", "raw", job="__ASSET_JOB")
    assert web.posts == []

    cursor, acted_on = tick(defs, instance, cursor)

    (post,) = web.posts
    assert acted_on == [result.run_id]
    assert (post["job"], post["month"], post["error"]) == ("assets without a job", "2025-08", ERROR)
    assert post["assets"] == ["gold/first", "gold/second"]
    assert tag_of(instance, result) == "webhook"
    assert tick(defs, instance, cursor)[1] == []
    assert len(web.posts) == 1


def test_sensor_passes_over_a_run_that_the_hook_told_of(web: WebServer, instance: dg.DagsterInstance) -> None:
    defs = shop_of(settings_for(web=web))
    cursor, _ = tick(defs, instance)
    run_job(defs, instance, "gold/first", "raw")
    tick(defs, instance, cursor)
    assert len(web.posts) == 1


def test_sensor_passes_over_a_run_that_failed_with_one_it_started(web: WebServer, instance: dg.DagsterInstance) -> None:
    defs = shop_of(settings_for(web=web))
    cursor, _ = tick(defs, instance)
    outer = instance.create_run_for_job(
        defs.resolve_job_def("monthly_snapshot_job"), status=dg.DagsterRunStatus.STARTED
    )
    run_job(defs, instance, "gold/first", "raw", tags={STARTED_BY_TAG: outer.run_id})
    instance.report_run_failed(outer)

    tick(defs, instance, cursor)

    assert [post["headline"] for post in web.posts] == ["gold/first failed for 2025-08"]


def test_retry_of_a_run_that_was_told_of_is_told_anew(web: WebServer, instance: dg.DagsterInstance) -> None:
    defs = shop_of(settings_for(web=web))
    cursor, _ = tick(defs, instance)
    first = instance.get_run_by_id(run_job(defs, instance, "gold/first", "raw").run_id)
    assert first is not None

    run_job(defs, instance, "gold/first", "raw", job="__ASSET_JOB", tags={NOTIFIED_TAG: first.tags[NOTIFIED_TAG]})
    tick(defs, instance, cursor)

    assert [post["job"] for post in web.posts] == ["monthly_snapshot_job", "assets without a job"]


def test_sensor_tells_only_through_the_channel_that_the_hook_could_not_reach(
    web: WebServer, mail: MailServer, instance: dg.DagsterInstance
) -> None:
    web.status = 503
    defs = shop_of(settings_for(web=web, mail=mail))
    cursor, _ = tick(defs, instance)
    result = run_job(defs, instance, "gold/first", "raw")
    assert tag_of(instance, result) == "email"
    web.status = 200

    tick(defs, instance, cursor)

    assert (len(web.posts), len(mail.mails)) == (2, 1)
    assert tag_of(instance, result) == "email,webhook"


def test_sensor_tells_of_a_killed_run_with_what_dagster_says(web: WebServer, instance: dg.DagsterInstance) -> None:
    defs = shop_of(settings_for(web=web))
    cursor, _ = tick(defs, instance)
    run = instance.create_run_for_job(defs.resolve_job_def("monthly_snapshot_job"), status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(run, "The process of the run has ended without a word.")

    tick(defs, instance, cursor)

    (post,) = web.posts
    assert (post["headline"], post["assets"], post["month"]) == ("a run (monthly_snapshot_job) failed", [], None)
    assert post["error"] == "The process of the run has ended without a word."
    assert post["hint"].startswith("no step failed, so look at the log of the run")


def test_sensor_that_reaches_nobody_says_so_in_its_tick_and_goes_on(instance: dg.DagsterInstance) -> None:
    with web_server() as gone:
        defs = shop_of(settings_for(web=gone))
    cursor, _ = tick(defs, instance)
    run_job(defs, instance, "gold/first", "raw", job="__ASSET_JOB")
    sensor = defs.resolve_sensor_def("run_failure_sensor")

    with dg.build_sensor_context(instance=instance, cursor=cursor, definitions=defs) as context:
        data = sensor.evaluate_tick(context)

    assert data.skip_message == "webhook through 127.0.0.1: Connection refused"
    assert data.cursor != cursor
