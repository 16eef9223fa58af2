"""Builds the graph that a set of settings calls for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from pydantic import BaseModel

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import SettingsError, closest_hint
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.outputs import output_nodes
from segmentation_assets.graph.predictions import prediction_nodes
from segmentation_assets.graph.snapshots import snapshot_nodes
from segmentation_assets.graph.sources import delivered_tables, source_nodes


@dataclass(frozen=True)
class Graph:
    """All assets in topological order."""

    nodes: tuple[Node, ...]

    @cached_property
    def by_key(self) -> dict[str, Node]:
        """Nodes by key."""
        return {node.key: node for node in self.nodes}

    def node(self, key: str) -> Node:
        """Return the node of a key.

        Raises
        ------
        SettingsError
            There is no such asset.
        """
        if key not in self.by_key:
            raise SettingsError(f"there is no asset '{key}'", closest_hint(key, self.by_key))
        return self.by_key[key]

    def descendants(self, keys: set[str]) -> set[str]:
        """Return the keys and everything made from them."""
        reached = set(keys)
        for node in self.nodes:
            if any(item.key in reached for item in node.inputs):
                reached.add(node.key)
        return reached

    def ancestors(self, key: str) -> set[str]:
        """Return the key and everything it is made from."""
        reached = {key}
        for node in reversed(self.nodes):
            if node.key in reached:
                reached.update(item.key for item in node.inputs)
        return reached

    def select(self, name: str) -> set[str]:
        """Return the keys of a layer, or the one key of that name.

        Raises
        ------
        SettingsError
            There is neither a layer nor an asset of that name.
        """
        layer = {node.key for node in self.nodes if node.layer == name}
        if layer:
            return layer
        known = [*self.by_key, *{node.layer for node in self.nodes}]
        if name not in self.by_key:
            raise SettingsError(f"there is no asset or layer '{name}'", closest_hint(name, known))
        return {name}


def build_graph(settings: Settings) -> Graph:
    """Build the graph of all assets that the settings call for.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Graph
        Nodes sorted so that each comes after what it reads.
    """
    optional = delivered_tables(settings)[1:]
    upstream = (*source_nodes(settings), *snapshot_nodes(settings, optional), *prediction_nodes(settings))
    return Graph(_sorted_topologically((*upstream, *output_nodes(settings, upstream))))


def code_version(node: Node, settings: Settings) -> str:
    """Return logic version and hash of the node's own settings, facts and packaged files."""
    own = {path: _plain(settings.section(path)) for path in node.settings}
    packaged = {path: _resource_hash(path) for path in node.resources}
    text = json.dumps([own, sorted(node.facts), packaged], sort_keys=True, default=str)
    return f"{node.logic_version}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _resource_hash(path: str) -> str:
    return hashlib.sha256(files("segmentation_assets").joinpath(path).read_bytes()).hexdigest()


def _sorted_topologically(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Sort by dependencies; among the ready ones the given order stays."""
    placed: dict[str, Node] = {}
    waiting = list(nodes)
    while waiting:
        ready = [node for node in waiting if all(i.key in placed or i.key == node.key for i in node.inputs)]
        placed.update((node.key, node) for node in ready)
        waiting = [node for node in waiting if node.key not in placed]
    return tuple(placed.values())
