"""What the sensors do at one look after another, at times the tests choose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import Settings
from segmentation_assets.orchestration import catch_up, delivery_sensor
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets_tests.assets.conftest import Shop, deliver_small_shop

ATTEMPTS = 2
QUIET = 120


class Sensor:
    """A sensor that is asked at times a test chooses."""

    def __init__(self, name: str, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings = settings
        self.defs = build_defs(settings, current_settings=lambda: self.settings)
        self.sensor = self.defs.resolve_sensor_def(name)
        self.instance = instance
        self.cursor: str | None = None
        self.now = time.time()

    def look(self, seconds: float = 0.0) -> str:
        """Look after some seconds; return the job that is started, or what is said instead."""
        self.now += seconds
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor, definitions=self.defs) as context:
            tick = self.sensor.evaluate_tick(context)
        self.cursor = tick.cursor
        return self.sensor.job_name if tick.run_requests else str(tick.skip_message)

    def start(self) -> bool:
        """Do what the sensor started; return whether it succeeded."""
        job = build_defs(self.settings).resolve_job_def(self.sensor.job_name)
        return job.execute_in_process(instance=self.instance, raise_on_error=False).success


@pytest.fixture
def sensor_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sensor]]:
    """Make a sensor of a shop; its clock stands still between its looks."""
    opened = []

    def make(name: str, shop: Shop, **settings: object) -> Sensor:
        given = shop.settings(
            automation__delivery_quiet_seconds=QUIET,
            automation__catch_up_after_seconds=QUIET,
            automation__max_attempts=ATTEMPTS,
            **settings,
        )
        instance = open_instance(shop.data_dir)
        opened.append(instance)
        sensor = Sensor(name, given, instance)
        for module in (catch_up, delivery_sensor):
            monkeypatch.setattr(module.time, "time", lambda: sensor.now)
        return sensor

    yield make
    for instance in opened:
        instance.dispose()


def test_failed_first_delivery_is_tried_a_bounded_number_of_times(tmp_path, sensor_of):
    shop = Shop(tmp_path)
    deliver_small_shop(shop)
    sound = shop.lines("2025-06-01").read_bytes()
    shop.lines("2025-06-01").write_bytes(b"no parquet")
    sensor = sensor_of("delivery_sensor", shop)

    assert sensor.look().startswith("files are new")
    assert sensor.look(QUIET) == "ingest_job"
    assert not sensor.start()
    assert sensor.look(QUIET).startswith("files are new")
    assert sensor.look(QUIET) == "ingest_job"
    assert not sensor.start()
    assert sensor.look(100 * QUIET).startswith("given up on these files after several tries")

    shop.lines("2025-06-01").write_bytes(sound)
    assert sensor.look(QUIET).startswith("files are new")
    assert sensor.look(QUIET) == "ingest_job"
    assert sensor.start()
    assert sensor.look(QUIET).startswith("all 30 files have been taken up")


def test_files_that_are_not_delivered_keep_nothing_waiting(tmp_path, sensor_of):
    """`segmentation init` proposes a delivery folder that holds the data folder, where Dagster writes all the time."""
    shop = Shop(tmp_path)
    deliver_small_shop(shop)
    for path in shop.deliveries.iterdir():
        path.rename(tmp_path / path.name)
    sensor = sensor_of("delivery_sensor", shop, source__folder=str(tmp_path))

    def write_elsewhere(text):
        for path in (shop.data_dir / "dagster" / "event.log", tmp_path / "export.log"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    write_elsewhere("1")
    assert sensor.look().startswith("files are new")
    write_elsewhere("22")
    assert sensor.look(QUIET) == "ingest_job"
    assert sensor.start()
    write_elsewhere("333")
    assert sensor.look(QUIET) == "all 30 files have been taken up; catch_up_sensor tells what is left to do"
    (tmp_path / "orders-2025.CSV").touch()
    assert sensor.look(QUIET).endswith(
        "; 1 other file in the delivery folder is not read, and 'segmentation status' names it"
    )


def test_settings_that_changed_are_the_ones_a_look_judges_by(shop, sensor_of):
    """The file was changed and `segmentation run` done by it: nothing is left to do, and the UI should be reloaded."""
    sensor = sensor_of("catch_up_sensor", shop)
    assert sensor.look() == "everything that has been taken in is up to date"

    sensor.settings = sensor.settings.altered({"reports.dashboard.title": "Our shop"})

    assert "of 2025-06 is stale: its settings or code changed" in sensor.look()
    assert sensor.look(QUIET) == "catch_up_job"
    assert sensor.start()
    said = sensor.look()
    assert said.startswith("everything that has been taken in is up to date. The settings have changed")
    assert "reload it on the Deployment page" in said


def test_settings_that_cannot_be_read_are_told_at_every_look(shop, sensor_of):
    for name in ("catch_up_sensor", "delivery_sensor"):
        sensor = sensor_of(name, shop)
        sensor.defs = build_defs(sensor.settings, current_settings=lambda: load_settings(profile="none"))
        sensor.sensor = sensor.defs.resolve_sensor_def(name)
        assert "there is no profile 'none'" in sensor.look()
