"""Charts of the dashboard as plain plotly dictionaries, and how they are put safely into a page.

Figures carry no colours of text, grid or background: the page sets them for light and dark.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from segmentation_assets.reporting.formatting import format_month_short, format_share, strip_control
from segmentation_assets.reporting.palette import UNKNOWN_COLOUR, segment_colour, segment_symbol
from segmentation_assets.segments.migration import is_segment

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.projection import CustomerMap

Figure = dict[str, Any]
Measure = Literal["customer_count", "net_revenue_amount"]

_JSON_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def plotly_text(text: str) -> str:
    """Make a text from data inert in plotly, which reads some HTML tags as markup.

    Example
    -------
    >>> plotly_text("<b>A & B</b>")
    '&lt;b&gt;A &amp; B&lt;/b&gt;'
    """
    return html.escape(strip_control(text), quote=False)


def embed_json(value: object) -> str:
    r"""Write a value as JSON that cannot end the script element it stands in.

    Raises
    ------
    ValueError
        If a number is not finite.

    Example
    -------
    >>> embed_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.translate(_JSON_ESCAPES)


def build_map_figure(customer_map: CustomerMap) -> Figure:
    """Draw customers in the plane, a trace per segment.

    The largest segment is drawn first, so that small ones stay visible. The hover text names the segment and the
    RFM cell, never the customer.
    """
    points = customer_map.points
    sizes = points["segment_key"].value_counts()
    keys = sorted(sizes.index, key=lambda key: (-int(sizes[key]), str(key)))
    right, up = customer_map.facts.axis_titles
    return {
        "data": [_map_trace(points[points["segment_key"] == key], str(key), len(points)) for key in keys],
        "layout": {
            "xaxis": {"title": {"text": right}, "zeroline": False},
            "yaxis": {"title": {"text": up}, "zeroline": False},
            "hovermode": "closest",
        },
    }


def _map_trace(rows: pd.DataFrame, key: str, n_points: int) -> Figure:
    """Draw the customers of one segment."""
    name = plotly_text(str(rows["segment_name"].iloc[0]))
    hover = [
        f"<b>{plotly_text(key)} {name}</b>" + (f"<br>RFM: {plotly_text(str(cell))}" if isinstance(cell, str) else "")
        for cell in rows["rfm_segment"]
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "meta": {"segment": key},
        "x": rows["x"].tolist(),
        "y": rows["y"].tolist(),
        "marker": {
            "color": segment_colour(key),
            "symbol": segment_symbol(key),
            "size": 7 if n_points <= 2000 else 5,
            "opacity": 0.7,
            "line": {"width": 0},
        },
        "hoverinfo": "text",
        "hovertext": hover,
    }


def build_shares_figure(shares: pd.DataFrame, measure: Measure) -> Figure:
    """Stack each segment's share of customers or of money over the snapshots.

    Parameters
    ----------
    shares : DataFrame
        `month`, `segment_key`, `segment_name`, `customer_count`, `net_revenue_amount`.
    measure : {"customer_count", "net_revenue_amount"}
        What is shared out. Where a month's total is not positive its bars are left out.
    """
    rows = shares.assign(
        month=shares["month"].astype(str).str[:7],
        segment_key=shares["segment_key"].astype(str),
        value=shares[measure].astype("float64"),
    )
    wide = rows.pivot_table(index="month", columns="segment_key", values="value", aggfunc="sum").sort_index()
    totals = wide.sum(axis=1)
    parts = wide.div(totals.where(totals > 0), axis=0)
    names = dict(zip(rows["segment_key"], rows["segment_name"].astype(str), strict=True))
    months = [format_month_short(month) for month in parts.index]
    traces = [_shares_trace(key, names[key], months, parts[key].tolist()) for key in sorted(parts.columns)]
    return {
        "data": traces,
        "layout": {
            "barmode": "relative",
            "bargap": 0.35,
            "xaxis": {"type": "category", "showgrid": False, "nticks": 6, "tickangle": 0},
            "yaxis": {"tickformat": ".0%", "rangemode": "tozero", "range": _share_range(parts)},
            "hovermode": "closest",
        },
    }


