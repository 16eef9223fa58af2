"""What a reader must know before trusting the figures of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.errors import noun, plural
from segmentation_assets.reporting.exceptional_customers import describe_exceptional
from segmentation_assets.reporting.formatting import format_count, format_month, format_share, is_known, join_words
from segmentation_assets.reporting.wording import algorithm_label
from segmentation_assets.segments.assignment import NO_PURCHASES
from segmentation_assets.tables.raw import REDELIVERED_REASONS

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

NOTABLE_FINDINGS = {
    "guest": "Guests",
    "unmatched_return": "Returns without a sale",
    "giant_cancellation": "Cancelled at once",
    "exact_duplicate": "Repeated lines",
    "code_spelling": "Spelling of codes",
    "unclear_country": "Unclear countries",
}
"""Findings in the data that change how figures are read: code → topic of the caveat."""

NOTABLE_IMPUTED_SHARE = 0.2
SMALL_SEGMENT = 100


def list_caveats(snapshot: Snapshot) -> list[tuple[str, str]]:
    """List the caveats of a month as (topic, sentence), the weightiest first.

    Parameters
    ----------
    snapshot : Snapshot
        The month.

    Returns
    -------
    list of (str, str)
        Never empty: the comparison of algorithms always has something to say.
    """
    return [
        *_partial(snapshot),
        *_reconciliation(snapshot),
        *_amounts(snapshot),
        *_set_aside(snapshot),
        *list_notices(snapshot),
        *_findings(snapshot),
        *_small_segments(snapshot),
        *_imputation(snapshot),
        *_absent_features(snapshot),
        *_failed_algorithms(snapshot),
        *_not_due(snapshot),
        *_verdict(snapshot),
    ]


def list_notices(snapshot: Snapshot) -> list[tuple[str, str]]:
    """List what the settings and the delivery did to rows, or were meant to do, as (topic, sentence)."""
    topics = {
        "Left out": snapshot.left_out,
        "Customer ids": snapshot.reassigned,
        "Without effect": snapshot.unused_settings,
        "Hidden sheets": snapshot.hidden_sheets,
    }
    return [
        (topic, f"{count:,} {words}.") for topic, counts in topics.items() for words, count in sorted(counts.items())
    ]


def _partial(snapshot: Snapshot) -> list[tuple[str, str]]:
    if not snapshot.is_partial:
        return []
    return [("Unfinished month", "The month is not over: its last days are missing, so recent windows are too small.")]


def _reconciliation(snapshot: Snapshot) -> list[tuple[str, str]]:
    failed = snapshot.reconciliation[~snapshot.reconciliation["passed"].astype(bool)]
    if not len(failed):
        return []
    places = [f"{row.layer} ({row.measure})" for row in failed.itertuples()]
    return [("Reconciliation", f"Figures do not add up at {join_words(places)}.")]


def _amounts(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [("Amounts", f"{snapshot.amounts}.")] if snapshot.amounts else []


def _other_versions(counts: pd.DataFrame) -> str:
    """Say how many rows gave way to an order without their product, or of which some lines cannot be used."""
    ends = {"dropped_line": "without their product", "redelivered_in_part": "with lines that cannot be used"}
    rows = {end: int(counts.loc[counts["reason"] == reason, "row_count"].sum()) for reason, end in ends.items()}
    return "".join(f", {format_count(count)} of them to an order {end}" for end, count in rows.items() if count)


def count_quarantine(snapshot: Snapshot) -> tuple[int, int]:
    """Count rows that were set aside, and apart from them those that gave way to another file with the same."""
    counts = snapshot.quarantine_counts
    is_replaced = counts["reason"].isin(REDELIVERED_REASONS)
    return int(counts.loc[~is_replaced, "row_count"].sum()), int(counts.loc[is_replaced, "row_count"].sum())


def _set_aside(snapshot: Snapshot) -> list[tuple[str, str]]:
    caveats = []
    rows, replaced = count_quarantine(snapshot)
    if rows:
        caveats.append(
            (
                "Quarantine",
                f"{plural(rows, 'delivered row')} could not be used and {noun(rows, 'was', 'were')} set aside.",
            )
        )
    if replaced:
        caveats.append(
            (
                "Delivered again",
                f"{plural(replaced, 'delivered row')} gave way to another file with the same orders"
                f"{_other_versions(snapshot.quarantine_counts)}.",
            )
        )
    aside = int((snapshot.customer_segments["state"] == NO_PURCHASES).sum())
    if aside:
        words = f"{plural(aside, 'customer')} without a sale in the lookback {noun(aside, 'has', 'have')} no segment."
        caveats.append(("Customers set aside", words))
    exceptional = describe_exceptional(snapshot)
    return [*caveats, ("Exceptional customers", exceptional.sentence)] if exceptional else caveats


def _findings(snapshot: Snapshot) -> list[tuple[str, str]]:
    told = {code: sentence for _, code, sentence in snapshot.findings}
    return [(topic, told[code]) for code, topic in NOTABLE_FINDINGS.items() if code in told]


def _small_segments(snapshot: Snapshot) -> list[tuple[str, str]]:
    counts = snapshot.assigned["segment_key"].astype(str).value_counts()
    sizes = {str(key): int(counts.get(key, 0)) for key in snapshot.champion["segment_key"].astype(str)}
    small = [f"{key} ({size:,})" for key, size in sorted(sizes.items()) if size < SMALL_SEGMENT]
    if not small:
        return []
    return [
        ("Sample sizes", f"Fewer than {SMALL_SEGMENT} customers in {join_words(small)}: read their figures as rough.")
    ]


def _imputation(snapshot: Snapshot) -> list[tuple[str, str]]:
    customers = max(len(snapshot.assigned), 1)
    counts = snapshot.imputation.groupby("feature", sort=False)["filled_count"].sum().astype("float64")
    frame = (counts / customers).rename("share").reset_index()
    is_main = frame["feature"].map(lambda feature: snapshot.feature_text(str(feature)).is_main).astype(bool)
    notable = frame[is_main & (frame["share"] >= NOTABLE_IMPUTED_SHARE)].sort_values(
        ["share", "feature"], ascending=[False, True]
    )
    if not len(notable):
        return []
    names = [
        f"{snapshot.feature_text(str(row.feature)).label} ({format_share(row.share, digits=0)})"
        for row in notable.itertuples()
    ]
    return [("Filled-in values", f"Many customers have no value of their own in {join_words(names)}.")]


def _absent_features(snapshot: Snapshot) -> list[tuple[str, str]]:
    return [("Not available", f"{block}: {reason}") for block, reason in sorted(snapshot.absent_features.items())]


def _failed_algorithms(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Name the algorithms that raised an error, and the error."""
    board = snapshot.leaderboard
    if "failure" not in board.columns:
        return []
    failed = board[board["failure"].notna()].sort_values("candidate")
    return [
        ("Failed algorithm", f"{algorithm_label(str(row.candidate))} {row.failure}. It is not ranked this month.")
        for row in failed.itertuples()
    ]


