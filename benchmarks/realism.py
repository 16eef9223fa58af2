"""Compares the synthetic shop with the public Online Retail file over twelve months of each.

    python benchmarks/realism.py --online-retail FOLDER_OR_FILE

Every figure is computed by the same SQL on both; identified customers only. The exit code is 1 when a figure of the
synthetic shop lies outside of half to twice that of the real one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.storage.engine import Connection, Engine, fetch_row, parquet_scan
from segmentation_assets.synthetic.delivery import write_delivery
from segmentation_assets.synthetic.shop import open_business

ONLINE_RETAIL = """
SELECT InvoiceNo AS order_id, InvoiceDate AS order_at, CAST(CustomerID AS VARCHAR) AS customer_id,
       StockCode AS product_id, Quantity AS quantity, UnitPrice AS unit_price
FROM {scan} WHERE CustomerID IS NOT NULL AND InvoiceDate >= TIMESTAMP '2010-12-01' AND InvoiceDate < '2011-12-01'
  AND UnitPrice > 0
"""

SYNTHETIC = """
SELECT order_id, order_at, customer_id, product_id, quantity, unit_price
FROM {scan} WHERE order_at >= TIMESTAMP '2024-12-01' AND order_at < '2025-12-01'
"""

FIGURES = {
    "customers with a single order": """
        SELECT avg(CAST(orders = 1 AS INTEGER)) FROM (SELECT count(DISTINCT order_id) AS orders FROM sales
        GROUP BY customer_id)""",
    "value of the top 10 % of customers": """
        SELECT sum(value) FILTER (place <= 0.1) / sum(value) FROM (SELECT value, percent_rank() OVER (ORDER BY value
        DESC) AS place FROM (SELECT sum(quantity * unit_price) AS value FROM sales GROUP BY customer_id))""",
    "value of the top 1 % of customers": """
        SELECT sum(value) FILTER (place <= 0.01) / sum(value) FROM (SELECT value, percent_rank() OVER (ORDER BY value
        DESC) AS place FROM (SELECT sum(quantity * unit_price) AS value FROM sales GROUP BY customer_id))""",
    "days between order days, lower quartile": "SELECT quantile_cont(gap, 0.25) FROM gaps",
    "days between order days, median": "SELECT quantile_cont(gap, 0.5) FROM gaps",
    "days between order days, upper quartile": "SELECT quantile_cont(gap, 0.75) FROM gaps",
    "orders per customer": "SELECT count(DISTINCT order_id) / count(DISTINCT customer_id) FROM sales",
    "November's orders to a mean month's": """
        SELECT 12 * count(DISTINCT order_id) FILTER (month(order_at) = 11) / count(DISTINCT order_id) FROM sales""",
    "orders on the busiest weekday to a mean one": """
        SELECT max(orders) / avg(orders) FROM (SELECT count(DISTINCT order_id) AS orders FROM sales
        GROUP BY isodow(order_at))""",
    "returned lines per sold line": """
        SELECT count(*) FILTER (quantity < 0) / count(*) FILTER (quantity > 0) FROM lines""",
    "returned value per sold value": """
        SELECT -sum(quantity * unit_price) FILTER (quantity < 0) / sum(quantity * unit_price) FILTER (quantity > 0)
        FROM lines""",
    "customers with a return": """
        SELECT avg(CAST(returned AS INTEGER)) FROM (SELECT bool_or(quantity < 0) AS returned FROM lines
        GROUP BY customer_id)""",
}


def main() -> int:
    """Print the figures of both shops and whether they are alike."""
    parser = argparse.ArgumentParser(description="Compare the synthetic shop with the Online Retail file.")
    parser.add_argument("--online-retail", type=Path, required=True, help="online_retail.parquet, or its folder")
    parser.add_argument("--customers", type=int, default=15_000, help="customers of the synthetic shop")
    parser.add_argument("--seed", type=int, default=7, help="seed of the synthetic shop")
    parsed = parser.parse_args()
    file = parsed.online_retail
    file = file / "online_retail.parquet" if file.is_dir() else file
    with tempfile.TemporaryDirectory() as folder, Engine(EngineSettings(), Path(folder) / "spill").connect() as engine:
        settings = SyntheticSettings(customers=parsed.customers, first_month="2023-12", months=24, seed=parsed.seed)
        written = write_delivery(engine, open_business(settings), Path(folder))
        files = [path for path in written.delivered if path.name.startswith("order_lines")]
        real = measure(engine, ONLINE_RETAIL.format(scan=parquet_scan([file])))
        made = measure(engine, SYNTHETIC.format(scan=parquet_scan(files)))
    print(f"{'figure':<46}{'Online Retail':>14}{'synthetic':>12}{'ratio':>8}")
    ratios = {name: made[name] / real[name] for name in FIGURES}
    for name, ratio in ratios.items():
        verdict = "" if 0.5 <= ratio <= 2 else "  outside"
        print(f"{name:<46}{real[name]:>14.3f}{made[name]:>12.3f}{ratio:>8.2f}{verdict}")
    return 0 if all(0.5 <= ratio <= 2 for ratio in ratios.values()) else 1


def measure(connection: Connection, sql: str) -> dict[str, float]:
    """Compute all figures of some order lines."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE lines AS {sql}")
    connection.execute("CREATE OR REPLACE TEMP TABLE sales AS SELECT * FROM lines WHERE quantity > 0")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE gaps AS "
        "SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap "
        "FROM (SELECT DISTINCT customer_id, CAST(order_at AS DATE) AS day FROM sales) QUALIFY gap IS NOT NULL"
    )
    return {name: float(fetch_row(connection, query)[0]) for name, query in FIGURES.items()}


if __name__ == "__main__":
    sys.exit(main())