def build_flows_figure(flows: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Draw where the customers of every place of the month before are now, as a Sankey diagram.

    Parameters
    ----------
    flows : DataFrame
        ``gold/segment_flows``; the step total is drawn.
    names : mapping of str to str
        Names by segment key; places without a segment are told in words.
    """
    total = flows[flows["step"] == "total"].sort_values(["from_place", "to_place"])
    sides = [sorted(total[name].unique(), key=_place_order) for name in ("from_place", "to_place")]
    nodes = [(side, place) for side, places in enumerate(sides) for place in places]
    numbers = {node: number for number, node in enumerate(nodes)}
    labels = [plotly_text(place_name(place, names)) for _, place in nodes]
    return {
        "data": [
            {
                "type": "sankey",
                "arrangement": "snap",
                "node": {
                    "label": labels,
                    "color": [segment_colour(place) if is_segment(place) else UNKNOWN_COLOUR for _, place in nodes],
                    "pad": 14,
                    "thickness": 16,
                    "line": {"width": 0},
                    "hoverinfo": "none",
                },
                "link": {
                    "source": [numbers[0, place] for place in total["from_place"]],
                    "target": [numbers[1, place] for place in total["to_place"]],
                    "value": total["customer_count"].astype(int).tolist(),
                    "color": [_veil(place) for place in total["from_place"]],
                    "customdata": [
                        f"{plotly_text(place_name(source, names))} → {plotly_text(place_name(target, names))}"
                        for source, target in zip(total["from_place"], total["to_place"], strict=True)
                    ],
                    "hovertemplate": "%{customdata}: %{value:,} customers<extra></extra>",
                },
            }
        ],
        "layout": {"hovermode": "closest"},
    }


_PLACES = {
    "absent": "not a customer",
    "no_purchases": "no purchases",
    "exceptional": "exceptional",
}


def place_name(place: str, names: Mapping[str, str]) -> str:
    """Name a place of a customer: a segment, or what stands for none.

    Example
    -------
    >>> place_name("S001", {"S001": "Best"}), place_name("absent", {})
    ('Best', 'not a customer')
    """
    return names.get(place) or _PLACES.get(place, place)


def _place_order(place: str) -> tuple[bool, str]:
    return not is_segment(place), place


def _veil(place: str) -> str:
    """Return the colour of a place, mostly transparent."""
    colour = segment_colour(place) if is_segment(place) else UNKNOWN_COLOUR
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.35)"


def _share_range(parts: pd.DataFrame) -> list[float]:
    """Return the axis range: 0 to 1, wider where returns make a share negative."""
    lowest = float(parts.clip(upper=0).sum(axis=1).min()) if len(parts) else 0.0
    highest = float(parts.clip(lower=0).sum(axis=1).max()) if len(parts) else 1.0
    return [round(min(lowest * 1.05, 0.0), 4), round(max(highest * 1.02, 1.0), 4)]


def _shares_trace(key: str, name: str, months: list[str], parts: list[float]) -> Figure:
    """Draw one segment's bars; months without it stay empty."""
    values = [None if part != part else round(part, 6) for part in parts]
    label = f"<b>{plotly_text(key)} {plotly_text(name)}</b>"
    return {
        "type": "bar",
        "name": plotly_text(name),
        "meta": {"segment": key},
        "x": months,
        "y": values,
        "marker": {"color": segment_colour(key), "line": {"width": 1}},
        "hoverinfo": "text",
        "hovertext": [
            f"{label}<br>{month}: {format_share(value)}" for month, value in zip(months, values, strict=True)
        ],
        "textposition": "none",
    }


def describe_axis(loadings: tuple[tuple[str, float], ...]) -> str:
    """Say which columns rise and which fall along an axis of the map.

    Example
    -------
    >>> describe_axis((("Orders", 0.6), ("Days since last order", -0.5)))
    'orders ↑, days since last order ↓'
    """
    return ", ".join(f"{label[:1].lower()}{label[1:]} {'↑' if weight > 0 else '↓'}" for label, weight in loadings)
