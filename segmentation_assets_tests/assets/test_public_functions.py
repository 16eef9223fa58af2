"""The public functions and the platform make the same of the same shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.api import compare, generate_shop, prepare_matrix
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame

MONTH = "2024-08-01"
COMPARED = ("kmeans", "ward")


@pytest.fixture
def platform(tmp_path: Path, run: Callable[..., object]) -> Platform:
    """A shop whose leaderboard of one month is made."""
    overrides = {
        "data_dir": str(tmp_path / "data"),
        "synthetic.customers": 300,
        "synthetic.months": 12,
        "synthetic.seed": 5,
        "calendar.first_snapshot": MONTH[:7],
        "calendar.last_month": MONTH[:7],
        "clustering.evaluation.resamples": 4,
        "clustering.evaluation.reference_draws": 2,
        **{f"clustering.algorithms.{name}.enabled": name in COMPARED for name in ALGORITHMS},
    }
    made = Platform(load_settings(overrides=overrides).settings)
    key = "clusters/leaderboard"
    run(made.settings, keys=made.graph.ancestors(key) | {key})
    return made


def stored(platform: Platform, key: str) -> pd.DataFrame:
    """Read a table of the month."""
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, MONTH))


def test_features_matrix_and_leaderboard_equal_those_of_a_run(platform: Platform) -> None:
    shop = generate_shop(customers=300, months=12, seed=5)
    assert_frame_equal(shop.features, stored(platform, "silver/customer_features"))
    matrix, _ = prepare_matrix(shop.features)
    assert_frame_equal(matrix.reset_index(), stored(platform, "silver/model_matrix"))
    leaderboard = compare(matrix, shop.features, settings=platform.settings)
    assert set(leaderboard["candidate"]) == {*COMPARED, "rfm_map"}
    wanted = stored(platform, "clusters/leaderboard").set_index("candidate").drop(columns="compared_month")
    found = leaderboard.set_index("candidate").loc[wanted.index, wanted.columns]
    assert_frame_equal(found, wanted, check_dtype=False)
