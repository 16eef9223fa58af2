"""Figures for slides, as PNG: size and money of the segments, the map of customers, the comparison of candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from segmentation_assets.config.settings import MapSettings
from segmentation_assets.errors import plural
from segmentation_assets.reporting.figures import describe_axis
from segmentation_assets.reporting.formatting import (
    format_count,
    format_money_compact,
    format_month,
    format_share,
    join_words,
)
from segmentation_assets.reporting.palette import segment_colour, segment_symbol
from segmentation_assets.reporting.projection import PRINCIPAL_COMPONENTS, CustomerMap, project_customers
from segmentation_assets.reporting.segment_cards import SegmentCard, describe_segments
from segmentation_assets.reporting.slide_candidates import draw_candidates
from segmentation_assets.reporting.slide_canvas import MUTED, RULE, Canvas, Slide, drawable, new_canvas
from segmentation_assets.reporting.slide_parts import EDGE, draw_frame, model_words

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot

MOST_POINTS = 5_000
MOST_SEGMENTS = 14
TITLE_NAME = 26

_BAR_LENGTH = 0.155
_NAME_WIDTH = 0.205
_CUSTOMERS_AT, _MONEY_AT = 0.29, 0.645
_TOP, _BOTTOM = 0.70, 0.115
_MAP = (EDGE + 0.025, 0.13, 0.60, 0.625)
_MARKERS = {"circle": "o", "diamond": "D", "square": "s", "triangle-up": "^", "cross": "P"}


def render_slides(
    snapshot: Snapshot, *, map_points: int, map_settings: MapSettings = PRINCIPAL_COMPONENTS
) -> tuple[Slide, ...]:
    """Draw the figures of one month.

    Parameters
    ----------
    snapshot : Snapshot
        The month.
    map_points : int
        Customers drawn on the map at most; never more than 5,000.
    map_settings : MapSettings

    Returns
    -------
    tuple of Slide
        ``segments.png``; ``customer_map.png`` unless there is no matrix to project; ``candidates.png`` unless nothing
        was scored. The same input gives the same bytes.
    """
    cards = describe_segments(snapshot)
    customer_map = project_customers(snapshot, n_points=min(map_points, MOST_POINTS), settings=map_settings)
    drawings: dict[str, Callable[[Canvas], None]] = {"segments.png": lambda page: draw_segments(page, snapshot, cards)}
    if customer_map is not None:
        drawings["customer_map.png"] = lambda page: draw_map(page, snapshot, cards, customer_map)
    if len(snapshot.leaderboard):
        drawings["candidates.png"] = lambda page: draw_candidates(page, snapshot)
    return tuple(_render(name, draw) for name, draw in drawings.items())


def _render(name: str, draw: Callable[[Canvas], None]) -> Slide:
    with new_canvas() as canvas:
        draw(canvas)
        return canvas.to_slide(name)


def segments_title(cards: Sequence[SegmentCard]) -> str:
    """Say which segment is the largest and which brings most money.

    Parameters
    ----------
    cards : sequence of SegmentCard
        All segments of the model in force.
    """
    present = [card for card in cards if card.customer_count]
    if not present:
        return "No customer has a segment"
    largest = max(present, key=lambda card: (card.customer_count, card.net_revenue_amount))
    name = _short(largest.name)
    if len(present) == 1:
        return f"All customers are in one segment: {name}"
    size = f"{name} is the largest segment with {format_share(largest.customer_share, digits=0)} of customers"
    with_money = [card for card in present if card.net_revenue_share is not None]
    if not with_money:
        return f"{size}; there is no net revenue to share out"
    richest = max(with_money, key=lambda card: card.net_revenue_amount)
    money = format_share(richest.net_revenue_share, digits=0)
    if richest.key == largest.key:
        return f"{size} and brings most net revenue, {money}"
    return f"{size}; {_short(richest.name)} brings most net revenue, {money}"


def _short(name: str) -> str:
    """Cut a name so that a title has room for two."""
    return name if len(name) <= TITLE_NAME else f"{name[: TITLE_NAME - 1].rstrip()}…"


def draw_segments(canvas: Canvas, snapshot: Snapshot, cards: Sequence[SegmentCard]) -> None:
    """Draw a pair of bars per segment: its share of customers and of net revenue, on one scale."""
    total = sum(card.net_revenue_amount for card in cards)
    subtitle = (
        f"{format_month(snapshot.month)}{' (unfinished)' if snapshot.is_partial else ''} · "
        f"{plural(len(snapshot.assigned), 'customer')} · "
        f"{format_money_compact(total, snapshot.currency)} net revenue {snapshot.lookback}"
    )
    draw_frame(canvas, segments_title(cards), subtitle, model_words(snapshot))
    ordered = sorted(cards, key=lambda card: (-card.customer_count, -card.net_revenue_amount, card.key))
    shown = ordered[:MOST_SEGMENTS]
    shares = [share for card in shown for share in (card.customer_share, card.net_revenue_share or 0.0)]
    longest, lowest = max([*shares, 0.01]), min([*shares, 0.0])
    scale = _BAR_LENGTH / (longest - lowest)
    zero = -lowest * scale
    step = min((_TOP - _BOTTOM) / max(len(shown), 1), 0.12)
    for x, heading in ((_CUSTOMERS_AT, "Customers"), (_MONEY_AT, "Net revenue")):
        canvas.write(x + zero, _TOP + 0.045, heading, size=15, is_bold=True)
        canvas.rule((x + zero, x + zero), (_TOP - step * len(shown), _TOP + 0.01))
    for position, card in enumerate(shown):
        _draw_segment(canvas, snapshot.currency, card, _TOP - step * (position + 0.5), step, scale, zero)
    _write_left_out(canvas, EDGE, len(ordered) - len(shown))


def _write_left_out(canvas: Canvas, x: float, count: int) -> None:
    """Say how many segments found no room."""
    if count:
        canvas.write(x, _BOTTOM - 0.02, f"and {plural(count, 'smaller segment')}", size=12, colour=MUTED)


def _draw_segment(
    canvas: Canvas, currency: str, card: SegmentCard, y: float, step: float, scale: float, zero: float
) -> None:
    """Write a segment's name and draw its two bars with their values."""
    size = 15 if step > 0.06 else 13
    colour = segment_colour(card.key)
    name = canvas.wrap(card.name, size, width=_NAME_WIDTH, lines=2 if step > 0.075 else 1)
    canvas.bar(EDGE, y, 0.006, step * 0.62, colour)
    canvas.write(EDGE + 0.017, y, name, size=size)
    parts = (
        (_CUSTOMERS_AT, card.customer_share, format_count(card.customer_count)),
        (_MONEY_AT, card.net_revenue_share, format_money_compact(card.net_revenue_amount, currency)),
    )
    for x, share, words in parts:
        length = (share or 0.0) * scale
        canvas.bar(x + zero, y, length, step * 0.62, colour)
        label = format_share(share).replace("-", "−") if share is not None else ""
        at = x + zero + max(length, 0.0) + 0.008
        canvas.write(at, y, label, size=size, is_bold=True)
        gap = canvas.width(label, size, is_bold=True) + 0.01 if label else 0.0
        canvas.write(at + gap, y, words, size=size - 1, colour=MUTED)


