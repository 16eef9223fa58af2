import re

import pytest

from segmentation_assets.cli.opening import load_from_arguments, read_environment_file
from segmentation_assets.cli.parser import build_parser
from segmentation_assets.clustering.registry import ALGORITHMS, enabled_algorithms
from segmentation_assets.errors import SettingsError


def settings_of(*arguments):
    return load_from_arguments(build_parser().parse_args(arguments)).settings


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_environment_file_is_read_line_by_line(folder):
    (folder / ".env").write_text("# comment\n\n A = 1 \nB='two words'\nC=\"x=y\"\nD=\n")
    assert read_environment_file(folder / ".env") == {"A": "1", "B": "two words", "C": "x=y", "D": ""}


def test_line_without_equals_sign_is_refused_with_its_number(folder):
    (folder / ".env").write_text("A=1\nexport\n")
    with pytest.raises(SettingsError, match=r"\.env:2: 'export' has no equals sign\nHint: write KEY=VALUE"):
        read_environment_file(folder / ".env")


def test_missing_environment_file_is_refused(folder):
    with pytest.raises(SettingsError, match=r"none\.env: there is no such file\nHint: name an existing file"):
        read_environment_file(folder / "none.env")


def test_process_environment_counts_more_than_the_file(folder, monkeypatch):
    (folder / ".env").write_text("SEGMENTATION__SYNTHETIC__CUSTOMERS=70\nSEGMENTATION__SYNTHETIC__SEED=3\n")
    monkeypatch.setenv("SEGMENTATION__SYNTHETIC__CUSTOMERS", "80")
    synthetic = settings_of("run", "--profile", "demo", "--env", ".env").synthetic
    assert (synthetic.customers, synthetic.seed) == (80, 3)


def test_arguments_count_more_than_the_environment(monkeypatch):
    monkeypatch.setenv("SEGMENTATION__SYNTHETIC__CUSTOMERS", "80")
    settings = settings_of("run", "--profile", "demo", "--customers", "90", "--skip", "kmeans")
    assert settings.synthetic.customers == 90
    assert not settings.clustering.algorithms.kmeans.enabled


def test_variables_of_the_process_are_filled_in(folder, monkeypatch):
    monkeypatch.setenv("HERE", "/shop")
    (folder / ".env").write_text("DAGSTER_HOME=${HERE}/home\nPRICE=$5 ${NOT_SET}\n")
    assert read_environment_file(folder / ".env") == {"DAGSTER_HOME": "/shop/home", "PRICE": "$5 ${NOT_SET}"}


@pytest.mark.parametrize("kind", ["folder", "other encoding"])
def test_environment_file_that_is_no_text_is_refused(folder, kind):
    path = folder / "x.env"
    path.mkdir() if kind == "folder" else path.write_bytes(b"A=\xff")
    with pytest.raises(SettingsError, match=r"x\.env: is no UTF-8 text file\nHint: name a file of KEY=VALUE lines"):
        read_environment_file(path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("kmean", r"did you mean 'kmeans'\?"),
        ("Gaussian-Mixture", r"did you mean 'gaussian_mixture'\?"),
        ("kmeans.k_min", r"did you mean 'kmeans'\?"),
        ("", "known names are autoencoder, dbscan, "),
    ],
)
def test_skipping_an_unknown_algorithm_is_refused_with_the_closest_one(name, hint):
    with pytest.raises(SettingsError, match=rf"^there is no algorithm '{re.escape(name)}'\nHint: {hint}"):
        settings_of("run", "--skip", "kmeans", "--skip", name)


def test_skipping_algorithms_equals_switching_them_off_in_the_settings(folder):
    (folder / "segmentation.yaml").write_text(
        "clustering:\n  algorithms:\n    ward:\n      enabled: false\n    kmeans:\n      enabled: false\n"
    )
    switched_off = settings_of("run")
    (folder / "segmentation.yaml").unlink()
    assert settings_of("run", "--skip", "ward", "--skip", "kmeans", "--skip", "ward") == switched_off


def test_every_algorithm_may_be_skipped():
    skipped = [argument for name in ALGORITHMS for argument in ("--skip", name)]
    assert enabled_algorithms(settings_of("run", *skipped).clustering) == ()
