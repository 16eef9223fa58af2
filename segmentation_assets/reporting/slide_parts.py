"""What every slide has: a title that states the finding, what it rests on below, and the model in force at the foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.reporting.formatting import format_date, format_month
from segmentation_assets.reporting.slide_canvas import MUTED, Canvas, line_height
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot

EDGE = 0.045
"""Margin on both sides, as part of the page's width."""

_TITLE_SIZE, _SUBTITLE_SIZE, _FOOT_SIZE = 25, 15, 12
_SUBTITLE_AT, _FOOT_AT = 0.815, 0.042


def draw_frame(canvas: Canvas, title: str, subtitle: str, foot: str) -> None:
    """Write title, subtitle and foot; a title of one line stands as close to the subtitle as one of two."""
    width = 1 - 2 * EDGE
    wrapped = canvas.wrap(title, _TITLE_SIZE, width=width, lines=2, is_bold=True)
    middle = _SUBTITLE_AT + line_height(_SUBTITLE_SIZE) + line_height(_TITLE_SIZE) * (wrapped.count("\n") + 1) / 2
    canvas.write(EDGE, middle, wrapped, size=_TITLE_SIZE, is_bold=True)
    lines = ((_SUBTITLE_AT, subtitle, _SUBTITLE_SIZE), (_FOOT_AT, foot, _FOOT_SIZE))
    for y, text, size in lines:
        canvas.write(EDGE, y, canvas.wrap(text, size, width=width, lines=1), size=size, colour=MUTED)


def model_words(snapshot: Snapshot) -> str:
    """Say which model is in force and up to which day the month reads."""
    as_of = f"Data before {format_date(snapshot.as_of_date)}"
    if not len(snapshot.champion):
        return f"{as_of}. There is no segmentation in force."
    trained = format_month(str(snapshot.champion["trained_month"].iloc[0]))
    made = "cut at the quintiles" if snapshot.algorithm == BASELINE else "fitted on the customers"
    return f"{as_of}. Segments: {algorithm_label(snapshot.algorithm)}, {made} of {trained}."
