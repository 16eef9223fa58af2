"""Content hashes of the input slices that a node reads now, to be compared with those of its manifest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from segmentation_assets.errors import DataError, PredecessorError, SettingsError
from segmentation_assets.graph.months import earlier_month, next_month
from segmentation_assets.graph.node import A_YEAR, Input, Node, recent_months
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.reading_due import DUE, reading_due
from segmentation_assets.ingestion.accounts import PartAccount
from segmentation_assets.ingestion.calendar import check_calendar, lookback_start, snapshot_as_of, snapshot_months
from segmentation_assets.ingestion.decisions import DECISIONS_FILE
from segmentation_assets.ingestion.delivery import DeliveredFile, list_delivery
from segmentation_assets.ingestion.mapping import MADE_BY, delivery_folder, effective_source
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.store import WHOLE

_MONTH = re.compile(r"\d{4}-\d{2}-01")


class MissingInputError(DataError):
    """An input has not been computed yet."""


def read_fingerprints(platform: Platform, node: Node, partition: str, *, looks_outside: bool = True) -> dict[str, str]:
    """Return the content hash of every input slice the node reads for a partition.

    Parameters
    ----------
    platform : Platform
    node : Node
    partition : str
        Month as YYYY-MM-01, or ``all``.
    looks_outside : bool
        Whether what lies outside the graph, such as the delivery folder, is among them.

    Returns
    -------
    dict of str to str
        Name of the slice, such as ``silver/order_lines@2025-06-01``, and its content hash.

    Raises
    ------
    MissingInputError
        An input has not been computed.
    PredecessorError
        The month before has not been computed, and this is not the first month.
    """
    found: dict[str, str] = {}
    for item in node.inputs:
        found.update(_RESOLVERS[item.window](platform, item, partition))
    if node.external and looks_outside:
        found.update(_EXTERNAL[node.external](platform))
    return found


def required_manifest(platform: Platform, key: str, partition: str) -> Manifest:
    """Return the manifest of an input, or raise `MissingInputError`."""
    manifest = platform.store.manifest(key, partition)
    if manifest is None:
        raise MissingInputError(
            f"{key} has not been computed for {partition}",
            "run 'segmentation run', or materialise it together with what it needs.",
        )
    return manifest


def check_source(platform: Platform) -> None:
    """Raise a SettingsError before the built-in shop replaces what was made from own files.

    That is what happens when the settings file is moved away, or a command is started in another folder.
    """
    listed = platform.store.manifest("source/delivery", WHOLE)
    if platform.settings.source.kind == "synthetic" and listed and "source/synthetic_retail" not in listed.inputs:
        raise SettingsError(
            f"{platform.data_dir} holds the results of own files, and the settings name the built-in shop "
            "(source.kind: synthetic)",
            "if the settings file was not found, name it by --config or SEGMENTATION_CONFIG; for the built-in shop "
            "choose another data_dir.",
        )


def order_line_months(platform: Platform) -> tuple[str, ...]:
    """Month slices of the order lines that are stored."""
    manifest = required_manifest(platform, "raw/order_lines", WHOLE)
    return tuple(sorted(name for name in manifest.slices if _MONTH.fullmatch(name)))


def as_of(platform: Platform, month: str) -> tuple[dt.date, bool]:
    """Return the as-of date of a snapshot month, and whether the month is unfinished."""
    manifest = required_manifest(platform, "raw/order_lines", WHOLE)
    newest = dt.date.fromisoformat(manifest.metadata["last_order_at"][:10])
    return snapshot_as_of(month, newest, platform.settings.calendar.partial_grace_days)


def check_delivered_months(platform: Platform) -> None:
    """Raise a SettingsError that proposes better values when the calendar does not fit the order lines."""
    manifest = required_manifest(platform, "raw/order_lines", WHOLE)
    first, last = (dt.date.fromisoformat(manifest.metadata[name][:10]) for name in ("first_order_at", "last_order_at"))
    check_calendar(platform.settings.calendar, first, last)


def lookback_months(platform: Platform, month: str) -> tuple[str, ...]:
    """Month slices within the lookback of a snapshot."""
    as_of_date, _ = as_of(platform, month)
    start = lookback_start(as_of_date, platform.settings.calendar.lookback_months)
    first = start.replace(day=1).isoformat()
    return tuple(name for name in order_line_months(platform) if first <= name <= month)


def history_months(platform: Platform, month: str) -> tuple[str, ...]:
    """Month slices that the customer history adds in this month: all so far in the first month, else this one."""
    months = order_line_months(platform)
    if month == platform.first_month:
        return tuple(name for name in months if name <= month)
    return tuple(name for name in months if name == month)


def _whole(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    return {item.key: required_manifest(platform, item.key, WHOLE).content_hash}


def _slice(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    manifest = required_manifest(platform, item.key, WHOLE)
    return {f"{item.key}@{item.slice_name}": manifest.slices.get(item.slice_name, "empty")}


def _fact(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    manifest = required_manifest(platform, item.key, WHOLE)
    return {f"{item.key}: {item.slice_name}": json.dumps(manifest.metadata.get(item.slice_name), sort_keys=True)}


def parts_in_lookback(platform: Platform, item: Input, partition: str) -> tuple[PartAccount, ...]:
    """Return what became of the delivered parts, as far as the lookback of a month shows it.

    Parameters
    ----------
    platform : Platform
    item : Input
        Names the asset and the entry of its metadata.
    partition : str
        Month as YYYY-MM-01.

    Returns
    -------
    tuple of PartAccount
        Rows of the months of the lookback, and rows whose day cannot be read, in every month. Parts of which all such
        rows stand elsewhere are left out: a copy of a file, or an extract that overlaps, changes no month.
    """
    manifest = required_manifest(platform, item.key, WHOLE)
    months = lookback_months(platform, partition)
    parts = manifest.metadata.get(item.slice_name) or {}
    accounts = (PartAccount.from_json(name, part).within(months) for name, part in parts.items())
    return tuple(account for account in accounts if account.holds_rows)


def _parts(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    parts = json.dumps([(part.name, part.to_json()) for part in parts_in_lookback(platform, item, partition)])
    return {f"{item.key}: {item.slice_name}": hashlib.sha256(parts.encode()).hexdigest()[:32]}


def _lookback(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    manifest = required_manifest(platform, item.key, WHOLE)
    wanted = set(lookback_months(platform, partition)) | set(history_months(platform, partition))
    as_of_date, is_partial = as_of(platform, partition)
    slices = {f"{item.key}@{name}": value for name, value in manifest.slices.items() if name in wanted}
    return {**slices, "as_of": f"{as_of_date} {'partial' if is_partial else 'complete'}"}


def _until(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    manifest = required_manifest(platform, item.key, WHOLE)
    return {f"{item.key}@{name}": value for name, value in manifest.slices.items() if name <= partition}


def _same(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    return {f"{item.key}@{partition}": required_manifest(platform, item.key, partition).content_hash}


def _previous(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    before = earlier_month(partition, item.months_back)
    if before < platform.first_month:
        return {}
    manifest = platform.store.manifest(item.key, before)
    if manifest is None:
        raise PredecessorError(
            f"{item.key} for {partition[:7]} builds on {before[:7]}, which has not been computed",
            f"make the months in order, from {before[:7]} on: segmentation run does, and so does "
            f"--partition {before} first.",
        )
    return {f"{item.key}@{before}": manifest.content_hash}


def _recent(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    return {
        f"{item.key}@{month}": required_manifest(platform, item.key, month).content_hash
        for month in recent_snapshots(platform, partition, item.months_back)
    }


def recent_snapshots(platform: Platform, partition: str, months_back: int = A_YEAR) -> tuple[str, ...]:
    """Snapshot months among a month and some before it."""
    return tuple(month for month in recent_months(partition, months_back) if month >= platform.first_month)


def stored_months(platform: Platform, key: str) -> tuple[str, ...]:
    """Months of an asset that are stored and lie within the calendar and `retention.months`."""
    last = (platform.settings.calendar.last_month or "9999-12") + "-01"
    months = [month for month in platform.store.partitions(key) if platform.first_month <= month <= last]
    if platform.settings.retention.months is None:
        return tuple(months)
    kept = [month for month in months if not is_beyond_retention(platform, month)]
    stored = {month: platform.store.manifest(key, month) for month in kept}
    return tuple(month for month, manifest in stored.items() if manifest is not None and not manifest.is_removed)


def ended_months(platform: Platform) -> tuple[str, ...]:
    """Snapshot months that have ended and have order lines before them."""
    months = snapshot_months(platform.settings.calendar, order_line_months(platform)[-1])
    return tuple(month for month in months if next_month(month) <= platform.today.isoformat())


def is_beyond_retention(platform: Platform, month: str) -> bool:
    """Whether a month is older than the settings keep; a closed month is kept, as it could not be made again alike."""
    count = platform.settings.retention.months
    if count is None:
        return False
    closed_through = platform.settings.calendar.closed_through
    is_closed = closed_through is not None and month[:7] <= closed_through
    return not is_closed and month < min(ended_months(platform)[-count:], default=month)


def _every(platform: Platform, item: Input, partition: str) -> dict[str, str]:
    return {
        f"{item.key}@{month}": required_manifest(platform, item.key, month).content_hash
        for month in stored_months(platform, item.key)
    }


_RESOLVERS: dict[str, Callable[[Platform, Input, str], dict[str, str]]] = {
    "whole": _whole,
    "slice": _slice,
    "lookback": _lookback,
    "until": _until,
    "same": _same,
    "previous": _previous,
    "recent": _recent,
    "every": _every,
    "fact": _fact,
    "parts": _parts,
}


def delivered_files(platform: Platform, before: Sequence[DeliveredFile] = ()) -> tuple[DeliveredFile, ...]:
    """List the files of the delivery; where a step of ours makes them, only those that its last run made.

    The listing of last time tells an original from its copies; no file is there or not because of it.
    """
    settings = platform.settings
    folder = delivery_folder(settings)
    only = None
    if settings.source.kind in MADE_BY:
        made = required_manifest(platform, MADE_BY[settings.source.kind], WHOLE)
        paths = (platform.data_dir / file.path for file in made.files)
        only = [str(path.relative_to(folder)) for path in paths if path.is_relative_to(folder)]
    return list_delivery(
        folder,
        effective_source(settings),
        only,
        data_dir=platform.data_dir,
        hash_of=platform.store.hashes.sha256,
        before=before,
    )


def _delivery_folder(platform: Platform) -> dict[str, str]:
    return {f"{file.table_name}/{file.file_name}": file.sha256 for file in delivered_files(platform)}


def _named_file(platform: Platform, name: str, path: Path | None) -> dict[str, str]:
    """Hash of a file that the settings name; one that is missing is told of when it is read."""
    return {name: platform.store.hashes.sha256(path)} if path and path.is_file() else {}


def _decisions_file(platform: Platform) -> dict[str, str]:
    return _named_file(platform, DECISIONS_FILE, platform.data_dir / DECISIONS_FILE)


def _catalogue_file(platform: Platform) -> dict[str, str]:
    return _named_file(platform, "catalogue", platform.settings.synthetic.catalogue)


def _crosswalk_file(platform: Platform) -> dict[str, str]:
    return _named_file(platform, "crosswalk", platform.settings.population.crosswalk)


def _rates_file(platform: Platform) -> dict[str, str]:
    return _named_file(platform, "exchange rates", platform.settings.money.exchange.file)


def _postgres(platform: Platform) -> dict[str, str]:
    return {DUE: reading_due(platform)}


_EXTERNAL: dict[str, Callable[[Platform], dict[str, str]]] = {
    "delivery_folder": _delivery_folder,
    "decisions_file": _decisions_file,
    "catalogue_file": _catalogue_file,
    "crosswalk_file": _crosswalk_file,
    "rates_file": _rates_file,
    "postgres": _postgres,
}
