"""The page about the data: months, distributions and concentration of the order lines, and a known shop beside them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.reporting.eda_data import DataProfile, build_data_figures, describe_data
from segmentation_assets.reporting.figures import Figure, plotly_text
from segmentation_assets.reporting.formatting import (
    format_count,
    format_date,
    format_days,
    format_money,
    format_month,
    format_month_short,
    format_number,
    format_share,
)
from segmentation_assets.reporting.page import CHARTS, TABLES, render_page
from segmentation_assets.reporting.palette import SEGMENT_COLOURS
from segmentation_assets.reporting.shop_figures import (
    ComparedFigure,
    compare_figures,
    measure_shop,
    read_reference,
    year_before,
)

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.storage.engine import Connection

_COLOUR = SEGMENT_COLOURS[0]

_MONTHS = """
SELECT strftime(order_at, '%Y-%m') AS month, count(DISTINCT order_id) FILTER (line_type = 'sale') AS order_count,
       count(DISTINCT customer_id) FILTER (line_type = 'sale') AS customer_count,
       count(*) FILTER (line_type = 'sale') AS sold_line_count, count(*) FILTER (line_type = 'return') AS
       returned_line_count, count(*) FILTER (line_type NOT IN ('sale', 'return')) AS other_line_count,
       CAST(coalesce(sum(amount) FILTER (line_type = 'sale'), 0) AS DOUBLE) AS sold_amount,
       CAST(-coalesce(sum(amount) FILTER (line_type = 'return'), 0) AS DOUBLE) AS returned_amount
