"""The algorithm that docs/adding-an-algorithm.md adds, taken from the page."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import check_estimator

from segmentation_assets.api import compare, generate_shop, make_clusterer, prepare_matrix
from segmentation_assets.clustering.estimator import BaseClusterer
from segmentation_assets.clustering.registry import ALGORITHMS, AlgorithmEntry, enabled_algorithms, model_types
from segmentation_assets.config import clustering as sections
from segmentation_assets.config.clustering import AlgorithmSettings, LeaderboardSettings
from segmentation_assets.config.loading import load_profile
from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.models import ModelStore
from segmentation_assets_tests.unit.clustering import test_estimators as conformance

NAME = "bisecting"
MODULE = "segmentation_assets.clustering.bisecting"

CONFORMANCE = [
    name
    for name, function in vars(conformance).items()
    if name.startswith("test_")
    and not hasattr(function, "pytestmark")
    and set(inspect.signature(function).parameters) <= {"clusterer", "blobs"}
]
"""Tests of every clusterer that need nothing else."""


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "adding-an-algorithm.md").read_text(encoding="utf-8")


def block(page: str, beginning: str) -> str:
    """Return the only block of code that begins so."""
    found = re.findall(r"^```(?:python)?\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    (text,) = [text for text in found if text.lstrip().startswith(beginning)]
    return str(text)


@pytest.fixture
def estimator(page: str, monkeypatch: pytest.MonkeyPatch) -> type:
    """The class of the page, where the registry looks for it."""
    module = ModuleType(MODULE)
    exec(compile(block(page, '"""K-means by'), "bisecting.py", "exec", dont_inherit=True), module.__dict__)
    monkeypatch.setitem(sys.modules, MODULE, module)
    (entry,) = eval(f"[{block(page, 'AlgorithmEntry(')}]", {"AlgorithmEntry": AlgorithmEntry})
    monkeypatch.setitem(ALGORITHMS, NAME, entry)
    made: type = module.BisectingClusterer
    return made


@pytest.fixture
def settings(page: str) -> Settings:
    """Settings with the section of the page, few refits, segments of few customers, and no other algorithm."""
    line = block(page, "bisecting:")
    code = f"{block(page, 'class BisectingSettings')}\nclass WithBisecting(AlgorithmSettings):\n{line}"
    made = dict(vars(sections))
    exec(compile(code, "clustering.py", "exec", dont_inherit=True), made)
    switches = {name: {"enabled": False} for name in AlgorithmSettings.model_fields}
    few = {
        "clustering.evaluation.resamples": 4,
        "clustering.evaluation.reference_draws": 2,
        "leaderboard.min_segment_customers": 5,
    }
    base = load_profile(overrides=few)
    changed = base.clustering.model_copy(update={"algorithms": made["WithBisecting"].model_validate(switches)})
    return base.model_copy(update={"clustering": changed})


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """As of the conformance tests."""
    return make_blobs(400, centers=np.eye(4, 6) * 12, random_state=0)


@pytest.mark.parametrize("name", CONFORMANCE)
def test_the_estimator_of_the_page_passes_the_conformance_tests(
    name: str, estimator: Callable[..., object], blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    function = getattr(conformance, name)
    given = {"clusterer": estimator(random_state=4), "blobs": blobs}
    function(**{key: given[key] for key in inspect.signature(function).parameters})


def test_the_estimator_of_the_page_keeps_scikit_learn_conventions(estimator: Callable[..., object]) -> None:
    check_estimator(estimator(), on_skip=None)


def test_the_conformance_tests_are_there() -> None:
    assert len(CONFORMANCE) >= 10


def test_the_section_and_the_registry_build_the_estimator(estimator: type, settings: Settings) -> None:
    built = ALGORITHMS[NAME].build(settings.clustering, LeaderboardSettings(), 1_000)
    assert type(built) is estimator
    parameters = built.get_params()
    section = settings.section(ALGORITHMS[NAME].settings_path).model_dump(exclude={"enabled"})
    assert section == {"k_min": 3, "k_max": 8, "n_init": 3}
    assert section.items() <= parameters.items()
    assert (parameters["random_state"], parameters["min_cluster_share"]) == (7, 0.03)


@pytest.mark.usefixtures("estimator")
def test_the_algorithm_of_the_page_has_an_asset_and_takes_part(settings: Settings) -> None:
    assert enabled_algorithms(settings.clustering) == (NAME,)
    graph = Platform(settings).graph
    assert graph.node(f"clusters/{NAME}").description.startswith("Bisecting K-means")
    assert f"clusters/{NAME}" in {item.key for item in graph.node("clusters/leaderboard").inputs}
    shop = generate_shop(customers=200, months=6)
    matrix, _ = prepare_matrix(shop.features)
    found = compare(matrix, shop.features, settings=settings).set_index("candidate")
    assert set(found.index) == {NAME, "rfm_map"}
    assert found.loc[NAME, "failure"] is None
    assert found.loc[NAME, "n_clusters"] >= 2


@pytest.mark.usefixtures("estimator")
def test_the_model_of_the_page_is_stored_and_loaded(tmp_path: Path, blobs: tuple[np.ndarray, np.ndarray]) -> None:
    store = ModelStore(tmp_path, model_types())
    fitted = make_clusterer(NAME).fit(blobs[0])
    loaded = store.load(store.save(NAME, fitted, {})).estimator
    np.testing.assert_array_equal(loaded.predict(blobs[0]), fitted.labels_)


def test_every_method_that_has_to_be_written_is_explained(page: str) -> None:
    abstract = {name for name, method in vars(BaseClusterer).items() if getattr(method, "__isabstractmethod__", False)}
    assert abstract == {"_learn", "_assign", "_reorder", "_choices"}
    assert abstract == set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE))
