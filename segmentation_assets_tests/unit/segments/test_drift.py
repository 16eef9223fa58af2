"""Whether this month's customers are still those of the promotion."""

import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.segments.drift import DriftReference, measure_drift, note_reference, stability_index


def customers(shift=0.0, share=0.5, n_customers=4_000, seed=1):
    rng = np.random.default_rng(seed)
    matrix = pd.DataFrame({"moving": rng.normal(shift, 1, n_customers), "resting": rng.integers(0, 3, n_customers)})
    keys = pd.Series(np.where(rng.random(n_customers) < share, "S001", "S002"))
    return matrix.astype("float64"), keys


def test_the_same_customers_have_not_moved():
    matrix, keys = customers()
    found = measure_drift(matrix, keys, note_reference(matrix, keys))
    assert (found.segments, found.columns, found.customer_count) == (0.0, {"moving": 0.0, "resting": 0.0}, 4_000)


def test_other_customers_of_the_same_kind_have_hardly_moved():
    reference = note_reference(*customers())
    assert measure_drift(*customers(seed=2), reference).index < 0.02


def test_what_moved_is_named_first_and_the_index_is_that_of_normal_distributions():
    found = measure_drift(*customers(shift=1.0, seed=2), note_reference(*customers()))
    assert next(iter(found.columns)) == "moving"
    # Of two normal distributions one deviation apart the index is 1; ten bins see a little less.
    assert 0.8 < found.columns["moving"] < 1.05
    assert found.columns_mean == pytest.approx(found.columns["moving"] / 2, abs=0.01)
    assert found.index == found.columns_mean


def test_sizes_of_segments_count_by_themselves():
    found = measure_drift(*customers(share=0.9, seed=2), note_reference(*customers()))
    assert found.index == found.segments == pytest.approx(0.4 * np.log(9), rel=0.1)


def test_a_segment_that_nobody_is_in_any_more_gives_a_finite_index():
    matrix, keys = customers()
    assert 4 < measure_drift(matrix, pd.Series(["S001"] * len(keys)), note_reference(matrix, keys)).segments < 10


def test_index_of_shares():
    assert stability_index((0.2, 0.8), (0.2, 0.8)) == 0
    assert stability_index((0.5, 0.5), (0.25, 0.75)) == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))


def test_a_reference_comes_back_from_json():
    reference = note_reference(*customers())
    assert DriftReference.from_plain(json.loads(json.dumps(reference.to_plain()))) == reference
