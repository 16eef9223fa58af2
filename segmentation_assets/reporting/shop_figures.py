"""What kind of shop some order lines come from: a few figures over twelve months, and how they compare."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from segmentation_assets.storage.engine import Connection, fetch_row

REFERENCE_FILE = "reporting/data/online_retail.yaml"
"""The figures of Online Retail, below the package."""

FACTOR = 2.0
"""A ratio beyond this factor, either way, is marked."""

_GRACE_DAYS = 31


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a shop.

    Parameters
    ----------
    key : str
    label : str
    unit : {"share", "days", "number"}
    sql : str
        Query of one value over ``shop_lines``, ``shop_sales``, ``shop_gaps`` and ``shop_values``.
    missing : str
        Why there is no value where the query gives null.
    needs_year : bool
        Whether the value depends on the length of the time looked at.
    """

    key: str
    label: str
    unit: Literal["share", "days", "number"]
    sql: str
    missing: str = "there is no sale of an identified customer"
    needs_year: bool = True


def _top_share(share: float) -> str:
    return f"SELECT sum(value) FILTER (place <= ceil({share} * customers)) / nullif(sum(value), 0) FROM shop_values"


def _gap_quantile(share: float) -> str:
    return f"SELECT quantile_cont(gap, {share}) FROM shop_gaps"


_NO_GAP = "no customer bought on two days"

MEASURES = (
    Measure(
        key="single_order_share",
        label="Customers with a single order",
        unit="share",
        sql="SELECT avg(CAST(orders = 1 AS INTEGER)) FROM shop_values",
    ),
    Measure(key="top_tenth_share", label="Value of the top 10 % of customers", unit="share", sql=_top_share(0.1)),
    Measure(key="top_hundredth_share", label="Value of the top 1 % of customers", unit="share", sql=_top_share(0.01)),
    Measure(
        key="gap_lower_days",
        label="Days between order days, lower quartile",
        unit="days",
        sql=_gap_quantile(0.25),
        missing=_NO_GAP,
    ),
    Measure(
        key="gap_median_days",
        label="Days between order days, median",
        unit="days",
        sql=_gap_quantile(0.5),
        missing=_NO_GAP,
    ),
    Measure(
        key="gap_upper_days",
        label="Days between order days, upper quartile",
        unit="days",
        sql=_gap_quantile(0.75),
        missing=_NO_GAP,
    ),
    Measure(
        key="orders_per_customer",
        label="Orders per customer",
        unit="number",
        sql="SELECT avg(orders) FROM shop_values",
    ),
    Measure(
        key="november_ratio",
        label="November's orders to a mean month's",
        unit="number",
        sql="SELECT 12.0 * count(DISTINCT order_id) FILTER (month(order_at) = 11) / "
        "nullif(count(DISTINCT order_id), 0) FROM shop_sales",
    ),
    Measure(
        key="weekday_ratio",
        label="Orders on the busiest weekday to a mean one",
        unit="number",
        sql="SELECT max(orders) / avg(orders) FROM (SELECT count(DISTINCT order_id) AS orders FROM shop_sales "
        "GROUP BY isodow(order_at))",
        needs_year=False,
    ),
    Measure(
        key="returned_line_rate",
        label="Returned lines per sold line",
        unit="share",
        sql="SELECT count(*) FILTER (line_type = 'return') / nullif(count(*) FILTER (line_type = 'sale'), 0) "
        "FROM shop_lines",
        needs_year=False,
    ),
    Measure(
        key="returned_value_rate",
        label="Returned value per sold value",
        unit="share",
        sql="SELECT -coalesce(sum(value) FILTER (line_type = 'return'), 0) / nullif(sum(value) FILTER "
        "(line_type = 'sale'), 0) FROM shop_lines",
        needs_year=False,
    ),
    Measure(
        key="returning_customer_share",
        label="Customers with a return",
        unit="share",
        sql="SELECT avg(CAST(returned AS INTEGER)) FROM (SELECT bool_or(line_type = 'return') AS returned "
        "FROM shop_lines GROUP BY customer_id)",
    ),
)


