"""Whether the segments of a month still meet the gates a model had to pass: size of the smallest one, and coverage."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.segments.assignment import NO_PURCHASES
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_IDS = 5
"""Customers named as examples."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, and the figures behind it."""

    passed: bool
    description: str
    figures: Mapping[str, Any]


def judge_smallest_segment(assigned: pd.DataFrame, champion: pd.DataFrame, gates: LeaderboardSettings) -> Finding:
    """Compare the smallest segment of a month with the size gates.

    Parameters
    ----------
    assigned : DataFrame
        ``gold/customer_segments`` of the month.
    champion : DataFrame
        ``gold/champion`` of the month; a segment without a customer counts too.
    gates : LeaderboardSettings

    Returns
    -------
    Finding
        Shares are of the customers with a purchase; of equally small segments the first key is named.
    """
    names = champion.sort_values("segment_key").set_index("segment_key")["segment_name"]
    counts = assigned["segment_key"].value_counts().reindex(names.index, fill_value=0)
    key = str(counts.idxmin())
    count, customers = int(counts[key]), len(_with_purchases(assigned))
    share = round_number(count / max(customers, 1))
    passed = share >= gates.min_segment_share and count >= gates.min_segment_customers
    return Finding(
        passed,
        f"The smallest segment is {key} {names[key]}: {count:,} of {customers:,} customers ({share:.2%}); at least "
        f"{gates.min_segment_share:.2%} and {gates.min_segment_customers:,} customers are asked for.",
        {
            "segment_key": key,
            "segment_name": str(names[key]),
            "customer_count": count,
            "customer_share": share,
            "customers_with_purchases": customers,
            "min_segment_share": gates.min_segment_share,
            "min_segment_customers": gates.min_segment_customers,
        },
    )


def judge_coverage(assigned: pd.DataFrame, gates: LeaderboardSettings) -> Finding:
    """Compare the share of customers that got a segment with the coverage gate.

    Parameters
    ----------
    assigned : DataFrame
        ``gold/customer_segments`` of the month.
    gates : LeaderboardSettings

    Returns
    -------
    Finding
        Customers without a purchase in the lookback are not counted: no model is asked to judge them.
    """
    asked = _with_purchases(assigned)
    without = asked.loc[asked["segment_key"].isna(), "customer_id"].sort_values()
    covered = len(asked) - len(without)
    share = round_number(covered / len(asked)) if len(asked) else 0.0
    states = assigned["state"].value_counts().sort_index()
    return Finding(
        share >= gates.min_coverage,
        f"{covered:,} of {len(asked):,} customers with a purchase have a segment ({share:.1%}); at least "
        f"{gates.min_coverage:.1%} is asked for.",
        {
            "coverage": share,
            "min_coverage": gates.min_coverage,
            "states": {str(state): int(count) for state, count in states.items()},
            "without_segment": [str(customer) for customer in without.head(SAMPLE_IDS)],
        },
    )


def judge_size_changes(migration: pd.DataFrame, keys: Collection[str], max_size_change: float) -> Finding:
    """Compare the size of every segment with that of the month before.

    Parameters
    ----------
    migration : DataFrame
        ``gold/segment_migration``.
    keys : collection of str
        Segments in force in both months, with or without customers.
    max_size_change : float
        Share of its former customers, of one where it had none, that a segment may lose or gain.

    Returns
    -------
    Finding
        Segments that began or ended with a promotion are no change of size; ``gold/segment_events`` tells of them.
    """
    before, after = (
        migration[f"{name}_place"].value_counts().reindex(sorted(keys), fill_value=0) for name in ("before", "after")
    )
    changes = {key: float((after[key] - before[key]) / max(before[key], 1)) for key in before.index}
    large = {key: change for key, change in changes.items() if abs(change) > max_size_change}
    told = ", ".join(
        f"{key} {change:+.1%} ({before[key]:,} to {after[key]:,} customers)"
        for key, change in sorted(large.items(), key=lambda pair: -abs(pair[1]))
    )
    limit = f"by more than {max_size_change:.0%} (champion.max_size_change)"
    verdict = f"Segments changed {limit}: {told}." if large else f"No segment changed {limit}."
    return Finding(not large, verdict, {"changes": {key: round_number(change) for key, change in changes.items()}})


def _with_purchases(assigned: pd.DataFrame) -> pd.DataFrame:
    return assigned[assigned["state"] != NO_PURCHASES]
