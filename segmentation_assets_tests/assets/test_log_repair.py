"""Dagster's event log beside what is stored: what it does not know is reported, and nothing else."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import contextmanager

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.utils import make_new_run_id
from sqlalchemy.exc import SQLAlchemyError

from segmentation_assets.errors import DataError
from segmentation_assets.graph.log_mark import is_log_behind, note_told, stored_mark
from segmentation_assets.graph.plan import ingest_nodes
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration import asset_definition, incremental, runner
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.instance import instance_home, open_instance
from segmentation_assets.orchestration.log_repair import repair_log
from segmentation_assets.orchestration.run_liveness import process_mark
from segmentation_assets.orchestration.run_tags import FORCE_TAG, PROCESS_TAG, own_value
from segmentation_assets_tests.assets.conftest import MONTHS, Shop
from segmentation_assets_tests.assets.stored import files_of, rewrite

NEWEST = MONTHS[-1]

SHARED = ("silver/snapshot_input", "monitoring/data_quality")
"""Monthly assets that read a part of what all months share."""


def change_newest(shop):
    rewrite(shop.lines(NEWEST), "SELECT * REPLACE (quantity + 3 AS quantity) FROM t")


def take_in(shop, run):
    """Take the delivery in, and nothing more."""
    run(shop.settings(), keys={node.key for node in ingest_nodes(Platform(shop.settings()).graph)})


@pytest.fixture
def instance(shop):
    with open_instance(shop.data_dir) as opened:
        yield opened


@pytest.fixture
def changed(shop, run, instance):
    """The shop after a change in the newest month."""
    change_newest(shop)
    computed = run(shop.settings())
    assert {month for key, month in computed if key == "silver/snapshot_input"} == {NEWEST}
    return shop


def statuses(shop, instance):
    """Assets and months that Dagster does not call fresh, and what it calls them."""
    graph = build_defs(shop.settings()).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    found = {
        (key.to_user_string(), month): resolver.get_status(key, month).value
        for key in graph.materializable_asset_keys
        for month in (MONTHS if graph.get(key).is_partitioned else (None,))
    }
    return {where: status for where, status in found.items() if status != "FRESH"}


def materializations(instance, key, month):
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(key.split("/")), asset_partitions=[month])
    return [record.asset_materialization for record in instance.fetch_materializations(wanted, limit=9).records]


def repair(shop, instance, **settings):
    return repair_log(Platform(shop.settings(**settings)), instance)


def test_months_that_a_delivery_leaves_as_they_are_stay_fresh(changed, instance):
    assert statuses(changed, instance) == {}
    for key in SHARED:
        confirmed, made = materializations(instance, key, MONTHS[0])
        assert confirmed.metadata["kept"].value is True
        assert confirmed.tags["dagster/data_version"] == made.tags["dagster/data_version"]
    assert len(materializations(instance, "gold/customer_segments", MONTHS[0])) == 1


def test_nothing_is_reported_twice(changed, instance):
    assert repair(changed, instance) == 0


def test_tags_are_those_that_dagster_itself_would_have_written(shop):
    """After runs of everything the log needs no repair, whether one month is read, several, all or a shared asset."""
    shutil.rmtree(shop.data_dir / "dagster" / "storage")
    with open_instance(shop.data_dir) as fresh:
        jobs = build_defs(shop.settings())
        for month in MONTHS:
            assert (
                jobs.resolve_job_def("monthly_snapshot_job")
                .execute_in_process(instance=fresh, partition_key=month)
                .success
            )
        assert repair(shop, fresh) == 0


def test_log_that_is_gone_is_told_of_all_that_is_stored(shop, segmentation, write_settings, monkeypatch):
    monkeypatch.chdir(shop.root)
    write_settings(shop.settings())
    before = files_of(shop.data_dir)
    shutil.rmtree(shop.data_dir / "dagster")

    printed = segmentation("run")

    assert (printed.code, files_of(shop.data_dir)) == (0, before)
    assert "nothing was computed" in printed.out
    with open_instance(shop.data_dir) as instance:
        assert statuses(shop, instance) == {}
        assert instance.get_runs() == []
        (told,) = materializations(instance, "gold/rfm_segments", MONTHS[0])
        assert told.metadata["kept"].value is True
        assert told.metadata["customers"].value > 0


def failed_partitions(shop, instance):
    """Assets and months that Dagster shows as failed."""
    graph = build_defs(shop.settings()).resolve_asset_graph()
    found = set()
    for key in graph.materializable_asset_keys:
        months = graph.get(key).partitions_def
        if months is not None:
            value = get_and_update_asset_status_cache_value(instance, key, months)
            failed = value.deserialize_failed_partition_subsets(months).get_partition_keys()
            found |= {(key.to_user_string(), month) for month in failed}
    return found


@pytest.fixture
def failing(monkeypatch):
    """Have an asset fail for as long as the context lasts."""
    body_of = asset_definition.body_of

    def fail(step):
        raise DataError("not today")

    @contextmanager
    def failing_asset(key):
        with monkeypatch.context() as patched:
            patched.setattr(asset_definition, "body_of", lambda node: fail if node.key == key else body_of(node))
            yield

    return failing_asset


@pytest.fixture
def red_month(shop, instance, failing):
    """The shop after June was made anew by force, and its champion failed; what is stored still holds."""
    june = build_defs(shop.settings()).resolve_job_def("monthly_snapshot_job")
    with failing("gold/champion"):
        result = june.execute_in_process(
            instance=instance, partition_key=MONTHS[0], tags={FORCE_TAG: "true"}, raise_on_error=False
        )
    assert not result.success
    assert {("gold/champion", MONTHS[0]), ("reports/dashboard", MONTHS[0])} <= failed_partitions(shop, instance)
    return shop


def test_failed_run_over_what_is_up_to_date_leaves_no_month_red(red_month, instance):
    assert repair(red_month, instance) > 0
    assert failed_partitions(red_month, instance) == set()
    assert statuses(red_month, instance) == {}
    assert repair(red_month, instance) == 0


def test_run_with_nothing_to_do_tells_that_a_red_month_still_holds(
    red_month, instance, segmentation, write_settings, monkeypatch
):
    monkeypatch.chdir(red_month.root)
    write_settings(red_month.settings())
    assert "nothing was computed" in segmentation("run").out
    assert failed_partitions(red_month, instance) == set()


def test_what_rests_on_a_failure_stays_failed(shop, run, instance, failing):
    """Another setting makes the leaderboards stale and they fail; champions and reports rest on the ones before."""
    changed = shop.settings(leaderboard__min_coverage=0.79)
    resting = {("gold/champion", month) for month in MONTHS} | {("reports/dashboard", NEWEST)}
    before = {where: len(materializations(instance, *where)) for where in resting}
    with failing("clusters/leaderboard"), pytest.raises(DataError, match="not today"):
        run(changed)
    assert {where: len(materializations(instance, *where)) for where in resting} == before
    assert ("gold/champion", MONTHS[0]) in failed_partitions(shop, instance)
    assert repair(shop, instance) > 0
    assert failed_partitions(shop, instance) == set()


def test_what_was_left_out_as_stale_is_told_once_it_holds_again(shop, run, instance):
    """The log is lost, a partial run sees another setting, and then the setting is as before."""
    shutil.rmtree(shop.data_dir / "dagster" / "storage")
    run(shop.settings(leaderboard__min_coverage=0.79), keys={"source/decisions"}, force=True)
    with open_instance(shop.data_dir) as fresh:
        assert ("gold/champion", MONTHS[0]) in statuses(shop, fresh)
        assert is_log_behind(Platform(shop.settings()))
        run(shop.settings())
        assert statuses(shop, fresh) == {}


@pytest.fixture
def mark_that_cannot_be_written(shop):
    mark = shop.data_dir / "dagster" / "storage" / "told_of"
    mark.unlink()
    mark.mkdir()


@pytest.mark.usefixtures("mark_that_cannot_be_written")
def test_mark_that_cannot_be_written_costs_no_run(shop, run, failing):
    assert run(shop.settings(), keys={"reports/dashboard"}, force=True) == {("reports/dashboard", m) for m in MONTHS}
    with failing("reports/dashboard"), pytest.raises(DataError, match="not today"):
        run(shop.settings(), keys={"reports/dashboard"}, force=True)


@pytest.mark.parametrize("problem", [RuntimeError("defect"), OSError("disk full"), SQLAlchemyError("locked")])
def test_log_that_cannot_be_told_does_not_hide_why_a_run_failed(shop, run, failing, monkeypatch, problem):
    def cannot_tell(*_):
        raise problem

    monkeypatch.setattr(runner, "repair_log", cannot_tell)
    with failing("reports/dashboard"), pytest.raises(DataError, match="not today"):
        run(shop.settings(), keys={"reports/dashboard"}, force=True)
    assert is_log_behind(Platform(shop.settings()))


def another_run(shop, instance, status):
    """A run of the shop by a process that lives."""
    run_id = make_new_run_id()
    tags = {PROCESS_TAG: own_value(run_id, process_mark())}
    job = build_defs(shop.settings()).resolve_job_def("monthly_snapshot_job")
    location = RegisteredCodeLocationOrigin("segmentation_assets.definitions")
    origin = RemoteRepositoryOrigin(location, "__repository__").get_job_origin(job.name)
    return instance.create_run_for_job(job, run_id=run_id, tags=tags, status=status, remote_job_origin=origin)


def test_run_in_the_queue_of_a_server_that_is_gone_keeps_nothing_from_being_told(red_month, run, instance):
    another_run(red_month, instance, dg.DagsterRunStatus.QUEUED)
    run(red_month.settings())
    assert failed_partitions(red_month, instance) == set()
    assert not is_log_behind(Platform(red_month.settings()))


def test_red_month_of_a_step_that_failed_before_it_computed_is_told_too(shop, run, instance):
    """A month is asked for alone under another setting, and refused as the months before are out of date."""
    run(shop.settings())
    july = build_defs(shop.settings(leaderboard__min_coverage=0.79)).resolve_job_def("monthly_snapshot_job")
    champion = [dg.AssetKey(["gold", "champion"])]
    result = july.execute_in_process(
        instance=instance, partition_key=MONTHS[1], asset_selection=champion, raise_on_error=False
    )
    assert not result.success
    assert failed_partitions(shop, instance) == {("gold/champion", MONTHS[1])}
    assert is_log_behind(Platform(shop.settings()))
    run(shop.settings())
    assert failed_partitions(shop, instance) == set()


def test_nothing_is_told_while_another_run_is_at_work(shop, run, instance):
    """It may have stored a result and be about to tell of it."""
    report_made_from_other_lines(instance, MONTHS[0])
    other = another_run(shop, instance, dg.DagsterRunStatus.STARTED)
    run(shop.settings(), keys={"source/decisions"}, force=True)
    assert len(materializations(instance, SHARED[0], MONTHS[0])) == 2
    assert is_log_behind(Platform(shop.settings()))
    instance.report_run_canceled(other)
    run(shop.settings(), keys={"source/decisions"}, force=True)
    assert len(materializations(instance, SHARED[0], MONTHS[0])) == 3


def test_months_that_build_on_each_other_need_one_pass(shop, instance):
    """July's own month before is reported first, and July with it."""
    known = materializations(instance, "gold/customer_segments", MONTHS[0])[0]
    tags = {**known.tags, "dagster/data_version": "another result"}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(known.asset_key, partition=MONTHS[0], metadata=known.metadata, tags=tags)
    )
    assert repair(shop, instance) > 0
    assert repair(shop, instance) == 0
    assert statuses(shop, instance) == {}


