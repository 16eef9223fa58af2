"""Measures what it costs to train all models on the built-in shop, and to score a million rows of features.

    python -m benchmarks.prediction
    python -m benchmarks.prediction --customers 100000 --most-training-seconds 200
    python -m benchmarks.prediction --most-training-seconds 60 --most-scoring-seconds 30

One snapshot in which everything is due, of a shop with two years of business. Only K-means is run, as segments are
needed and not measured here. CPU seconds, of one run:

    prepare     features of earlier dates, each beside what followed (silver/training_features)
    <model>     choosing, calibrating, testing and fitting it
    score       gold/customer_scores of the snapshot
    a million   the scores of a million rows, the snapshot's repeated, by the models in force
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.clustering import AlgorithmSettings
from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.predictions import MODELS, TRAINING_FEATURES
from segmentation_assets.orchestration.runner import run_scope

if TYPE_CHECKING:
    import pandas as pd

MONTH = "2025-06"
SCORES = "gold/customer_scores"
ROWS = 1_000_000


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
        scoring = _score_a_million(found)
        print(f"{f'{ROWS:,} rows scored':<30}{scoring:>8.1f} CPU s")
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
            "clustering.evaluation.resamples": 2,
            "clustering.evaluation.reference_draws": 0,
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


def _score_a_million(found: Platform) -> float:
    """Score a million rows by the stored models; return CPU seconds."""
    import pandas as pd

    from segmentation_assets.prediction.churn_model import ChurnModel
    from segmentation_assets.prediction.customer_scores import score_customers
    from segmentation_assets.prediction.lifetime_model import LifetimeModel
    from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier

    stored = {alias: found.models.load(reference) for alias, reference in found.models.aliases().items()}
    churn, value, newcomers = (stored[f"{key.split('/')[1]}_champion"] for key in (MODELS[0], MODELS[1], MODELS[3]))
    features = _repeated(_table(found, "silver/customer_features"))
    history = features[["customer_id", "btyd_frequency", "btyd_recency", "btyd_T", "repeat_spend_amount_mean"]]
    histories = history.rename(columns={"repeat_spend_amount_mean": "btyd_monetary_value"})
    histories = histories[histories["btyd_frequency"].notna()].astype(
        dict.fromkeys(("btyd_frequency", "btyd_recency", "btyd_T", "btyd_monetary_value"), "float64")
    )
    before = time.process_time()
    scores = score_customers(
        features,
        histories,
        ChurnModel.from_state(churn.estimator, churn.state),
        LifetimeModel.from_state(value.state),
        NewcomerClassifier.from_state(newcomers.estimator, newcomers.state),
        set(pd.unique(_table(found, "gold/champion")["segment_key"])),
    )
    spent = time.process_time() - before
    if len(scores) != ROWS:
        raise SystemExit(f"{len(scores):,} rows were scored instead of {ROWS:,}")
    return spent


def _table(found: Platform, key: str) -> pd.DataFrame:
    from segmentation_assets.storage.engine import read_frame

    with found.engine.connect() as connection:
        return read_frame(connection, found.store.table_paths(key, f"{MONTH}-01"))


def _repeated(features: pd.DataFrame) -> pd.DataFrame:
    """Repeat rows up to a million, each as a customer of its own."""
    rows = features.iloc[[number % len(features) for number in range(ROWS)]].reset_index(drop=True)
    return rows.assign(customer_id=[f"c{number:07d}" for number in range(ROWS)])


if __name__ == "__main__":
    raise SystemExit(main())
