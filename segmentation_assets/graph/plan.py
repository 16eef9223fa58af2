"""What a run has to do: the assets to run, month by month, decided from manifests."""

from __future__ import annotations

from dataclasses import dataclass

from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.inputs import check_delivered_months
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import evaluate, known_months
from segmentation_assets.storage.store import WHOLE


@dataclass(frozen=True)
class Scope:
    """What a user asked a run to look at.

    Parameters
    ----------
    keys : frozenset of str
        Asset keys; all of the graph by default.
    month : str
        One month as YYYY-MM-01, with earlier ones that it builds on and that are not up to date; empty for all.
    months : int or None
        The newest so many snapshot months, with earlier ones as above; ``None`` for all.
    force : bool
        Compute everything in the scope, whatever the manifests say.
    is_reported_anew : bool
        Pass through what is up to date as well, so that a new event log learns of it.
    """

    keys: frozenset[str]
    month: str = ""
    months: int | None = None
    force: bool = False
    is_reported_anew: bool = False


def ingest_nodes(platform: Platform) -> tuple[Node, ...]:
    """Assets that take the delivery in, before any month is known."""
    return tuple(
        node for node in platform.graph.nodes if not node.is_partitioned and node.layer in ("source", "raw", "silver")
    )


def publishing_nodes(platform: Platform) -> tuple[Node, ...]:
    """Assets made once, after all months."""
    return tuple(node for node in platform.graph.nodes if not node.is_partitioned and node.layer == "serving")


def monthly_nodes(platform: Platform) -> tuple[Node, ...]:
    """Assets with a result per month."""
    return tuple(node for node in platform.graph.nodes if node.is_partitioned)


def to_run(platform: Platform, nodes: tuple[Node, ...], partition: str, scope: Scope) -> tuple[str, ...]:
    """Return the keys among `nodes` that have to run: what is stale and what is made from it, within the scope."""
    in_scope = [node for node in nodes if node.key in scope.keys]
    if scope.force or scope.is_reported_anew:
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
    if platform.store.manifest("raw/order_lines") is not None:
        check_delivered_months(platform)
    months = known_months(platform)
    if scope.month and scope.month not in months:
        raise SettingsError(
            f"{scope.month[:7]} is not a snapshot month",
            f"snapshot months are {months[0][:7]} to {months[-1][:7]}; see calendar in the settings."
            if months
            else "there is none before the delivery has been taken in: segmentation run.",
        )
    asked = {scope.month} if scope.month else set(months[-scope.months :] if scope.months else months)
    before = (month for month in months if asked and month < min(asked) and _is_behind(platform, month, scope))
    first = next(before, min(asked, default=""))
    return tuple(month for month in months if asked and first <= month <= max(asked))


def _is_behind(platform: Platform, month: str, scope: Scope) -> bool:
    """Whether something in the month that later months build on is missing or out of date."""
    chain = platform.graph.ancestors("gold/customer_segments") & scope.keys
    nodes = [node for node in monthly_nodes(platform) if node.key in chain]
    return any(evaluate(platform, node, month).state != "fresh" for node in nodes)


def is_up_to_date(platform: Platform, scope: Scope) -> bool:
    """Whether a run over the scope would find nothing to do."""
    if to_run(platform, ingest_nodes(platform), WHOLE, scope):
        return False
    months = months_to_visit(platform, scope)
    return not any(to_run(platform, monthly_nodes(platform), month, scope) for month in months) and not to_run(
        platform, publishing_nodes(platform), WHOLE, scope
    )
