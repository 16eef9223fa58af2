"""Histories of order days as of any date, and the order days themselves, for models of lifetime value."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from segmentation_assets.features.history import REPEAT_SPEND_SQL, customer_history_sql
from segmentation_assets.features.registry import prepare_connection
from segmentation_assets.graph.inputs import order_line_months
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.outcomes import outcomes_sql
from segmentation_assets.storage.engine import fetch_row

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_HISTORY = "silver/customer_history"
_SQL = (
    f'SELECT customer_id, btyd_frequency, btyd_recency, "btyd_T", {REPEAT_SPEND_SQL} AS btyd_monetary_value '
    "FROM {history} WHERE btyd_frequency IS NOT NULL"
)


def lines_until(step: Step) -> str:
    """SQL of all order lines up to the snapshot's month."""
    months = [month for month in order_line_months(step.platform) if month <= step.partition]
    return step.slices_relation("silver/order_lines", months)


def first_order_day(step: Step) -> dt.date:
    """Day of the first order line."""
    months = order_line_months(step.platform)
    lines = step.slices_relation("silver/order_lines", months[:1])
    day: dt.date
    (day,) = fetch_row(step.connection, f"SELECT CAST(min(order_at) AS DATE) FROM {lines}")
    return day


def history_as_of(step: Step, day: dt.date) -> str:
    """SQL of the customer history as known before the first day of a month: as stored, or made from all lines."""
    month = f"{shift_month(f'{day:%Y-%m}', -1)}-01"
    if month >= step.platform.first_month:
        return step.relation(_HISTORY, month)
    prepare_connection(step.connection)
    return f"({customer_history_sql(lines_until(step), None, day)})"


def histories(step: Step, day: dt.date | None = None, horizon_days: int = 0) -> pd.DataFrame:
    """Order days and money of every customer who ever bought.

    Parameters
    ----------
    step : Step
    day : date, optional
        First day of a month, as known before which; the snapshot's own date when absent.
    horizon_days : int
        With a day: what followed within so many days is added.

    Returns
    -------
    DataFrame
        customer_id, btyd_frequency, btyd_recency, btyd_T, btyd_monetary_value; with a day also the columns of
        `outcomes_sql`, 0 where nothing followed, and main_country, that of the last order line until then.
    """
    sql = _SQL.format(history=step.relation(_HISTORY) if day is None else history_as_of(step, day))
    if day is not None:
        outcomes = outcomes_sql(lines_until(step), day, day + dt.timedelta(days=horizon_days))
        sql = (
            "SELECT history.*, main_country, coalesce(outcome_order_day_count, 0) AS outcome_order_day_count, "
            "CAST(coalesce(outcome_gross_revenue_amount, 0) AS DOUBLE) AS outcome_gross_revenue_amount "
            f"FROM ({sql}) AS history LEFT JOIN ({outcomes}) AS outcomes USING (customer_id) "
            f"LEFT JOIN ({_last_countries(step, day)}) AS countries USING (customer_id)"
        )
    found: pd.DataFrame = step.connection.execute(f"SELECT * FROM ({sql}) ORDER BY customer_id").df()
    return found


def _last_countries(step: Step, day: dt.date) -> str:
    """SQL of the country of each customer's last order line before a day."""
    return (
        "SELECT customer_id, arg_max(country, (order_at, order_id, country)) AS main_country FROM "
        f"{lines_until(step)} WHERE country IS NOT NULL AND order_at < TIMESTAMP '{day}' GROUP BY customer_id"
    )


def repeat_order_days(step: Step, day: dt.date, until: dt.date) -> dict[str, npt.NDArray[np.float64]]:
    """First order days of the customers known before a day, all their later ones, and ends of weeks until now.

    Returns
    -------
    dict of str to ndarray
        births, order_times and period_ends, in days since the day before the first order.
    """
    import numpy as np

    from segmentation_assets.prediction.lifetime_training import TRACKED_DAYS

    sale = "line_type = 'sale' AND customer_id IS NOT NULL"
    rows = step.connection.execute(
        "WITH days AS (SELECT DISTINCT customer_id, CAST(order_at AS DATE) AS day FROM "
        f"{lines_until(step)} WHERE {sale} AND order_at < TIMESTAMP '{until}'), "
        "marked AS (SELECT day, min(day) OVER (PARTITION BY customer_id) AS first_day FROM days) "
        "SELECT day, day = first_day AS is_first, count(*) AS customers FROM marked "
        f"WHERE first_day < DATE '{day}' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    start = min(found for found, *_ in rows) - dt.timedelta(days=1)

    def times(*, is_first: bool) -> npt.NDArray[np.float64]:
        chosen = [((found - start).days, count) for found, first, count in rows if first == is_first]
        return np.repeat([found for found, _ in chosen], [count for _, count in chosen]).astype("float64")

    last = (until - start).days - 1
    ends = np.arange(last % TRACKED_DAYS or TRACKED_DAYS, last + 1, TRACKED_DAYS, dtype="float64")
    return {"births": times(is_first=True), "order_times": times(is_first=False), "period_ends": ends}
