"""Months that are closed: what was delivered of them stays, until a decision reopens them."""

from __future__ import annotations

from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.manifest import Manifest

DECISIONS = "source/decisions"

RESTATED_FROM = "restated_from"
"""Figure of the decisions: the first month of every restatement, in the order of the file."""

RESTATEMENTS = "restatements"
"""Figure of every result: how many restatements it had been made after."""

_CHANGED_DATA = " changed"


def is_closed(platform: Platform, node: Node, partition: str) -> bool:
    """Whether an asset's month is closed by the settings."""
    closed_through = platform.settings.calendar.closed_through
    return node.is_partitioned and closed_through is not None and partition[:7] <= closed_through


def is_protected(platform: Platform, node: Node, partition: str, stored: Manifest | None) -> bool:
    """Whether a result is stored that its month's closing protects."""
    return stored is not None and is_closed(platform, node, partition)


def count_restatements(platform: Platform, node: Node, partition: str) -> int:
    """Count the decisions until now that a month be made again."""
    if not node.is_partitioned:
        return 0
    manifest = platform.store.manifest(DECISIONS)
    months = manifest.metadata.get(RESTATED_FROM, []) if manifest else []
    return sum(month <= partition[:7] for month in months)


def reasons_that_count(
    platform: Platform, node: Node, partition: str, stored: Manifest | None, reasons: tuple[str, ...]
) -> tuple[str, ...]:
    """Return which of the reasons to make a result again count; in a closed month, only few do.

    Parameters
    ----------
    platform : Platform
    node : Node
    partition : str
    stored : Manifest or None
        The result that is stored; without one, there is nothing to protect.
    reasons : tuple of str
        As `staleness.compare` finds them.

    Notes
    -----
    Features of a closed month follow its data: lines that come late change them. What was delivered, segments and
    everything made from them, stays. A restatement makes all of it again, once.
    """
    if stored is None or not is_closed(platform, node, partition):
        return reasons
    if stored.metadata.get(RESTATEMENTS, 0) < count_restatements(platform, node, partition):
        return ("a decision restates the closed month", *reasons)
    if node.layer == "silver":
        return tuple(reason for reason in reasons if reason.endswith(_CHANGED_DATA) and "settings" not in reason)
    return ()