@dataclass(frozen=True, kw_only=True)
class ShopFigures:
    """The figures of a shop by key, and why those that are null have no value."""

    values: dict[str, float | None]
    reasons: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ComparedFigure:
    """A figure beside its reference; the ratio is null where one of them is not known or zero."""

    measure: Measure
    value: float | None
    reference: float
    ratio: float | None
    reason: str

    @property
    def is_beyond(self) -> bool:
        """Whether the two differ by more than the factor."""
        return self.ratio is not None and not 1 / FACTOR <= self.ratio <= FACTOR


def year_before(as_of_date: dt.date) -> dt.date:
    """Return the first day of the twelve months before a date.

    Example
    -------
    >>> year_before(dt.date(2024, 2, 29))
    datetime.date(2023, 2, 28)
    """
    is_leap_day = (as_of_date.month, as_of_date.day) == (2, 29)
    return as_of_date.replace(year=as_of_date.year - 1, day=28 if is_leap_day else as_of_date.day)


def measure_shop(connection: Connection, lines: str, as_of_date: dt.date) -> ShopFigures:
    """Compute all figures of the twelve months before a date.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with `order_id`, `order_at`, `customer_id`, `line_type` and `amount` as in
        ``silver/order_lines``.
    as_of_date : date
        The twelve months end before this day.

    Returns
    -------
    ShopFigures

    Notes
    -----
    Sales and returns of identified customers count; postage, fees, write-offs and lines outside of the population do
    not. Value is what was sold, before returns. The temporary tables ``shop_lines``, ``shop_sales``, ``shop_values``
    (a row per customer) and ``shop_gaps`` stay in the connection.
    """
    start = year_before(as_of_date)
    for name, query in _tables(lines, start, as_of_date).items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    first = fetch_row(connection, "SELECT CAST(min(order_at) AS DATE) FROM shop_lines")[0]
    short = ""
    if first is not None and (first - start).days > _GRACE_DAYS:
        short = f"the order lines reach back {(as_of_date - first).days} days; twelve months are compared"
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for measure in MEASURES:
        found = fetch_row(connection, measure.sql)[0]
        is_short = bool(short) and measure.needs_year
        values[measure.key] = None if found is None or is_short else float(found)
        if values[measure.key] is None:
            reasons[measure.key] = short if is_short else measure.missing
    return ShopFigures(values=values, reasons=reasons)


def _tables(lines: str, start: dt.date, as_of_date: dt.date) -> dict[str, str]:
    """Queries of the temporary tables that the measures read, in order."""
    return {
        "shop_lines": "SELECT order_id, order_at, customer_id, line_type, CAST(amount AS DOUBLE) AS value "
        f"FROM {lines} "
        f"WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at >= DATE '{start}' "
        f"AND order_at < DATE '{as_of_date}'",
        "shop_sales": "SELECT * FROM shop_lines WHERE line_type = 'sale'",
        "shop_values": "SELECT *, row_number() OVER (ORDER BY value DESC, customer_id) AS place, count(*) OVER () AS "
        "customers FROM (SELECT customer_id, count(DISTINCT order_id) AS orders, coalesce(sum(value), 0) AS value "
        "FROM shop_sales GROUP BY customer_id)",
        "shop_gaps": "SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM "
        "(SELECT DISTINCT customer_id, CAST(order_at AS DATE) AS day FROM shop_sales) QUALIFY gap IS NOT NULL",
    }


def read_reference() -> dict[str, Any]:
    """Read the figures of Online Retail with their source and the command that made them."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(files("segmentation_assets").joinpath(REFERENCE_FILE).read_text("utf-8"))
    return found


def compare_figures(found: ShopFigures, reference: dict[str, float]) -> tuple[ComparedFigure, ...]:
    """Put every figure beside its reference."""
    return tuple(
        ComparedFigure(
            measure=measure,
            value=found.values[measure.key],
            reference=reference[measure.key],
            ratio=_ratio(found.values[measure.key], reference[measure.key]),
            reason=found.reasons.get(measure.key, ""),
        )
        for measure in MEASURES
    )


def _ratio(value: float | None, reference: float) -> float | None:
    return None if value is None or not reference else value / reference
