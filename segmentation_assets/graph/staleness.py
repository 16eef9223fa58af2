"""What is stale and why, decided from manifests alone."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

from segmentation_assets.errors import DataError, PredecessorError
from segmentation_assets.graph.closed_months import is_closed, reasons_that_count
from segmentation_assets.graph.inputs import ended_months, read_fingerprints
from segmentation_assets.graph.months import earlier_month, month_range, previous_month
from segmentation_assets.graph.node import Input, Node, recent_months
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.manifest import RETIRED, Manifest
from segmentation_assets.storage.store import WHOLE

READABLE_FROM = "readable_from"
"""Figure of a raw table: the day on which the first of its rows that are dated ahead can be read."""

State = Literal["fresh", "stale", "missing"]


@dataclass(frozen=True)
class Evaluation:
    """State of one asset and partition, with the reasons in words when it is not fresh."""

    key: str
    partition: str
    state: State
    reasons: tuple[str, ...] = ()


def compare(manifest: Manifest | None, version: str, inputs: dict[str, str]) -> tuple[str, ...]:
    """Return why a stored result cannot be kept; empty when it can."""
    if manifest is None:
        return ("nothing readable is stored",)
    reasons = [] if manifest.code_version == version else ["its settings or code changed"]
    for name in sorted(set(manifest.inputs) | set(inputs)):
        if name not in inputs:
            reasons.append(f"{name} is no longer an input")
        elif name not in manifest.inputs:
            reasons.append(f"{name} is new")
        elif manifest.inputs[name] != inputs[name]:
            reasons.append(f"{name} changed")
    return tuple(reasons)


def reasons_to_make(
    platform: Platform, node: Node, partition: str, manifest: Manifest | None, version: str, inputs: dict[str, str]
) -> tuple[str, ...]:
    """Return why a stored result cannot be kept: what `compare` finds, or rows dated ahead whose day has come.

    In a closed month few reasons count, see `reasons_that_count`.
    """
    reasons = reasons_that_count(platform, node, partition, manifest, compare(manifest, version, inputs))
    due = manifest.metadata.get(READABLE_FROM) if manifest else None
    if reasons or not due or platform.today.isoformat() < due:
        return reasons
    return (f"rows dated ahead can be read since {due}",)


def expected_version(platform: Platform, node: Node, stored: Manifest | None) -> str:
    """Return the code version that a stored result must have to be kept.

    What was made with a setting changed by hand stays as long as the settings and the code are those it was made over.
    """
    version = platform.code_version(node)
    is_by_hand = stored is not None and bool(stored.by_hand) and stored.by_hand_over == version
    return stored.code_version if stored is not None and is_by_hand else version


def is_retired(platform: Platform, stored: Manifest | None) -> bool:
    """Whether a result lies beyond `retention.months`: it is as it is, or gone, and is not made again.

    Without `retention.months`, what was removed is missing like anything else.
    """
    is_marked = stored is not None and RETIRED in stored.metadata
    return is_marked and platform.settings.retention.months is not None


def evaluate(platform: Platform, node: Node, partition: str, *, looks_outside: bool = True) -> Evaluation:
    """Compare one stored result with its inputs, code version and files as they are now.

    Without a look outside, what waits there to be taken in counts as if it were not there.
    """
    manifest = platform.store.manifest(node.key, partition)
    if is_retired(platform, manifest):
        return Evaluation(node.key, partition, "fresh")
    missing: State = "missing" if manifest is None or manifest.is_removed else "stale"
    try:
        inputs = read_fingerprints(platform, node, partition, looks_outside=looks_outside)
    except DataError as problem:
        return Evaluation(node.key, partition, missing, (problem.message,))
    if node.external and not looks_outside and manifest is not None:
        inputs = {**manifest.inputs, **inputs}
    version = expected_version(platform, node, manifest)
    reasons = reasons_to_make(platform, node, partition, manifest, version, inputs)
    if manifest is not None and manifest.is_removed:
        reasons = ("its files were removed by retention.months, which is not set any more", *reasons)
    if not reasons and manifest is not None and not platform.store.is_intact(manifest):
        reasons = ("a stored file is missing or damaged",)
    return Evaluation(node.key, partition, missing if reasons else "fresh", reasons)


def check_predecessors(platform: Platform, node: Node, partition: str) -> None:
    """Raise when an earlier month that the node's result builds on is out of date.

    Raises
    ------
    PredecessorError
        Names the earliest such month, what is stale in it and why.
    """
    chain = [platform.graph.node(key) for key in platform.graph.ancestors(node.key)]
    monthly = sorted((item for item in chain if item.is_partitioned), key=platform.graph.nodes.index)
    for month in month_range(platform.first_month, previous_month(partition)):
        for earlier in monthly:
            stored = platform.store.manifest(earlier.key, month)
            if is_retired(platform, stored):
                continue
            inputs = read_fingerprints(platform, earlier, month)
            found = compare(stored, expected_version(platform, earlier, stored), inputs)
            reasons = reasons_that_count(platform, earlier, month, stored, found)
            if reasons:
                raise PredecessorError(
                    f"{node.key} for {partition[:7]} builds on {month[:7]}, which is not up to date: {earlier.key}: "
                    f"{reasons[0]}",
                    f"make the months in order, from {month[:7]} on: segmentation run does, and so does "
                    f"--partition {month} first.",
                )


def known_months(platform: Platform) -> tuple[str, ...]:
    """Snapshot months that have ended and have order lines before them; empty before the first ingestion."""
    if platform.store.manifest("raw/order_lines") is None:
        return ()
    return ended_months(platform)


def evaluate_all(platform: Platform, months: tuple[str, ...], *, looks_outside: bool = True) -> tuple[Evaluation, ...]:
    """Evaluate the whole graph over the months; what depends on something stale is stale too.

    Nothing is published before there is a month. Without a look outside, what was made from the last delivery counts as
    up to date although another one waits to be taken in; the delivery itself does not.
    """
    found: list[Evaluation] = []
    behind: dict[str, set[str]] = {}
    for node in platform.graph.nodes:
        if node.layer == "serving" and not months:
            continue
        for partition in node.partitions(months):
            evaluation = evaluate(platform, node, partition)
            cause = first_read(node, partition, behind)
            is_delivered = is_closed(platform, node, partition) and node.layer != "silver"
            is_kept = is_delivered or is_retired(platform, platform.store.manifest(node.key, partition))
            if evaluation.state == "fresh" and cause and not is_kept:
                evaluation = Evaluation(node.key, partition, "stale", (f"{_name(*cause)} is not up to date",))
            found.append(evaluation)
            is_behind = evaluation.state != "fresh"
            if is_behind and node.external and not looks_outside:
                is_behind = evaluate(platform, node, partition, looks_outside=False).state != "fresh"
            if is_behind:
                behind.setdefault(partition, set()).add(node.key)
    return tuple(found)


def _name(key: str, partition: str) -> str:
    return key if partition == WHOLE else f"{key} of {partition[:7]}"


def first_read(node: Node, partition: str, among: Mapping[str, Set[str]]) -> tuple[str, str] | None:
    """Return the first of some results, given as keys by partition, that a node reads; ``None`` when it reads none."""
    partitions = tuple(among)
    for item in node.inputs:
        for other in partitions_read(partitions, item, partition):
            if item.key in among.get(other, ()):
                return item.key, other
    return None


def partitions_read(partitions: tuple[str, ...], item: Input, partition: str) -> tuple[str, ...]:
    """Return which partitions of an input, of which there may be these, a node reads for one of its own."""
    if item.window in ("whole", "slice", "lookback", "until", "every", "fact", "parts"):
        return partitions
    if item.window == "recent":
        return recent_months(partition, item.months_back)
    return (earlier_month(partition, item.months_back) if item.window == "previous" else partition,)
