"""Customers whose segment follows a planted rule, or none."""

import datetime as dt

import numpy as np
import pandas as pd

from segmentation_assets.config.prediction import SegmentClassifierSettings
from segmentation_assets.features.declaration import FeatureColumn

QUICK = {"random_forest": {"n_estimators": 10, "min_samples_leaf": 2}, "gradient_boosting": {"max_iter": 12}}
SETTINGS = SegmentClassifierSettings.model_validate({"algorithms": QUICK, "folds": 3})
ONE_ALGORITHM = SegmentClassifierSettings.model_validate(
    {"algorithms": {**QUICK, "random_forest": {"enabled": False}}, "folds": 3}
)
"""Where the choice between algorithms does not matter."""


def feature(name, dtype="DOUBLE"):
    return FeatureColumn(name=name, dtype=dtype, meaning=name, imputation="ordinary")


COLUMNS = (
    feature("spend"),
    feature("orders"),
    feature("noise"),
    feature("channel", "VARCHAR"),
    feature("is_member", "BOOLEAN"),
)
KEYS = ("bronze", "gold", "silver")
"""Of the planted segments, sorted."""


def customers(n_customers=300, seed=0, first=0):
    """Three segments that lie far apart in spend, a hundred customers each."""
    rng = np.random.default_rng(seed)
    place = np.arange(n_customers) % 3
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{number:04d}" for number in range(first, first + n_customers)],
            "spend": 10.0 * place + rng.uniform(-1, 1, n_customers),
            "orders": rng.poisson(4, n_customers).astype("float64"),
            "noise": rng.normal(size=n_customers),
            "channel": rng.choice(["web", "store"], n_customers),
            "is_member": rng.random(n_customers) < 0.5,
            "segment_key": np.array(["bronze", "silver", "gold"])[place],
        }
    )
    return frame.assign(noise=frame["noise"].mask(frame.index % 7 == 0))


def at_random(frame, seed=1):
    """The same customers, with segments dealt out among them."""
    dealt = np.random.default_rng(seed).permutation(frame["segment_key"].to_numpy())
    return frame.assign(segment_key=dealt)


def newcomers(n_rows=600, seed=0, truth=0.85):
    """Newcomers at three dates; the amount of the first order tells the later segment of most of them."""
    rng = np.random.default_rng(seed)
    is_large = rng.random(n_rows) < 0.4
    later = np.where(rng.random(n_rows) < truth, is_large, ~is_large)
    tenure = rng.integers(0, 91, n_rows)
    dates = [dt.date(2021, 1, 1), dt.date(2021, 4, 2), dt.date(2021, 7, 2)]
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:04d}" for number in range(n_rows)],
            "cutoff_date": [dates[number % 3] for number in range(n_rows)],
            "tenure_days": tenure,
            "first_amount": np.where(is_large, 80.0, 20.0) + rng.normal(0, 10, n_rows),
            "noise": rng.normal(size=n_rows),
            "days_between_orders": np.where(tenure > 60, rng.uniform(1, 60, n_rows), np.nan),
            "segment_key": np.where(later, "loyal", "lapsed"),
        }
    )


NEWCOMER_COLUMNS = (feature("first_amount"), feature("noise"), feature("days_between_orders"))
