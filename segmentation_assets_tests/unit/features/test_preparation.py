"""Fitting and applying the preparation of the model matrix."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.settings import ImputationSettings, MatrixSettings
from segmentation_assets.errors import DataError
from segmentation_assets.features.preparation import Preparation, fit_preparation, model_matrix_table, prepare
from segmentation_assets.features.registry import features_table
from segmentation_assets.features.selection import DroppedFeature
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.rounding import round_significant
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS, SETTINGS, compute_frame, random_shop

TABLE = features_table(SETTINGS, ALL_INPUTS)
IMPUTATION = ImputationSettings()
CORE = ("recency_days", "order_count", "net_revenue_amount", "average_order_value_amount")


def _frame(**columns: list[float]) -> pd.DataFrame:
    """Features that are empty except for the columns given and filled core metrics."""
    size = len(next(iter(columns.values())))
    core = {name: [1.0] * size for name in CORE}
    empty = {name: [np.nan] * size for name in TABLE.column_names[1:]}
    return pd.DataFrame({"customer_id": [f"c{n}" for n in range(size)]} | empty | core | columns)


def _settings(*features: str, scaling: str = "standard", max_correlation: float = 0.8) -> MatrixSettings:
    return MatrixSettings(features=features, scaling=scaling, max_correlation=max_correlation)


def test_matrix_is_filled_logged_centred_and_scaled_by_hand() -> None:
    frame = _frame(
        recency_days=[0.0, 0.0, 0.0, 0.0, 0.0, np.nan, np.e**5 - 1],
        return_rate=[0.5, np.nan, 0.5, np.nan, 0.5, 0.9, np.nan],
    )
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("recency_days", "return_rate"))
    assert preparation.features == ("recency_days", "return_rate")
    assert preparation.log_features == ("recency_days",)
    assert preparation.centres == (0.8333333333, 0.25)
    assert preparation.scales == (float(f"{np.sqrt(25 / 6 - (5 / 6) ** 2):.9e}"), 0.25)
    assert (preparation.fitted_count, preparation.set_aside_count) == (6, 1)
    prepared = prepare(frame, preparation)
    low, high = -0.8333333333 / preparation.scales[0], (5 - 0.8333333333) / preparation.scales[0]
    expected = pd.DataFrame(
        {"recency_days": round_significant([low] * 5 + [high]), "return_rate": [1.0, -1.0, 1.0, -1.0, 1.0, -1.0]},
        index=pd.Index(["c0", "c1", "c2", "c3", "c4", "c6"], name="customer_id"),
    )
    pd.testing.assert_frame_equal(prepared.matrix, expected, check_index_type=False)
    assert prepared.imputed_share.tolist() == [0.0, 0.5, 0.0, 0.5, 0.0, 0.5]
    assert prepared.set_aside.to_dict("list") == {
        "customer_id": ["c5"],
        "reason": ["missing_core_metric: recency_days"],
    }


def test_unusable_columns_are_dropped_with_the_reason() -> None:
    frame = _frame(
        recency_days=[1.0, 2.0, 3.0, 4.0],
        order_count=[5.0, 5.0, 5.0, 5.0],
        gap_days_std=[2.0, 4.0, 6.0, 8.0],
        return_rate=[0.5, 0.1, 0.2, 0.3],
    )
    features = ("recency_days", "order_count", "gap_days_std", "return_rate", "account_age_days")
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings(*features))
    assert preparation.features == ("recency_days", "return_rate")
    assert preparation.dropped == (
        DroppedFeature("order_count", "constant"),
        DroppedFeature("account_age_days", "all_null"),
        DroppedFeature("gap_days_std", "redundant", "recency_days", 1.0),
    )


def test_negative_money_passes_the_logarithm_with_its_sign() -> None:
    frame = _frame(net_revenue_amount=[-1000.0, 1.0, 2.0, 3.0, 9000.0])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("net_revenue_amount"))
    assert preparation.log_features == ("net_revenue_amount",)
    matrix = prepare(frame, preparation).matrix["net_revenue_amount"]
    assert matrix.is_monotonic_increasing
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_single_row_prepares_exactly_as_in_the_batch(connection: Connection, scaling: str) -> None:
    features = compute_frame(connection, random_shop(3, n_customers=60, n_lines=500))
    settings = MatrixSettings(scaling=scaling)
    preparation = fit_preparation(features, TABLE, IMPUTATION, settings)
    batch = prepare(features, preparation)
    assert len(batch.matrix) > 20
    for position, customer in enumerate(features["customer_id"]):
        single = prepare(features.iloc[[position]], preparation)
        if customer in batch.matrix.index:
            pd.testing.assert_frame_equal(single.matrix, batch.matrix.loc[[customer]], check_exact=True)
            assert single.imputed_share[customer] == batch.imputed_share[customer]
        else:
            assert single.matrix.shape == (0, len(preparation.features))
            assert single.set_aside["customer_id"].tolist() == [customer]


def test_order_of_rows_and_columns_changes_nothing(connection: Connection) -> None:
    features = compute_frame(connection, random_shop(3, n_customers=60, n_lines=500))
    mixed = features.sample(frac=1, random_state=5)[[*reversed(features.columns)]]
    fitted = fit_preparation(features, TABLE, IMPUTATION, MatrixSettings())
    assert fit_preparation(mixed, TABLE, IMPUTATION, MatrixSettings()) == fitted
    pd.testing.assert_frame_equal(
        prepare(mixed, fitted).matrix.sort_index(), prepare(features, fitted).matrix, check_exact=True
    )


def test_default_matrix_of_a_shop_is_standardised_and_not_redundant(connection: Connection) -> None:
    features = compute_frame(connection, random_shop(4, n_customers=60, n_lines=900))
    preparation = fit_preparation(features, TABLE, IMPUTATION, MatrixSettings())
    matrix = prepare(features, preparation).matrix
    assert tuple(matrix.columns) == preparation.features
    assert len(preparation.features) >= 4
    assert preparation.fitted_count == len(matrix)
    np.testing.assert_allclose(matrix.mean(), 0, atol=1e-7)
    np.testing.assert_allclose(matrix.std(ddof=0), 1, atol=1e-7)
    correlations = np.abs(np.corrcoef(matrix.to_numpy(), rowvar=False) - np.eye(matrix.shape[1]))
    assert correlations.max() <= 0.8 + 1e-9
    np.testing.assert_array_equal(matrix, round_significant(matrix.to_numpy()))


def test_stored_preparation_gives_the_same_matrix(connection: Connection) -> None:
    features = compute_frame(connection, random_shop(3, n_customers=60, n_lines=500))
    preparation = fit_preparation(features, TABLE, IMPUTATION, MatrixSettings())
    stored = Preparation.from_json(preparation.to_json())
    assert stored == preparation
    assert stored.to_json() == preparation.to_json()
    pd.testing.assert_frame_equal(prepare(features, stored).matrix, prepare(features, preparation).matrix)


def test_preparation_keeps_only_the_fills_it_needs() -> None:
    frame = _frame(gap_days_mean=[1.0, np.nan, 30.0, 4.0], return_rate=[0.1, 0.2, 0.1, 0.2])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("gap_days_mean"))
    assert preparation.imputation.features == (*CORE, "gap_days_mean")
    smaller = frame[["customer_id", *CORE, "gap_days_mean"]]
    pd.testing.assert_frame_equal(prepare(smaller, preparation).matrix, prepare(frame, preparation).matrix)


def test_matrix_table_declares_the_kept_columns() -> None:
    frame = _frame(recency_days=[1.0, 2.0, 3.0, 900.0], return_rate=[0.1, 0.2, 0.3, 0.1])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("recency_days", "return_rate"))
    table = model_matrix_table(preparation.features, preparation.log_features)
    assert (table.key, table.primary_key) == ("silver/model_matrix", ("customer_id",))
    assert [(c.name, c.dtype) for c in table.columns] == [
        ("customer_id", "VARCHAR"),
        ("recency_days", "DOUBLE"),
        ("return_rate", "DOUBLE"),
    ]
    assert "on a log scale" in table.columns[1].meaning
    assert "on a log scale" not in table.columns[2].meaning


def test_features_without_a_needed_column_are_refused() -> None:
    frame = _frame(recency_days=[1.0, 2.0, 4.0])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("recency_days"))
    with pytest.raises(DataError, match=r"lack the columns order_count, recency_days"):
        prepare(frame.drop(columns=["order_count", "recency_days"]), preparation)
    with pytest.raises(DataError, match=r"lack the columns customer_id"):
        fit_preparation(frame.drop(columns="customer_id"), TABLE, IMPUTATION, _settings("recency_days"))


def test_snapshot_without_any_buyer_is_refused() -> None:
    frame = _frame(recency_days=[np.nan, np.nan])
    with pytest.raises(DataError, match=r"none of 2 customers has all core metrics.*\nHint: check"):
        fit_preparation(frame, TABLE, IMPUTATION, MatrixSettings())


def test_features_that_do_not_vary_give_a_matrix_without_columns() -> None:
    frame = _frame(recency_days=[1.0, 1.0], return_rate=[np.nan, np.nan])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("recency_days", "return_rate"))
    assert (preparation.features, preparation.log_features, preparation.fitted_count) == ((), (), 2)
    assert preparation.dropped == (
        DroppedFeature("recency_days", "constant"),
        DroppedFeature("return_rate", "all_null"),
    )
    assert Preparation.from_json(preparation.to_json()) == preparation
    prepared = prepare(frame, preparation)
    assert prepared.matrix.shape == (2, 0)
    assert prepared.matrix.reset_index().to_dict("list") == {"customer_id": ["c0", "c1"]}
    assert prepared.imputed_share.to_dict() == {"c0": 0.0, "c1": 0.0}
    assert model_matrix_table(preparation.features).column_names == ("customer_id",)


@pytest.mark.parametrize("settings", [MatrixSettings(), _settings()])
def test_a_single_customer_or_no_chosen_feature_gives_a_matrix_without_columns(settings: MatrixSettings) -> None:
    frame = _frame(recency_days=[3.0], return_rate=[0.5])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, settings)
    assert preparation.features == ()
    assert prepare(frame, preparation).matrix.shape == (1, 0)


def test_stored_preparation_of_another_version_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"not have the fields of this version: .*features.*\nHint: fit the model again"
    ):
        Preparation.from_json("{}")
