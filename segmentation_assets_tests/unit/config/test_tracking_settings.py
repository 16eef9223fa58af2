"""Settings of experiment tracking: what is refused, and the address that never shows."""

import re
from pathlib import Path

import pytest

from segmentation_assets.cli.config_command import show_text
from segmentation_assets.config.loading import load_settings
from segmentation_assets.errors import SettingsError

SECRET = "t0p-s3cret"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def load(text: str):
    Path("segmentation.yaml").write_text(text, encoding="utf-8")
    return load_settings()


def test_nothing_is_sent_by_default():
    mlflow = load("{}").settings.tracking.mlflow
    assert (mlflow.enabled, mlflow.tracking_uri, mlflow.experiment) == (False, None, "segmentation")


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:5000",
        "https://mlflow.example.org/team",
        "sqlite:///mlflow.db",
        "postgresql+psycopg://a:b@db/x",
    ],
)
def test_servers_and_databases_are_taken(address):
    settings = load(f"tracking: {{mlflow: {{enabled: true, tracking_uri: '{address}'}}}}").settings
    assert settings.tracking.mlflow.address == address


def test_the_password_of_a_database_shows_nowhere():
    loaded = load(f"tracking: {{mlflow: {{tracking_uri: 'postgresql://me:{SECRET}@db.example.org:5433/mlflow'}}}}")
    assert SECRET not in show_text(loaded)
    assert SECRET not in repr(loaded.settings)
    assert loaded.settings.tracking.mlflow.shown_address == "postgresql://db.example.org:5433"


def test_the_settings_of_the_page_are_read(repository):
    page = (repository / "docs" / "runs.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    mlflow = load(text).settings.tracking.mlflow
    assert (mlflow.enabled, mlflow.address, mlflow.experiment) == (True, "sqlite:///mlflow.db", "segmentation")


PROBLEMS = {
    "unknown key": ("{uri: 'http://x'}", "tracking.mlflow.uri is not a setting"),
    "no address": ("{enabled: true}", "tracking.mlflow: MLflow needs tracking_uri"),
    "a folder": (f"{{tracking_uri: ./{SECRET}}}", "it is neither a tracking server"),
    "a password in the address": (
        f"{{tracking_uri: 'http://me:{SECRET}@localhost:5000'}}",
        "a user name inside the address is not supported; MLflow reads MLFLOW_TRACKING_USERNAME",
    ),
    "a printed mask": ("{tracking_uri: '**********'}", "asterisks stand for a secret"),
    "no name": ("{experiment: ''}", "tracking.mlflow.experiment"),
}


@pytest.mark.parametrize(("text", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_is_told_without_the_address(text, message):
    with pytest.raises(SettingsError) as caught:
        load(f"tracking: {{mlflow: {text}}}")
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)
