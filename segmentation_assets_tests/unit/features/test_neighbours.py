"""Missing numbers from the most similar customers."""

import dataclasses
import json

import numpy as np
import numpy.typing as npt
import pytest

from segmentation_assets.config.features import ImputationSettings
from segmentation_assets.features.neighbours import Neighbours, fit_neighbours

NAN = np.nan


def knn(n_neighbors: int = 5, donors: int = 1000) -> ImputationSettings:
    return ImputationSettings(method="knn", n_neighbors=n_neighbors, donors=donors)


def random_values(seed: int, count: int, missing: float) -> npt.NDArray[np.float64]:
    """Correlated columns of very different size, some cells unknown."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 2)) @ rng.normal(size=(2, 5)) * [1, 10, 1e4, 0.1, 3] + rng.normal(size=(count, 5))
    values[rng.random(values.shape) < missing] = NAN
    return values


def test_nearest_donors_lend_their_mean_by_hand() -> None:
    values = np.array([[0.0, 10.0], [1.0, 20.0], [2.0, NAN], [9.0, 70.0], [1.2, NAN]])
    fitted = fit_neighbours(values, ["x", "y"], 1, ["y"], knn(n_neighbors=2))
    filled = fitted.complete(values)
    assert filled[:, 1].tolist() == [10.0, 20.0, 15.0, 70.0, 15.0]
    assert filled[:, 0].tolist() == values[:, 0].tolist()
    assert fitted.rule("y") == "mean of the 2 most similar of 3 customers that have a value"


def test_of_donors_at_one_distance_the_first_counts() -> None:
    values = np.array([[4.0, 1.0], [2.0, 2.0], [2.0, 3.0], [4.0, 4.0], [3.0, NAN]])
    one, three = (fit_neighbours(values, ["x", "y"], 1, ["y"], knn(n)).complete(values)[4, 1] for n in (1, 3))
    assert (one, three) == (1.0, 2.0)


def test_distance_counts_only_what_both_know_and_makes_up_for_the_rest() -> None:
    values = np.array([[2.0, 0.0, 5.0], [1.5, NAN, 7.0], [0.0, 0.0, NAN], [0.5, 1.0, 9.0]])
    fitted = dataclasses.replace(
        fit_neighbours(values, ["x", "y", "z"], 2, ["z"], knn(1)), centres=(0.0, 0.0), scales=(1.0, 1.0)
    )
    assert fitted.complete(values)[2, 2] == 9.0
    far = np.array([[0.0, 1.6, NAN]])
    assert fitted.complete(far)[0, 2] == 9.0
    assert fitted.complete(np.array([[1.4, 2.0, NAN]]))[0, 2] == 7.0


def test_fills_are_those_of_scikit_learn() -> None:
    from sklearn.impute import KNNImputer

    values = random_values(1, 120, 0.15)
    names = list("abcde")
    fitted = fit_neighbours(values, names, 5, names, knn(4))
    scaled = (values - fitted.centres) / fitted.scales
    theirs = KNNImputer(n_neighbors=4).fit_transform(scaled) * fitted.scales + fitted.centres
    np.testing.assert_allclose(fitted.complete(values), theirs, rtol=1e-8)


def test_row_alone_is_filled_exactly_as_in_a_batch_and_as_a_donor_that_is_not_there() -> None:
    values = random_values(2, 5000, 0.2)
    fitted = fit_neighbours(values, list("abcde"), 3, list("de"), knn(donors=200))
    batch = fitted.complete(values)
    assert len(fitted.donors) == 200
    assert not np.isnan(batch[:, 3:]).any()
    assert np.isnan(batch[:, :3]).any()
    for row in range(0, 5000, 83):
        np.testing.assert_array_equal(fitted.complete(values[[row]]), batch[[row]])


def test_far_and_unheard_of_values_are_filled_too() -> None:
    fitted = fit_neighbours(random_values(3, 50, 0.1), list("abcde"), 5, list("abcde"), knn())
    row = np.array([[1e300, NAN, -1e300, NAN, NAN]])
    assert np.isfinite(fitted.complete(row)).all()
    assert np.isfinite(fitted.complete(np.full((1, 5), NAN))).all()


def test_what_no_donor_knows_is_no_target() -> None:
    values = np.array([[1.0, NAN, 3.0], [2.0, NAN, NAN]])
    assert fit_neighbours(values, ["x", "y", "z"], 1, ["y", "z"], knn()).targets == ("z",)


@pytest.mark.parametrize("donors", [10, 1000])
def test_fitted_neighbours_survive_json(donors: int) -> None:
    fitted = fit_neighbours(random_values(4, 30, 0.2), list("abcde"), 3, list("de"), knn(donors=donors))
    assert Neighbours.from_plain(json.loads(json.dumps(dataclasses.asdict(fitted)))) == fitted
