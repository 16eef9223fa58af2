"""`segmentation reference`: published figures reproduced from the stored raw order lines."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.features.reference import ReferenceResult, compute_reference
from segmentation_assets.graph.inputs import order_line_months
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan


def reference(parsed: argparse.Namespace) -> int:
    """Compute the reference of the settings and print it as a table or as JSON."""
    platform = Platform(load_from_arguments(parsed).settings)
    months = order_line_months(platform)
    raw = parquet_scan([path for month in months for path in platform.store.slice_paths("raw/order_lines", month)])
    with platform.engine.connect() as connection:
        result = compute_reference(connection, raw, platform.settings)
    print(json.dumps(asdict(result), indent=1, default=str) if parsed.json else _table(result))
    return 0


def _table(result: ReferenceResult) -> str:
    lines = [f"{result.name}, as of {result.as_of}", ""]
    lines.append(f"{'cleaning ladder':<40}{'rows':>10}{'customers':>11}{'orders':>9}{'amount':>18}")
    lines += [
        f"{step.step:<40}{step.row_count:>10,}{step.customer_count:>11,}{step.order_count:>9,}{step.amount:>18,.3f}"
        for step in result.ladder
    ]
    lines += ["", "RFM of the sales of known customers"]
    lines += [f"  {name:<32}{value:>18,.3f}" for name, value in asdict(result.rfm).items()]
    return "\n".join(lines)
