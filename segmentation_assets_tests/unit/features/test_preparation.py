"""Fitting and applying the preparation of the model matrix."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.features import ImputationSettings, MatrixSettings
from segmentation_assets.errors import DataError
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.features.imputation import apply_imputation, fit_imputation
from segmentation_assets.features.matrix_table import model_matrix_table
from segmentation_assets.features.preparation import Preparation, fit_preparation, prepare
from segmentation_assets.features.registry import features_table
from segmentation_assets.features.selection import DroppedFeature
from segmentation_assets.features.transformation import MatrixColumn
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.rounding import round_significant
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS, SETTINGS, compute_frame, random_shop

TABLE = features_table(SETTINGS, ALL_INPUTS)
IMPUTATION = ImputationSettings()
MIXED = ("recency_days", "order_count", "net_revenue_amount", "account_age_days", "days_since_event", "return_rate")
CORE = ("recency_days", "order_count", "net_revenue_amount", "average_order_value_amount")


def _frame(**columns: list[Any]) -> pd.DataFrame:
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
    deviation = float(f"{np.sqrt(25 / 6 - (5 / 6) ** 2):.9e}")
    assert preparation.columns == (
        MatrixColumn("recency_days", "recency_days", scale="log", centre=0.8333333333, unit=deviation),
        MatrixColumn("return_rate", "return_rate", centre=0.25, unit=0.25),
    )
    assert (preparation.fitted_count, preparation.set_aside_count) == (6, 1)
    prepared = prepare(frame, preparation)
    low, high = -0.8333333333 / deviation, (5 - 0.8333333333) / deviation
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
    assert [column.scale for column in preparation.columns] == ["log"]
    matrix = prepare(frame, preparation).matrix["net_revenue_amount"]
    assert matrix.is_monotonic_increasing
    assert np.isfinite(matrix).all()


def _random_features(seed: int, size: int = 150) -> pd.DataFrame:
    """Features of every class, skewed and in part unknown; of some customers the core metrics too."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {"customer_id": [f"c{n:03d}" for n in rng.permutation(size)]}
    basis = rng.normal(size=(size, 3))
    for column in feature_columns(TABLE):
        if column.dtype == "VARCHAR":
            values = rng.choice(["red", "blue", "green", "grey"], p=[0.5, 0.3, 0.15, 0.05], size=size).astype(object)
            columns[column.name] = np.where(rng.random(size) < 0.1, None, values)
        else:
            values = np.exp(basis @ rng.normal(size=3) + rng.normal(size=size))
            unknown = rng.random(size) < (0.02 if column.imputation == "core" else 0.2)
            columns[column.name] = np.where(unknown, np.nan, values)
    frame = pd.DataFrame(columns)
    frame["tenure_days"] = frame["tenure_days"].fillna(3.0)
    return frame


EVERY_SETTING = {
    "default": ({}, {}),
    "median, robust, no skew": ({"method": "median"}, {"scaling": "robust", "skew": "none"}),
    "knn, power, quantile, one-hot": (
        {"method": "knn", "donors": 60},
        {
            "features": (*MIXED, "gender"),
            "max_categories": 2,
            "outliers": "winsorise",
            "skew": "yeo_johnson",
            "scaling": "quantile",
        },
    ),
    "iterative, ordinal, share of variance": (
        {"method": "iterative", "rounds": 2},
        {"features": (*MIXED, "gender", "main_channel"), "encoding": "ordinal", "pca": 0.8},
    ),
    "knn, winsorised components": ({"method": "knn"}, {"outliers": "winsorise", "pca": 2}),
}


@pytest.fixture(params=EVERY_SETTING.values(), ids=EVERY_SETTING)
def chosen(request: pytest.FixtureRequest) -> tuple[ImputationSettings, MatrixSettings]:
    imputation, matrix = request.param
    return ImputationSettings(**imputation), MatrixSettings(**matrix)