FROM {lines} WHERE order_at < DATE '{as_of_date}' GROUP BY ALL ORDER BY month
"""

_ORDER_VALUES = "(SELECT sum(value) AS value FROM shop_sales GROUP BY order_id)"
_BUSIEST = "SELECT {part} AS label, count(DISTINCT order_id) AS count FROM shop_sales GROUP BY ALL ORDER BY ALL"

_DISTRIBUTIONS = {
    "value": f"""
        SELECT label, count(*) AS count FROM (SELECT least(floor(value / step), 20) * step AS label
        FROM {_ORDER_VALUES}, (SELECT greatest(round(quantile_cont(value, 0.95) / 20), 1) AS step FROM {_ORDER_VALUES})
        WHERE value IS NOT NULL)
        GROUP BY ALL ORDER BY ALL""",
    "orders": "SELECT least(orders, 20) AS label, count(*) AS count FROM shop_values GROUP BY ALL ORDER BY ALL",
    "gaps": "SELECT least(gap // 7, 26) AS label, count(*) AS count FROM shop_gaps GROUP BY ALL ORDER BY ALL",
    "weekday": _BUSIEST.format(part="isodow(order_at)"),
    "hour": _BUSIEST.format(part="hour(order_at)"),
}

_LORENZ = """
SELECT share, coalesce(sum(value) FILTER (place <= share * customers) / nullif(max(total), 0), 0) AS value_share
FROM (SELECT *, sum(value) OVER () AS total FROM shop_values),
(SELECT CAST(unnest(range(0, 101, 2)) AS DOUBLE) / 100 AS share) GROUP BY share ORDER BY share
"""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, kw_only=True)
class ShopProfile:
    """What the page shows of a month.

    Parameters
    ----------
    months : DataFrame
        A row per month of the lookback, with orders, customers, lines and money.
    distributions : dict of str to DataFrame
        `label` and `count` of the twelve months, for order values, orders, gaps in weeks, weekdays and hours.
    lorenz : DataFrame
        `share` of the customers, richest first, and their `value_share`.
    compared : tuple of ComparedFigure
    """

    as_of_date: dt.date
    months: pd.DataFrame
    distributions: dict[str, pd.DataFrame]
    lorenz: pd.DataFrame
    compared: tuple[ComparedFigure, ...]


def profile_shop(connection: Connection, lines: str, as_of_date: dt.date) -> ShopProfile:
    """Aggregate the order lines of a snapshot for the page.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``silver/order_lines``.
    as_of_date : date
        What happened before this day counts.
    """
    found = measure_shop(connection, lines, as_of_date)
    return ShopProfile(
        as_of_date=as_of_date,
        months=connection.execute(_MONTHS.format(lines=lines, as_of_date=as_of_date)).df(),
        distributions={name: connection.execute(query).df() for name, query in _DISTRIBUTIONS.items()},
        lorenz=connection.execute(_LORENZ).df(),
        compared=compare_figures(found, read_reference()["figures"]),
    )


def render_eda(
    profile: ShopProfile,
    data: DataProfile,
    *,
    title: str,
    month: str,
    currency: str,
    amounts: str,
    is_synthetic: bool,
    quarantine: pd.DataFrame,
    left_out: dict[str, int],
) -> str:
    """Render the page of a month.

    Parameters
    ----------
    profile : ShopProfile
    data : DataProfile
    title : str
    month : str
        As YYYY-MM.
    currency : str
    amounts : str
        Which amounts the page is about: net or gross of VAT, or as delivered.
    is_synthetic : bool
        Whether the shop is the built-in one, which is meant to resemble a real shop.
    quarantine : DataFrame
        `table_name`, `explanation` and `row_count` of the rows set aside; they have no date, so they are not by month.
    left_out : dict of str to int
        Lines that do not count, by the words of the reason.

    Returns
    -------
    str
        A complete HTML document.
    """
    reference = read_reference()
    return render_page(
        "eda.html.j2",
        build_figures(profile, currency) | build_data_figures(data),
        (CHARTS, TABLES),
        **describe_data(data, currency),
        heading=title,
        month=format_month(month),
        as_of=format_date(profile.as_of_date),
        as_of_iso=profile.as_of_date.isoformat(),
        start=format_date(year_before(profile.as_of_date)),
        months=_month_rows(profile.months, currency),
        has_sales=bool(len(profile.distributions["value"])),
        compared=[_compared_row(row) for row in profile.compared],
        beyond_count=sum(row.is_beyond for row in profile.compared),
        unknown_count=sum(row.ratio is None for row in profile.compared),
        amounts=amounts,
        reference_amounts=reference["amounts"],
        is_synthetic=is_synthetic,
        source=reference["source"],
        doi=reference["doi"],
        command=reference["command"],
        quarantine=[
            (str(row.table_name), str(row.explanation), format_count(row.row_count)) for row in quarantine.itertuples()
        ],
        left_out=[(words, format_count(count)) for words, count in sorted(left_out.items())],
    )


def build_figures(profile: ShopProfile, currency: str) -> dict[str, Figure]:
    """Build the charts by the id of their element; none where there is nothing to draw."""
    months = profile.months
    labels = [format_month_short(name) for name in months["month"]]
    figures = {
        "figure-orders": _bars(labels, months["order_count"].tolist(), "", "orders"),
        "figure-returns": _bars(labels, months["returned_amount"].tolist(), "", f"returned, {currency}"),
        "figure-sold": _bars(labels, months["sold_amount"].tolist(), "", f"sold, {currency}"),
        "figure-lines": _bars(labels, months["sold_line_count"].tolist(), "", "lines sold"),
    }
    if not len(profile.distributions["value"]):
        return figures
    parts = {name: (frame["label"].tolist(), frame["count"].tolist()) for name, frame in profile.distributions.items()}
    values, orders, weekdays = parts["value"], parts["orders"], parts["weekday"]
    return figures | {
        "figure-value": _bars(values[0], values[1], f"Value from, {currency}", "orders"),
        "figure-orders-per-customer": _bars(orders[0], orders[1], "Orders, 20 and more together", "customers"),
        "figure-gaps": _bars(*parts["gaps"], "Weeks, 26 and more together", "gaps"),
        "figure-weekday": _bars([_WEEKDAYS[int(day) - 1] for day in weekdays[0]], weekdays[1], "", "orders"),
        "figure-hour": _bars(*parts["hour"], "Hour of the day", "orders"),
        "figure-lorenz": _lorenz_figure(profile.lorenz),
    }


def _bars(labels: list[Any], heights: list[Any], across: str, upwards: str) -> Figure:
    """Draw one bar per label."""
    return {
        "data": [
            {
                "type": "bar",
                "x": labels,
                "y": heights,
                "marker": {"color": _COLOUR},
                "meta": {"segment": ""},
                "hovertemplate": f"%{{x}}: %{{y:,}} {plotly_text(upwards)}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"title": {"text": plotly_text(across)}},
            "yaxis": {"title": {"text": plotly_text(upwards)}, "rangemode": "tozero"},
            "bargap": 0.08,
        },
    }


def _lorenz_figure(lorenz: pd.DataFrame) -> Figure:
    """Draw the share of the money that the richest customers hold."""
    line = {"type": "scatter", "mode": "lines", "meta": {"segment": ""}}
    shares = lorenz["share"].tolist()
    hover = "%{x:.0%} of customers: %{y:.0%} of value<extra></extra>"
    return {
        "data": [
            line | {"x": [0, 1], "y": [0, 1], "line": {"color": "#8b929c", "dash": "dot"}, "hoverinfo": "skip"},
            line
            | {"x": shares, "y": lorenz["value_share"].tolist(), "line": {"color": _COLOUR, "width": 3}}
            | {"hovertemplate": hover},
        ],
        "layout": {
            "xaxis": {"title": {"text": "Customers, those with most value first"}, "tickformat": ".0%"},
            "yaxis": {"title": {"text": "Value"}, "tickformat": ".0%", "rangemode": "tozero"},
        },
    }


def _month_rows(months: pd.DataFrame, currency: str) -> list[tuple[str, ...]]:
    """Rows of the table of months, as text."""
    return [
        (
            format_month(row.month),
            format_count(row.order_count),
            format_count(row.customer_count),
            format_count(row.sold_line_count),
            format_count(row.returned_line_count),
            format_count(row.other_line_count),
            format_money(row.sold_amount, currency),
            format_money(row.returned_amount, currency),
        )
        for row in months.itertuples()
    ]


_FORMATS = {"share": format_share, "days": format_days, "number": format_number}


def _compared_row(row: ComparedFigure) -> dict[str, Any]:
    """One row of the comparison, as text."""
    show = _FORMATS[row.measure.unit]
    return {
        "label": row.measure.label,
        "value": "not known" if row.value is None else show(row.value),
        "reason": row.reason,
        "reference": show(row.reference),
        "ratio": "" if row.ratio is None else f"{row.ratio:.2f}",
        "is_known": row.ratio is not None,
        "is_beyond": row.is_beyond,
    }
