"""Settings, graph, store and engine of one data folder, opened together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from segmentation_assets.clustering.registry import model_types
from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.build import Graph, build_graph, code_version
from segmentation_assets.graph.node import Node
from segmentation_assets.prediction.classifiers import MODEL_TYPES
from segmentation_assets.storage.engine import Engine
from segmentation_assets.storage.models import ModelStore
from segmentation_assets.storage.store import TableStore
from segmentation_assets.tables.declaration import Table

_DAYS_AHEAD = 2


@dataclass(frozen=True)
class Platform:
    """Everything a step or a command works with.

    Parameters
    ----------
    settings : Settings
    today : date
        Months that have not ended by this day get no snapshot.
    is_verifying : bool
        Read every stored file anew to tell whether it is intact.
    """

    settings: Settings
    today: dt.date = field(default_factory=dt.date.today)
    is_verifying: bool = False

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self.settings.data_dir

    @property
    def first_month(self) -> str:
        """Partition key of the first snapshot month."""
        return f"{self.settings.calendar.first_snapshot}-01"

    @property
    def latest_day(self) -> dt.date | None:
        """Day from which on a delivered date counts as mistyped; ``None`` for the synthetic shop.

        It leaves room for a shop whose local day is ahead of this machine's.
        """
        return None if self.settings.source.kind == "synthetic" else self.today + dt.timedelta(days=_DAYS_AHEAD)

    @staticmethod
    def readable_from(day: dt.date) -> dt.date:
        """Day on which a row of a day ahead no longer counts as mistyped."""
        return day - dt.timedelta(days=_DAYS_AHEAD - 1)

    @property
    def event_log_folder(self) -> Path:
        """Where Dagster keeps what ran in this data folder."""
        return self.data_dir / "dagster" / "storage"

    @cached_property
    def graph(self) -> Graph:
        """The asset graph that the settings call for."""
        return build_graph(self.settings)

    @cached_property
    def store(self) -> TableStore:
        """Tables and files below the data folder."""
        return TableStore(self.data_dir, is_verifying=self.is_verifying, kept_versions=self.settings.retention.versions)

    @cached_property
    def models(self) -> ModelStore:
        """Fitted models below the data folder."""
        return ModelStore(self.data_dir, allowed_types=(*model_types(), *MODEL_TYPES))

    @cached_property
    def engine(self) -> Engine:
        """DuckDB with the limits of the settings."""
        return Engine(self.settings.engine, self.data_dir / "staging")

    @cached_property
    def declared(self) -> dict[str, Table]:
        """Declared tables by asset key, as far as they were asked for."""
        return {}

    @cached_property
    def code_versions(self) -> dict[str, str]:
        """Code version by asset key."""
        return {node.key: code_version(node, self.settings) for node in self.graph.nodes}

    def code_version(self, node: Node) -> str:
        """Code version of one asset."""
        return self.code_versions[node.key]

    def altered(self, by_hand: Mapping[str, Any]) -> Platform:
        """Return the platform with some settings changed, given by dotted path."""
        return replace(self, settings=self.settings.altered(by_hand)) if by_hand else self

    def altered_for(self, node: Node, by_hand: Mapping[str, Any]) -> tuple[Platform, dict[str, Any]]:
        """Return the platform with those of the changes that the node's result depends on, and these changes."""
        own = {path: value for path, value in by_hand.items() if _depends_on(node, path)}
        return self.altered(own), own


def _depends_on(node: Node, path: str) -> bool:
    """Whether a dotted path lies within a settings section of the node, or contains one."""
    return any(f"{own}.".startswith(f"{path}.") or f"{path}.".startswith(f"{own}.") for own in node.settings)
