"""What docs/clustering.md shows: code, settings, commands, and every algorithm."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from pathlib import Path

import pytest

from segmentation_assets import api
from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.cli.parser import build_parser
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.config.loading import load_settings


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "clustering.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def test_every_block_is_of_a_kind_that_is_tested(page: str) -> None:
    assert set(re.findall(r"^```(\w+)", page, flags=re.MULTILINE)) == {"python", "yaml", "bash"}
    assert page.count("```") == 2 * len(re.findall(r"^```\w+$", page, flags=re.MULTILINE))


def test_code_gives_what_the_page_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = blocks(page, "python")
    assert all(block.startswith(">>> ") for block in code)
    examples = doctest.DocTestParser().get_doctest("\n".join(code), {}, "docs/clustering.md", None, 0)
    outcome = doctest.DocTestRunner().run(examples)
    assert (outcome.attempted, outcome.failed) == (len(examples.examples), 0)
    assert {path.name for path in tmp_path.iterdir()} == {"segments.csv", "profiles.parquet"}


def test_the_readme_shows_functions_with_arguments_they_take(repository: Path) -> None:
    (code,) = blocks((repository / "README.md").read_text(encoding="utf-8"), "python")
    calls = {
        node.func.id: node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert set(calls) == {"generate_shop", "prepare_matrix", "compare"}
    for name, call in calls.items():
        inspect.signature(getattr(api, name)).bind(*call.args, **{word.arg or "": word for word in call.keywords})


def test_settings_are_read(page: str, tmp_path: Path) -> None:
    path = tmp_path / "segmentation.yaml"
    for text in blocks(page, "yaml"):
        path.write_text(text, encoding="utf-8")
        load_settings(config=path)


def test_the_example_has_a_line_for_every_algorithm(page: str) -> None:
    (text,) = [text for text in blocks(page, "yaml") if text.startswith("clustering:")]
    assert re.findall(r"^    (\w+): \{", text, flags=re.MULTILINE) == list(ALGORITHMS)


def test_commands_are_understood(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in "".join(blocks(page, "bash")).splitlines():
        program, *arguments = line.split()
        assert program == "segmentation"
        load_from_arguments(build_parser().parse_args(arguments))


def test_the_table_has_every_algorithm_in_the_order_of_the_registry(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\|.*\|.*\|$", page.split("## The algorithms")[1].split("##")[0], re.MULTILINE)
    assert rows == [*ALGORITHMS, "rfm_map"]


def test_the_caps_and_gates_of_the_page_are_the_defaults(page: str) -> None:
    clustering, gates = ClusteringSettings(), LeaderboardSettings()
    sections = clustering.algorithms
    assert clustering.fit_sample == 50_000
    assert {sections.gaussian_mixture.fit_sample, sections.fuzzy_cmeans.fit_sample} == {20_000}
    assert {sections.dbscan.fit_sample, sections.hdbscan.fit_sample, sections.autoencoder.fit_sample} == {10_000}
    assert sections.ward.fit_sample == 5_000
    assert (sections.hybrid.density_sample, sections.gaussian_mixture.search_sample) == (10_000, 5_000)
    assert (clustering.score_sample, clustering.evaluation.resample_customers) == (10_000, 2_000)
    assert (clustering.evaluation.resamples, clustering.evaluation.reference_draws) == (20, 20)
    assert clustering.refit_every_months == 3
    assert ALGORITHMS["autoencoder"].most_resamples == 5
    assert (gates.min_coverage, gates.min_stability, gates.min_segment_share, gates.min_segment_customers) == (
        0.8,
        0.6,
        0.02,
        30,
    )
    assert {name: weight for name, weight in gates.weights if weight} == dict.fromkeys(
        ("silhouette", "stability", "usefulness"), 1.0
    )
    assert gates.horizon_months == 3
