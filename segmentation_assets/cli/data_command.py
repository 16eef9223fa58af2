"""`segmentation data`: stored versions listed, restored or written out, and the retention settings applied."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.errors import DataError, closest_hint, plural
from segmentation_assets.graph.closed_months import is_closed
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.retention import carry_out, erasures_decided, forget_erased, plan_pruning
from segmentation_assets.graph.staleness import evaluate_all, known_months
from segmentation_assets.serving.scoring_models import aliased_models
from segmentation_assets.storage.manifest import SHORT_HASH, Manifest
from segmentation_assets.storage.version_catalogue import (
    StoredVersion,
    find_version,
    list_versions,
    put_in_force,
    write_out,
)

_KILOBYTE, _MEGABYTE = 1_000, 1_000_000
_MOST_REASONS = 3


def data(parsed: argparse.Namespace) -> int:
    """Carry out ``segmentation data list``, ``restore`` or ``prune``."""
    platform = Platform(load_from_arguments(parsed).settings)
    print(_ACTIONS[parsed.action](platform, parsed))
    return 0


def _list(platform: Platform, parsed: argparse.Namespace) -> str:
    _check_key(platform, parsed.key)
    listed = list_versions(platform.store, key=parsed.key, month=parsed.month or "")
    if parsed.json:
        return json.dumps([_plain(version) for version in listed], indent=1, sort_keys=True)
    removed = [version for version in listed if version.state == "removed"]
    listed = [version for version in listed if version not in removed]
    if not listed and not removed:
        return "nothing of the kind is stored; 'segmentation run' makes results."
    width = max((len(version.manifest.key) for version in listed), default=0)
    part_width = max((len(version.part) for version in listed), default=0)
    earlier = [version for version in listed if not version.is_current]
    total = sum(version.size_bytes for version in earlier if not version.manifest.slices)
    kept = platform.settings.retention.versions
    said = (
        "an hour" if not kept else f"an hour, and the newest {kept} of each for as long as retention.versions says so"
    )
    return "\n".join(
        [
            f"{'asset':{width}}  {'part':{part_width}}  {'hash':{SHORT_HASH}}  {'state':7}  {'stored (UTC)':16}  "
            f"{'size':>10}  {'rows':>11}  used by",
            *(_line(version, width, part_width) for version in listed),
            f"{plural(len(listed) - len(earlier), 'version')} in force; {len(earlier)} earlier, {_size(total)}. "
            f"Replaced versions stay for {said}.",
            *([f"{plural(len(removed), 'result')} beyond retention.months removed."] if removed else []),
        ]
    )


def _check_key(platform: Platform, key: str) -> None:
    """Refuse an asset that neither the settings call for nor the data folder holds."""
    if not key or (platform.data_dir / "manifests" / key).is_dir() or key in platform.graph.by_key:
        return
    raise DataError(f"there is no asset '{key}'", closest_hint(key, platform.graph.by_key))


def _line(version: StoredVersion, width: int, part_width: int) -> str:
    manifest = version.manifest
    stored = datetime.fromtimestamp(version.stored_at, UTC)
    uses = plural(len(version.used_by), "result") if version.used_by else "-"
    return (
        f"{manifest.key:{width}}  {version.part:{part_width}}  {manifest.content_hash[:SHORT_HASH]}  "
        f"{version.state:7}  {stored:%Y-%m-%d %H:%M}  {_size(version.size_bytes):>10}  "
        f"{manifest.row_count:>11,}  {uses}"
    ).rstrip()


def _plain(version: StoredVersion) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "asset": manifest.key,
        "part": version.part,
        "is_slice": version.is_slice,
        "content_hash": manifest.content_hash,
        "code_version": manifest.code_version,
        "state": version.state,
        "stored_at": datetime.fromtimestamp(version.stored_at, UTC).isoformat(timespec="seconds"),
        "size_bytes": version.size_bytes,
        "row_count": manifest.row_count,
        "used_by": list(version.used_by),
    }


def _size(size_bytes: int) -> str:
    if size_bytes < _MEGABYTE:
        return f"{size_bytes / _KILOBYTE:,.1f} kB"
    return f"{size_bytes / _MEGABYTE:,.1f} MB"


def _restore(platform: Platform, parsed: argparse.Namespace) -> str:
    _check_key(platform, parsed.key)
    if forget_erased(platform, erasures_decided(platform)):
        print("a customer was erased: all versions from before are forgotten.", file=sys.stderr)
    version = find_version(platform.store, parsed.hash, key=parsed.key, month=parsed.month or "")
    if parsed.to is not None:
        count = write_out(platform.store, version, parsed.to)
        return f"{version.full_name}: {plural(count, 'file')} and its manifest written to {parsed.to}."
    _require_open(platform, version)
    if not put_in_force(platform.store, version, on_wait=_say_waiting):
        return f"{version.full_name} is in force already; nothing was changed."
    lines = [f"{version.full_name} is in force again.", *_point_aliases(platform, version.manifest)]
    return "\n".join([*lines, _what_a_run_does(platform, version)])


def _point_aliases(platform: Platform, manifest: Manifest) -> list[str]:
    """Have aliases follow the model of the newest month, as they do when it is computed; say which."""
    if manifest.partition < max(platform.store.partitions(manifest.key)):
        return []
    before, told = platform.models.aliases(), []
    for alias, reference in aliased_models(platform, manifest.key, manifest.partition).items():
        if before.get(alias) != reference:
            platform.models.set_alias(alias, reference)
            place = (
                "is gone" if reference is None else f"points at {reference.name}@{reference.content_hash[:SHORT_HASH]}"
            )
            told.append(f"The alias {alias} {place}.")
    return told


def _say_waiting() -> None:
    print("it is being made by another process; waiting for it.", file=sys.stderr)


def _require_open(platform: Platform, version: StoredVersion) -> None:
    """Refuse to change what was delivered of a closed month."""
    manifest = version.manifest
    node = platform.graph.by_key.get(manifest.key)
    if node is not None and not version.is_current and is_closed(platform, node, manifest.partition):
        raise DataError(
            f"{version.full_name} belongs to a closed month: what was delivered of it stays",
            f"write it out by --to FOLDER; 'segmentation run --rebuild-from {version.part}' makes the month again, on "
            "record.",
        )


def _what_a_run_does(platform: Platform, version: StoredVersion) -> str:
    """Say whether the next run keeps what was restored, and what it makes again because of it."""
    manifest = version.manifest
    if manifest.key not in platform.graph.by_key:
        return f"The settings do not call for {manifest.key}, so 'segmentation run' leaves it alone."
    months = known_months(platform)
    behind = {(each.key, each.partition): each for each in evaluate_all(platform, months) if each.state != "fresh"}
    own = behind.pop((manifest.key, manifest.partition), None)
    if own is not None:
        reasons = "; ".join(own.reasons[:_MOST_REASONS])
        return (
            f"'segmentation run' does not keep it but computes it anew: {reasons}.\n"
            "To work with it as it is, do not run; put settings or files back as they were then to have it kept."
        )
    reached = platform.graph.descendants({manifest.key}) - {manifest.key}
    made = [(key, partition) for key, partition in behind if key in reached]
    others = len(behind) - len(made)
    again = (
        f"makes again {plural(len(made), 'result')} that rest on it"
        if made
        else "has nothing to make again because of it"
    )
    told = f"'segmentation run' keeps it, and {again}"
    return f"{told}; {plural(others, 'other result')} were not up to date before." if others else f"{told}."


def _prune(platform: Platform, parsed: argparse.Namespace) -> str:
    retention = platform.settings.retention
    lines = []
    if not parsed.dry_run and forget_erased(platform, erasures_decided(platform)):
        lines.append("forgot all earlier versions, as a customer was erased")
    pruning = plan_pruning(platform)
    if not parsed.dry_run:
        carry_out(platform, pruning)
        platform.store.tidy()
    word = "would remove" if parsed.dry_run else "removed"
    lines += [f"{word} {line}" for line in pruning.in_words()]
    lines += [f"note: {note}" for note in pruning.notes]
    if not retention.is_set:
        lines.append("retention.months, models and runs are not set: everything is kept.")
    else:
        lines.append(f"{_size(pruning.size_bytes)} {'would become' if parsed.dry_run else 'became'} free.")
    return "\n".join(lines)


_ACTIONS: dict[str, Callable[[Platform, argparse.Namespace], str]] = {
    "list": _list,
    "restore": _restore,
    "prune": _prune,
}
