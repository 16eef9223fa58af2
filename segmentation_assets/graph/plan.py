"""What a run has to do: the assets to run, month by month, decided from manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.build import Graph
from segmentation_assets.graph.inputs import check_delivered_months
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import Evaluation, evaluate, first_read, is_retired, known_months
from segmentation_assets.ingestion.mapping import MADE_BY
from segmentation_assets.storage.store import WHOLE


@dataclass(frozen=True)
class Scope:
    """What a user asked a run to look at.

    Parameters
    ----------
    keys : frozenset of str
        Asset keys.
    month : str
        One month as YYYY-MM-01, with earlier ones that it builds on and that are not up to date; empty for all.
    months : int or None
        The newest so many snapshot months, with earlier ones as above; ``None`` for all.
    force : bool
        Compute everything in the scope, whatever the manifests say.
    seed : int or None
        Seed of the clusterings for this run only; ``None`` for that of the settings.
    """

    keys: frozenset[str]
    month: str = ""
    months: int | None = None
    force: bool = False
    seed: int | None = None


def ingest_nodes(graph: Graph) -> tuple[Node, ...]:
    """Assets that take the delivery in, before any month is known."""
    return tuple(node for node in graph.nodes if not node.is_partitioned and node.layer in ("source", "raw", "silver"))


def external_nodes(platform: Platform) -> tuple[Node, ...]:
    """Assets read from what a person or another system puts there, which may happen at any time."""
    is_own_delivery = platform.settings.source.kind in MADE_BY
    return tuple(
        node
        for node in platform.graph.nodes
        if node.external and not (is_own_delivery and node.external == "delivery_folder")
    )


def publishing_nodes(graph: Graph) -> tuple[Node, ...]:
    """Assets made once, after all months."""
    return tuple(node for node in graph.nodes if not node.is_partitioned and node.layer == "serving")


def monthly_nodes(graph: Graph) -> tuple[Node, ...]:
    """Assets with a result per month."""
    return tuple(node for node in graph.nodes if node.is_partitioned)


def to_run(platform: Platform, nodes: tuple[Node, ...], partition: str, scope: Scope) -> tuple[str, ...]:
    """Return the keys among `nodes` that have to run: what is stale and what is made from it, within the scope."""
    stored = {node.key: platform.store.manifest(node.key, partition) for node in nodes if node.key in scope.keys}
    in_scope = [node for node in nodes if node.key in stored and not is_retired(platform, stored[node.key])]
    if scope.force or scope.seed is not None:
        return tuple(node.key for node in in_scope)
    stale = {node.key for node in in_scope if evaluate(platform, node, partition).state != "fresh"}
    reached = platform.graph.descendants(stale)
    return tuple(node.key for node in in_scope if node.key in reached)


def months_to_visit(platform: Platform, scope: Scope) -> tuple[str, ...]:
    """Return the snapshot months of a scope, in order.

    Raises
    ------
    SettingsError
        The calendar does not fit the delivery, or the month asked for is no snapshot month.
    """
    if is_taken_in(platform):
        check_delivered_months(platform)
    months = known_months(platform)
    if scope.month:
        check_known_month(scope.month, months)
    asked = {scope.month} if scope.month else set(months[-scope.months :] if scope.months else months)
    before = (month for month in months if asked and month < min(asked) and _is_behind(platform, month, scope))
    first = next(before, min(asked, default=""))
    return tuple(month for month in months if asked and first <= month <= max(asked))


def check_known_month(month: str, months: tuple[str, ...]) -> None:
    """Raise a SettingsError when a month is not among the snapshot months."""
    if month not in months:
        raise SettingsError(
            f"{month[:7]} is not a snapshot month",
            f"snapshot months are {months[0][:7]} to {months[-1][:7]}; see calendar in the settings."
            if months
            else "there is none before the delivery has been taken in: segmentation run.",
        )


def _is_behind(platform: Platform, month: str, scope: Scope) -> bool:
    """Whether something in the month that later months build on is missing or out of date."""
    chain = platform.graph.ancestors("gold/customer_segments") & scope.keys
    nodes = [node for node in monthly_nodes(platform.graph) if node.key in chain]
    return any(evaluate(platform, node, month).state != "fresh" for node in nodes)


def resting_on(nodes: tuple[Node, ...], partition: str, not_made: Mapping[str, Set[str]]) -> frozenset[str]:
    """Return what among some assets cannot be made in a partition, because something it reads was not made.

    Parameters
    ----------
    nodes : tuple of Node
        In the order of a run.
    partition : str
        Month as YYYY-MM-01, or ``all``.
    not_made : dict of str to set of str
        Keys by partition: what failed, and what was left out because of that. Those of this partition are returned
        too.
    """
    found = set(not_made.get(partition, ()))
    missing = {**not_made, partition: found}
    for node in nodes:
        if first_read(node, partition, missing):
            found.add(node.key)
    return frozenset(found)


def is_taken_in(platform: Platform) -> bool:
    """Whether a delivery has been taken in at all; before that there is nothing to bring up to date."""
    return platform.store.manifest("raw/order_lines") is not None


def to_do(platform: Platform, scope: Scope) -> tuple[Evaluation, ...]:
    """Return what is not up to date, in the order of a run."""
    return tuple(_to_do(platform, scope))


def _to_do(platform: Platform, scope: Scope) -> Iterator[Evaluation]:
    for part, nodes in _parts(platform, scope):
        for node in nodes:
            if node.key in scope.keys and (found := evaluate(platform, node, part)).state != "fresh":
                yield found


def _parts(platform: Platform, scope: Scope) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Partitions and their assets in the order of a run."""
    yield WHOLE, ingest_nodes(platform.graph)
    months = months_to_visit(platform, scope)
    for month in months:
        yield month, monthly_nodes(platform.graph)
    if months:
        yield WHOLE, publishing_nodes(platform.graph)


def is_up_to_date(platform: Platform, scope: Scope) -> bool:
    """Whether a run over the scope would find nothing to do."""
    if scope.force or scope.seed is not None:
        return False
    return next(_to_do(platform, scope), None) is None
