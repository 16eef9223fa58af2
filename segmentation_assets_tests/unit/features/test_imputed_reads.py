"""Every imputed feature and every column of the model matrix changes with the features it declares, and no other.

Features that nothing else is filled from are tried many at once: by each binary digit of their number those that have
it, and those that have it not, so that of any two there is a trial with the one and without the other.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.features import ImputationSettings, MatrixSettings
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.imputation import FLAG_PREFIX, apply_imputation, fit_imputation
from segmentation_assets.features.imputed_table import imputed_features_table
from segmentation_assets.features.preparation import fit_preparation, prepare
from segmentation_assets.features.registry import features_table
from segmentation_assets.tables.declaration import Column
from segmentation_assets_tests.unit.features.crowd import ADVANCED
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS
from segmentation_assets_tests.unit.perturbation import (
    Result,
    Rows,
    columns_changed_by,
    declared_readers,
    rows_by_customer,
)

FEATURES = features_table(ADVANCED, ALL_INPUTS)
IMPUTED = imputed_features_table(FEATURES)
NAMES = tuple(column.name for column in feature_columns(FEATURES))
CORE = {column.name for column in feature_columns(FEATURES) if column.imputation == "core"}
STAND_INS = {name for c in feature_columns(FEATURES) if c.undefined_rule for name in c.undefined_rule.sources}
"""Features that others are filled from."""


def _trials() -> list[tuple[str, ...]]:
    """Features that are mixed up together."""
    others = [name for name in NAMES if name not in STAND_INS | CORE]
    digits = range(len(others).bit_length())
    halves = [tuple(n for i, n in enumerate(others) if i >> digit & 1 == bit) for digit in digits for bit in (0, 1)]
    return [*((name,) for name in NAMES if name in STAND_INS | CORE), *halves]


TRIALS = _trials()


def test_of_any_two_features_there_is_a_trial_of_the_one_without_the_other() -> None:
    tried = {name: {i for i, trial in enumerate(TRIALS) if name in trial} for name in NAMES}
    alone = [(one, other) for one in NAMES for other in NAMES if one != other and tried[one] <= tried[other]]
    assert alone == []


DRAWN: dict[str, Callable[[np.random.Generator], Any]] = {
    "VARCHAR": lambda rng: str(rng.choice(["a", "b", "c"])),
    "DATE": lambda rng: date(2024, 1, 1) + timedelta(days=int(rng.integers(400))),
    "BIGINT": lambda rng: int(rng.choice([0, rng.integers(1, 400)])),
}


@pytest.fixture(scope="module")
def features() -> Rows:
    """Arbitrary features of customers with all core metrics, others missing here and there."""
    rng = np.random.default_rng(5)

    def cell(column: Column, number: int) -> Any:
        if column.name == "customer_id":
            return f"c{number}"
        is_kept = column.name not in NAMES or column.name in CORE or rng.random() < 0.7
        drawn = DRAWN.get(column.dtype, lambda rng: float(rng.random()))(rng)
        return drawn if is_kept else None

    return tuple(tuple(cell(column, number) for column in FEATURES.columns) for number in range(60))


def frame_of(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(FEATURES.column_names))


def places_of(trial: tuple[str, ...]) -> list[int]:
    return [FEATURES.column_names.index(name) for name in trial]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial[0] if len(trial) == 1 else f"{len(trial)}-features")
def test_features_change_exactly_what_is_filled_in_from_them(features: Rows, trial: tuple[str, ...]) -> None:
    def compute(rows: Rows) -> Result:
        fitted = fit_imputation(frame_of(rows), feature_columns(FEATURES), ImputationSettings())
        return rows_by_customer(apply_imputation(frame_of(rows), fitted).frame)

    changed = columns_changed_by(compute, compute(features), features, *places_of(trial))
    never_set = {f"{FLAG_PREFIX}{name}" for name in CORE}
    declared = declared_readers(IMPUTED.columns, *(f"customer_features.{name}" for name in trial))
    assert changed == declared - never_set


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial[0] if len(trial) == 1 else f"{len(trial)}-features")
def test_features_change_the_columns_of_the_model_matrix_that_they_fill(features: Rows, trial: tuple[str, ...]) -> None:
    settings = MatrixSettings(max_correlation=1.0)
    preparation = fit_preparation(frame_of(features), FEATURES, ImputationSettings(), settings)
    chosen = [column for column in IMPUTED.columns if column.name in preparation.features]

    def compute(rows: Rows) -> Result:
        return rows_by_customer(prepare(frame_of(rows), preparation).matrix.reset_index())

    changed = columns_changed_by(compute, compute(features), features, *places_of(trial))
    assert changed == declared_readers(chosen, *(f"customer_features.{name}" for name in trial))
