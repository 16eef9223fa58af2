"""Rank correlations against closed forms and against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.reporting import correlations
from segmentation_assets.reporting.correlations import LEAST_PAIRS, Partner, correlate_ranks, sample_customers
from segmentation_assets.storage.engine import Engine


@pytest.fixture
def connection(tmp_path):
    with Engine(EngineSettings(), tmp_path / "spill").connect() as opened:
        yield opened


def frame(**columns):
    return pd.DataFrame(columns, dtype="float64")


def test_rising_and_falling_columns_are_told_with_their_pairs():
    x = np.arange(40.0)
    half = np.where(x < 35, x, np.nan)
    found = correlate_ranks(frame(x=x, log=np.exp(x), down=-x, half=half, same=np.ones(40)), 1000)
    assert found.partners_of("x", 4) == (
        Partner("log", 1.0, 40),
        Partner("down", -1.0, 40),
        Partner("half", 1.0, 35),
    )
    assert found.partners_of("same") == ()
    assert found.partners_of("main_channel") == ()
    assert (found.sample_count, found.customer_count) == (40, 1000)


def test_too_few_pairs_are_not_told():
    x = np.arange(2.0 * LEAST_PAIRS)
    enough, few = (np.where(x < LEAST_PAIRS - short, x, np.nan) for short in (0, 1))
    found = correlate_ranks(frame(x=x, enough=enough, few=few), 60)
    assert [partner.name for partner in found.partners_of("x")] == ["enough"]


def test_complete_columns_with_ties_equal_pandas():
    rng = np.random.default_rng(3)
    given = frame(a=rng.poisson(2, 500), b=rng.normal(size=500), c=rng.integers(0, 3, 500))
    given["b"] += given["a"]
    expected = given.corr(method="spearman").to_numpy()
    assert correlate_ranks(given, 500).values == pytest.approx(expected, abs=1e-4)


def test_the_order_of_customers_changes_nothing():
    rng = np.random.default_rng(4)
    given = frame(a=rng.normal(size=3000), b=rng.poisson(1, 3000), c=rng.random(3000))
    given.loc[rng.random(3000) < 0.3, "c"] = np.nan
    first, second = correlate_ranks(given, 3000), correlate_ranks(given[::-1], 3000)
    assert np.array_equal(first.values, second.values, equal_nan=True)
    assert np.array_equal(first.pair_counts, second.pair_counts)


def test_a_sample_follows_from_seed_and_customers_alone(connection, monkeypatch):
    monkeypatch.setattr(correlations, "SAMPLE", 5)
    connection.execute("CREATE TABLE a AS SELECT 'c' || i AS customer_id, i AS n FROM range(50) AS t(i)")
    connection.execute("CREATE TABLE b AS SELECT * FROM a ORDER BY n DESC")
    first = sample_customers(connection, "a", ["n"], 1)
    assert len(first) == 5
    assert first.equals(sample_customers(connection, "b", ["n"], 1))
    assert not first.equals(sample_customers(connection, "a", ["n"], 2))
