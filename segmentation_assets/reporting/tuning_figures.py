"""Pictures of a search for better settings: its trials one after the other, and which settings mattered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from segmentation_assets.errors import plural
from segmentation_assets.prediction.tuning_patch import TuningBasis
from segmentation_assets.prediction.tuning_scores import Tried, Verdict
from segmentation_assets.reporting.formatting import format_share
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, UNKNOWN_COLOUR
from segmentation_assets.reporting.slide_canvas import MUTED, RULE, TEXT, Canvas, new_canvas
from segmentation_assets.reporting.slide_parts import EDGE, draw_frame

_TRIAL, _BEST = SEGMENT_COLOURS[0], SEGMENT_COLOURS[1]
_PLOT = (0.085, 0.15, 0.87, 0.585)
_MOST_BARS, _MOST_REASONS = 10, 6
_STANDS_OUT = 1.5
"""Times the share that each setting would have if all were alike, from which on one stands out."""
_LOWEST_SHOWN = 0.05
"""Quantile of the scores that the history begins at: a few trials far below would flatten the others."""


def draw_history(tried: Sequence[Tried], verdict: Verdict, basis: TuningBasis) -> bytes:
    """Draw the score of every trial, the best so far, and the settings in force with their standard error, as PNG.

    Parameters
    ----------
    tried : sequence of Tried
        In the order of their numbers.
    verdict : Verdict
    basis : TuningBasis
    """
    with new_canvas() as canvas:
        draw_frame(canvas, _history_title(verdict), _subtitle(basis), _history_foot(tried, verdict, basis))
        usable = [one for one in tried if one.is_usable]
        if usable:
            _plot_history(_open_axes(canvas), usable, tried, verdict, basis)
        else:
            _list_reasons(canvas, tried)
        return canvas.to_slide("history").png


def draw_importance(importance: Mapping[str, float], compared: Sequence[Tried], basis: TuningBasis) -> bytes:
    """Draw how much of the differences between scores each setting explains, as PNG.

    Parameters
    ----------
    importance : mapping of str to float
        Share by setting, the largest first; empty where it could not be measured.
    compared : sequence of Tried
        Trials that it was measured on.
    basis : TuningBasis
    """
    foot = "It takes ten usable trials of the same settings with different scores."
    if importance:
        algorithm = compared[0].draw.algorithm
        of_one = f" of {algorithm}" if algorithm else ""
        trials = f"{plural(len(compared), 'trial')}{of_one}"
        foot = f"Share of the differences between {trials} that a setting explains (fANOVA)."
    with new_canvas() as canvas:
        draw_frame(canvas, _importance_title(importance), _subtitle(basis), foot)
        if importance:
            _plot_importance(canvas, dict(list(importance.items())[:_MOST_BARS]))
        return canvas.to_slide("importance").png


def _importance_title(importance: Mapping[str, float]) -> str:
    if not importance:
        return "Too few trials to say which setting matters"
    name, share = next(iter(importance.items()))
    if len(importance) > 1 and share < _STANDS_OUT / len(importance):
        return "No setting stands out"
    return f"{name.rpartition('.')[2]} mattered most, {format_share(share, digits=0)} of what settings explain"


def _history_title(verdict: Verdict) -> str:
    best, current = verdict.best, verdict.current
    if best is None:
        return "No settings that were tried can be used"
    if verdict.is_better and current.is_usable:
        return f"Trial {best.number} beats the settings in force: {best.score:.4f} against {current.score:.4f}"
    if verdict.is_better:
        return f"Trial {best.number} reaches {best.score:.4f}; the settings in force cannot be used"
    if best is current:
        return f"No trial beats the settings in force, {current.score:.4f}"
    return f"No trial is clearly better than the settings in force: {best.score:.4f} beside {current.score:.4f}"


def _subtitle(basis: TuningBasis) -> str:
    return f"{basis.model}, {basis.month}: {basis.score_name} by {basis.folds} folds on {basis.customers}"


def _history_foot(tried: Sequence[Tried], verdict: Verdict, basis: TuningBasis) -> str:
    refused = sum(not one.is_usable for one in tried)
    if refused == len(tried):
        return f"{plural(refused, 'trial')}, with the most frequent reasons why they cannot be used. Seed {basis.seed}."
    crosses = f", {refused} of them not usable" if refused else ""
    covered = None if verdict.best is None else verdict.best.scores.facts.get("coverage")
    coverage = "" if covered is None else f" Coverage of the best {format_share(covered)}."
    words = f"{plural(len(tried), 'trial')}{crosses}. Bars and band: standard error over the folds."
    return f"{words}{coverage} Seed {basis.seed}."


def _open_axes(canvas: Canvas, place: tuple[float, float, float, float] = _PLOT) -> Any:
    axes = canvas.figure.add_axes(place)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(colors=MUTED, labelsize=13, length=3)
    return axes


def _plot_history(
    axes: Any, usable: Sequence[Tried], tried: Sequence[Tried], verdict: Verdict, basis: TuningBasis
) -> None:
    from matplotlib.ticker import MaxNLocator

    bottom, top = _score_limits(usable)
    current = verdict.current
    if current.is_usable:
        low, high = current.score - current.standard_error, current.score + current.standard_error
        axes.axhspan(low, high, color=UNKNOWN_COLOUR, alpha=0.15, linewidth=0)
        axes.axhline(current.score, color=UNKNOWN_COLOUR, linewidth=2, linestyle="--", label="Settings in force")
    numbers, scores = [one.number for one in usable], [one.score for one in usable]
    errors = [one.standard_error for one in usable]
    axes.errorbar(
        numbers, scores, yerr=errors, fmt="o", color=_TRIAL, markersize=7, elinewidth=1, alpha=0.75, label="Trial"
    )
    axes.step([*numbers, len(tried)], [*accumulate([*scores, scores[-1]], max)], where="post", color=_BEST,
              linewidth=2.5, label="Best so far")  # fmt: skip
    refused = [one.number for one in tried if not one.is_usable]
    if refused:
        place = bottom + 0.02 * (top - bottom)
        axes.plot(refused, [place] * len(refused), "x", color=MUTED, markersize=8, label="Cannot be used")
    below = [one.number for one in usable if one.score < bottom]
    if below:
        place = bottom + 0.02 * (top - bottom)
        axes.plot(below, [place] * len(below), "v", color=_TRIAL, markersize=8, label="Trial below")
    axes.set(ylim=(bottom, top), xlim=(0.5, len(tried) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
    axes.set_xlabel("Trial", fontsize=14, color=MUTED)
    axes.set_ylabel(basis.score_name.capitalize(), fontsize=14, color=MUTED)
    axes.legend(fontsize=13, frameon=False, labelcolor=TEXT, loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=5)


def _score_limits(usable: Sequence[Tried]) -> tuple[float, float]:
    """Return what the axis of scores shows: all but the worst trials, with room for the errors."""
    lows = sorted(one.score - one.standard_error for one in usable)
    low = min(lows[int(_LOWEST_SHOWN * len(lows))], usable[0].score - usable[0].standard_error)
    high = max(one.score + one.standard_error for one in usable)
    room = 0.08 * (high - low) or 0.01
    return low - 1.5 * room, high + room


def _plot_importance(canvas: Canvas, importance: Mapping[str, float]) -> None:
    left, width, top = 0.34, 0.52, 0.75
    step = min(0.1, (top - 0.1) / len(importance))
    largest = max(importance.values()) or 1.0
    for place, (name, share) in enumerate(importance.items()):
        y = top - step * (place + 0.5)
        canvas.write(left - 0.012, y, canvas.wrap(name, 14, width=left - EDGE - 0.02, lines=1), size=14, ha="right")
        canvas.bar(left, y, width * share / largest, 0.6 * step, _TRIAL)
        canvas.write(left + width * share / largest + 0.01, y, format_share(share, digits=0), size=14, is_bold=True)


def _list_reasons(canvas: Canvas, tried: Sequence[Tried]) -> None:
    """List why trials cannot be used, the most frequent reasons first."""
    counts = Counter(one.scores.reason for one in tried).most_common(_MOST_REASONS)
    for place, (reason, count) in enumerate(counts):
        y = 0.70 - 0.085 * place
        canvas.write(EDGE, y, f"{count} ×", size=15, is_bold=True)
        canvas.write(EDGE + 0.06, y, canvas.wrap(reason, 15, width=0.85, lines=2), size=15)
