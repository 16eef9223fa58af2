"""Makes order lines, products, customers and events of any number as Parquet files, for benchmarks/features.py.

Plain random purchases by SQL: as wide, as skewed and as often returned as those of a shop, but without its habits. The
same seed gives the same files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.ingestion.classification import bucket_sql
from segmentation_assets.storage.engine import Connection, copy_to_parquet

FIRST_DAY = date(2024, 1, 1)
AS_OF = date(2026, 1, 1)
MONTHS = 24
DEPARTMENTS = ("Shoes", "Hats", "Toys", "Home", "Sports", "Garden", "Books")
SETTINGS = FeatureSettings(departments=DEPARTMENTS[:4])
"""As the default profile has them."""

WIDE_SETTINGS = FeatureSettings(
    departments=DEPARTMENTS[:6],
    classes={"Shoes": ("Shoes 0", "Shoes 1", "Shoes 2")},
    child_ages=("baby", "3-5 years", "6-9 years"),
    sizes=("S", "M", "L", "XL"),
)
COLUMNS = (
    "order_lines.channel", "order_lines.country", "order_lines.store_id", "order_lines.list_price",
    "order_lines.cost_price", "products.class", "products.child_age", "products.size", "customers.registered_on",
    "customers.birth_year", "customers.gender", "customers.household_size", "customers.acquisition_channel",
    "customers.newsletter_since", "engagement_events.event_type",
)  # fmt: skip
"""Optional columns, all of them filled."""

_LINES_PER_ORDER = 4
_PRODUCTS = 20_000


@dataclass(frozen=True)
class Inputs:
    """Files of one made-up shop.

    Parameters
    ----------
    months : tuple of tuple of Path
        Order lines: per month one file per customer bucket, as silver/order_lines stores them.
    events : tuple of Path
        Engagement events, a file per month.
    products, customers : Path
        The other optional tables.
    """

    months: tuple[tuple[Path, ...], ...]
    events: tuple[Path, ...]
    products: Path
    customers: Path


def make_inputs(connection: Connection, folder: Path, line_count: int, customer_count: int, buckets: int) -> Inputs:
    """Write a shop of two years.

    Parameters
    ----------
    connection : Connection
    folder : Path
        Where the files go.
    line_count, customer_count : int
        Order lines, a twelfth of them returns, and customers, few of them with many orders.
    buckets : int
        Files per month of order lines.
    """
    tables = {"products": _PRODUCT_SQL, "customers": _CUSTOMER_SQL}
    paths = {name: folder / f"{name}.parquet" for name in tables}
    for name, sql in tables.items():
        copy_to_parquet(connection, _filled(sql, line_count, customer_count), paths[name])
    for name, sql in (("orders", _ORDER_SQL), ("events", _EVENT_SQL)):
        connection.execute(f"CREATE TEMP TABLE {name} AS {_filled(sql, line_count, customer_count)}")
    months = tuple(_write_lines(connection, folder, month, buckets) for month in range(MONTHS))
    events = tuple(_write_events(connection, folder, month) for month in range(MONTHS))
    connection.execute("DROP TABLE orders; DROP TABLE events")
    return Inputs(months, events, **paths)


def _filled(sql: str, line_count: int, customer_count: int) -> str:
    return sql.format(
        orders=line_count * 12 // (13 * _LINES_PER_ORDER),
        customers=customer_count,
        products=_PRODUCTS,
        first=FIRST_DAY,
        days=(AS_OF - FIRST_DAY).days,
        departments=list(DEPARTMENTS),
    )


def _write_events(connection: Connection, folder: Path, month: int) -> Path:
    """Write the events of one month, by customer as raw/engagement_events stores them."""
    path = folder / f"events-{month:02d}.parquet"
    since, until = (f"DATE '{FIRST_DAY}' + to_months({number})" for number in (month, month + 1))
    within = f"SELECT * FROM events WHERE event_at >= {since} AND event_at < {until}"
    copy_to_parquet(connection, f"{within} ORDER BY customer_id, event_at, event_type", path)
    return path


def _write_lines(connection: Connection, folder: Path, month: int, buckets: int) -> tuple[Path, ...]:
    """Write what is sold and what comes back in one month."""
    lines = _LINE_SQL.format(month=month, lines=_LINES_PER_ORDER, products=_PRODUCTS, first=FIRST_DAY)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE month_lines AS {lines}")
    paths = tuple(folder / f"lines-{month:02d}-{bucket:03d}.parquet" for bucket in range(buckets))
    for bucket, path in enumerate(paths):
        chosen = f"SELECT * FROM month_lines WHERE {bucket_sql('customer_id', buckets)} = {bucket}"
        copy_to_parquet(connection, f"{chosen} ORDER BY customer_id, order_at, order_id, line_number, line_type", path)
    return paths


def _uniform(salt: int, *of: str) -> str:
    """Write SQL for a number from 0 to 1 that looks random and depends only on what it is of."""
    return f"(hash({', '.join(of)}, {salt}) % 1000003 / 1000003.0)"


_PRODUCT_SQL = f"""
SELECT 'P' || i AS product_id, department, department || ' ' || (i // 7) % 6 AS class,
    CASE WHEN i % 5 = 0 THEN ['baby', '3-5 years', '6-9 years'][1 + i % 3] END AS child_age,
    CASE WHEN i % 2 = 0 THEN ['S', 'M', 'L', 'XL', 'XXL'][1 + i % 5] END AS size,
    CAST(5 + 95 * {_uniform(1, "i")} AS DECIMAL(18,4)) AS list_price
FROM (SELECT i, {{departments}}[1 + i % 7] AS department FROM range({{products}}) AS r(i))
"""

_CUSTOMER_SQL = f"""
SELECT 'C' || i AS customer_id, DATE '{{first}}' - CAST(900 * {_uniform(2, "i")} AS INTEGER) AS registered_on,
    CAST(1950 + i % 55 AS INTEGER) AS birth_year, ['female', 'male', NULL][1 + i % 3] AS gender,
    CAST(1 + i % 5 AS INTEGER) AS household_size, ['search', 'friend', 'advert', 'store'][1 + i % 4]
    AS acquisition_channel, CASE WHEN i % 2 = 0 THEN DATE '{{first}}' + CAST(i % 700 AS INTEGER) END AS newsletter_since
FROM range({{customers}}) AS r(i)
"""

_EVENT_SQL = f"""
SELECT 'C' || CAST({{customers}} * {_uniform(3, "i")} AS BIGINT) AS customer_id,
    TIMESTAMP '{{first}}' + to_seconds(CAST({{days}} * 86400.0 * {_uniform(4, "i")} AS BIGINT)) AS event_at,
    ['visit', 'email_open', 'email_click', 'service_contact'][1 + CAST(i % 4 AS INTEGER)] AS event_type
FROM range({{customers}} * 12) AS r(i)
"""

_ORDER_SQL = f"""
SELECT i, 'O' || i AS order_id,
    'C' || CAST(floor({{customers}} * pow({_uniform(5, "i")}, 1.6)) AS BIGINT) AS customer_id,
    TIMESTAMP '{{first}}' + to_seconds(CAST({{days}} * 86400.0 * {_uniform(6, "i")} AS BIGINT)) AS order_at
FROM range({{orders}}) AS r(i)
"""

_LINE_SQL = f"""
WITH sold AS (
    SELECT o.customer_id, o.order_id, o.order_at, n AS line_number,
        'P' || CAST(floor({{products}} * pow({_uniform(7, "o.i", "n")}, 2)) AS BIGINT) AS product_id,
        1 + CAST(floor(3 * pow({_uniform(8, "o.i", "n")}, 3)) AS BIGINT) AS quantity,
        CAST(5 + 95 * {_uniform(9, "o.i", "n")} AS DECIMAL(18,4)) AS list_price,
        ['web', 'store', 'app'][1 + CAST(o.i % 3 AS INTEGER)] AS channel,
        ['DE', 'AT', 'CH', 'NL'][1 + CAST(o.i % 11 % 4 AS INTEGER)] AS country,
        CASE WHEN o.i % 3 = 1 THEN 'S' || o.i % 40 END AS store_id,
        CASE WHEN hash(o.i, n, 10) % 12 = 0
            THEN o.order_at + to_seconds(CAST(40 * 86400.0 * {_uniform(11, "o.i", "n")} AS BIGINT)) END AS returned_at,
        CASE WHEN hash(o.i, n, 12) % 3 = 0 THEN 0.75 ELSE 1 END AS price_factor
    FROM orders AS o, range({{lines}}) AS l(n)
    WHERE o.order_at >= DATE '{{first}}' + to_months({{month}} - 2)
        AND o.order_at < DATE '{{first}}' + to_months({{month}} + 1)
),
both_kinds AS (
    SELECT *, 1 AS sign, order_at AS line_at, 'sale' AS line_type FROM sold
    UNION ALL
    SELECT *, -1 AS sign, returned_at AS line_at, 'return' AS line_type FROM sold WHERE returned_at IS NOT NULL
)
SELECT customer_id, order_id, line_at AS order_at, line_number, product_id, line_type, sign * quantity AS quantity,
    CAST(list_price * price_factor AS DECIMAL(18,4)) AS unit_price, list_price,
    CAST(sign * quantity * list_price * price_factor AS DECIMAL(18,4)) AS amount,
    CAST(sign * quantity * list_price * 0.5 AS DECIMAL(18,4)) AS cost_amount,
    CAST(sign * quantity * list_price * (price_factor - 0.5) AS DECIMAL(18,4)) AS margin_amount,
    channel, country, store_id
FROM both_kinds
WHERE line_at >= DATE '{{first}}' + to_months({{month}}) AND line_at < DATE '{{first}}' + to_months({{month}} + 1)
"""
