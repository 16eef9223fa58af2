"""`segmentation status`: what is stored, what is stale and why."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.errors import plural
from segmentation_assets.graph.plan import check_known_month
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.snapshots import LACKING_PARTS
from segmentation_assets.graph.staleness import Evaluation, evaluate_all, known_months
from segmentation_assets.ingestion.unread_files import describe_unread_files, find_unread_files
from segmentation_assets.monitoring.run_records import newest_run
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.raw import REDELIVERED_REASONS


def status(parsed: argparse.Namespace) -> int:
    """Print the state of every asset and month that is not up to date; return 1 where a gate that was asked for fails.

    Raises
    ------
    SettingsError
        The month asked for is no snapshot month.
    """
    platform = Platform(load_from_arguments(parsed).settings, is_verifying=parsed.verify)
    months = known_months(platform)
    if parsed.month:
        check_known_month(parsed.month, months)
        months = tuple(month for month in months if month <= parsed.month)
    evaluations = evaluate_all(platform, months)
    counts = Counter(evaluation.state for evaluation in evaluations)
    newest = newest_run(platform.data_dir)
    print(f"data folder   {platform.data_dir}")
    print(f"months        {', '.join(month[:7] for month in months) or 'none yet'}")
    print("state         " + ", ".join(f"{counts[state]} {state}" for state in ("fresh", "stale", "missing")))
    print(f"quarantine    {_quarantine(platform)}")
    for label, text in describe_unread_files(find_unread_files(platform.settings)).items():
        print(f"{label:<14}{text}")
    print(f"findings      {_findings(platform, months)}")
    for lacking in _lacking(platform):
        print(f"lacking       {lacking}")
    print(f"newest run    {newest.in_words() if newest else 'none yet'}")
    for evaluation in evaluations:
        if parsed.all or evaluation.state != "fresh":
            print(_line(evaluation))
    is_behind = parsed.exit_code and counts["fresh"] < len(evaluations)
    has_computed = parsed.nothing_computed and (newest is None or newest.computed_steps > 0)
    return int(is_behind or has_computed)


def _line(evaluation: Evaluation) -> str:
    month = "" if evaluation.partition == WHOLE else evaluation.partition[:7]
    return f"  {evaluation.state:<8}{evaluation.key:<28} {month:<8} {'; '.join(evaluation.reasons[:3])}".rstrip()


def _quarantine(platform: Platform) -> str:
    if platform.store.manifest("raw/quarantine") is None:
        return "nothing read yet"
    counts: Counter[str] = Counter()
    for node in platform.graph.nodes:
        stored = platform.store.manifest(node.key) if node.layer == "raw" else None
        counts.update((stored.metadata.get("quarantine_counts") or {}) if stored else {})
    return list_quarantine(counts)


def list_quarantine(counts: Mapping[str, int]) -> str:
    """List rows by reason, what another file holds as well apart.

    Examples
    --------
    >>> list_quarantine({"redelivered": 105, "missing_value": 1, "malformed_row": 4})
    '5 rows set aside: malformed_row 4, missing_value 1; 105 rows delivered again: redelivered 105'
    """
    again = {reason: count for reason, count in counts.items() if reason in REDELIVERED_REASONS}
    aside = {reason: count for reason, count in counts.items() if reason not in again}
    told = _listed(aside, "set aside")
    return f"{told}; {_listed(again, 'delivered again')}" if again else told


def _listed(counts: Mapping[str, int], words: str) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{plural(sum(counts.values()), 'row')} {words}" + (f": {reasons}" if reasons else "")


def _lacking(platform: Platform) -> list[str]:
    """Say of each delivered table which mapped columns are empty because files do not have them."""
    raw = [node.key for node in platform.graph.nodes if node.layer == "raw"]
    stored = {key: manifest.metadata for key in raw if (manifest := platform.store.manifest(key)) is not None}
    return [
        f"{key.partition('/')[2]}: {count:,} of {plural(len(facts['part_rows']), 'file or sheet', 'files or sheets')} "
        f"without {column}"
        for key, facts in stored.items()
        for column, count in (facts.get(LACKING_PARTS) or {}).items()
    ]


def _findings(platform: Platform, months: tuple[str, ...]) -> str:
    """Count what the data of the newest month shows, and the values changed in order to read it."""
    stored = [platform.store.manifest("monitoring/data_quality", month) for month in months]
    newest = next((manifest for manifest in reversed(stored) if manifest is not None), None)
    if newest is None:
        return "nothing looked at yet"
    found, changed = (newest.metadata.get(f"{kind}_counts") or {} for kind in ("finding", "repair"))
    values = plural(sum(changed.values()), "value")
    return f"{newest.partition[:7]}: {list_findings(found)}; {values} changed in order to read them"


def list_findings(counts: Mapping[str, int]) -> str:
    """List counts by table.

    Examples
    --------
    >>> list_findings({"raw/customers mixed_id": 2, "silver/order_lines guest": 7, "silver/order_lines write_off": 1})
    'customers: mixed_id 2; order_lines: guest 7, write_off 1'
    """
    by_table: dict[str, list[str]] = {}
    for name, count in counts.items():
        table, code = name.split()
        by_table.setdefault(table.partition("/")[2], []).append(f"{code} {count}")
    return "; ".join(f"{table}: {', '.join(counted)}" for table, counted in by_table.items()) or "none"
