"""The four imputation classes, flags, reasons and the tracking table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.features import FeatureSettings, ImputationSettings
from segmentation_assets.errors import DataError
from segmentation_assets.features.declaration import (
    RETURNS_NOT_TOLD,
    FeatureColumn,
    FillRule,
    ImputationReason,
    feature_columns,
)
from segmentation_assets.features.imputation import Imputation, apply_imputation, fit_imputation
from segmentation_assets.features.imputed_table import imputed_features_table
from segmentation_assets.features.interactions import interactions_block
from segmentation_assets.features.registry import features_table
from segmentation_assets.storage.contract import check_contract
from segmentation_assets.storage.engine import Connection, write_frame
from segmentation_assets.tables.declaration import Table
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS, SETTINGS, compute_frame, random_shop

MEAN, MEDIAN = ImputationSettings(method="mean"), ImputationSettings(method="median")
GAP_RULE = FillRule(
    reason=ImputationReason.UNDEFINED_ONE_ORDER_DAY, description="days since the only order", column="recency_days"
)
SPREAD_RULE = FillRule(reason=ImputationReason.UNDEFINED_ONE_ORDER_DAY, description="0: no gaps", value=0.0)
NULL: dict[str, Any] = {"nullable": True, "null_rule": "unknown", "meaning": "A column."}
COLUMNS = (
    FeatureColumn(name="gap_days_mean", dtype="DOUBLE", imputation="undefined", undefined_rule=GAP_RULE, **NULL),
    FeatureColumn(name="gap_days_std", dtype="DOUBLE", imputation="undefined", undefined_rule=SPREAD_RULE, **NULL),
    FeatureColumn(name="recency_days", dtype="BIGINT", imputation="core", **NULL),
    FeatureColumn(name="average_order_value_amount", dtype="DECIMAL(18,2)", imputation="core", **NULL),
    FeatureColumn(name="return_rate", dtype="DOUBLE", imputation="returns", **NULL),
    FeatureColumn(name="account_age_days", dtype="BIGINT", imputation="ordinary", **NULL),
)
FRAME = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "cid", "dee"],
        "gap_days_mean": [45.0, np.nan, np.nan, np.nan],
        "gap_days_std": [15.0, np.nan, np.nan, np.nan],
        "recency_days": [1.0, 30.0, np.nan, 400.0],
        "average_order_value_amount": [20.17, 99.99, np.nan, 5.0],
        "return_rate": [0.25, 0.0, np.nan, np.nan],
        "account_age_days": [10.0, np.nan, 9_999.0, 21.0],
    }
)
NAMES = [column.name for column in COLUMNS]


def test_each_class_is_filled_by_its_own_rule() -> None:
    gaps = "gap_days_mean=undefined_one_order; gap_days_std=undefined_one_order"
    imputed = apply_imputation(FRAME, fit_imputation(FRAME, COLUMNS, MEAN)).frame
    expected = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "dee"],
            "gap_days_mean": [45.0, 30.0, 400.0],
            "gap_days_std": [15.0, 0.0, 0.0],
            "recency_days": [1.0, 30.0, 400.0],
            "average_order_value_amount": [20.17, 99.99, 5.0],
            "return_rate": [0.25, 0.0, 0.0],
            "account_age_days": [10.0, 15.5, 21.0],
            "was_imputed_gap_days_mean": [False, True, True],
            "was_imputed_gap_days_std": [False, True, True],
            "was_imputed_recency_days": [False, False, False],
            "was_imputed_average_order_value_amount": [False, False, False],
            "was_imputed_return_rate": [False, False, True],
            "was_imputed_account_age_days": [False, True, False],
            "imputation_reasons": [
                None,
                f"{gaps}; account_age_days=missing_filled_by_mean",
                f"{gaps}; return_rate=no_returns",
            ],
        }
    )
    expected["imputation_reasons"] = expected["imputation_reasons"].astype(object).where([False, True, True], None)
    pd.testing.assert_frame_equal(imputed, expected, check_dtype=False)


RETURNED = FeatureColumn(name="return_order_count", dtype="BIGINT", imputation="returns", meaning="Orders.")
DAYS_TO_RETURN = FeatureColumn(
    name="days_to_return_mean", dtype="DOUBLE", imputation="returns", undefined_rule=RETURNS_NOT_TOLD, **NULL
)


def test_customer_with_returns_is_not_said_to_have_none() -> None:
    frame = FRAME[["customer_id", "recency_days"]].assign(
        return_order_count=[0, 2, 1, 1], days_to_return_mean=[np.nan, np.nan, np.nan, 4.5]
    )
    imputation = fit_imputation(frame, (COLUMNS[2], DAYS_TO_RETURN, RETURNED), MEAN)
    imputed = apply_imputation(frame, imputation)
    assert imputed.frame["days_to_return_mean"].tolist() == [0.0, 0.0, 4.5]
    assert imputed.frame["imputation_reasons"].tolist() == [
        "days_to_return_mean=no_returns",
        "days_to_return_mean=undefined_for_these_returns",
        None,
    ]
    tracked = imputed.tracking[imputed.tracking["feature"] == "days_to_return_mean"]
    assert tracked[["reason", "count"]].to_numpy().tolist() == [["undefined_for_these_returns", 1], ["no_returns", 1]]
    assert imputation.limited_to(["days_to_return_mean"]).features == tuple(frame.columns[[1, 3, 2]])


def test_customer_who_stopped_and_newcomer_have_other_paces() -> None:
    table = features_table(SETTINGS, ALL_INPUTS)
    names = ("recency_days", "order_count_90d", "order_momentum_30d_90d")
    columns = [column for column in feature_columns(table) if column.name in names]
    frame = pd.DataFrame(
        {"customer_id": list("abc"), "recency_days": 1.0, "order_count_90d": [0, 1, 2]}
        | {"order_momentum_30d_90d": [np.nan, np.nan, 1.5]}
    )
    imputed = apply_imputation(frame, fit_imputation(frame, columns, MEAN))
    assert imputed.frame["order_momentum_30d_90d"].tolist() == [0.0, 1.0, 1.5]
    reasons = ["undefined_no_order_in_window", "undefined_short_history"]
    texts = [f"order_momentum_30d_90d={code}" for code in reasons]
    assert imputed.frame["imputation_reasons"].tolist() == [*texts, None]
    tracked = imputed.tracking[imputed.tracking["feature"] == "order_momentum_30d_90d"].set_index("reason")
    assert tracked.loc[reasons, ["count", "value"]].to_numpy().tolist() == [[1, 0.0], [1, 1.0]]


@pytest.mark.parametrize("method", ["mean", "knn", "iterative"])
def test_products_and_ratios_are_made_from_what_is_filled_in(method: Any) -> None:
    known = {"account_age_days": COLUMNS[5], "gap_days_std": COLUMNS[1], "recency_days": COLUMNS[2]}
    pairs = (("account_age_days", "gap_days_std"), ("recency_days", "account_age_days"))
    columns = (*known.values(), *interactions_block(FeatureSettings(interactions=pairs), known, {}).columns)
    names = [column.name for column in columns[3:]]
    frame = FRAME.drop(index=2)[["customer_id", *known]]
    frame[names] = [[150.0, 10 / 15, 10.0, 0.1], [np.nan] * 4, [np.nan, np.nan, 8400.0, 400 / 21]]
    imputation = fit_imputation(frame, columns, ImputationSettings(method=method))
    imputed = apply_imputation(frame, imputation).frame
    age = imputed["account_age_days"][1]
    assert imputed[names].to_numpy().tolist() == [
        [150.0, 10 / 15, 10.0, 0.1],
        [0.0, 0.0, 30.0 * age, 30.0 / age],
        [0.0, 0.0, 8400.0, 400 / 21],
    ]
    spread = "gap_days_std=undefined_one_order"
    product = "account_age_days_times_gap_days_std=made_from_filled_values"
    ratio = "account_age_days_per_gap_days_std=undefined_division_by_zero"
    assert imputed["imputation_reasons"].tolist() == [
        None,
        f"account_age_days=missing_filled_by_{method}; {spread}; {product}; {ratio}; "
        "recency_days_times_account_age_days=made_from_filled_values; "
        "recency_days_per_account_age_days=made_from_filled_values",
        f"{spread}; {product}; {ratio}",
    ]
    alone = apply_imputation(frame.iloc[[1]], Imputation.from_plain(json.loads(json.dumps(imputation.to_plain()))))
    pd.testing.assert_frame_equal(alone.frame, imputed.iloc[[1]].reset_index(drop=True), check_dtype=False)
    assert set(imputation.limited_to([names[2]]).features) >= {"account_age_days", "recency_days", names[2]}


@pytest.mark.parametrize("recency", [1.0, 0.0])
def test_product_and_ratio_of_a_feature_that_nobody_knows_stay_null(recency: float) -> None:
    known = {"account_age_days": COLUMNS[5], "recency_days": COLUMNS[2]}
    pair = ("account_age_days", "recency_days")
    columns = (*known.values(), *interactions_block(FeatureSettings(interactions=(pair,)), known, {}).columns)
    names = [column.name for column in columns[2:]]
    frame = FRAME[["customer_id", "recency_days"]].assign(account_age_days=np.nan, **dict.fromkeys(names, np.nan))
    frame.loc[0, "recency_days"] = recency
    imputed = apply_imputation(frame, fit_imputation(frame, columns, MEAN)).frame
    assert imputed[names].isna().all(axis=None)
    assert imputed["imputation_reasons"].tolist() == [None] * 3
    table = Table(key="silver/customer_features", row="", primary_key=("customer_id",), columns=columns)
    assert [c.nullable for c in imputed_features_table(table).columns[:4]] == [True, False, True, True]


def test_missing_category_becomes_a_category_of_its_own() -> None:
    gender = FeatureColumn(name="gender", dtype="VARCHAR", imputation="ordinary", **NULL)
    frame = FRAME[["customer_id", "recency_days"]].assign(gender=["f", None, "f", np.nan])
    imputed = apply_imputation(frame, fit_imputation(frame, (COLUMNS[2], gender), MEAN))
    assert imputed.frame["gender"].tolist() == ["f", "unknown", "unknown"]
    assert imputed.frame["was_imputed_gender"].tolist() == [False, True, True]
    assert imputed.frame["imputation_reasons"].tolist() == [None, *["gender=missing_category_unknown"] * 2]
    tracked = imputed.tracking.set_index("feature").loc["gender"]
    assert tracked[["count", "value", "rule"]].tolist() == [2, "unknown", "the category 'unknown'"]
    table = Table(key="silver/customer_features", row="", primary_key=("customer_id",), columns=(gender,))
    completed = imputed_features_table(table).columns[0]
    assert (completed.dtype, completed.nullable) == ("VARCHAR", False)


@pytest.mark.parametrize("dtype", ["object", "boolean"])
def test_truth_values_count_as_zero_and_one(dtype: str) -> None:
    flag = FeatureColumn(name="has_app", dtype="BOOLEAN", imputation="ordinary", **NULL)
    frame = FRAME[["customer_id", "recency_days"]].assign(has_app=pd.Series([True, None, True, False], dtype=dtype))
    imputed = apply_imputation(frame, fit_imputation(frame, (COLUMNS[2], flag), MEAN))
    assert imputed.frame["has_app"].tolist() == [1.0, 0.5, 0.0]
    table = Table(key="silver/customer_features", row="", primary_key=("customer_id",), columns=(flag,))
    assert imputed_features_table(table).columns[0].dtype == "DOUBLE"


@pytest.mark.parametrize("method", ["knn", "iterative"])
def test_values_filled_by_other_features_say_so(method: str) -> None:
    size = 40
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"customer_id": range(size), "recency_days": rng.normal(100, 30, size)})
    frame["average_order_value_amount"] = 2 * frame["recency_days"]
    frame["account_age_days"] = (3 * frame["recency_days"]).where(frame.index % 4 > 0)
    frame["days_since_event"] = np.where(frame.index % 2, np.nan, 1.0)
    stand_in = FillRule(
        reason=ImputationReason.UNDEFINED_NO_EVENT, description="account age", column="account_age_days"
    )
    late = FeatureColumn(
        name="days_since_event", dtype="DOUBLE", imputation="undefined", undefined_rule=stand_in, **NULL
    )
    imputation = fit_imputation(frame, (*COLUMNS[2:4], COLUMNS[5], late), ImputationSettings(method=method))
    imputed = apply_imputation(frame, imputation)
    errors = (imputed.frame["account_age_days"] - 3 * frame["recency_days"]).abs()
    assert errors[frame.index % 4 > 0].max() == 0
    assert errors[frame.index % 4 == 0].median() < 15
    borrowed = imputed.frame["days_since_event"][frame.index % 2 == 1]
    assert borrowed.equals(imputed.frame["account_age_days"][frame.index % 2 == 1])
    assert imputed.frame["imputation_reasons"].tolist()[0] == f"account_age_days=missing_filled_by_{method}"
    tracked = imputed.tracking.set_index("feature").loc["account_age_days"]
    assert tracked[["reason", "count", "value"]].tolist() == [f"missing_filled_by_{method}", 10, None]
    assert tracked["rule"] == imputation.model.rule("account_age_days")


@pytest.mark.parametrize("method", ["knn", "iterative"])
def test_only_what_is_asked_for_stays_with_what_it_is_filled_from(method: str) -> None:
    imputation = fit_imputation(FRAME, COLUMNS, ImputationSettings(method=method))
    core = ("recency_days", "average_order_value_amount")
    assert imputation.limited_to(["gap_days_std"]) == Imputation(
        tuple(fill for fill in imputation.fills if fill.feature in ("gap_days_std", *core))
    )
    filled = imputation.limited_to(["account_age_days"])
    assert (filled.features, filled.model) == ((*core, "account_age_days"), imputation.model)
    assert imputation.limited_to(["gap_days_mean"]).features == ("gap_days_mean", *core)


def test_feature_that_no_donor_knows_is_filled_by_the_mean() -> None:
    frame = pd.DataFrame({"customer_id": range(2000), "recency_days": 1.0, "account_age_days": np.nan})
    frame.loc[[3, 4], "account_age_days"] = [10.0, 20.0]
    columns = (COLUMNS[2], COLUMNS[5])
    imputation = fit_imputation(frame, columns, ImputationSettings(method="knn", donors=10))
    assert imputation.fills[1] == fit_imputation(frame, columns, MEAN).fills[1]
    assert apply_imputation(frame, imputation).frame["account_age_days"].tolist()[2:6] == [15.0, 10.0, 20.0, 15.0]


def test_rows_without_core_metrics_are_set_aside_with_the_reason() -> None:
    set_aside = apply_imputation(FRAME, fit_imputation(FRAME, COLUMNS, MEAN)).set_aside
    reason = "missing_core_metric: recency_days, average_order_value_amount"
    expected = pd.DataFrame({"customer_id": ["cid"], "reason": [reason]})
    pd.testing.assert_frame_equal(set_aside, expected, check_dtype=False)


def test_tracking_counts_values_filled_and_rows_set_aside() -> None:
    tracking = apply_imputation(FRAME, fit_imputation(FRAME, COLUMNS, MEAN)).tracking
    expected = pd.DataFrame(
        {
            "feature": NAMES,
            "imputation": ["undefined", "undefined", "core", "core", "returns", "ordinary"],
            "reason": [
                "undefined_one_order",
                "undefined_one_order",
                "missing_core_metric",
                "missing_core_metric",
                "no_returns",
                "missing_filled_by_mean",
            ],
            "count": [2, 2, 1, 1, 1, 1],
            "value": [None, 0.0, None, None, 0.0, 15.5],
            "rule": [
                "days since the only order",
                "0: no gaps",
                "the row is set aside",
                "the row is set aside",
                "0: no returns",
                "mean of the known values",
            ],
        }
    ).astype({"value": "object"})
    expected["value"] = expected["value"].where(expected["value"].notna(), None)
    pd.testing.assert_frame_equal(tracking, expected, check_dtype=False)


@pytest.mark.parametrize(("settings", "value"), [(MEAN, 7.0), (MEDIAN, 3.0)])
def test_ordinary_features_take_mean_or_median_of_rows_that_stay(settings: ImputationSettings, value: float) -> None:
    frame = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "recency_days": [1.0, 1.0, 1.0, 1.0, np.nan],
            "account_age_days": [1.0, 3.0, 17.0, np.nan, 1000.0],
        }
    )
    columns = [column for column in COLUMNS if column.name in frame.columns]
    imputation = fit_imputation(frame, columns, settings)
    assert imputation.fills[1].rule.value == value
    assert apply_imputation(frame, imputation).frame["account_age_days"].tolist() == [1.0, 3.0, 17.0, value]


def test_mean_is_rounded_to_ten_significant_digits_and_ignores_the_order_of_rows() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"customer_id": range(999), "account_age_days": rng.lognormal(5, 2, 999)})
    fits = [fit_imputation(f, [COLUMNS[5]], MEAN) for f in (frame, frame.sample(frac=1, random_state=1), frame[::-1])]
    assert fits[0] == fits[1] == fits[2]
    assert fits[0].fills[0].rule.value == float(f"{frame['account_age_days'].mean():.9e}")


def test_feature_without_any_known_value_stays_null_and_unflagged() -> None:
    frame = FRAME.assign(account_age_days=np.nan)
    imputed = apply_imputation(frame, fit_imputation(frame, COLUMNS, MEAN))
    assert imputed.frame["account_age_days"].isna().all()
    assert not imputed.frame["was_imputed_account_age_days"].any()
    assert imputed.tracking.set_index("feature").loc["account_age_days", "count"] == 0


def test_single_row_is_filled_as_in_the_batch() -> None:
    imputation = fit_imputation(FRAME, COLUMNS, MEAN)
    batch = apply_imputation(FRAME, imputation).frame
    singles = [apply_imputation(FRAME.iloc[[n]], imputation).frame for n in range(len(FRAME))]
    together = pd.concat([single for single in singles if len(single)], ignore_index=True)
    pd.testing.assert_frame_equal(together, batch, check_dtype=False)


def test_frame_given_is_not_changed() -> None:
    before = FRAME.copy()
    apply_imputation(FRAME, fit_imputation(FRAME, COLUMNS, MEAN))
    pd.testing.assert_frame_equal(FRAME, before)


def test_object_and_nullable_columns_are_read_as_numbers() -> None:
    frame = FRAME.assign(
        account_age_days=pd.array([10, None, 9999, 21], dtype="Int64"),
        return_rate=pd.Series([0.25, 0.0, None, None], dtype=object),
    )
    assert fit_imputation(frame, COLUMNS, MEAN) == fit_imputation(FRAME, COLUMNS, MEAN)
    filled = apply_imputation(frame, fit_imputation(frame, COLUMNS, MEAN)).frame
    assert filled["account_age_days"].tolist() == [10.0, 15.5, 21.0]


def test_imputation_survives_json() -> None:
    imputation = fit_imputation(FRAME, COLUMNS, MEAN)
    assert Imputation.from_plain(json.loads(json.dumps(imputation.to_plain()))) == imputation


def test_missing_column_is_named_with_the_closest_match() -> None:
    frame = FRAME.rename(columns={"return_rate": "return_rat"})
    with pytest.raises(DataError, match="lack the columns return_rate\nHint: did you mean 'return_rat'"):
        fit_imputation(frame, COLUMNS, MEAN)


def test_rule_that_refers_to_a_feature_left_out_is_refused() -> None:
    with pytest.raises(DataError, match="gap_days_mean is filled from recency_days, which is not among"):
        fit_imputation(FRAME, COLUMNS[:2], MEAN)


def test_value_whose_replacement_is_missing_too_is_refused() -> None:
    loose = (COLUMNS[0], FeatureColumn(name="recency_days", dtype="BIGINT", imputation="ordinary", **NULL))
    frame = FRAME.assign(recency_days=np.nan)
    message = r"gap_days_mean of customer bob is undefined, and recency_days, .* is missing too \(3 customers\)"
    with pytest.raises(DataError, match=message):
        apply_imputation(frame, fit_imputation(frame, loose, MEAN))


def test_imputed_features_of_a_shop_keep_their_contract(connection: Connection, tmp_path: Path) -> None:
    features = compute_frame(connection, random_shop(3, n_customers=80, n_lines=150))
    table = features_table(SETTINGS, ALL_INPUTS)
    imputed = apply_imputation(features, fit_imputation(features, feature_columns(table), MEAN))
    declared = imputed_features_table(table)
    assert tuple(imputed.frame.columns) == declared.column_names
    write_frame(connection, imputed.frame, declared, tmp_path / "imputed.parquet")
    result = check_contract(connection, [tmp_path / "imputed.parquet"], declared)
    assert result.violations == {}
    assert result.row_count == len(features) - len(imputed.set_aside) > 10
    assert len(imputed.set_aside) == features["recency_days"].isna().sum() > 0


def test_imputed_table_has_a_flag_per_feature_and_doubles_for_ordinary_ones() -> None:
    table = imputed_features_table(features_table(SETTINGS, ALL_INPUTS))
    columns = {column.name: column for column in table.columns}
    assert table.key == "silver/imputed_features"
    assert [n for n in columns if n.startswith("was_imputed_")] == [
        f"was_imputed_{column.name}" for column in feature_columns(table)
    ]
    assert (columns["account_age_days"].dtype, columns["account_age_days"].nullable) == ("DOUBLE", True)
    assert (columns["gap_days_mean"].dtype, columns["gap_days_mean"].nullable) == ("DOUBLE", False)
    assert (columns["recency_days"].dtype, columns["recency_days"].nullable) == ("BIGINT", False)
