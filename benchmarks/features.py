"""Measures features: CPU seconds and peak memory of customer_history and customer_features, beside pandas.

    python -m benchmarks.features --lines 5000000 --customers 100000 --pandas
    python -m benchmarks.features --lines 50000000 --customers 1000000
    python -m benchmarks.features --lines 5000000 --customers 100000 --snapshots 24
    python -m benchmarks.features --most-cpu-seconds 25 --most-megabytes 2000

Features are those of the default profile with every optional input; --wide adds more columns of products. The lines are
made up, two years of them (feature_inputs.py), and stored as silver/order_lines is: month by month, in customer buckets
of about 2.5 million lines. The row `scan floor` is what reading the seven columns costs that most features need.
Everything runs in this one process, one after the other; the peak is that of its memory during the row.
With --snapshots the same is done for the last so many month ends, each from the lines until then: `customer_history`,
which adds a month to the one before, is the additive part.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.feature_inputs import COLUMNS, FIRST_DAY, MONTHS, SETTINGS, WIDE_SETTINGS, Inputs, make_inputs
from benchmarks.pandas_features import compute_features, find_differences, read_frames
from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import computed_features, features_table, prepare_connection
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.orchestration.assets.silver import LINES_PER_BUCKET
from segmentation_assets.storage.engine import (
    Connection,
    Engine,
    conformed_select,
    copy_to_parquet,
    fetch_row,
    parquet_scan,
)
from segmentation_assets.tables.silver import CUSTOMER_HISTORY


@dataclass
class Meter:
    """Measures rows of the table in this process.

    Parameters
    ----------
    cpu_seconds, wall_seconds, peak_megabytes : dict of str to float
        By the name of the row; what is measured under the same name adds up, of peaks the highest counts.
    """

    cpu_seconds: dict[str, float] = field(default_factory=dict)
    wall_seconds: dict[str, float] = field(default_factory=dict)
    peak_megabytes: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Add what the block costs to a row."""
        _reset_peak()
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0) + time.process_time() - cpu
        self.wall_seconds[name] = self.wall_seconds.get(name, 0) + time.perf_counter() - wall
        self.peak_megabytes[name] = max(self.peak_megabytes.get(name, 0), _peak_megabytes())

    def print_table(self) -> None:
        """Print a line per row, in the order of measuring."""
        print(f"{'':<44}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}")
        for name, cpu in self.cpu_seconds.items():
            print(f"{name:<44}{cpu:>9.1f}{self.wall_seconds[name]:>9.1f}{self.peak_megabytes[name]:>9.0f}")


