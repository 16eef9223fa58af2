"""A white page of 16 × 9 to draw on, and how it becomes a PNG.

Places and lengths are parts of the page's width and height, from the lower left corner. Fonts come with matplotlib
and styles are its own defaults, so that a page has the same bytes whatever is installed or configured around it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from segmentation_assets.reporting.formatting import strip_control

INCHES = (40 / 3, 7.5)
PAGE_DPI = 144
THUMBNAIL_SIZE = (400, 225)
THUMBNAIL_COLOURS = 64

TEXT, MUTED, RULE = "#1b2129", "#59636f", "#d5dae0"

_FONTS = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_STYLE = {"text.parse_math": False, "text.usetex": False, "path.simplify": False}
_UNDRAWABLE = "?"
_ELLIPSIS = "…"

Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Slide:
    """A figure for slides: name of its file, the PNG of 1920 × 1080 pixels, and a small PNG of the same page."""

    name: str
    png: bytes
    thumbnail: bytes


@dataclass(frozen=True)
class Canvas:
    """One page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    page : matplotlib.axes.Axes
        Axes over the whole page, both from 0 to 1.
    renderer : matplotlib renderer
        Measures texts.
    """

    figure: Any
    page: Any
    renderer: Any

    def write(
        self, x: float, y: float, text: str, *, size: float, is_bold: bool = False, colour: str = TEXT, **options: Any
    ) -> None:
        """Write the lines of a text with their middle at `y`, by default to the right of `x`.

        Lines stand on their baselines, so that texts beside each other are level whatever letters they have.
        """
        lines = drawable(text).split("\n")
        for number, line in enumerate(lines):
            above = (len(lines) - 1) / 2 - number
            middle = y + above * line_height(size) - 0.26 * line_height(size)
            font = _font(size, is_bold=is_bold)
            self.page.text(x, middle, line, color=colour, fontproperties=font, **{"va": "baseline", **options})

    def write_upwards(self, x: float, y: float, text: str, *, size: float, colour: str = TEXT) -> None:
        """Write a line that runs from bottom to top, centred on a place."""
        font = _font(size, is_bold=False)
        place = {"ha": "center", "va": "center", "rotation": 90}
        self.page.text(x, y, drawable(text), color=colour, fontproperties=font, **place)

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle whose left edge is at `x` and whose middle is at `y`; a negative width goes left."""
        from matplotlib.patches import Rectangle

        self.page.add_patch(Rectangle((x, y - height / 2), width, height, facecolor=colour, edgecolor="none"))

    def rule(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Draw a thin line."""
        self.page.plot(x, y, color=RULE, linewidth=1.2, solid_capstyle="butt", zorder=0)

    def width(self, text: str, size: float, *, is_bold: bool = False) -> float:
        """Width of a line as part of the page's width."""
        drawn, _, _ = self.renderer.get_text_width_height_descent(text, _font(size, is_bold=is_bold), ismath=False)
        return float(drawn) / (INCHES[0] * PAGE_DPI)

    def wrap(self, text: str, size: float, *, width: float, lines: int, is_bold: bool = False) -> str:
        """Break a text into `lines` lines of at most `width`; what does not fit gives way to an ellipsis."""

        def fits(line: str) -> bool:
            return self.width(line, size, is_bold=is_bold) <= width

        broken: list[str] = [""]
        for word in drawable(text).split():
            joined = f"{broken[-1]} {word}".strip()
            if fits(joined):
                broken[-1] = joined
            elif len(broken) == lines:
                broken[-1] = _shorten(joined, fits)
                break
            elif broken[-1]:
                broken.append(word if fits(word) else _shorten(word, fits))
            else:
                broken[-1] = _shorten(word, fits)
        return "\n".join(broken)

    def to_slide(self, name: str) -> Slide:
        """Render the page; the same page gives the same bytes."""
        target = io.BytesIO()
        self.figure.savefig(target, format="png", dpi=PAGE_DPI, facecolor="white", metadata={"Software": None})
        return Slide(name, target.getvalue(), shrink_png(target.getvalue()))


def shrink_png(png: bytes) -> bytes:
    """Make a small picture of a page, in few colours so that it weighs little."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as page:
        small = page.convert("RGB").resize(THUMBNAIL_SIZE, Image.Resampling.LANCZOS)
    target = io.BytesIO()
    few = small.quantize(THUMBNAIL_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(target, format="png", optimize=True)
    return target.getvalue()


def line_height(size: float) -> float:
    """Height of a line of text as part of the page's height; `size` is in points.

    Example
    -------
    >>> round(line_height(18), 4)
    0.0433
    """
    return size * 1.3 / 72 / INCHES[1]


@contextmanager
def own_style() -> Iterator[None]:
    """Draw with matplotlib's own defaults, whatever is configured around, and texts as they are."""
    import matplotlib as mpl

    own: Any = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")} | _STYLE
    with mpl.rc_context(own):
        yield


@contextmanager
def new_canvas() -> Iterator[Canvas]:
    """Open an empty page, drawn without a screen and with matplotlib's own defaults."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with own_style():
        figure = Figure(figsize=INCHES, dpi=PAGE_DPI)
        agg: Any = FigureCanvasAgg(figure)
        page = figure.add_axes((0, 0, 1, 1))
        page.set(xlim=(0, 1), ylim=(0, 1))
        page.set_axis_off()
        yield Canvas(figure, page, agg.get_renderer())


def drawable(text: str) -> str:
    """Return a text with what the font cannot draw replaced by question marks; line ends stay.

    Example
    -------
    >>> drawable("naïve 客")
    'naïve ?'
    """
    known = _characters()
    return "".join(mark if mark == "\n" or ord(mark) in known else _UNDRAWABLE for mark in strip_control(text))


def _shorten(line: str, fits: Any) -> str:
    """Cut a line so that it fits with an ellipsis at its end."""
    while line and not fits(f"{line}{_ELLIPSIS}"):
        line = line[:-1].rstrip()
    return f"{line}{_ELLIPSIS}"


@lru_cache(maxsize=64)
def _font(size: float, *, is_bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=_font_path(is_bold=is_bold), size=size)


def _font_path(*, is_bold: bool) -> str:
    import matplotlib as mpl

    return f"{mpl.get_data_path()}/fonts/ttf/{_FONTS[is_bold]}"


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Code points that both fonts can draw."""
    from matplotlib.ft2font import FT2Font

    return frozenset.intersection(
        *(frozenset(FT2Font(_font_path(is_bold=is_bold)).get_charmap()) for is_bold in (False, True))
    )
