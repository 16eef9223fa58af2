"""Measures what it costs to train all models on the built-in shop, and to score a million rows of features.

    python -m benchmarks.prediction
    python -m benchmarks.prediction --customers 100000 --most-training-seconds 200
    python -m benchmarks.prediction --most-training-seconds 60 --most-scoring-seconds 30

One snapshot in which everything is due, of a shop with two years of business. Only K-means is run, as segments are
needed and not measured here. CPU seconds, of one run:

    prepare     features of earlier dates, each beside what followed (silver/training_features)
    <model>     choosing, calibrating, testing and fitting it
    score       gold/customer_scores of the snapshot
    a million   segments and scores of a million rows of features, the snapshot's repeated, in memory; and the same with
                reading, checking and writing Parquet, as segmentation predict does it
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from segmentation_assets.config.clustering import AlgorithmSettings
from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.predictions import MODELS, TRAINING_FEATURES
from segmentation_assets.orchestration.runner import run_scope
from segmentation_assets.serving.predict import MonthTables, PredictionRequest, predict_file
from segmentation_assets.serving.scorer import load_rule, load_scorer
from segmentation_assets.storage.engine import Connection, copy_to_parquet, fetch_row, parquet_scan

MONTH = "2025-06"
SCORES = "gold/customer_scores"
ROWS = 1_000_000
LOT = 50_000


def main() -> int:
    """Run the benchmark; exit code 1 when a limit was given and is exceeded."""
    parser = argparse.ArgumentParser(description="Measure training and scoring.")
    parser.add_argument("--customers", type=int, default=15_000)
    parser.add_argument("--most-training-seconds", type=float)
    parser.add_argument("--most-scoring-seconds", type=float)
    parsed = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        found = Platform(_settings(parsed.customers, Path(folder)))
        spent = _run(found)
        training = {key: spent[key] for key in (TRAINING_FEATURES, *MODELS)}
        for key, seconds in {**training, SCORES: spent[SCORES]}.items():
            print(f"{key:<30}{seconds:>8.1f} CPU s")
        print(f"{'training, all':<30}{sum(training.values()):>8.1f} CPU s")
        scoring, whole = _score_a_million(found, Path(folder))
        print(f"{f'{ROWS:,} rows scored':<30}{scoring:>8.1f} CPU s")
        print(f"{'the same from file to file':<30}{whole:>8.1f} CPU s")
    limits = (parsed.most_training_seconds, parsed.most_scoring_seconds)
    pairs = zip((sum(training.values()), scoring), limits, strict=True)
    return int(any(most is not None and seconds > most for seconds, most in pairs))


def _settings(customers: int, folder: Path) -> Any:
    others = {f"clustering.algorithms.{name}.enabled": name == "kmeans" for name in AlgorithmSettings.model_fields}
    return load_settings(
        profile="default",
        overrides={
            "data_dir": str(folder),
            "synthetic.customers": customers,
            "calendar.first_snapshot": MONTH,
            "calendar.last_month": MONTH,
            "clustering.evaluation.resamples": 4,
            "clustering.evaluation.reference_draws": 2,
            **others,
        },
    ).settings


def _run(found: Platform) -> dict[str, float]:
    """Run everything up to the scores; return CPU seconds by asset key."""
    spent: dict[str, float] = {}
    before = [time.process_time()]

    def observe(node: Any, partition: str, outcome: Any) -> None:
        now = time.process_time()
        spent[node.key] = now - before[0]
        before[0] = now

    keys = set().union(*(found.graph.ancestors(key) for key in (*MODELS, SCORES)))
    run_scope(found, Scope(frozenset(keys)), observe)
    return spent


def _score_a_million(found: Platform, folder: Path) -> tuple[float, float]:
    """Score a million rows by the stored models; return CPU seconds in memory, and from file to file."""
    source, month = folder / "rows.parquet", f"{MONTH}-01"
    with found.engine.connect() as connection:
        tables = MonthTables(found, month, connection)
        features = tables.relation("silver/customer_features")
        _write_repeated(connection, features, source)
        spend = "CAST(repeat_spend_amount_mean AS DOUBLE) AS btyd_monetary_value"
        rows = connection.execute(f"SELECT *, {spend} FROM {parquet_scan([source])}").df()
        scorer = load_scorer(tables, load_rule(tables, {}), list(rows), {})
    before = time.process_time()
    scored = sum(len(scorer.score(rows.iloc[start : start + LOT])) for start in range(0, len(rows), LOT))
    in_memory = time.process_time() - before
    del rows
    before = time.process_time()
    outcome = predict_file(found, PredictionRequest(source, folder / "scores.parquet", month, reasons=0))
    if not scored == outcome.customers == ROWS:
        raise SystemExit(f"{scored:,} and {outcome.customers:,} rows were scored instead of {ROWS:,}")
    return in_memory, time.process_time() - before


def _write_repeated(connection: Connection, features: str, path: Path) -> None:
    """Repeat rows up to a million, each as a customer of its own."""
    (count,) = fetch_row(connection, f"SELECT count(*) FROM {features}")
    copy_to_parquet(
        connection,
        "SELECT customer_id || '-' || range AS customer_id, features.* EXCLUDE (customer_id) "
        f"FROM {features} AS features, range({-(-ROWS // count)}) LIMIT {ROWS}",
        path,
    )


if __name__ == "__main__":
    raise SystemExit(main())