def _reset_peak() -> None:
    """Let the kernel count the peak of resident memory anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak_megabytes() -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> int:
    """Run the benchmark; exit code 1 when a limit was given and is exceeded."""
    parsed = _arguments()
    buckets = -(-parsed.lines // LINES_PER_BUCKET)
    features = WIDE_SETTINGS if parsed.wide else SETTINGS
    meter = Meter()
    with tempfile.TemporaryDirectory(dir=parsed.folder) as name:
        folder = Path(name)
        settings = EngineSettings(
            threads=parsed.threads,
            memory_limit=parsed.memory_limit,
            max_temp_directory_size=parsed.spill_limit,
            customer_buckets=buckets,
        )
        engine = Engine(settings, folder / "spill")
        with engine.connect() as connection:
            inputs = make_inputs(connection, folder, parsed.lines, parsed.customers, buckets)
        for months in range(MONTHS - parsed.snapshots + 1, MONTHS + 1):
            _measure_snapshot(meter, engine, folder, inputs, features, months)
        different = _measure_pandas(meter, engine, folder, inputs, features) if parsed.pandas else ()
    columns = len(features_table(features, _relations(inputs, 0, MONTHS, folder).available).columns) - 1
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}\n"
        f"{parsed.lines:,} order lines, {parsed.customers:,} customers, {buckets} customer buckets, "
        f"{columns} features, snapshots: {parsed.snapshots}\n"
        f"engine: threads {parsed.threads}, memory {parsed.memory_limit}, spill {parsed.spill_limit}"
    )
    meter.print_table()
    if different:
        print(f"error: pandas has other values in {', '.join(different)}", file=sys.stderr)
    return _exceeded(parsed, meter) or int(bool(different))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the features.")
    parser.add_argument("--lines", type=int, default=5_000_000, help="order lines")
    parser.add_argument("--customers", type=int, default=100_000, help="customers")
    parser.add_argument(
        "--snapshots", type=int, default=1, choices=range(1, MONTHS + 1), metavar="N", help="month ends"
    )
    parser.add_argument("--wide", action="store_true", help="columns for classes, child ages and sizes too")
    parser.add_argument("--pandas", action="store_true", help="compute the last snapshot by pandas too, and compare")
    parser.add_argument("--threads", type=int, default=2, help="engine.threads")
    parser.add_argument("--memory-limit", default="4GB", help="engine.memory_limit")
    parser.add_argument("--spill-limit", default="1GB", help="engine.max_temp_directory_size")
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder of the system")
    parser.add_argument("--most-cpu-seconds", type=float, help="limit of customer_features")
    parser.add_argument("--most-additive-cpu-seconds", type=float, help="limit of customer_history")
    parser.add_argument("--most-megabytes", type=float, help="limit of the peak of both")
    return parser.parse_args()


def _measure_snapshot(
    meter: Meter, engine: Engine, folder: Path, inputs: Inputs, features: FeatureSettings, months: int
) -> None:
    """Make one snapshot as the assets do, each step on a connection of its own."""
    as_of = _month_end(months)
    with engine.connect() as connection:
        prepare_connection(connection)
        with meter.measured("scan floor"):
            for bucket in range(len(inputs.months[0])):
                fetch_row(connection, _FLOOR.format(lines=_lines(inputs, bucket, months)))
        with meter.measured("customer_history"):
            _write_history(connection, folder, inputs, months)
    with engine.connect() as connection, meter.measured("customer_features"):
        prepare_connection(connection)
        for bucket in range(len(inputs.months[0])):
            relations = _relations(inputs, bucket, months, folder)
            table = features_table(features, relations.available)
            with computed_features(connection, features, relations, as_of, FIRST_DAY) as sql:
                copy_to_parquet(connection, conformed_select(sql, table), folder / f"features-{bucket:03d}.parquet")


def _measure_pandas(
    meter: Meter, engine: Engine, folder: Path, inputs: Inputs, features: FeatureSettings
) -> tuple[str, ...]:
    """Make the last snapshot by pandas, bucket by bucket; return the columns in which it differs."""
    different: set[str] = set()
    for bucket in range(len(inputs.months[0])):
        relations = _relations(inputs, bucket, MONTHS, folder)
        with engine.connect() as connection:
            with meter.measured("pandas: read by DuckDB"):
                frames = read_frames(connection, relations)
            with meter.measured("pandas: compute"):
                found = compute_features(*frames, features, _month_end(MONTHS), FIRST_DAY)
            stored = parquet_scan([folder / f"features-{bucket:03d}.parquet"])
            table = features_table(features, relations.available)
            different.update(find_differences(connection, stored, table, found))
    return tuple(sorted(different))


_FLOOR = """
SELECT count(customer_id), count(order_id), max(order_at), count(product_id), count(line_type), sum(quantity),
    sum(amount)
FROM {lines}
"""


def _write_history(connection: Connection, folder: Path, inputs: Inputs, months: int) -> None:
    """Add a month to the history of the month before, or begin with all months so far."""
    previous, path = _history(folder, months - 1), _history(folder, months)
    new = inputs.months[months - 1 : months] if previous.exists() else inputs.months[:months]
    sql = customer_history_sql(
        parquet_scan([file for month in new for file in month]),
        parquet_scan([previous]) if previous.exists() else None,
        _month_end(months).date(),
    )
    copy_to_parquet(connection, conformed_select(sql, CUSTOMER_HISTORY), path)


def _history(folder: Path, months: int) -> Path:
    return folder / f"history-{months:02d}.parquet"


def _month_end(months: int) -> dt.datetime:
    years, rest = divmod(FIRST_DAY.month - 1 + months, 12)
    return dt.datetime(FIRST_DAY.year + years, rest + 1, 1)


def _lines(inputs: Inputs, bucket: int, months: int) -> str:
    return parquet_scan([month[bucket] for month in inputs.months[:months]])


def _relations(inputs: Inputs, bucket: int, months: int, folder: Path) -> FeatureRelations:
    return FeatureRelations(
        order_lines=_lines(inputs, bucket, months),
        history=parquet_scan([_history(folder, months)]),
        products=parquet_scan([inputs.products]),
        customers=parquet_scan([inputs.customers]),
        engagement_events=parquet_scan(inputs.events[:months]),
        columns=COLUMNS,
    )


def _exceeded(parsed: argparse.Namespace, meter: Meter) -> int:
    """Say which limit is exceeded."""
    peak = max(meter.peak_megabytes[name] for name in ("customer_history", "customer_features"))
    measured: tuple[tuple[str, float | None, float], ...] = (
        ("CPU seconds of customer_features", parsed.most_cpu_seconds, meter.cpu_seconds["customer_features"]),
        ("CPU seconds of customer_history", parsed.most_additive_cpu_seconds, meter.cpu_seconds["customer_history"]),
        ("megabytes at the peak", parsed.most_megabytes, peak),
    )
    exceeded = [(words, most, value) for words, most, value in measured if most is not None and value > most]
    for words, most, value in exceeded:
        print(f"error: {value:.1f} {words}, expected {most:g} at most", file=sys.stderr)
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
