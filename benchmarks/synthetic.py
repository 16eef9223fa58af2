"""Measures the making of a synthetic shop as a delivery: CPU seconds, peak memory and rows.

    python benchmarks/synthetic.py --customers 100000 --months 24

The shop is written into a temporary folder, truth included, as the asset `source/synthetic_retail` writes it. With
`--years` the orders of each year of business are printed too, and how many customers had their first one in it.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.storage.engine import Connection, Engine, parquet_scan
from segmentation_assets.synthetic.delivery import write_delivery
from segmentation_assets.synthetic.shop import open_business


def main() -> int:
    """Make the shop that the arguments name and print what it cost."""
    parser = argparse.ArgumentParser(description="Measure the making of a synthetic shop.")
    parser.add_argument("--customers", type=int, default=100_000, help="customers of the shop")
    parser.add_argument("--months", type=int, default=24, help="months of business")
    parser.add_argument("--faults", choices=("none", "real"), default="none", help="preset of faults to plant")
    parser.add_argument("--years", action="store_true", help="print the orders of each year of business too")
    parser.add_argument("--memory-limit", default="1GB", help="memory of the engine that writes the files")
    parsed = parser.parse_args()
    faults = FaultSettings(preset=parsed.faults)
    settings = SyntheticSettings(customers=parsed.customers, months=parsed.months, faults=faults)
    started, cpu_before = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(EngineSettings(memory_limit=parsed.memory_limit), Path(folder) / "spill")
        with engine.connect() as connection:
            written = write_delivery(
                connection, open_business(settings), Path(folder) / "delivery", Path(folder) / "truth"
            )
            cpu, wall = time.process_time() - cpu_before, time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            years = count_by_year(connection, written.delivered) if parsed.years else []
        size = sum(path.stat().st_size for path in (*written.delivered, *written.truth))
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{parsed.customers:,} customers, {parsed.months} months")
    for table, rows in sorted(written.row_counts.items()):
        print(f"{table:<20}{rows:>14,} rows")
    print(f"files{size / 1e6:>24,.0f} MB")
    for year, orders, newcomers in years:
        print(f"year {year:<15}{orders:>14,} orders{newcomers:>10,} first ones")
    print(f"CPU{cpu:>26.1f} s\nwall{wall:>25.1f} s\npeak memory{peak:>18,.0f} MB")
    return 0


def count_by_year(connection: Connection, delivered: tuple[Path, ...]) -> list[tuple[int, int, int]]:
    """Count orders, and those that are the first of their customer, by year of business from 1."""
    lines = parquet_scan([path for path in delivered if path.name.startswith("order_lines")])
    sql = f"""
        WITH orders AS (
            SELECT customer_id, order_id, min(order_at) AS order_at
            FROM {lines} WHERE quantity > 0 GROUP BY customer_id, order_id
        ), placed AS (
            SELECT
                datediff('month', min(order_at) OVER (), order_at) // 12 + 1 AS year,
                row_number() OVER (PARTITION BY customer_id ORDER BY order_at, order_id) AS place
            FROM orders
        )
        SELECT year, count(*), count(*) FILTER (place = 1) FROM placed GROUP BY year ORDER BY year
    """
    return connection.execute(sql).fetchall()


if __name__ == "__main__":
    sys.exit(main())
