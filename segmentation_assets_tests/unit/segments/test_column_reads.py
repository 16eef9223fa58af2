"""Every column of the gold tables changes with the columns it declares to read, and with no other."""

import copy
import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.segments.assignment import assign_by_model, assign_segments
from segmentation_assets.segments.profiles import profile_segments
from segmentation_assets.segments.rfm import apply_thresholds, rfm_map, score_rfm, trace_scores
from segmentation_assets.tables.gold import CUSTOMER_SEGMENTS, RFM_SEGMENT_NAMES, RFM_SEGMENTS
from segmentation_assets.tables.segment_descriptions import SEGMENT_PROFILES
from segmentation_assets_tests.unit.perturbation import columns_changed_by, declared_readers, rows_by_customer

JULY = dt.date(2025, 7, 1)
KEYS = ("S001", "S002", "S003")


class LooksForOutliers(KMeansClusterer):
    """K-means that calls rows far from their centre outliers."""

    def _assign(self, values):
        assigned = super()._assign(values)
        return replace(assigned, outlier_scores=assigned.distances)


def customers(n_customers=60):
    """Features of customers; some lack the order count, the core metric of the model."""
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:02d}" for number in range(n_customers)],
            "recency_days": rng.integers(0, 300, n_customers).astype(float),
            "order_count": np.where(rng.random(n_customers) < 0.2, np.nan, rng.integers(0, 21, n_customers)),
            "net_revenue_amount": rng.integers(0, 90_000, n_customers) / 100,
            "lifetime_months": rng.integers(0, 6, n_customers) / 2,
            "gap_days": np.where(rng.random(n_customers) < 0.3, np.nan, rng.integers(1, 8, n_customers)),
        }
    )


def changed_by(compute, frame, column, **options):
    """Columns that change with a column of a frame."""
    names = list(frame.columns)
    rows = tuple(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))

    def compute_rows(perturbed):
        return compute(pd.DataFrame(perturbed, columns=names).astype(frame.dtypes.to_dict()))

    return columns_changed_by(compute_rows, compute_rows(rows), rows, names.index(column), **options)


@pytest.mark.parametrize("column", ["recency_days", "order_count", "net_revenue_amount", "gap_days"])
def test_feature_changes_exactly_the_rfm_columns_that_declare_to_read_it(column):
    scored, former = score_rfm(customers().fillna(0))
    before = scored.assign(rfm_segment=np.random.default_rng(6).permutation(scored["rfm_segment"]))

    def compute(frame):
        by_former = apply_thresholds(frame, former, rfm_map())
        return rows_by_customer(trace_scores(score_rfm(frame)[0], by_former, before))

    changed = changed_by(compute, customers().fillna(0), column)
    assert changed == declared_readers(RFM_SEGMENTS.columns, f"customer_features.{column}")


@pytest.fixture
def month(champion):
    """Return everything that customer_segments is made from, by noun."""
    rng = np.random.default_rng(3)
    features = customers()
    return {
        "customer_features": features,
        "champion": champion,
        "rfm_segments": pd.DataFrame(
            {"customer_id": features["customer_id"], "rfm_segment": rng.choice(RFM_SEGMENT_NAMES, len(features))}
        ),
        "customer_segments": pd.DataFrame(
            {
                "customer_id": features["customer_id"],
                "segment_key": rng.choice([*KEYS, None], len(features)),
                "months_in_segment": rng.integers(1, 4, len(features)),
                "changed_at": pd.to_datetime(rng.choice(["2025-03-01", "2025-04-01", "2025-05-01"], len(features))),
            }
        ),
    }


@pytest.mark.parametrize(
    ("noun", "column", "names"),
    [
        ("customer_features", "order_count", ["customer_features.<matrix>", "customer_features.order_count"]),
        ("customer_features", "gap_days", ["customer_features.<matrix>"]),
        ("champion", "segment_key", ["champion.segment_key"]),
        ("champion", "segment_name", ["champion.segment_name"]),
        ("champion", "trained_month", ["champion.trained_month"]),
        ("rfm_segments", "rfm_segment", ["rfm_segments.rfm_segment"]),
        ("customer_segments", "segment_key", ["customer_segments.segment_key"]),
        ("customer_segments", "changed_at", ["customer_segments.changed_at"]),
        ("customer_segments", "months_in_segment", ["customer_segments.months_in_segment"]),
        ("customer_features", "lifetime_months", ["customer_features.lifetime_months"]),
    ],
)
def test_column_changes_exactly_the_assignments_that_declare_to_read_it(month, model, noun, column, names):
    estimator = copy.copy(model.estimator)
    estimator.__class__ = LooksForOutliers
    with_exceptional = replace(model, estimator=estimator, segments=model.segments[:2], exceptional_clusters=(2,))

    def compute(frame):
        read = {**month, noun: frame}
        by_model = assign_by_model(read["customer_features"], with_exceptional)
        found = assign_segments(
            read["customer_features"],
            read["champion"],
            by_model,
            read["rfm_segments"],
            read["customer_segments"],
            JULY,
            next_as_of=dt.date(2025, 8, 1),
            min_known_days=30,
        )
        return rows_by_customer(found)

    changed = changed_by(compute, month[noun], column, may_repeat=noun != "champion")
    assert changed == declared_readers(CUSTOMER_SEGMENTS.columns, *names)


@pytest.mark.parametrize(
    ("noun", "column", "names"),
    [
        ("customer_features", "gap_days", ["customer_features.*"]),
        ("customer_features", "net_revenue_amount", ["customer_features.net_revenue_amount"]),
        ("customer_segments", "segment_key", ["customer_segments.segment_key"]),
        ("customer_segments", "segment_name", ["customer_segments.segment_name"]),
        ("imputed_features", "was_imputed_gap_days", ["imputed_features.was_imputed_*"]),
        ("segment_profiles", "mean", ["segment_profiles.mean"]),
    ],
)
def test_column_changes_exactly_the_profiles_that_declare_to_read_it(noun, column, names):
    rng = np.random.default_rng(4)
    features = customers()
    keys = rng.choice(KEYS, len(features), p=[0.2, 0.3, 0.5])
    every_fifth = pd.Series(keys).groupby(keys).cumcount() % 5
    inputs = {
        "customer_features": features,
        "customer_segments": pd.DataFrame(
            {"customer_id": features["customer_id"], "segment_key": keys, "segment_name": rng.permutation(keys)}
        ),
        "imputed_features": pd.DataFrame(
            {"customer_id": features["customer_id"], "was_imputed_gap_days": every_fifth == 0}
        ),
        "segment_profiles": pd.DataFrame({"segment_key": KEYS, "feature": "gap_days", "mean": [1.0, 2.5, 9.0]}),
    }

    def compute(frame):
        read = {**inputs, noun: frame}
        found = profile_segments(
            read["customer_features"],
            read["customer_segments"],
            read["imputed_features"],
            ["gap_days"],
            read["segment_profiles"],
        )
        return rows_by_customer(found.assign(customer_id=found["segment_key"]))

    changed = changed_by(compute, inputs[noun], column)
    assert changed == declared_readers(SEGMENT_PROFILES.columns, *names) - {"segment_key"}
