"""The slide that compares the candidate segmentations: scores with the coverage and the sample they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from segmentation_assets.reporting.formatting import UNKNOWN, format_count, format_month, format_share, is_known
from segmentation_assets.reporting.slide_canvas import MUTED, Canvas, line_height
from segmentation_assets.reporting.slide_parts import EDGE, draw_frame, model_words
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

FIRST, PASSED, FAILED = "#2d6dee", "#8aaef2", "#b4bbc4"

_TOP, _BOTTOM = 0.68, 0.115
_BAR_LENGTH = 0.075


class _Measure(NamedTuple):
    """A column with a bar from 0 to 1: heading, column of the leaderboard, place, and whether it is a share."""

    heading: str
    column: str
    x: float
    is_share: bool


_MEASURES = (
    _Measure("Silhouette", "silhouette", 0.235, is_share=False),
    _Measure("Stability", "stability", 0.385, is_share=False),
    _Measure("Coverage", "coverage", 0.535, is_share=True),
    _Measure("Smallest\nsegment", "smallest_segment_share", 0.685, is_share=True),
)
_CLUSTERS_AT, _SAMPLE_AT = 0.865, 1 - EDGE


def candidates_title(board: pd.DataFrame) -> str:
    """Say which candidate ranks first, or that none passed.

    Parameters
    ----------
    board : DataFrame
        Rows of ``clusters/leaderboard``.
    """
    fitted = board[~_is_baseline(board)]
    if not len(fitted):
        return "No algorithm was tried this month; only the RFM map was scored"
    ranked = fitted[fitted["passed_gates"].astype(bool) & fitted["rank"].notna()].sort_values("rank")
    if not len(ranked):
        return "No candidate passed every gate: there is no usable clustering this month"
    best = ranked.iloc[0]
    name = algorithm_label(str(best["candidate"]))
    if len(fitted) == 1:
        return f"{name}, the only algorithm tried, passes every gate with a silhouette of {_score(best['silhouette'])}"
    return f"{name} ranks first of {len(fitted)} algorithms with a silhouette of {_score(best['silhouette'])}"


def draw_candidates(canvas: Canvas, snapshot: Snapshot) -> None:
    """Draw a row per candidate: bars of the scores, number of clusters and customers scored."""
    board = snapshot.leaderboard.assign(is_baseline=_is_baseline(snapshot.leaderboard))
    rows = board.sort_values(["is_baseline", "rank", "candidate"], na_position="last")
    subtitle = (
        f"{format_month(snapshot.month)} · bars from 0 to 1; the silhouette favours round clusters and counts "
        "noise as a group"
    )
    draw_frame(canvas, candidates_title(board), subtitle, model_words(snapshot))
    step = min((_TOP - _BOTTOM) / len(rows), 0.12)
    for measure in _MEASURES:
        _write_heading(canvas, measure.x, measure.heading, ha="left")
        canvas.rule((measure.x, measure.x), (_TOP - step * len(rows), _TOP))
    _write_heading(canvas, _CLUSTERS_AT, "Clusters", ha="right")
    _write_heading(canvas, _SAMPLE_AT, "Customers\nscored", ha="right")
    for position, row in enumerate(rows.to_dict("records")):
        _draw_row(canvas, row, _TOP - step * (position + 0.5), step)


def _write_heading(canvas: Canvas, x: float, heading: str, *, ha: str) -> None:
    """Write the heading of a column so that its last line stands just above the rows."""
    y = _TOP + 0.005 + line_height(14) * (heading.count("\n") + 1) / 2
    canvas.write(x, y, heading, size=14, is_bold=True, ha=ha)


def _draw_row(canvas: Canvas, row: dict[Any, Any], y: float, step: float) -> None:
    size = 15 if step > 0.065 else 13
    colour = FAILED if not _is_ranked(row) else FIRST if row["rank"] == 1 else PASSED
    lift = step * 0.16 if step > 0.055 else 0.0
    name = canvas.wrap(algorithm_label(str(row["candidate"])), size, width=0.18, lines=1, is_bold=True)
    canvas.write(EDGE, y + lift, name, size=size, is_bold=True)
    if lift:
        canvas.write(EDGE, y - step * 0.22, _verdict(row), size=12, colour=MUTED)
    for measure in _MEASURES:
        value = row.get(measure.column)
        length = float(value) * _BAR_LENGTH if is_known(value) else 0.0  # type: ignore[arg-type]
        canvas.bar(measure.x, y, length, step * 0.5, colour)
        written = format_share(value) if measure.is_share else _score(value)
        canvas.write(measure.x + max(length, 0.0) + 0.006, y, written, size=size)
    canvas.write(_CLUSTERS_AT, y, format_count(row["n_clusters"]), size=size, ha="right")
    canvas.write(_SAMPLE_AT, y, _sample_words(row), size=size, ha="right")


def _is_baseline(board: pd.DataFrame) -> pd.Series:
    if "is_baseline" in board.columns:
        return board["is_baseline"].astype(bool)
    return board["candidate"].isna()


def _is_ranked(row: dict[Any, Any]) -> bool:
    return bool(row["passed_gates"]) and is_known(row["rank"])


def _verdict(row: dict[Any, Any]) -> str:
    if row["is_baseline"]:
        return "baseline, not ranked"
    return f"rank {int(row['rank'])}" if _is_ranked(row) else "fails a gate"


def _sample_words(row: dict[Any, Any]) -> str:
    """Write how many customers the scores were computed on."""
    sample = row.get("score_sample_count")
    return format_count(sample) if is_known(sample) else UNKNOWN


def _score(value: object) -> str:
    """Write a score with two decimals."""
    if not is_known(value):
        return UNKNOWN
    text = f"{float(value):.2f}"  # type: ignore[arg-type]
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")