def test_single_row_prepares_exactly_as_in_the_batch(chosen: tuple[ImputationSettings, MatrixSettings]) -> None:
    preparation = fit_preparation(_random_features(1), TABLE, *chosen)
    later = _random_features(2, 40).assign(gender=["red", "violet"] * 20)
    batch = prepare(later, preparation)
    assert len(preparation.column_names) >= 2
    assert np.isfinite(batch.matrix.to_numpy()).all()
    set_aside = set(batch.set_aside["customer_id"])
    assert 0 < len(set_aside) < 20
    for position in range(0, 40, 3):
        customer = later["customer_id"].iloc[position]
        single = prepare(later.iloc[[position]], preparation)
        if customer in set_aside:
            assert single.matrix.shape == (0, len(preparation.column_names))
            assert single.set_aside["customer_id"].tolist() == [customer]
        else:
            pd.testing.assert_frame_equal(single.matrix, batch.matrix.loc[[customer]], check_exact=True)
            assert single.imputed_share[customer] == batch.imputed_share[customer]


def test_order_of_rows_and_columns_changes_nothing(chosen: tuple[ImputationSettings, MatrixSettings]) -> None:
    features = _random_features(3)
    mixed = features.sample(frac=1, random_state=5)[[*reversed(features.columns)]]
    fitted = fit_preparation(features, TABLE, *chosen)
    assert fit_preparation(mixed, TABLE, *chosen) == fitted
    pd.testing.assert_frame_equal(
        prepare(mixed, fitted).matrix.sort_index(), prepare(features, fitted).matrix.sort_index(), check_exact=True
    )


def test_stored_preparation_is_the_same(chosen: tuple[ImputationSettings, MatrixSettings]) -> None:
    preparation = fit_preparation(_random_features(4), TABLE, *chosen)
    stored = Preparation.from_json(preparation.to_json())
    assert stored == preparation
    assert stored.to_json() == preparation.to_json()
    assert model_matrix_table(stored).column_names == ("customer_id", *preparation.column_names)


@pytest.mark.parametrize("method", ["mean", "knn", "iterative"])
def test_matrix_rests_on_the_values_of_the_imputed_features(method: str) -> None:
    features = _random_features(5)
    settings = ImputationSettings(method=method)
    raw = MatrixSettings(features=("account_age_days", "days_since_event"), skew="none")
    preparation = fit_preparation(features, TABLE, settings, raw)
    everything = fit_imputation(features, feature_columns(TABLE), settings)
    completed = apply_imputation(features, everything).frame.set_index("customer_id").sort_index()
    matrix = prepare(features, preparation).matrix.sort_index()
    assert completed["was_imputed_account_age_days"].sum() > 10
    for column in preparation.columns:
        values = (completed[column.name].to_numpy() - column.centre) / column.unit
        np.testing.assert_array_equal(matrix[column.name], round_significant(values))


def test_categories_become_columns_that_are_standardised() -> None:
    frame = _frame(recency_days=[1.0, 2.0, 3.0, 4.0], gender=["f", "f", None, "m"])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, MatrixSettings(features=("gender",), max_correlation=1))
    assert preparation.column_names == ("gender_is_f", "gender_is_m", "gender_is_unknown")
    assert preparation.features == ("gender",)
    assert preparation.dropped == (DroppedFeature("gender", "constant", column="gender_is_other"),)
    later = _frame(recency_days=[1.0, 1.0, 1.0], gender=["f", "x", None])
    prepared = prepare(later, preparation)
    half, third = [1.0, -1.0, -1.0], round_significant([-(3**-0.5), 3**0.5]).tolist()
    assert prepared.matrix["gender_is_f"].tolist() == half
    assert prepared.matrix["gender_is_unknown"].tolist() == [third[0], third[0], third[1]]
    assert prepared.imputed_share.tolist() == [0.0, 0.0, 1.0]
    assert prepared.adjustments == ({"feature": "gender", "unseen_category": 1},)


def test_two_categories_need_one_column_only() -> None:
    frame = _frame(recency_days=[1.0, 2.0, 3.0, 4.0], gender=["f", "f", "m", "f"])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("gender"))
    assert preparation.column_names == ("gender_is_f",)
    assert preparation.dropped[-1] == DroppedFeature("gender", "redundant", "gender_is_f", -1.0, "gender_is_m")


