"""Pictures of models: calibration, lift and gain of churn, and orders tracked over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from segmentation_assets.reporting.model_cards import CANDIDATES
from segmentation_assets.reporting.palette import SEGMENT_COLOURS
from segmentation_assets.reporting.panels import entitle, open_panels, to_png
from segmentation_assets.reporting.slide_canvas import RULE, TEXT

Rows = Sequence[Mapping[str, Any]]

_LINE = "#2f6db5"
_IMPORTANT = 12


def draw_churn(details: Mapping[str, Any]) -> bytes:
    """Draw calibration, lift, gain and the features that matter most, as PNG."""
    drawings: list[Callable[[Any], None]] = [
        lambda axes: _draw_calibration(axes, details["calibration"]),
        lambda axes: _draw_gain(axes, details["lift"]),
        lambda axes: _draw_lift(axes, details["lift"]),
        lambda axes: _draw_importance(axes, details["importance"]),
    ]
    with open_panels(len(drawings), columns=2, width=4.2, height=2.9, left=1.7) as (figure, panels):
        for draw, axes in zip(drawings, panels, strict=True):
            draw(axes)
        return to_png(figure)


def draw_tracking(details: Mapping[str, Any]) -> bytes:
    """Draw expected and observed repeat order days of the customers known at the holdout, as PNG."""
    tracking = details["tracking"]
    with open_panels(2, columns=1, width=7.5, height=2.9) as (figure, panels):
        for axes, prefix, title in (
            (panels[0], "cumulative_", "Repeat order days, cumulative"),
            (panels[1], "", "Repeat order days by week"),
        ):
            weeks = [row["period_end"] / 7 for row in next(iter(tracking.values()))]
            observed = [row[f"{prefix}observed_order_count"] for row in next(iter(tracking.values()))]
            axes.plot(weeks, observed, color=TEXT, linewidth=1.6, label="Observed")
            for (name, rows), colour in zip(tracking.items(), SEGMENT_COLOURS, strict=False):
                expected = [row[f"{prefix}expected_order_count"] for row in rows]
                axes.plot(weeks, expected, color=colour, linewidth=1.2, label=CANDIDATES.get(name, name))
            axes.axvline(weeks[-1] - details["horizon_days"] / 7, color=RULE, linewidth=1, linestyle="--")
            axes.set_ylim(bottom=0)
            axes.legend(fontsize=7.5, frameon=False, loc="upper left")
            entitle(axes, f"{title}; right of the line nothing was known", "Weeks since the first order")
        return to_png(figure)


def _draw_calibration(axes: Any, rows: Rows) -> None:
    foretold, found = ([row[name] for row in rows] for name in ("mean_probability", "found_share"))
    below = [row["found_share"] - row["found_lower"] for row in rows]
    above = [row["found_upper"] - row["found_share"] for row in rows]
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    axes.errorbar(foretold, found, yerr=[below, above], color=_LINE, fmt="o-", markersize=4, linewidth=1, capsize=2)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    entitle(axes, "Calibration, tenths of the test customers", "Foretold share", "Found share")


def _draw_gain(axes: Any, rows: Rows) -> None:
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    shares, gains = ([0.0, *(row[name] for row in rows)] for name in ("customer_share", "gain"))
    axes.plot(shares, gains, color=_LINE, marker="o", markersize=4, linewidth=1.2)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    entitle(axes, "Gain, from the highest probability on", "Share of customers", "Share of churners found")


def _draw_lift(axes: Any, rows: Rows) -> None:
    places = range(1, len(rows) + 1)
    axes.bar(list(places), [row["lift"] for row in rows], color=_LINE, width=0.7)
    axes.set_xticks(list(places))
    axes.axhline(1, color=TEXT, linewidth=0.8, linestyle="--")
    entitle(axes, "Lift by tenths", "Tenth, highest probabilities first", "Times the base rate")


def _draw_importance(axes: Any, rows: Rows) -> None:
    shown = list(rows)[:_IMPORTANT][::-1]
    places = range(len(shown))
    axes.barh(list(places), [row["importance"] for row in shown], xerr=[row["importance_sd"] for row in shown],
              color=_LINE, height=0.65, error_kw={"linewidth": 0.8})  # fmt: skip
    axes.set_yticks(list(places), [row["feature"][:26] for row in shown])
    entitle(axes, "What shuffling a feature costs", "Loss of AUC")
