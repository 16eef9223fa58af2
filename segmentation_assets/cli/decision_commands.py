"""`segmentation promote`, `rename`, `suppress`, `erase`, `run --rebuild-from`: decisions, checked and written down."""

from __future__ import annotations

import argparse
import getpass

from segmentation_assets.cli.stored_month import open_month, read_table
from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.errors import SettingsError, closest_hint
from segmentation_assets.graph.plan import check_known_month
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import is_retired, known_months
from segmentation_assets.ingestion.decisions import DECISIONS_FILE, Decision, append_decision, erasure_subject
from segmentation_assets.segments.promotion import find_candidate
from segmentation_assets.storage.store import WHOLE


def promote(parsed: argparse.Namespace) -> int:
    """Ask for a candidate to be put in force in a month, if it passes the gates there."""
    platform, month = open_month(parsed, "clusters/leaderboard")
    board = read_table(platform, "clusters/leaderboard", month)
    found, evidence = find_candidate(board, parsed.algorithm, month)
    if not found:
        raise SettingsError(
            f"{parsed.algorithm} cannot be promoted in {month[:7]}: {evidence}",
            "segmentation report shows the leaderboard; name a candidate that passes its gates, "
            f"or {BASELINE} for the RFM map.",
        )
    told = f"{found} takes the place of the model in force in {month[:7]}. {evidence}"
    return _write(platform, "promote", month, parsed.algorithm, parsed.reason, told, parsed.by)


def rename(parsed: argparse.Namespace) -> int:
    """Give a segment a name of one's own from a month on."""
    platform, month = open_month(parsed, "gold/champion")
    names = dict(read_table(platform, "gold/champion", month)[["segment_key", "segment_name"]].to_numpy().tolist())
    if parsed.segment_key not in names:
        raise SettingsError(
            f"segment '{parsed.segment_key}' is not in force in {month[:7]}", closest_hint(parsed.segment_key, names)
        )
    name = parsed.name.strip()
    taken = [key for key, used in names.items() if key != parsed.segment_key and used.casefold() == name.casefold()]
    if not name or taken:
        raise SettingsError(
            f"segment {taken[0]} is called '{name}' already" if taken else "the name is empty", "choose another name."
        )
    told = f"{parsed.segment_key} ({names[parsed.segment_key]}) is called '{name}' from {month[:7]} on."
    return _write(platform, "rename", month, parsed.segment_key, name, told, parsed.by)


def suppress(parsed: argparse.Namespace) -> int:
    """Mark a customer as not to be addressed from a month on."""
    platform, month = open_month(parsed, "silver/customer_features")
    known = read_table(platform, "silver/customer_features", month, ["customer_id"])["customer_id"]
    if parsed.customer_id not in set(known):
        raise SettingsError(
            f"customer '{parsed.customer_id}' is not among the {len(known):,} of {month[:7]}",
            "write the id as it is in gold/customer_segments.",
        )
    told = f"Customer {parsed.customer_id} is marked as suppressed from {month[:7]} on."
    return _write(platform, "suppress", month, parsed.customer_id, parsed.reason, told, parsed.by)


def erase(parsed: argparse.Namespace) -> int:
    """Keep nothing of a customer, under any id that stands for it: every table is made without its rows."""
    platform, month = open_month(parsed, "silver/customer_history")
    known = set(read_table(platform, "silver/customer_history", month, ["customer_id"])["customer_id"])
    if parsed.customer_id not in known:
        raise SettingsError(
            f"customer '{parsed.customer_id}' is not among the {len(known):,} who ever bought or returned until "
            f"{month[:7]}",
            "write the id as it is in gold/customer_segments.",
        )
    ids = _delivered_ids(platform, parsed.customer_id)
    told = f"Nothing is kept of {parsed.customer_id}: every month that is not closed is made without it."
    if any(is_retired(platform, platform.store.manifest(key, month)) for key, month in _old_results(platform)):
        told += (
            "\nWhat later months read of months beyond retention.months is not made again: to have it made without the "
            "customer too, run once without retention.months."
        )
    for customer_id in ids:
        _write(platform, "erase", month, erasure_subject(customer_id), parsed.reason, told, parsed.by)
    return 0


def _old_results(platform: Platform) -> list[tuple[str, str]]:
    """Monthly results of all known months."""
    nodes = [node for node in platform.graph.nodes if node.is_partitioned]
    return [(node.key, month) for month in known_months(platform) for node in nodes]


def _delivered_ids(platform: Platform, customer_id: str) -> list[str]:
    """The ids under which a customer is delivered, its own among them."""
    if platform.settings.population.crosswalk is None:
        return [customer_id]
    entries = read_table(platform, "source/crosswalk", WHOLE)
    ids = sorted({customer_id, *entries.loc[entries["customer_id"] == customer_id, "delivered_id"]})
    others = entries[entries["delivered_id"].isin(ids) & (entries["customer_id"] != customer_id)]
    if len(others):
        entry = others.iloc[0]
        raise SettingsError(
            f"'{entry['delivered_id']}' stands for {entry['customer_id']} too, by row {entry['entry_number']} of "
            f"{platform.settings.population.crosswalk}",
            "its rows cannot be told apart by their id; give each customer an id of its own where the files are made.",
        )
    return ids


def restate(platform: Platform, month: str, reason: str) -> None:
    """Reopen a closed month and those after it: they are made again once, and the decision stays on record."""
    closed_through = platform.settings.calendar.closed_through
    check_known_month(month, known_months(platform))
    if closed_through is None or month[:7] > closed_through:
        raise SettingsError(
            f"{month[:7]} is not closed",
            "leave --rebuild-from out; calendar.closed_through names the last closed month.",
        )
    told = f"{month[:7]} to {closed_through} are made again."
    _write(platform, "restate", month, "months", reason, told, "")


def _write(platform: Platform, kind: str, month: str, subject: str, value: str, told: str, decided_by: str) -> int:
    path = platform.data_dir / DECISIONS_FILE
    decision = Decision(
        decided_on=platform.today.isoformat(),
        kind=kind,
        from_month=month[:7],
        subject=subject,
        value=value,
        decided_by=decided_by or getpass.getuser(),
    )
    number = append_decision(path, decision)
    print(f"{told}\nwritten down as decision {number} in {path}; 'segmentation run' acts on it.")
    return 0