def test_feature_that_does_not_differ_within_the_limits_is_dropped_with_that_reason() -> None:
    frame = _frame(recency_days=[*range(100)], return_rate=[0.0] * 99 + [0.5])
    settings = MatrixSettings(
        features=("recency_days", "return_rate"), outliers="winsorise", outlier_low=0.0, outlier_high=0.95
    )
    preparation = fit_preparation(frame, TABLE, IMPUTATION, settings)
    assert preparation.dropped == (DroppedFeature("return_rate", "constant_within_limits"),)
    assert prepare(frame, preparation).adjustments == ({"feature": "recency_days", "winsorised_high": 5},)


def test_values_beyond_those_of_the_fit_are_counted() -> None:
    frame = _frame(recency_days=[1.0, 2.0, 3.0, 4.0])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("recency_days", scaling="quantile"))
    assert prepare(frame, preparation).adjustments == ()
    later = _frame(recency_days=[0.5, 4.0, 4.5, 9.0])
    counts = {"beyond_reference_low": 1, "beyond_reference_high": 2}
    assert prepare(later, preparation).adjustments == ({"feature": "recency_days", **counts},)


def test_components_stand_in_place_of_the_columns() -> None:
    features = _random_features(6)
    plain = fit_preparation(features, TABLE, IMPUTATION, MatrixSettings())
    reduced = fit_preparation(features, TABLE, IMPUTATION, MatrixSettings(pca=3))
    assert reduced.features == plain.features
    assert reduced.column_names == ("pc_1", "pc_2", "pc_3")
    matrix = prepare(features, reduced).matrix
    np.testing.assert_allclose(matrix.mean(), 0, atol=1e-7)
    shares = matrix.var(ddof=0) / prepare(features, plain).matrix.var(ddof=0).sum()
    assert reduced.components is not None
    np.testing.assert_allclose(shares, reduced.components.variance_shares, rtol=1e-6)


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


def test_preparation_keeps_only_the_fills_it_needs() -> None:
    frame = _frame(gap_days_mean=[1.0, np.nan, 30.0, 4.0], return_rate=[0.1, 0.2, 0.1, 0.2])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("gap_days_mean"))
    assert preparation.imputation.features == (*CORE, "gap_days_mean")
    smaller = frame[["customer_id", *CORE, "gap_days_mean"]]
    pd.testing.assert_frame_equal(prepare(smaller, preparation).matrix, prepare(frame, preparation).matrix)


def test_matrix_table_declares_the_kept_columns() -> None:
    frame = _frame(recency_days=[1.0, 2.0, 3.0, 900.0], return_rate=[0.1, 0.2, 0.3, 0.1])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, _settings("recency_days", "return_rate"))
    table = model_matrix_table(preparation)
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
    assert (preparation.features, preparation.columns, preparation.fitted_count) == ((), (), 2)
    assert preparation.dropped == (
        DroppedFeature("recency_days", "constant"),
        DroppedFeature("return_rate", "all_null"),
    )
    assert Preparation.from_json(preparation.to_json()) == preparation
    prepared = prepare(frame, preparation)
    assert prepared.matrix.shape == (2, 0)
    assert prepared.matrix.reset_index().to_dict("list") == {"customer_id": ["c0", "c1"]}
    assert prepared.imputed_share.to_dict() == {"c0": 0.0, "c1": 0.0}
    assert model_matrix_table(preparation).column_names == ("customer_id",)


@pytest.mark.parametrize("settings", [MatrixSettings(), _settings("return_rate")])
def test_a_single_customer_gives_a_matrix_without_columns(settings: MatrixSettings) -> None:
    frame = _frame(recency_days=[3.0], return_rate=[0.5])
    preparation = fit_preparation(frame, TABLE, IMPUTATION, settings)
    assert preparation.features == ()
    assert prepare(frame, preparation).matrix.shape == (1, 0)


def test_stored_preparation_of_another_version_is_refused() -> None:
    with pytest.raises(DataError, match=r"not have the fields of this version: columns.*\nHint: fit the model again"):
        Preparation.from_json("{}")
