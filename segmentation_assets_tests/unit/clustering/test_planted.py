"""Groups that are known: what each algorithm finds of them, beside the best that can be found."""

import pytest

from benchmarks.planted import SETS, agreement
from segmentation_assets.clustering.registry import ALGORITHMS

CUSTOMERS = 800
BY_DENSITY = ("dbscan", "hdbscan")


@pytest.fixture(scope="module")
def planted():
    """All four kinds of data."""
    return {name: make(CUSTOMERS, 0) for name, make in SETS.items()}


def test_the_best_rule_is_perfect_only_where_groups_lie_apart(planted):
    reachable = {name: one.reachable for name, one in planted.items()}
    assert min(reachable["blobs"], reachable["moons"]) > 0.98
    assert 0.5 < reachable["overlapping"] < 0.75
    assert 0.6 < reachable["shop"] < 0.9


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name not in BY_DENSITY])
def test_groups_that_hardly_touch_are_found_as_well_as_is_possible(planted, name):
    found, score = agreement(name, planted["blobs"])
    assert found == 4
    assert score > planted["blobs"].reachable - 0.05


@pytest.mark.parametrize("name", BY_DENSITY)
def test_density_finds_moons_and_nothing_where_groups_overlap(planted, name):
    assert agreement(name, planted["moons"])[1] > 0.8
    assert agreement(name, planted["overlapping"])[1] < 0.1


@pytest.mark.parametrize(("name", "short_of"), [("kmeans", 0.25), ("gaussian_mixture", 0.2), ("fuzzy_cmeans", 0.2)])
def test_overlapping_groups_are_found_in_part(planted, name, short_of):
    assert agreement(name, planted["overlapping"])[1] > planted["overlapping"].reachable - short_of


@pytest.mark.parametrize("name", ["kmeans", "hybrid", "ward", "fuzzy_cmeans"])
def test_archetypes_of_the_shop_are_found_in_part(planted, name):
    assert agreement(name, planted["shop"])[1] > 0.25
