"""Small pictures of several panels, drawn without a screen and with the same bytes everywhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from segmentation_assets.reporting.slide_canvas import MUTED, RULE, TEXT, own_style

DPI = 110
TICKS = 5

_RIGHT, _TOP, _BOTTOM = 0.2, 0.45, 0.55
"""Inches around each panel, for its labels."""


@contextmanager
def open_panels(
    count: int, *, columns: int, width: float, height: float, left: float = 0.65
) -> Iterator[tuple[Any, list[Any]]]:
    """Open a picture with a grid of panels.

    Parameters
    ----------
    count : int
        Panels, at least one.
    columns : int
        Panels beside each other at most.
    width, height : float
        Of the drawn part of a panel, in inches.
    left : float
        Inches to its left, for the labels of its rows.

    Yields
    ------
    figure : matplotlib.figure.Figure
    panels : list of matplotlib.axes.Axes
        From the upper left to the lower right.
    """
    from matplotlib.figure import Figure

    across = min(count, columns)
    down = -(-count // across)
    cell = (left + width + _RIGHT, _TOP + height + _BOTTOM)
    page = (cell[0] * across, cell[1] * down)
    with own_style():
        figure = Figure(figsize=page, dpi=DPI)
        panels = []
        for place in range(count):
            x = (place % across) * cell[0] + left
            y = page[1] - (place // across + 1) * cell[1] + _BOTTOM
            rectangle = (x / page[0], y / page[1], width / page[0], height / page[1])
            panels.append(tidy(figure.add_axes(rectangle)))
        yield figure, panels


def tidy(axes: Any) -> Any:
    """Take what is not needed off a panel, and draw few ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(RULE)
    axes.tick_params(colors=MUTED, labelsize=8, length=2)
    axes.locator_params(nbins=TICKS)
    return axes


def entitle(axes: Any, title: str, x: str = "", y: str = "") -> None:
    """Write title and axis labels of a panel; the place of the title is given, as finding one takes long."""
    axes.set_title(title, loc="left", y=1.02, pad=2, fontsize=9.5, fontweight="bold", color=TEXT)
    axes.set_xlabel(x, fontsize=8, color=MUTED)
    axes.set_ylabel(y, fontsize=8, color=MUTED)


def to_png(figure: Any) -> bytes:
    """Render a picture; the same picture gives the same bytes."""
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return target.getvalue()
