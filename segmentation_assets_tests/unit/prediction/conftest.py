"""The CDNOW sample and simulated customers for the tests of lifetime value."""

import json
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from segmentation_assets.prediction.purchase_histories import check_histories
from segmentation_assets.prediction.purchase_models import MODELS, FittedPurchaseModel

PARAMETERS = {
    "bg_nbd": (0.6, 5.0, 0.8, 2.5),
    "mbg_nbd": (0.8, 5.0, 0.8, 2.5),
    "pareto_nbd": (0.8, 6.0, 0.7, 9.0),
}
"""In weeks; what simulated customers are drawn with."""


def model_of(name, parameters, covariance=None):
    """A fitted model with these parameters."""
    return FittedPurchaseModel(name, tuple(map(float, parameters)), covariance, -1.0, 100, "")


def simulate(name, customers, seed, *, weeks=40, horizon=39.0, parameters=None):
    """Customers observed for 1 to so many whole weeks; with a horizon all for so many exactly."""
    generator = np.random.default_rng(seed)
    end = generator.integers(1, weeks + 1, customers).astype(float) if not horizon else np.full(customers, float(weeks))
    drawn = MODELS[name].simulate(np.array(parameters or PARAMETERS[name]), end, horizon, generator)
    return check_histories(drawn.count, drawn.last, end), drawn.later


@pytest.fixture(scope="session")
def cdnow(shared_data):
    """The CDNOW sample in weeks, calibrated until 1997-09-30, with what was published about it."""
    path = shared_data / "cdnow" / "cdnow_sample.parquet"
    query = "SELECT sample_id, date, sum(dollars)::DOUBLE AS dollars FROM read_parquet(?) GROUP BY ALL ORDER BY ALL"
    with duckdb.connect() as connection:
        days = connection.execute(query, [str(path)]).df()
    days["week"] = (pd.to_datetime(days["date"]) - pd.Timestamp("1997-01-01")).dt.days / 7
    published = json.loads((shared_data / "expected.json").read_text(encoding="utf-8"))["cdnow_sample"]
    cut = (pd.Timestamp(published["calibration_end"]) - pd.Timestamp("1997-01-01")).days / 7
    days["birth"] = days.groupby("sample_id")["week"].transform("min")
    seen = days[days["week"] <= cut]
    weeks = seen.groupby("sample_id")["week"].agg(["min", "max", "size"])
    repeats = seen[seen["week"] > seen["birth"]]
    spend = repeats.groupby("sample_id")["dollars"].mean().reindex(weeks.index)
    return SimpleNamespace(
        published=published,
        histories=check_histories(weeks["size"] - 1, weeks["max"] - weeks["min"], cut - weeks["min"]),
        spend=spend.to_numpy(),
        births=weeks["min"].to_numpy(),
        order_weeks=days.loc[days["week"] > days["birth"], "week"].to_numpy(),
        cut=cut,
    )
