"""Tables of a real Postgres server as the source: what is read, when, and what is said when it cannot be."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from segmentation_assets.config.loading import load_settings_from_environment
from segmentation_assets.graph import reading_due as reading
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.reading_due import DUE, reading_due
from segmentation_assets.ingestion import postgres
from segmentation_assets.orchestration import delivery_sensor
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.conftest import Printed
from segmentation_assets_tests.assets.stored import files_of
from segmentation_assets_tests.assets.test_sensors import QUIET, Sensor
from segmentation_assets_tests.postgres_server import PostgresServer, find_binaries, running_server

VARIABLE = postgres.CONNECTION_VARIABLE
PASSWORD = "s3cret-of-asked"
SETTINGS = """\
data_dir: data
calendar:
  first_snapshot: 2025-06
  last_month: 2025-08
source:
  kind: postgres
  time_zone: Europe/London
  max_quarantine_share: 0.2
  order_lines:
    table: shop.Orders
    columns:
      order_id: Order
      order_at: at
      customer_id: customer
      product_id: product
      quantity: pieces
      unit_price: price
      brand: brand
  products:
    table: products
    columns: {product_id: id, department: department}
"""
HOUR = 3600.0
LAYERS = ("--only", "source", "--only", "raw")
TABLES = (
    "DROP SCHEMA IF EXISTS shop CASCADE",
    "DROP TABLE IF EXISTS products",
    "CREATE SCHEMA shop",
    'CREATE TABLE shop."Orders" ("Order" uuid, at timestamptz, customer numeric, product text, pieces int, '
    "price numeric, brand boolean, note text)",
    """INSERT INTO shop."Orders" SELECT ('00000000-0000-0000-0000-' || lpad(line::text, 12, '0'))::uuid,
    timestamptz '2025-05-01 12:00+00' + line * interval '1 day', 100 + line % 9, 'P' || line % 5, 1 + line % 3,
    1.25 + line, CASE line % 3 WHEN 0 THEN NULL ELSE line % 3 = 1 END, 'x' FROM generate_series(1, 100) line""",
    "CREATE TABLE products (id text, department text)",
    "INSERT INTO products SELECT 'P' || n, E'a \"b\",\\n' || n FROM generate_series(0, 4) n",
)
Segmentation = Callable[..., Printed]


@pytest.fixture(scope="module")
def started() -> Iterator[PostgresServer]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no server program of Postgres (initdb) is installed")
    with running_server(binaries) as running:
        running.run(f"CREATE ROLE asked LOGIN PASSWORD '{PASSWORD}'")
        yield running


@pytest.fixture
def server(started: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    """A server with two tables; settings that name them in the working directory."""
    started.run(*TABLES)
    monkeypatch.setenv(VARIABLE, started.connection)
    monkeypatch.chdir(tmp_path)
    Path("segmentation.yaml").write_text(SETTINGS, encoding="utf-8")
    return started


def platform() -> Platform:
    return Platform(load_settings_from_environment().settings)


def raw_rows(columns: str) -> list[tuple[object, ...]]:
    here = platform()
    manifest = here.store.manifest("raw/order_lines", "all")
    assert manifest is not None
    paths = [path for name in sorted(manifest.slices) for path in here.store.slice_paths("raw/order_lines", name)]
    wanted = [path for path in paths if "quarantine" not in str(path)]
    with here.engine.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM {parquet_scan(wanted)} ORDER BY order_id").fetchall()


def content_hashes() -> dict[str, str]:
    store = platform().store
    keys = ("source/delivery", "raw/order_lines", "raw/products")
    manifests = {key: store.manifest(key, "all") for key in keys}
    return {key: manifest.content_hash for key, manifest in manifests.items() if manifest}


def test_a_table_becomes_raw_rows_with_nothing_lost(server: PostgresServer, segmentation: Segmentation) -> None:
    assert segmentation("run", *LAYERS).code == 0

    rows = raw_rows("order_id, order_at, customer_id, product_id, quantity, unit_price, brand")
    assert len(rows) == 100
    first = ("00000000-0000-0000-0000-000000000001", dt.datetime(2025, 5, 2, 13), "101", "P1", 2)
    assert rows[0] == (*first, Decimal("2.2500"), "true")
    assert rows[2][-1] is None


def test_reading_equal_tables_again_changes_nothing(server: PostgresServer, segmentation: Segmentation) -> None:
    segmentation("run", *LAYERS)
    before = content_hashes()
    server.run(
        'CREATE TABLE shop.aside AS SELECT * FROM shop."Orders"', 'DELETE FROM shop."Orders"',
        'INSERT INTO shop."Orders" SELECT * FROM shop.aside ORDER BY price DESC',
    )  # fmt: skip

    again = segmentation("run", *LAYERS)

    assert again.code == 0
    assert content_hashes() == before
    lines = [line for line in again.out.splitlines() if "made in" in line]
    assert [line for line in lines if "source/postgres" not in line] == []
    assert lines


def test_a_changed_row_is_never_missed(server: PostgresServer, segmentation: Segmentation) -> None:
    segmentation("run", *LAYERS)
    before = platform().store.manifest("raw/order_lines", "all")
    server.run("""UPDATE shop."Orders" SET pieces = 7 WHERE price = 2.25""")

    assert segmentation("run", *LAYERS).code == 0

    after = platform().store.manifest("raw/order_lines", "all")
    assert before is not None
    assert after is not None
    assert raw_rows("quantity")[0] == (7,)
    changed = {name for name in after.slices if after.slices[name] != before.slices[name]}
    assert changed == {"2025-05-01"}


def test_odd_values_are_set_aside_as_they_stand(server: PostgresServer, segmentation: Segmentation) -> None:
    server.run(
        """UPDATE shop."Orders" SET at = 'infinity' WHERE price = 2.25""",
        """UPDATE shop."Orders" SET price = 'NaN' WHERE price = 3.25""",
        """UPDATE shop."Orders" SET price = 0.1234567890123456789012345678901234567890123 WHERE price = 4.25""",
    )

    assert segmentation("run", *LAYERS).code == 0

    here = platform()
    paths = here.store.slice_paths("raw/order_lines", "quarantine")
    with here.engine.connect() as connection:
        found = connection.execute(f"SELECT reason, value FROM {parquet_scan(paths)} ORDER BY ALL").fetchall()
    assert sorted(value for _, value in found) == ["NaN", "infinity"]
    assert len(raw_rows("order_at")) == 98
    assert [row for row in raw_rows("unit_price, repairs") if row[1]] == [
        (Decimal("0.1235"), "unit_price:four_decimals")
    ]


def _refused(
    segmentation: Segmentation, *texts: str, connection: str | None = None, patch: pytest.MonkeyPatch | None = None
) -> str:
    """Fail with one error, and leave everything as it was."""
    if patch is not None and connection is not None:
        patch.setenv(VARIABLE, connection)
    before = files_of(Path("data/tables")) if Path("data/tables").exists() else {}
    printed = segmentation("run", *LAYERS)
    assert printed.code != 0
    for text in (*texts, "Hint:"):
        assert text in printed.err
    assert PASSWORD not in printed.err
    assert not list(Path("data").rglob("*.csv"))
    after = files_of(Path("data/tables")) if Path("data/tables").exists() else {}
    assert {name: after[name] for name in before} == before
    assert not Path("data/postgres/delivery").exists()
    return printed.err


@pytest.mark.parametrize(
    ("statement", "texts"),
    [
        ('DROP TABLE shop."Orders"', ["no table 'shop.Orders'", "source.order_lines.table"]),
        ('ALTER TABLE shop."Orders" RENAME price TO prize', ["no column 'price'", "did you mean 'prize'"]),
    ],
)
def test_what_is_not_there_is_named(
    server: PostgresServer, segmentation: Segmentation, statement: str, texts: list[str]
) -> None:
    server.run(statement)

    _refused(segmentation, *texts)


def test_a_wrong_password_is_told_and_not_shown(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f"host={server.folder} dbname=postgres user=asked password={PASSWORD}-wrong"

    _refused(segmentation, "password authentication failed", connection=asked, patch=monkeypatch)


def test_a_missing_right_is_told(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run("GRANT USAGE ON SCHEMA shop TO asked")
    asked = f"host={server.folder} dbname=postgres user=asked password={PASSWORD}"

    _refused(segmentation, "permission denied", "GRANT SELECT", connection=asked, patch=monkeypatch)


def test_a_server_that_is_down_is_told(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _refused(segmentation, "cannot be reached", connection=f"host={tmp_path} user=owner", patch=monkeypatch)


def test_a_connection_that_cannot_be_read_is_not_repeated(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refused(segmentation, "not a connection of Postgres", connection=f"{PASSWORD} {PASSWORD}", patch=monkeypatch)


def test_a_missing_connection_names_the_variable(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)

    _refused(segmentation, VARIABLE)


def test_a_missing_package_names_the_extra(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    _refused(segmentation, "segmentation-assets[postgres]")


def test_a_connection_lost_midway_leaves_nothing(server: PostgresServer, segmentation: Segmentation) -> None:
    server.run(
        "CREATE FUNCTION shop.die() RETURNS text LANGUAGE sql AS 'SELECT pg_terminate_backend(pg_backend_pid())::text'",
        "ALTER TABLE products RENAME TO stored",
        "CREATE VIEW products AS SELECT id, CASE WHEN id = 'P4' THEN shop.die() ELSE department END AS department "
        "FROM stored",
    )
    try:
        _refused(segmentation, "was lost while reading")
    finally:
        server.run("DROP VIEW products", "DROP TABLE stored")


def test_status_asks_no_server_and_shows_no_password(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert segmentation("run", *LAYERS).code == 0
    monkeypatch.setenv(VARIABLE, f"host=/nowhere user=asked password={PASSWORD}")

    status, shown = segmentation("status"), segmentation("config", "show")

    assert status.code == 0
    assert "cannot be reached" not in status.out + status.err
    assert PASSWORD not in shown.out + shown.err


def test_a_reading_is_due_once_per_interval(server: PostgresServer, segmentation: Segmentation) -> None:
    segmentation("run", *LAYERS)
    here = platform()
    manifest = here.store.manifest("source/postgres", "all")
    assert manifest is not None
    at = dt.datetime.fromisoformat(manifest.inputs[DUE])

    assert reading_due(here, at) == manifest.inputs[DUE]
    later = reading_due(here, at + dt.timedelta(minutes=61))
    assert later > manifest.inputs[DUE]
    assert reading_due(here, dt.datetime.fromisoformat(later) + dt.timedelta(minutes=59)) == later


def test_no_password_reaches_a_stored_file(
    server: PostgresServer, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run("GRANT USAGE ON SCHEMA shop TO asked", 'GRANT SELECT ON shop."Orders", products TO asked')
    monkeypatch.setenv(VARIABLE, f"host={server.folder} dbname=postgres user=asked password={PASSWORD}")

    assert segmentation("run", *LAYERS).code == 0

    files = [path for path in Path("data").rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


@pytest.fixture
def sensor(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sensor]:
    """The sensor of deliveries, whose clock, and that of the intervals, the test moves."""
    settings = load_settings_from_environment().settings.altered({"automation.delivery_quiet_seconds": QUIET})
    instance = open_instance(settings.data_dir)
    made = Sensor("delivery_sensor", settings, instance)
    made.now += HOUR / 2 - made.now % HOUR  # half an hour from where an interval ends

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Clock:
            return cls.fromtimestamp(made.now, tz)

    monkeypatch.setattr(delivery_sensor.time, "time", lambda: made.now)
    monkeypatch.setattr(reading, "dt", SimpleNamespace(datetime=Clock, timedelta=dt.timedelta, UTC=dt.UTC))
    yield made
    instance.dispose()


def read_when_due(sensor: Sensor) -> dict[str, tuple[int, int]]:
    """Let an interval pass, do what the sensor starts, and return the stored tables."""
    assert sensor.look(HOUR) == "the next reading of Postgres is due and begins at one of the next looks"
    assert sensor.look(QUIET) == "ingest_job"
    assert sensor.start()
    assert "the next reading of Postgres is not due yet" in sensor.look(QUIET)
    return files_of(Path("data"))


def test_the_sensor_notices_a_table_that_grows_and_nothing_follows_from_one_that_does_not(
    server: PostgresServer, sensor: Sensor
) -> None:
    first = read_when_due(sensor)
    assert len(raw_rows("order_id")) == 100

    again = read_when_due(sensor)
    changed = {name for name in again if again[name] != first.get(name)}
    assert changed
    assert {name for name in changed if "postgres" not in name} == set()

    server.run("""INSERT INTO shop."Orders" SELECT gen_random_uuid(), at, customer, product, 1, 9.5, brand, note
                  FROM shop."Orders" WHERE price = 2.25""")  # fmt: skip
    read_when_due(sensor)
    assert len(raw_rows("order_id")) == 101
