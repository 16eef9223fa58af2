"""Dagster's storages with connections that stay open: same files as Dagster's own, and nothing left open."""

import contextlib
import os
import threading
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db
import yaml
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage

from segmentation_assets.orchestration.instance import instance_home, open_instance
from segmentation_assets.orchestration.sqlite_storage import OpenDatabase, OpenEventLogStorage

REPOSITORY_FILE = Path(__file__).resolve().parents[2] / "dagster.yaml"


@dg.asset(check_specs=[dg.AssetCheckSpec("fine", asset="example")])
def example():
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


@pytest.fixture(autouse=True)
def no_other_home(monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def open_files(folder: Path) -> list[str]:
    targets = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sorted(target for target in targets if str(folder) in target)


def test_commands_and_dagster_use_the_same_storages(tmp_path):
    written = (instance_home(tmp_path / "data") / "dagster.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(written.replace(f"{tmp_path}/", "")) == yaml.safe_load(REPOSITORY_FILE.read_text("utf-8"))


def test_what_is_written_is_read_by_storages_of_dagster_itself(tmp_path):
    with open_instance(tmp_path) as instance:
        result = dg.materialize([example], instance=instance)
        materialized = instance.fetch_materializations(dg.AssetKey("example"), limit=9).records
    folder = str(tmp_path / "dagster" / "storage")
    records = ConsolidatedSqliteEventLogStorage(folder).get_records_for_run(result.run_id).records
    assert [record.storage_id for record in records][-1] == len(records) > len(result.all_events)
    assert materialized[0].storage_id in {record.storage_id for record in records}
    assert [run.run_id for run in SqliteRunStorage.from_local(folder).get_runs()] == [result.run_id]


def test_newest_event_of_an_asset_is_that_of_its_newest_run_until_it_is_wiped(tmp_path):
    key = dg.AssetKey("example")
    with open_instance(tmp_path) as instance:
        for _ in range(2):
            run_id = dg.materialize([example], instance=instance).run_id
            for _ in range(2):
                (record,) = instance.get_asset_records([key])
                assert record.asset_entry.last_materialization_record.run_id == run_id
        instance.wipe_assets([key])
        assert not [found for found in instance.get_asset_records([key]) if found.asset_entry.last_materialization]
        run_id = dg.materialize([example], instance=instance).run_id
        (record,) = instance.get_asset_records([key])
        assert record.asset_entry.last_materialization_record.run_id == run_id


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def parted():
    return dg.MaterializeResult(metadata={"rows": 1}, value=None)


def test_materialisation_of_a_partition_is_read_anew_once_another_process_made_it(tmp_path):
    key = dg.AssetKey("parted")

    def newest(instance, partition):
        wanted = dg.AssetRecordsFilter(key, asset_partitions=[partition])
        return [record.run_id for record in instance.fetch_materializations(wanted, limit=1).records]

    with open_instance(tmp_path) as here, open_instance(tmp_path) as elsewhere:
        own = {part: dg.materialize([parted], instance=here, partition_key=part).run_id for part in "ab"}
        assert [newest(here, part) for part in "ab"] == [[own["a"]], [own["b"]]]
        wanted = dg.AssetRecordsFilter(key, asset_partitions=["a"])
        kept, read = (instance.fetch_materializations(wanted, limit=1) for instance in (here, elsewhere))
        assert kept == read
        assert kept.records[0] is here.event_log_storage._made_here[key, "a"], "it was read from the file"
        later = dg.materialize([parted], instance=elsewhere, partition_key="a").run_id
        assert [newest(here, part) for part in "ab"] == [[later], [own["b"]]]
        here.wipe_assets([key])
        assert [newest(here, part) for part in "ab"] == [[], []]


def test_closed_instance_leaves_no_database_open_and_can_be_opened_again(tmp_path):
    for _ in range(2):
        with open_instance(tmp_path) as instance:
            dg.materialize([example], instance=instance)
            assert any(path.endswith("event_log.db") for path in open_files(tmp_path))
        assert open_files(tmp_path) == []
    with open_instance(tmp_path) as instance:
        assert len(instance.get_runs()) == 2


def test_watcher_learns_of_events_that_another_process_writes(tmp_path):
    seen = threading.Event()
    with open_instance(tmp_path) as reader, open_instance(tmp_path) as writer:
        run = writer.create_run_for_job(dg.Definitions(assets=[example]).resolve_implicit_global_asset_job_def())
        assert isinstance(reader.event_log_storage, OpenEventLogStorage)
        reader.watch_event_logs(run.run_id, None, lambda event, _cursor: seen.set() if event.message == "x" else None)
        for _ in range(40):
            writer.report_engine_event("x", run)
            if seen.wait(0.5):
                break
    assert seen.is_set()


def test_failed_transaction_is_rolled_back(tmp_path):
    database = OpenDatabase(f"sqlite:///{tmp_path / 'a.db'}")
    with database.begin() as connection:
        connection.execute(db.text("CREATE TABLE t (x INT)"))
    with contextlib.suppress(ZeroDivisionError), database.begin() as connection:
        connection.execute(db.text("INSERT INTO t VALUES (1)"))
        raise ZeroDivisionError
    with database.begin() as connection:
        assert connection.execute(db.text("SELECT count(*) FROM t")).scalar() == 0
    database.close()


def test_forked_process_opens_its_own_connections(tmp_path, monkeypatch):
    database = OpenDatabase(f"sqlite:///{tmp_path / 'a.db'}")
    parent = database._opened()
    assert database._opened() is parent
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert database._opened() is not parent
    database.close()
    parent.dispose()
