"""Colours of segments: the same for a segment key in every chart, file and month."""

from __future__ import annotations

import re

SEGMENT_COLOURS = (
    "#2d6dee",
    "#c36d14",
    "#14c48e",
    "#7e4a7f",
    "#bab714",
    "#a089ee",
    "#5ebeda",
    "#c53a57",
    "#7143bb",
    "#735714",
    "#c479a7",
    "#178979",
)
"""Twelve colours that stay apart with normal, red-blind and green-blind vision, on white and on near-black."""

SEGMENT_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")
UNKNOWN_COLOUR = "#8b929c"


def segment_number(segment_key: str) -> int:
    """Return the number in a segment key, 1 for S001; 0 where it has none.

    Example
    -------
    >>> segment_number("S012")
    12
    """
    digits = re.findall(r"\d+", segment_key)
    return int(digits[-1]) if digits else 0


def segment_colour(segment_key: str) -> str:
    """Return the colour of a segment key; colours repeat after the twelfth, symbols then differ.

    Example
    -------
    >>> segment_colour("S001") == segment_colour("S013")
    True
    """
    number = segment_number(segment_key)
    return SEGMENT_COLOURS[(number - 1) % len(SEGMENT_COLOURS)] if number else UNKNOWN_COLOUR


def segment_symbol(segment_key: str) -> str:
    """Return the marker of a segment key in scatter charts, which tells keys of the same colour apart."""
    number = max(segment_number(segment_key), 1)
    return SEGMENT_SYMBOLS[(number - 1) // len(SEGMENT_COLOURS) % len(SEGMENT_SYMBOLS)]


def cluster_colour(cluster: int) -> str:
    """Return the colour of a cluster number, which is no segment; colours repeat after the twelfth, noise is grey.

    Example
    -------
    >>> cluster_colour(0) == cluster_colour(12), cluster_colour(-1)
    (True, '#8b929c')
    """
    return SEGMENT_COLOURS[cluster % len(SEGMENT_COLOURS)] if cluster >= 0 else UNKNOWN_COLOUR
