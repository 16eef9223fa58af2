"""Principal components."""

import dataclasses
import json

import numpy as np
import pytest

from segmentation_assets.features.components import Components, fit_components

RNG = np.random.default_rng(5)
VALUES = RNG.normal(size=(200, 3)) * [3.0, 1.0, 0.2] @ np.linalg.qr(RNG.normal(size=(3, 3)))[0] + [5.0, -1.0, 0.0]


def test_components_are_those_of_scikit_learn_but_for_the_sign() -> None:
    from sklearn.decomposition import PCA

    theirs = PCA(n_components=2).fit(VALUES)
    ours = fit_components(VALUES, 2)
    np.testing.assert_allclose(ours.variance_shares, theirs.explained_variance_ratio_, rtol=1e-8)
    signs = np.sign((np.array(ours.weights) * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(ours.weights, theirs.components_ * signs[:, None], atol=1e-8)
    np.testing.assert_allclose(ours.project(VALUES), theirs.transform(VALUES) * signs, atol=1e-7)


def test_largest_weight_of_each_component_is_positive() -> None:
    for values in (VALUES, -VALUES):
        for weights in fit_components(values, 3).weights:
            assert max(weights, key=abs) > 0


@pytest.mark.parametrize(("wanted", "count"), [(1, 1), (3, 3), (99, 3), (0.5, 1), (0.95, 2), (0.99999, 3)])
def test_number_or_share_says_how_many(wanted: float, count: int) -> None:
    components = fit_components(VALUES, wanted)
    assert len(components.weights) == count
    assert components.names == tuple(f"pc_{number}" for number in range(1, count + 1))
    shares = np.cumsum(components.variance_shares)
    assert wanted >= 1 or (shares[-1] >= wanted and (count == 1 or shares[-2] < wanted))


def test_directions_without_variance_are_left_out() -> None:
    doubled = np.column_stack([VALUES[:, 0], 2 * VALUES[:, 0]])
    assert len(fit_components(doubled, 2).weights) == 1


def test_row_alone_is_projected_exactly_as_in_a_batch() -> None:
    components = fit_components(VALUES, 2)
    batch = components.project(VALUES)
    for row in range(0, 200, 7):
        np.testing.assert_array_equal(components.project(VALUES[[row]]), batch[[row]])


def test_components_survive_json() -> None:
    components = fit_components(VALUES, 2)
    assert Components.from_plain(json.loads(json.dumps(dataclasses.asdict(components)))) == components