def _not_due(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Say from when the comparison of algorithms is, where it is not of this month."""
    board = snapshot.leaderboard
    compared = {str(month) for month in board["compared_month"]} if "compared_month" in board.columns else set()
    if compared <= {snapshot.month[:7]}:
        return []
    return [
        (
            "Comparison",
            f"Candidates were last fitted and compared in {format_month(max(compared))}; none were due this month.",
        )
    ]


def _verdict(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Say what the comparison of algorithms found, and what its scores are worth."""
    board = snapshot.leaderboard
    if not len(board):
        return [("Algorithms", "No candidate was scored this month; the segmentation in force assigns the customers.")]
    fitted = board[~board["is_baseline"].astype(bool)] if "is_baseline" in board.columns else board
    if not len(fitted):
        return [("Algorithms", "No algorithm was tried this month; only the RFM map was scored.")]
    passed = fitted[fitted["passed_gates"].astype(bool) & fitted["rank"].notna()].sort_values("rank")
    if not len(passed):
        return [("Algorithms", "No candidate passed every gate: there is no usable clustering this month.")]
    best = next(passed.itertuples())
    score = f"silhouette {best.silhouette:.2f}" if is_known(best.silhouette) else "no silhouette"
    sample = getattr(best, "score_sample_count", None)
    on = f" on {format_count(sample)} customers" if is_known(sample) else ""
    sentence = (
        f"{algorithm_label(str(best.candidate))} ranks first of {plural(len(board), 'candidate')} ({score}{on}, "
        f"coverage {format_share(best.coverage, digits=0)}). The silhouette favours round clusters; a useful cut "
        "through a continuum scores low."
    )
    return [("Algorithms", sentence)]