def map_title(customer_map: CustomerMap) -> str:
    """Say in which features customers differ most, those that weigh most on the first component, if there is one."""
    if not customer_map.loadings:
        return "Customers who behave alike lie close together"
    labels = [label for label, _ in customer_map.loadings[0][:2]]
    return f"Customers differ most in {join_words([f'{label[:1].lower()}{label[1:]}' for label in labels])}"


def draw_map(canvas: Canvas, snapshot: Snapshot, cards: Sequence[SegmentCard], customer_map: CustomerMap) -> None:
    """Draw customers in the plane, the largest segment first."""
    drawn, everyone = customer_map.facts.drawn_count, customer_map.facts.customer_count
    who = (
        f"all {plural(drawn, 'customer')}" if drawn == everyone else f"a sample of {drawn:,} of {everyone:,} customers"
    )
    subtitle = f"{format_month(snapshot.month)} · {who} · {_layout_words(customer_map)}"
    draw_frame(canvas, map_title(customer_map), subtitle, model_words(snapshot))
    present = sorted((card for card in cards if card.customer_count), key=lambda card: (-card.customer_count, card.key))
    _scatter(canvas, present, customer_map)
    across, up = (
        _axis_words(canvas, number, customer_map, width) for number, width in ((0, _MAP[2]), (1, _MAP[3] * 9 / 16))
    )
    canvas.write(_MAP[0] + _MAP[2] / 2, _MAP[1] - 0.03, across, size=13, colour=MUTED, ha="center")
    canvas.write_upwards(EDGE + 0.008, _MAP[1] + _MAP[3] / 2, up, size=13, colour=MUTED)
    _write_legend(canvas, present)


