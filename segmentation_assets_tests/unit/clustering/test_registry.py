"""The registry and what every registered algorithm must do."""

import subprocess
import sys

import numpy as np
import pytest

from segmentation_assets.clustering.registry import ALGORITHMS, enabled_algorithms, model_types
from segmentation_assets.config.clustering import AlgorithmSettings, ClusteringSettings, LeaderboardSettings


@pytest.fixture(params=sorted(ALGORITHMS))
def entry(request):
    """Each registered algorithm in turn."""
    return ALGORITHMS[request.param]


def test_importing_the_registry_loads_no_heavy_library(repository):
    code = (
        "import sys, segmentation_assets.clustering.registry\n"
        "print(sorted({'sklearn', 'scipy', 'pandas', 'numpy', 'jax'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_algorithm_has_a_settings_section_and_every_section_an_algorithm():
    assert set(ALGORITHMS) == set(AlgorithmSettings.model_fields)


def test_enabled_algorithms_leave_out_what_is_switched_off():
    off = ClusteringSettings.model_validate({"algorithms": {"kmeans": {"enabled": False}}})
    assert enabled_algorithms(ClusteringSettings()) == tuple(ALGORITHMS)
    assert enabled_algorithms(off) == tuple(name for name in ALGORITHMS if name != "kmeans")


def test_model_types_name_the_classes_that_are_built(entry):
    built = type(entry.build(ClusteringSettings(), LeaderboardSettings(), 120))
    assert f"{built.__module__}.{built.__qualname__}" in model_types()


def test_builds_with_every_key_of_its_section_and_the_shared_seed(entry):
    settings = ClusteringSettings(seed=99)
    parameters = entry.build(settings, LeaderboardSettings(), 120).get_params()
    section = getattr(settings.algorithms, entry.name).model_dump(exclude={"enabled"})
    assert section.items() <= parameters.items()
    assert parameters["random_state"] == 99


@pytest.mark.parametrize(
    ("share", "customers", "count", "expected"),
    [(0.05, 30, 1000, 0.05), (0.02, 30, 1000, 0.03), (0.02, 30, 77, 0.3896103896), (0.02, 30, 10, 1.0)],
)
def test_kmeans_searches_within_the_leaderboards_bounds(share, customers, count, expected):
    gates = LeaderboardSettings(min_segment_share=share, min_segment_customers=customers)
    built = ALGORITHMS["kmeans"].build(ClusteringSettings(), gates, count)
    assert built.get_params()["min_cluster_share"] == expected


def test_keeps_the_protocol_of_clusterers(entry):
    values = np.concatenate([np.random.default_rng(0).normal(mean, 1, (40, 3)) for mean in (0, 15, 30)])
    fitted = entry.build(ClusteringSettings(), LeaderboardSettings(), 120).fit(values)
    assert set(fitted.labels_) <= set(range(-1, fitted.n_clusters_))
    assert len(fitted.assign(values).distances) == 120
    alone = [int(fitted.predict(values[row : row + 1])[0]) for row in range(120)]
    assert alone == fitted.predict(values).tolist()
    assert fitted.refit_copy(3).fit(values).n_clusters_ == fitted.n_clusters_
