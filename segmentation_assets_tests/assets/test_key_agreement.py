"""Twelve months with another model in each: how far keys, and how far raw labels, mean the same from month to month."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from segmentation_assets.config.clustering import AlgorithmSettings
from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame

MONTHS = [f"{month:%Y-%m-%d}" for month in pd.date_range("2024-07-01", periods=12, freq="MS")]
TABLES = ("gold/customer_segments", "silver/model_matrix", "gold/champion")


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, pd.DataFrame]]:
    """Tables by month of a shop whose K-means is fitted anew and promoted in every month."""
    from segmentation_assets.graph.plan import Scope
    from segmentation_assets.orchestration.runner import run_scope

    settings = load_settings(
        profile="demo",
        overrides={
            "data_dir": str(tmp_path_factory.mktemp("key_agreement") / "data"),
            "synthetic.customers": 600,
            "synthetic.first_month": "2023-07",
            "synthetic.months": 24,
            "calendar.first_snapshot": MONTHS[0][:7],
            "calendar.last_month": MONTHS[-1][:7],
            **{f"clustering.algorithms.{name}.enabled": name == "kmeans" for name in AlgorithmSettings.model_fields},
            "clustering.refit_every_months": 1,
            "clustering.evaluation.resamples": 4,
            "clustering.evaluation.reference_draws": 2,
            "leaderboard.min_stability": 0,
            "leaderboard.min_jaccard": 0,
            "champion.promotion": "every_month",
        },
    ).settings
    platform = Platform(settings)
    run_scope(platform, Scope(frozenset({*TABLES, *platform.graph.ancestors(TABLES[0])})), lambda *_: None)
    with platform.engine.connect() as connection:
        return {
            month: {key: read_frame(connection, platform.store.table_paths(key, month)) for key in TABLES}
            for month in MONTHS
        }


def agreement(before: pd.Series, after: pd.Series) -> float:
    """Share of the customers of both months whose label is the same."""
    both = pd.concat([before, after], axis=1, keys=["before", "after"]).dropna()
    return float((both["before"] == both["after"]).mean())


def best_agreement(before: pd.Series, after: pd.Series) -> float:
    """The same for the renaming of the second month's labels that makes most of them agree."""
    counts = pd.crosstab(*pd.concat([before, after], axis=1, keys=["before", "after"]).dropna().to_numpy().T).to_numpy()
    return float(counts[linear_sum_assignment(-counts)].sum() / counts.sum())


def test_keys_agree_as_well_as_the_best_renaming_and_raw_labels_do_not(months):
    keys = [months[month]["gold/customer_segments"].set_index("customer_id")["segment_key"] for month in MONTHS]
    fits = [months[month]["silver/model_matrix"].set_index("customer_id") for month in MONTHS]
    counts = [key.nunique() for key in keys]
    raw = [
        pd.Series(KMeans(k, n_init=1, random_state=number).fit_predict(matrix), index=matrix.index)
        for number, (k, matrix) in enumerate(zip(counts, fits, strict=True))
    ]
    of_keys = [agreement(*pair) for pair in pairwise(keys)]
    reachable = [best_agreement(*pair) for pair in pairwise(keys)]
    naive = [agreement(*pair) for pair in pairwise(raw)]
    assert len({months[month]["gold/champion"]["model_hash"].iloc[0] for month in MONTHS}) == len(MONTHS)
    assert np.mean(of_keys) > np.mean(reachable) - 0.02
    assert (np.array(of_keys) > np.array(reachable) - 0.05).all()
    assert np.mean(of_keys) > np.mean(naive) + 0.3
