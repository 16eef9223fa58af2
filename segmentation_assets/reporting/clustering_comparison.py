"""The comparison of all algorithms of a month in Markdown, and how far they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.clustering.matching import adjusted_rand_index
from segmentation_assets.errors import plural
from segmentation_assets.reporting.clustering_report import REWARDS_LEAVING_OUT, ROUND_CLUSTERS, score_text
from segmentation_assets.reporting.formatting import (
    UNKNOWN,
    escape_markdown,
    format_count,
    format_date,
    format_month,
    is_known,
)
from segmentation_assets.reporting.leaderboard_scores import Score, known_scores
from segmentation_assets.reporting.markdown_table import markdown_table
from segmentation_assets.reporting.wording import algorithm_label
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth

MOST_COMPARED = 20_000
"""Customers that the agreement is computed on at most."""


def measure_agreement(results: Sequence[AlgorithmResult], month: ClusteringMonth) -> pd.DataFrame:
    """Compute the adjusted Rand index of every two candidates, the RFM map included.

    Parameters
    ----------
    results : sequence of AlgorithmResult
    month : ClusteringMonth

    Returns
    -------
    DataFrame of shape (n_candidates, n_candidates)
        Candidates as index and columns; noise counts as a group. NaN for candidates without a model.

    References
    ----------
    Hubert and Arabie (1985), doi:10.1007/BF01908075.
    """
    import numpy as np
    import pandas as pd

    rows = draw_sample(len(month.matrix), MOST_COMPARED, month.seed)
    partitions = {result.name: result.labels[rows] for result in results if result.is_fitted}
    partitions[BASELINE] = pd.factorize(month.rfm, sort=True)[0][rows]
    names = [*(result.name for result in results), BASELINE]
    found = pd.DataFrame(np.nan, index=names, columns=names)
    known = [name for name in names if name in partitions]
    for place, first in enumerate(known):
        found.loc[first, first] = 1.0
        for second in known[place + 1 :]:
            index = adjusted_rand_index(partitions[first], partitions[second])
            found.loc[first, second] = found.loc[second, first] = index
    return found


def render_comparison(month: ClusteringMonth, agreement: pd.DataFrame, picture: str = "") -> str:
    """Write the comparison of the candidates.

    Parameters
    ----------
    month : ClusteringMonth
    agreement : DataFrame
        As `measure_agreement` returns it.
    picture : str
        Name of the picture beside the report; empty where no candidate was due, and nothing is new to compare.

    Returns
    -------
    str
        Markdown. The same input gives the same text.
    """
    order = [name for name in month.ranking["candidate"] if name in agreement.index]
    parts = [
        f"# Comparison of algorithms: {format_month(month.month)}",
        f"As of {format_date(month.as_of_date)}: what happened before that day.",
        *_leaderboard(month),
        *([f"![Sizes, scores and agreement of the candidates]({picture})"] if picture else []),
        *(_agreement(agreement.loc[order, order], len(month.matrix)) if picture else []),
    ]
    return "\n\n".join(parts) + "\n"


def _leaderboard(month: ClusteringMonth) -> Iterator[str]:
    board = month.ranking.to_dict("records")
    yield "## Leaderboard"
    compared = max(str(row["compared_month"]) for row in board)
    if compared != month.month:
        yield f"**None was due this month.** Candidates were last fitted and compared in {format_month(compared)}."
    yield f"{month.ranking_rule} The RFM map is the baseline and never ranked."
    yield f"{ROUND_CLUSTERS} {REWARDS_LEAVING_OUT}"
    scores = known_scores(month.ranking)
    headings = ("Candidate", "Structure", "Rank", "Segments", *(score.heading for score in scores))
    yield markdown_table(headings, [_row(row, scores) for row in board], texts=(0, 1))
    sample, customers = board[0]["score_sample_count"], board[0]["customer_count"]
    yield f"Scores on {format_count(sample)} of {plural(int(customers), 'customer')}."
    yield "## Decisions"
    reasons = [f"- **{algorithm_label(str(row['candidate']))}.** {escape_markdown(row['reason'])}." for row in board]
    yield "\n".join(reasons)


def _row(row: dict[Any, Any], scores: Sequence[Score]) -> tuple[str, ...]:
    structure = row["structure"] if is_known(row["structure"]) else UNKNOWN
    return (
        algorithm_label(str(row["candidate"])),
        structure,
        format_count(row["rank"]),
        format_count(row["n_clusters"]),
        *(score.write(row[score.column]) for score in scores),
    )


def _agreement(agreement: pd.DataFrame, customer_count: int) -> Iterator[str]:
    labels = [algorithm_label(str(name)) for name in agreement.columns]
    rows = [
        (label, *(score_text(cell, digits=2) for cell in cells))
        for label, cells in zip(labels, agreement.to_numpy().tolist(), strict=True)
    ]
    compared = f"{format_count(min(customer_count, MOST_COMPARED))} of {plural(customer_count, 'customer')}"
    yield "## Agreement"
    yield f"Adjusted Rand index on {compared}: 1 is the same partition, 0 what chance gives. Noise counts as a group."
    yield markdown_table(("", *labels), rows)
