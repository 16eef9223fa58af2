"""Dagster's SQLite storages with connections that stay open; Dagster's own open and close a database per statement.

The tables and files are Dagster's own, so either kind of storage can be used on the same folder at any time.
"""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.event_api import EventLogCursor, EventRecordsResult
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from watchdog.events import FileSystemEvent, PatternMatchingEventHandler
from watchdog.observers import Observer


class OpenDatabase:
    """Connections to one SQLite file, kept for the next use; a process that was forked off opens its own.

    A commit is safe against the end of the process. After a power failure the last ones may be missing; the file
    stays readable, and what it no longer knows is reported to Dagster again.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._process_id = 0
        self._engine: db.Engine | None = None

    @contextmanager
    def begin(self) -> Iterator[db.Connection]:
        """Give a connection within a transaction."""
        with self._opened().connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        if self._engine is not None and self._process_id == os.getpid():
            self._engine.dispose()
        self._engine = None

    def _opened(self) -> db.Engine:
        if self._engine is None or self._process_id != os.getpid():
            self._process_id = os.getpid()
            self._engine = db.create_engine(
                self._address, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}, max_overflow=-1
            )
            db.event.listen(self._engine, "connect", _relax)
        return self._engine


@contextmanager
def _creating(folder: str) -> Iterator[None]:
    """Let one process at a time create the tables of a folder; Dagster's own check and creation can meet another's."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with (Path(folder) / ".creating").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _relax(connection: Any, _record: Any) -> None:
    """Leave it to SQLite's checkpoints to wait for the disk, instead of every commit."""
    connection.execute("PRAGMA synchronous=NORMAL")


SETTLE_VARIABLE, SETTLE_SECONDS = "DAGSTER_AUTOMATION_TICK_SETTLE_SECONDS", "0.5"
"""With it, automation judges all assets of one look by the same events. Without it, an asset that a run makes during a
look can seem older than its inputs, and is asked for again."""

_DAEMON_MODULE = "dagster._daemon.cli"
"""Loaded where automation is judged, and nowhere else."""


class OpenEventLogStorage(ConsolidatedSqliteEventLogStorage):
    """Event log in one SQLite file; settles automation in the daemon, unless that is set from outside."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        if _DAEMON_MODULE in sys.modules:
            os.environ.setdefault(SETTLE_VARIABLE, SETTLE_SECONDS)
        self._database: OpenDatabase | None = None
        self._tables: set[str] = set()
        self._newest: dict[dg.AssetKey, tuple[str, dg.EventLogRecord]] = {}
        self._made_here: dict[tuple[dg.AssetKey, str | None], dg.EventLogRecord] = {}
        with _creating(base_dir):
            super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self) -> Iterator[db.Connection]:
        if self._database is None:
            self._database = OpenDatabase(self._conn_string)
        with self._database.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the database has a table; asked for every check result, so one that was found is remembered."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _get_latest_materialization_records(
        self, raw_asset_rows: Sequence[Mapping[str, Any]]
    ) -> dict[dg.AssetKey, dg.EventLogRecord | None]:
        """Read the newest event of assets; every step that reads a table asks, so what was read is remembered."""
        rows = {dg.AssetKey.from_db_string(row["asset_key"]): row for row in raw_asset_rows}
        known = {
            key: self._newest[key][1]
            for key, row in rows.items()
            if key in self._newest and self._newest[key][0] == row["last_materialization"] and not row["asset_details"]
        }
        read = super()._get_latest_materialization_records([row for key, row in rows.items() if key not in known])
        self._newest |= {key: (rows[key]["last_materialization"], record) for key, record in read.items() if record}
        return {**known, **read}

    def _get_asset_entry_values(self, event: dg.EventLogEntry, event_id: int, *further: Any) -> dict[str, Any]:
        """Say what is noted of an asset with a new event, and remember the materialisation, which is read soon."""
        values = super()._get_asset_entry_values(event, event_id, *further)
        if "last_materialization" in values and event.dagster_event and event.dagster_event.asset_key:
            key, record = event.dagster_event.asset_key, dg.EventLogRecord(event_id, event)
            self._newest[key] = (values["last_materialization"], record)
            self._made_here[key, event.dagster_event.partition] = record
        return values

    def fetch_materializations(
        self,
        records_filter: dg.AssetKey | dg.AssetRecordsFilter,
        limit: int,
        *place: Any,
        **named_place: Any,
    ) -> EventRecordsResult:
        """Read materialisations; each check asks twice for that of its asset, which was mostly made in this process."""
        if (
            limit == 1
            and not any((*place, *named_place.values()))
            and isinstance(records_filter, dg.AssetRecordsFilter)
        ):
            made_here = self._made_here_and_newest(records_filter)
            if made_here:
                cursor = EventLogCursor.from_storage_id(made_here.storage_id).to_string()
                return EventRecordsResult([made_here], cursor=cursor, has_more=True)
        return super().fetch_materializations(records_filter, limit, *place, **named_place)

    def _made_here_and_newest(self, wanted: dg.AssetRecordsFilter) -> dg.EventLogRecord | None:
        """Return what this process made of the one partition asked for, unless a newer event is there."""
        partitions = wanted.asset_partitions or ()
        if len(partitions) != 1 or wanted != dg.AssetRecordsFilter(wanted.asset_key, asset_partitions=partitions):
            return None
        made_here = self._made_here.get((wanted.asset_key, partitions[0]))
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        newest = self.get_latest_storage_id_by_partition(wanted.asset_key, kind, set(partitions)) if made_here else {}
        return made_here if made_here and newest.get(partitions[0]) == made_here.storage_id else None

    def watch(self, run_id: str, cursor: str | None, callback: Callable[[dg.EventLogEntry, str], Any]) -> None:
        """Call back on each new event of a run."""
        if not self._obs:
            observer = Observer()
            observer.start()
            observer.schedule(_EventWatch(self), self._base_dir, recursive=True)
            self._obs = observer  # type: ignore[assignment]
        super().watch(run_id, cursor, callback)  # type: ignore[no-untyped-call]

    def dispose(self) -> None:
        """Close the connections and end watching."""
        super().dispose()  # type: ignore[no-untyped-call]
        if self._database is not None:
            self._database.close()


class _EventWatch(PatternMatchingEventHandler):
    """Notices new events, which lie in the write-ahead file until SQLite moves them into the database."""

    def __init__(self, storage: OpenEventLogStorage) -> None:
        self._storage = storage
        path: str = storage.get_db_path()  # type: ignore[no-untyped-call]
        super().__init__(patterns=[path, f"{path}-wal"])

    def on_modified(self, event: FileSystemEvent) -> None:
        self._storage.on_modified()  # type: ignore[no-untyped-call]


class OpenRunStorage(SqliteRunStorage):
    """Runs in one SQLite file."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._database = OpenDatabase(conn_string)
        super().__init__(conn_string, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "OpenRunStorage":
        """Open the storage that an instance's settings describe."""
        with _creating(config_value["base_dir"]):
            return cls.from_local(inst_data=inst_data, **config_value)

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        """Give a connection within a transaction."""
        with self._database.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connections."""
        super().dispose()
        self._database.close()
