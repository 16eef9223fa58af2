"""Stability under resampling."""

import numpy as np
import pandas as pd

from segmentation_assets.clustering.stability import draw_resamples, measure_stability, resample_size

MATRIX = pd.DataFrame({"x": np.arange(10.0)})
HALVES = np.repeat([0, 1], 5)


def test_a_refit_that_finds_the_same_groups_under_other_numbers_is_perfectly_stable():
    found = measure_stability(
        MATRIX, HALVES, lambda part, seed: np.where(part["x"] < 5, 7, 3), resamples=3, resample_customers=100, seed=0
    )
    assert found.mean == 1.0
    assert found.scores == (1.0, 1.0, 1.0)
    assert found.resample_customers == 8


def test_a_refit_that_finds_nothing_has_stability_zero():
    found = measure_stability(
        MATRIX, HALVES, lambda part, seed: np.zeros(len(part), int), resamples=2, resample_customers=100, seed=0
    )
    assert found.mean == 0.0


def test_resamples_differ_and_follow_the_seed():
    def drawn(seed):
        parts = draw_resamples(
            MATRIX, lambda part, seed: np.full(len(part), seed), resamples=2, resample_customers=4, seed=seed
        )
        return [(part.positions.tolist(), part.labels.tolist()) for part in parts]

    first, second = drawn(7)
    assert len(first[0]) == 4
    assert first[0] != second[0]
    assert drawn(7) == [first, second]
    assert [first[1], second[1]] == [[7] * 4, [8] * 4]


def test_a_resample_holds_at_most_eighty_percent():
    assert resample_size(1000, 5000) == 800
    assert resample_size(100_000, 5000) == 5000
    assert resample_size(2, 5000) == 2
