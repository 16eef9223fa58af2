"""A small finished shop to work on, and a way to run a scope and see what was computed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from segmentation_assets.cli.config_command import show_text
from segmentation_assets.cli.main import main
from segmentation_assets.config.clustering import AlgorithmSettings
from segmentation_assets.config.loading import LoadedSettings, load_settings
from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.synthetic.delivery import synthetic_source
from segmentation_assets_tests.assets.busy_shop import CUSTOMERS, QUICK, keys_of
from segmentation_assets_tests.assets.local_servers import HOST, MailServer, WebServer, mail_server, web_server
from segmentation_assets_tests.once import made_once

MONTHS = ("2025-06-01", "2025-07-01", "2025-08-01")

HISTORY_MONTHS = 9
"""Delivered months of the small shop."""

Computed = set[tuple[str, str]]


@dataclass(frozen=True)
class Shop:
    """A data folder that reads its own delivery folder."""

    root: Path

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self.root / "data"

    @property
    def deliveries(self) -> Path:
        """The delivery folder."""
        return self.data_dir / "deliveries"

    def lines(self, month: str) -> Path:
        """The delivered order lines of a month."""
        return self.deliveries / f"order_lines-{month[:7]}.parquet"

    def settings(self, **overrides: object) -> Settings:
        """Settings of the shop: its files as an own source, with further dotted keys on top."""
        dotted = {name.replace("__", "."): value for name, value in overrides.items()}
        mapping = synthetic_source().model_dump(mode="json", exclude={"kind", "folder"})
        source = {f"source.{name}": value for name, value in mapping.items()}
        base = {
            "data_dir": str(self.data_dir),
            "calendar.first_snapshot": MONTHS[0][:7],
            "calendar.last_month": MONTHS[-1][:7],
            "source.kind": "files",
            "clustering.algorithms.kmeans.n_init": 2,
            **{f"clustering.algorithms.{name}.enabled": name == "kmeans" for name in AlgorithmSettings.model_fields},
            "clustering.refit_every_months": 1,
            "clustering.evaluation.resamples": 4,
            "clustering.evaluation.reference_draws": 2,
            "prediction.enabled": False,
        }
        return load_settings(profile="demo", overrides={**base, **source, **dotted}).settings


@pytest.fixture
def run() -> Callable[..., Computed]:
    """Run a scope and return what was computed, not kept."""

    def run_scope_of(settings: Settings, **scope: object) -> Computed:
        from segmentation_assets.orchestration.runner import run_scope

        platform = Platform(settings)
        computed: Computed = set()

        def observe(node, partition, outcome) -> None:
            if not outcome.kept:
                computed.add((node.key, partition))

        keys = frozenset(scope.pop("keys", platform.graph.by_key))
        run_scope(platform, Scope(keys, **scope), observe)
        return computed

    return run_scope_of


def _make_finished_shop(root: Path) -> None:
    from segmentation_assets.orchestration.runner import run_scope

    shop = Shop(root)
    deliver_small_shop(shop)
    platform = Platform(shop.settings())
    run_scope(platform, Scope(frozenset(platform.graph.by_key)), lambda *_: None)


def deliver_small_shop(shop: Shop, last_month: str = MONTHS[-1], **changes: object) -> None:
    """Write the files of the small shop, 300 customers over nine months, into its delivery folder."""
    from segmentation_assets.storage.engine import Engine
    from segmentation_assets.synthetic.delivery import write_delivery
    from segmentation_assets.synthetic.shop import open_business

    overrides = {
        "synthetic.customers": 300,
        "synthetic.first_month": shift_month(last_month, 1 - HISTORY_MONTHS),
        "synthetic.months": HISTORY_MONTHS,
        **{f"synthetic.{name.replace('__', '.')}": value for name, value in changes.items()},
    }
    synthetic = load_settings(profile="demo", overrides=overrides).settings
    shop.deliveries.mkdir(parents=True, exist_ok=True)
    with Engine(synthetic.engine, shop.root).connect() as connection:
        write_delivery(connection, open_business(synthetic.synthetic), shop.deliveries)


@pytest.fixture(scope="session")
def finished_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop of 300 customers whose three snapshots are made; copy it before changing anything."""
    return Shop(made_once(tmp_path_factory, "finished_shop", _make_finished_shop))


def _make_busy_shop(root: Path) -> None:
    from segmentation_assets.orchestration.runner import run_scope

    shop = Shop(root)
    deliver_small_shop(shop, customers=CUSTOMERS)
    settings = shop.settings(**QUICK)
    run_scope(Platform(settings), Scope(frozenset(keys_of(settings))), lambda *_: None)


@pytest.fixture(scope="session")
def busy_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop of 700 customers with models trained in June, and again in August; copy it before changing anything."""
    return Shop(made_once(tmp_path_factory, "busy_shop", _make_busy_shop))


@pytest.fixture
def shop(finished_shop: Shop, tmp_path: Path) -> Shop:
    """A copy of the finished shop that a test may change."""
    shutil.copytree(finished_shop.data_dir, tmp_path / "data", symlinks=True)
    return Shop(tmp_path)


@dataclass(frozen=True)
class Printed:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def segmentation(capsys: pytest.CaptureFixture[str]) -> Callable[..., Printed]:
    """Run the `segmentation` command in this process."""

    def command(*arguments: str) -> Printed:
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        return Printed(code, printed.out, printed.err)

    return command


@pytest.fixture
def write_settings() -> Callable[..., None]:
    """Write settings as the settings file of the working directory."""

    def write(settings: Settings) -> None:
        Path("segmentation.yaml").write_text(show_text(LoadedSettings(settings, {}, None)), encoding="utf-8")

    return write


@pytest.fixture
def settings_file(
    shop: Shop, write_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shop:
    """Write the settings of the shop into the folder the commands run in."""
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings())
    return shop


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach this machine directly, whatever proxy the environment names."""
    monkeypatch.setenv("no_proxy", HOST)


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A web server on this machine that takes messages."""
    with web_server() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server on this machine."""
    with mail_server() as server:
        yield server
