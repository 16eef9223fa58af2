"""A connection with a password is refused in a settings file, never shown, and taken from the environment."""

from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.errors import SettingsError

PASSWORD = "s3cret-of-asked"
VARIABLE = "SEGMENTATION__SOURCE__POSTGRES__CONNECTION"


def write(tmp_path: Path, connection: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(f'source:\n  postgres:\n    connection: "{connection}"\n', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "connection",
    [
        f"postgresql://reader:{PASSWORD}@db.example.org/shop",
        f"postgres://:{PASSWORD}@db.example.org/shop",
        f"postgresql://reader@db.example.org/shop?sslmode=require&password={PASSWORD}",
        f"host=db.example.org user=reader password={PASSWORD}",
        f"host=db.example.org PASSWORD = '{PASSWORD}'",
        f"host=db.example.org sslpassword={PASSWORD}",
    ],
)
def test_password_in_a_file_is_refused_with_the_variable_and_not_shown(tmp_path: Path, connection: str) -> None:
    path = write(tmp_path, connection)
    with pytest.raises(
        SettingsError, match=rf"own\.yaml:3: source\.postgres\.connection holds a password.*\nHint: .*{VARIABLE}"
    ) as caught:
        load_settings(config=path)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "connection",
    ["postgresql://reader@db.example.org:5432/shop", "host=db.example.org user=reader", "postgresql://[::1]:5432/shop"],
)
def test_connection_without_a_password_is_taken_from_a_file(tmp_path: Path, connection: str) -> None:
    found = load_settings(config=write(tmp_path, connection)).settings.source.postgres.connection
    assert found is not None
    assert found.get_secret_value() == connection


def test_password_in_the_environment_is_taken() -> None:
    connection = f"postgresql://reader:{PASSWORD}@db.example.org/shop"
    found = load_settings(environment={VARIABLE: connection}).settings.source.postgres.connection
    assert found is not None
    assert found.get_secret_value() == connection