def _layout_words(customer_map: CustomerMap) -> str:
    facts = customer_map.facts
    if facts.method == "tsne":
        return f"t-SNE, perplexity {facts.perplexity:.3g}, seed {facts.seed}"
    return f"the two directions hold {format_share(sum(facts.variance_shares), digits=0)} of the variance"


def _axis_words(canvas: Canvas, axis: int, customer_map: CustomerMap, width: float) -> str:
    """Say what an axis holds, with as many of its columns as there is room for."""
    if not customer_map.loadings:
        return customer_map.facts.axis_titles[axis]
    loadings = customer_map.loadings[axis]
    head = f"Component {axis + 1} ({format_share(customer_map.facts.variance_shares[axis], digits=0)})"
    texts = [f"{head}: {describe_axis(loadings[:count])}" for count in range(len(loadings), 0, -1)]
    return next((text for text in texts if canvas.width(drawable(text), 13) <= width), head)


def _scatter(canvas: Canvas, present: Sequence[SegmentCard], customer_map: CustomerMap) -> None:
    points = customer_map.points
    axes = canvas.figure.add_axes(_MAP)
    axes.set(xticks=[], yticks=[], facecolor="#fafbfc")
    axes.margins(0.03)
    for spine in axes.spines.values():
        spine.set_color(RULE)
    size = 26 if len(points) <= 2_000 else 13
    for card in present:
        rows = points[points["segment_key"] == card.key]
        axes.scatter(
            rows["x"],
            rows["y"],
            s=size,
            color=segment_colour(card.key),
            marker=_MARKERS[segment_symbol(card.key)],
            alpha=0.65,
            linewidths=0,
        )


def _write_legend(canvas: Canvas, present: Sequence[SegmentCard]) -> None:
    """List the segments by size, with marker, name and share of customers."""
    left, top = 0.70, 0.755
    shown = present[:MOST_SEGMENTS]
    step = min(0.082, (top - _BOTTOM - 0.025) / max(len(shown), 1))
    size = 14 if step > 0.06 else 12
    canvas.write(left, top - 0.012, "Share of customers", size=13, colour=MUTED)
    for position, card in enumerate(shown):
        y = top - 0.025 - step * (position + 0.6)
        marker = _MARKERS[segment_symbol(card.key)]
        canvas.page.plot([left + 0.006], [y], marker, color=segment_colour(card.key), markersize=10)
        name = canvas.wrap(card.name, size, width=0.18, lines=2 if step > 0.06 else 1)
        canvas.write(left + 0.022, y, name, size=size)
        canvas.write(1 - EDGE, y, format_share(card.customer_share), size=size, is_bold=True, ha="right")
    _write_left_out(canvas, left, len(present) - len(shown))
