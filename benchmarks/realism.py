"""Compares the synthetic shop with the public Online Retail file over twelve months of each.

    python benchmarks/realism.py --online-retail FOLDER_OR_FILE

Lines are classified by the rules of each source (`examples/online_retail.yaml` for the real file) and measured by the
same SQL as the page `reports/eda`. The exit code is 1 when a figure of the synthetic shop is not known or lies outside
of half to twice that of the real one, or when the real file no longer gives the figures kept in
`reporting/data/online_retail.yaml`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.reporting.shop_figures import (
    ComparedFigure,
    compare_figures,
    measure_shop,
    read_reference,
)
from segmentation_assets.storage.engine import Connection, Engine, parquet_scan, quote_identifier
from segmentation_assets.synthetic.delivery import synthetic_source, write_delivery
from segmentation_assets.synthetic.shop import open_business
from segmentation_assets.tables.raw import RAW_ORDER_LINES

LARGEST_ROUNDING = 0.00005
EXAMPLE = Path(__file__).parents[1] / "examples" / "online_retail.yaml"


def main() -> int:
    """Print the figures of both shops and whether they are alike."""
    parser = argparse.ArgumentParser(description="Compare the synthetic shop with the Online Retail file.")
    parser.add_argument("--online-retail", type=Path, required=True, help="online_retail.parquet, or its folder")
    parser.add_argument("--customers", type=int, default=15_000, help="customers of the synthetic shop")
    parser.add_argument("--months", type=int, default=24, help="months of business; the last twelve are compared")
    parser.add_argument("--seed", type=int, default=7, help="seed of the synthetic shop")
    parsed = parser.parse_args()
    file = parsed.online_retail
    file = file / "online_retail.parquet" if file.is_dir() else file
    with tempfile.TemporaryDirectory() as folder, Engine(EngineSettings(), Path(folder) / "spill").connect() as engine:
        settings = SyntheticSettings(
            customers=parsed.customers,
            first_month=shift_month("2025-12", -parsed.months),
            months=parsed.months,
            seed=parsed.seed,
        )
        written = write_delivery(engine, open_business(settings), Path(folder))
        files = [path for path in written.delivered if path.name.startswith("order_lines")]
        source = load_settings(config=EXAMPLE).settings.source
        real = measure_shop(engine, lines_sql(engine, [file], source), dt.date(2011, 12, 1))
        made = measure_shop(engine, lines_sql(engine, files, synthetic_source()), dt.date(2025, 12, 1))
    print(f"{'figure':<46}{'Online Retail':>14}{'kept':>12}{'synthetic':>12}{'ratio':>8}")
    is_alike = True
    for row in compare_figures(made, read_reference()["figures"]):
        measured = real.values[row.measure.key]
        problems = find_problems(row, measured)
        is_alike &= not problems
        shown = (as_text(measured), as_text(row.reference), as_text(row.value), as_text(row.ratio, digits=2))
        print("{:<46}{:>14}{:>12}{:>12}{:>8}  {}".format(row.measure.label, *shown, "; ".join(problems)).rstrip())
    return 0 if is_alike else 1


def find_problems(row: ComparedFigure, measured: float | None) -> list[str]:
    """Say what is wrong with a figure of the synthetic shop, or with the one measured in the real file."""
    problems = []
    if measured is None or abs(measured - row.reference) >= LARGEST_ROUNDING:
        problems.append("not as kept")
    if row.ratio is None:
        problems.append(row.reason or "the kept figure is 0")
    elif row.is_beyond:
        problems.append("outside")
    return problems


def as_text(value: float | None, digits: int = 4) -> str:
    """Write a figure, also one that is not known."""
    return "unknown" if value is None else f"{value:.{digits}f}"


def lines_sql(connection: Connection, files: list[Path], source: SourceSettings) -> str:
    """Make the table expression of delivered order lines, classified by the rules of their source."""
    scan = parquet_scan(files)
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
    columns = []
    mapped = source.order_lines.columns
    for column in RAW_ORDER_LINES.columns:
        names = source.order_lines.names_of(column.name) if column.name in mapped else ()
        name = next((name for name in names if name in found), None)
        value = quote_identifier(name) if name else "NULL"
        columns.append(f"CAST({value} AS {column.dtype}) AS {quote_identifier(column.name)}")
    delivered = f"(SELECT {', '.join(columns)} FROM {scan})"
    return f"({classified_lines_sql(delivered, source)})"


if __name__ == "__main__":
    sys.exit(main())
