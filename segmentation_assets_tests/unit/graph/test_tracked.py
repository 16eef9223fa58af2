"""Parameters and customers of a stored result."""

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.tracked import customers_of, parameters_of
from segmentation_assets.storage.manifest import Manifest


@pytest.fixture(scope="module")
def platform():
    return Platform(load_settings(profile="demo").settings)


def stored(platform, key, by_hand=None, **changes):
    node = platform.graph.node(key)
    version = platform.altered(by_hand or {}).code_version(node)
    facts = {"content_hash": "h", "code_version": version, "inputs": {}, "by_hand": by_hand or {}, **changes}
    return node, Manifest(key, "2025-06-01", **facts)


def test_parameters_are_the_settings_that_the_asset_declares(platform):
    node, manifest = stored(platform, "clusters/kmeans")
    parameters = parameters_of(platform, node, manifest)
    assert parameters["clustering.seed"] == 7
    assert parameters["clustering.algorithms.kmeans.n_init"] == platform.settings.clustering.algorithms.kmeans.n_init
    assert {name.split(".")[0] for name in parameters} == {"clustering", "calendar", "leaderboard"}
    assert not any(isinstance(value, dict) for value in parameters.values())


def test_what_was_changed_by_hand_is_among_them(platform):
    node, manifest = stored(platform, "clusters/kmeans", {"clustering.seed": 99})
    assert parameters_of(platform, node, manifest)["clustering.seed"] == 99


def test_parameters_of_a_result_by_other_settings_are_not_known(platform):
    node, manifest = stored(platform, "clusters/kmeans", code_version="1-other")
    assert parameters_of(platform, node, manifest) == {}


@pytest.mark.parametrize(
    ("key", "metadata", "expected"),
    [
        ("clusters/kmeans", {"fitted_customers": 100}, 369),
        ("models/churn", {"customers": 350, "customers_fitted": 400, "auc": 0.7}, 400),
        ("clusters/leaderboard", {"all_customers": 369, "scored_customers": 200}, 369),
        ("gold/champion", {"segments": 4}, None),
    ],
)
def test_customers_are_those_of_the_table_or_the_most_that_a_figure_names(platform, key, metadata, expected):
    node, manifest = stored(platform, key, metadata=metadata, row_count=369)
    assert customers_of(platform, node, manifest) == expected
