"""A shop with files of its own and a `dagster dev` running on it, for tests that tell a story of changes and runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segmentation_assets.cli.config_command import show_text
from segmentation_assets.config.loading import LoadedSettings
from segmentation_assets_tests.assets.conftest import MONTHS, Shop
from segmentation_assets_tests.assets.stored import rewrite
from segmentation_assets_tests.end_to_end.commands import REPOSITORY
from segmentation_assets_tests.end_to_end.dagster_dev import ENDED, DagsterDev, Run
from segmentation_assets_tests.keys import REPORTS

QUICK = {
    "automation__interval_seconds": 10,
    "automation__catch_up_after_seconds": 40,
    "automation__delivery_quiet_seconds": 4,
    "automation__max_attempts": 2,
}

FOLLOWING_LINES = {
    "silver/snapshot_input",
    "silver/customer_history",
    "silver/customer_features",
    "clusters/usefulness",
}

FOLLOWING_CLUSTERS = {
    "clusters/kmeans",
    "clusters/leaderboard",
    "gold/champion",
    "gold/customer_segments",
    "gold/segment_profiles",
    "gold/segment_rules",
    "gold/segment_strategies",
    "monitoring/data_quality",
    *REPORTS,
}

MOVEMENT = {"gold/segment_events", "gold/segment_migration", "gold/segment_flows", "exports/segment_moves"}
"""Made when the segments or who is in them changed, which a change of clusters need not do."""

FOLLOWING_FEATURES = {*FOLLOWING_CLUSTERS, "silver/imputed_features", "silver/model_matrix", "gold/rfm_segments"}


class Story:
    """A shop, its settings beyond those of all small shops, and Dagster running on it."""

    def __init__(self, root: Path, dev: DagsterDev, settings: dict[str, object]) -> None:
        self.shop = Shop(root)
        self.dev = dev
        self.settings = settings

    def change(self, what: Callable[[], None]) -> list[Run]:
        """Do something and return the runs that came of it, when all have ended."""
        known = self.dev.runs()
        what()
        return self.dev.wait_until_quiet(known)

    def set(self, **settings: object) -> None:
        """Write the settings with some changed, and have the code location read them."""
        write_settings(self.shop, **{**self.settings, **settings})
        self.dev.reload()

    def rewrite(self, month: str, sql: str, codec: str = "zstd") -> None:
        """Replace the delivered lines of a month by the result of a query over them."""
        rewrite(self.shop.lines(month), sql, codec)

    def words(self, sensor: str) -> str:
        """What a sensor said at its last look."""
        return str(self.dev.ticks(sensor)[0]["skipReason"])

    def wait_until_up_to_date(self) -> None:
        """Wait until all runs have ended and the catch-up, looking from now on, finds nothing to do."""
        now = time.time()
        self.dev.wait_for(lambda: self._is_up_to_date(now), "all is up to date")

    def _is_up_to_date(self, since: float) -> bool:
        looks = self.dev.ticks("catch_up_sensor", since)
        is_done = bool(looks) and "is up to date" in (looks[0]["skipReason"] or "")
        return is_done and all(run.status in ENDED for run in self.dev.runs())

    def made(self, runs: list[Run]) -> dict[str, set[str]]:
        """Partitions that runs computed, by asset key; fails when one was materialised twice."""
        counted = self.dev.materializations(runs)
        twice = {(key, part) for key, part, _ in counted if sum(counted[key, part, kept] for kept in (True, False)) > 1}
        assert not twice
        made: dict[str, set[str]] = {}
        for key, partition, kept in counted:
            if not kept:
                made.setdefault(key, set()).add(partition)
        return made

    def monthly_assets(self) -> set[str]:
        """Keys of the assets with a partition per month."""
        nodes = self.dev.ask("{ assetNodes { assetKey { path } isPartitioned } }")["assetNodes"]
        return {"/".join(node["assetKey"]["path"]) for node in nodes if node["isPartitioned"]}

    def statuses(self, months: tuple[str, ...] = MONTHS) -> set[str]:
        """Statuses of all assets, month by month, as the UI shows them."""
        nodes = self.dev.ask("{ assetNodes { isPartitioned staleStatus } }")["assetNodes"]
        found = {node["staleStatus"] for node in nodes if not node["isPartitioned"]}
        keys = [{"path": key.split("/")} for key in sorted(self.monthly_assets())]
        query = """query($keys: [AssetKeyInput!], $month: String!) {
            assetNodes(assetKeys: $keys) { staleStatus(partition: $month) } }"""
        for month in months:
            monthly = self.dev.ask(query, keys=keys, month=month)["assetNodes"]
            assert len(monthly) == len(keys)
            found |= {node["staleStatus"] for node in monthly}
        return found


def write_settings(shop: Shop, **settings: object) -> None:
    """Write the settings file of a small shop whose automation looks often."""
    text = show_text(LoadedSettings(shop.settings(**QUICK, **settings), {}, None))
    (shop.root / "segmentation.yaml").write_text(text, encoding="utf-8")


@contextmanager
def told(root: Path, **settings: object) -> Iterator[Story]:
    """Start Dagster on a shop that is up to date."""
    write_settings(Shop(root), **settings)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, root / name)
    with DagsterDev(root) as dev:
        yield Story(root, dev, settings)