def test_log_elsewhere_is_told_too(shop, segmentation, write_settings, monkeypatch, tmp_path):
    monkeypatch.chdir(shop.root)
    write_settings(shop.settings())
    home = instance_home(tmp_path / "elsewhere")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert segmentation("run").code == 0
    with dg.DagsterInstance.get() as elsewhere:
        assert statuses(shop, elsewhere) == {}
    assert not is_log_behind(Platform(shop.settings()))


def test_shops_that_share_a_log_are_told_of_in_turn(shop, run, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGSTER_HOME", str(instance_home(tmp_path / "shared log")))
    other = Shop(tmp_path / "other")
    shutil.copytree(shop.data_dir, other.data_dir, symlinks=True)
    run(shop.settings())
    run(other.settings())
    assert is_log_behind(Platform(shop.settings()))
    assert not is_log_behind(Platform(other.settings()))


def test_data_folder_that_is_moved_with_its_log_needs_no_telling(shop, run, tmp_path):
    run(shop.settings())
    moved = Shop(tmp_path / "moved")
    shutil.copytree(shop.data_dir, moved.data_dir, symlinks=True)
    assert not is_log_behind(Platform(moved.settings()))


def test_home_below_that_of_the_user_gets_the_mark_where_the_log_is(shop, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("DAGSTER_HOME", "~/log")
    (tmp_path / "user" / "log").mkdir(parents=True)
    platform = Platform(shop.settings())
    note_told(platform, stored_mark(platform))
    assert [path.name for path in (tmp_path / "user" / "log").iterdir()] == ["segmentation_told_of"]
    assert not is_log_behind(platform)


@pytest.mark.parametrize("arguments", [(), ("--only", "reports", "--force")])
@pytest.mark.parametrize("home", ["relative", "/there/is/none", __file__])
def test_dagster_home_that_cannot_be_used_is_told_in_a_sentence(
    shop, segmentation, write_settings, monkeypatch, home, arguments
):
    monkeypatch.chdir(shop.root)
    write_settings(shop.settings())
    monkeypatch.setenv("DAGSTER_HOME", home)
    printed = segmentation("run", *arguments)
    assert printed.code == 1
    assert f"DAGSTER_HOME is {home}, which Dagster cannot use" in printed.err
    assert "absolute path of a folder that exists" in printed.err


def test_empty_log_whose_first_report_has_inputs_is_readable(shop):
    """All that is read from outside has changed and waits to be taken in, while what was made of it before is kept."""
    shutil.rmtree(shop.data_dir / "dagster")
    change_newest(shop)
    (shop.data_dir / "decisions.csv").write_text(
        "decided_on,kind,from_month,subject,value,decided_by\n", encoding="utf-8"
    )
    with open_instance(shop.data_dir) as instance:
        assert repair(shop, instance) > 0
        missing = {(f"source/{name}", None): "MISSING" for name in ("decisions", "delivery")}
        assert statuses(shop, instance) == missing


def test_result_that_was_stored_just_before_a_kill_is_reported(shop, run, instance, monkeypatch):
    """The manifest is in place, the process dies before Dagster hears of it; the next run finds nothing left to do."""
    original = incremental._store_table

    def die_after(step, inputs):
        original(step, inputs)
        raise KeyboardInterrupt

    settings = shop.settings(clustering__algorithms__kmeans__k_max=5)
    with monkeypatch.context() as patched:
        patched.setitem(incremental._STORERS, "table", die_after)
        with pytest.raises(KeyboardInterrupt):
            run(settings, keys={"clusters/kmeans"}, month=MONTHS[0])
    platform = Platform(settings)
    assert is_log_behind(platform)
    (kept,) = materializations(instance, "clusters/kmeans", MONTHS[0])
    stored = platform.store.manifest("clusters/kmeans", MONTHS[0])
    assert kept.tags["dagster/code_version"] != stored.code_version

    assert run(settings, keys={"clusters/kmeans"}, month=MONTHS[0]) == set()

    assert not is_log_behind(platform)
    told = materializations(instance, "clusters/kmeans", MONTHS[0])[0]
    assert told.tags["dagster/code_version"] == stored.code_version
    assert told.tags["dagster/data_version"] == stored.content_hash


def report_made_from_other_lines(instance, month, **own):
    """Have Dagster believe that a month's input was made from other order lines."""
    known = materializations(instance, SHARED[0], month)[0]
    tags = {**known.tags, "dagster/input_data_version/silver/order_lines": "other", **own}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(known.asset_key, partition=month, metadata=known.metadata, tags=tags)
    )


def test_month_that_is_out_of_date_is_not_called_fresh(changed, instance):
    report_made_from_other_lines(instance, MONTHS[0])
    assert repair(changed, instance, calendar__lookback_months=3) == 0
    assert (SHARED[0], MONTHS[0]) in statuses(changed, instance)


def test_newest_month_that_is_out_of_date_is_not_called_fresh_and_the_others_are(shop, run, instance):
    """Only the delivery is taken in: the newest month waits to be made, and must not pass for made."""
    change_newest(shop)
    take_in(shop, run)
    assert {key for key, month in statuses(shop, instance) if month == NEWEST} >= set(SHARED)
    assert {where for where in statuses(shop, instance) if where[1] != NEWEST} == {("serving/warehouse", None)}
    assert len(materializations(instance, SHARED[0], NEWEST)) == 1


def test_result_that_dagster_knows_as_another_one_is_reported_as_stored(changed, instance):
    report_made_from_other_lines(instance, MONTHS[0], **{"dagster/data_version": "another result"})
    assert repair(changed, instance) > 0
    assert statuses(changed, instance) == {}


@pytest.mark.parametrize("key", SHARED)
def test_newest_month_and_its_checks_stay_the_ones_shown_first(changed, instance, key):
    asset_key = dg.AssetKey(key.split("/"))
    assert instance.get_latest_materialization_event(asset_key).asset_materialization.partition == NEWEST
    check_key = dg.AssetCheckKey(asset_key, "contract")
    context = LoadingContextForTest(instance)

    async def is_shown() -> bool:
        record = await AssetCheckExecutionRecord.gen(context, check_key)
        return await record.targets_latest_materialization(context)

    assert asyncio.run(is_shown())
