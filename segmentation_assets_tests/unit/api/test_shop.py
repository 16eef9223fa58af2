"""The generated shop: its frames, and that the truth is no feature."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.api import GeneratedShop, generate_shop
from segmentation_assets.config.loading import load_profile
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.registry import features_table
from segmentation_assets.graph.sources import optional_inputs
from segmentation_assets.synthetic.delivery import TRUTH_COLUMNS
from segmentation_assets.tables.silver import ORDER_LINES


def test_frames_have_the_columns_of_the_platforms_tables(shop: GeneratedShop) -> None:
    settings = load_profile()
    assert tuple(shop.features) == features_table(settings.features, optional_inputs(settings)).column_names
    assert tuple(shop.order_lines) == ORDER_LINES.column_names
    assert shop.features["customer_id"].is_monotonic_increasing
    assert set(shop.features["customer_id"]) <= set(shop.order_lines["customer_id"])


def test_the_snapshot_is_that_of_the_last_month(shop: GeneratedShop) -> None:
    assert shop.as_of_date == dt.date(2024, 9, 1)
    assert shop.order_lines["order_at"].max() < dt.datetime(2024, 9, 1)
    assert shop.features["recency_days"].min() >= 1


def test_the_truth_is_apart_and_knows_every_customer(shop: GeneratedShop) -> None:
    assert not TRUTH_COLUMNS & {*shop.features, *shop.order_lines}
    assert len(shop.truth.customers) == 400
    assert len(shop.truth.states) == 400 * 12
    assert set(shop.features["customer_id"]) <= set(shop.truth.customers["customer_id"])


def test_equal_arguments_make_equal_shops_and_another_seed_another_one() -> None:
    first, again, other = (generate_shop(customers=30, months=3, seed=seed) for seed in (1, 1, 2))
    assert_frame_equal(first.features, again.features)
    assert_frame_equal(first.order_lines, again.order_lines)
    assert not first.order_lines["amount"].equals(other.order_lines["amount"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"customers": 3}, "^overrides: synthetic.customers must be 10 to"),
        ({"months": 1}, "^overrides: synthetic.months must be 2 to"),
        ({"months": -5}, "^overrides: synthetic.months must be 2 to"),
        ({"seed": -1}, "^overrides: synthetic.seed must be 0 to"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        generate_shop(**arguments)


def test_no_file_of_the_working_directory_counts_and_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "segmentation.yaml").write_text("synthetic: {customers: nonsense}\n")
    assert len(generate_shop(customers=10, months=3).truth.customers) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["segmentation.yaml"]


def test_importing_the_functions_loads_neither_dagster_nor_a_heavy_library(repository: Path) -> None:
    code = (
        "import sys, segmentation_assets.api\n"
        "print(sorted({'dagster', 'sklearn', 'scipy', 'pandas', 'jax', 'plotly', 'matplotlib'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout == "[]\n"
