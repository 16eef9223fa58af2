"""Settings from environment variables."""

from pathlib import Path

import pytest

from segmentation_assets.config.environment import config_from_environment, environment_layer
from segmentation_assets.config.loading import load_settings
from segmentation_assets.errors import SettingsError


def test_names_become_sections_and_values_are_yaml() -> None:
    layer = environment_layer(
        {
            "SEGMENTATION__SYNTHETIC__CUSTOMERS": "500",
            "SEGMENTATION__FEATURES__DEPARTMENTS": "[Shoes, Hats]",
            "SEGMENTATION__CLUSTERING__ALGORITHMS__KMEANS__ENABLED": "false",
            "SEGMENTATION__CALENDAR__FIRST_SNAPSHOT": "2025-06",
            "SEGMENTATION_DATA_DIR": "2025",
            "HOME": "/root",
        }
    )
    assert layer.data == {
        "synthetic": {"customers": 500},
        "features": {"departments": ["Shoes", "Hats"]},
        "clustering": {"algorithms": {"kmeans": {"enabled": False}}},
        "calendar": {"first_snapshot": "2025-06"},
        "data_dir": "2025",
    }


def test_text_settings_take_their_value_as_it_is() -> None:
    layer = environment_layer(
        {
            "SEGMENTATION__SOURCE__FOLDER": "2024",
            "SEGMENTATION__SOURCE__ORDER_LINES__DATE_FORMAT": "%Y-%m-%d",
            "SEGMENTATION__SOURCE__ORDER_LINES__DECIMAL": ",",
            "SEGMENTATION__SOURCE__ORDER_LINES__SEPARATOR": "|",
            "SEGMENTATION__SOURCE__ORDER_LINES__COLUMNS__QUANTITY": "#",
            "SEGMENTATION__REPORTS__DASHBOARD__TITLE": "Segments: 'ours' [new]",
        }
    )
    assert layer.data == {
        "source": {
            "folder": "2024",
            "order_lines": {
                "columns": {"quantity": "#"}, "date_format": "%Y-%m-%d", "decimal": ",", "separator": "|"
            },
        },
        "reports": {"dashboard": {"title": "Segments: 'ours' [new]"}},
    }  # fmt: skip


def test_null_takes_an_optional_text_setting_back() -> None:
    environment = {"SEGMENTATION__CALENDAR__LAST_MONTH": "null", "SEGMENTATION__REPORTS__DASHBOARD__TITLE": "null"}
    assert environment_layer(environment).data == {
        "calendar": {"last_month": None},
        "reports": {"dashboard": {"title": "null"}},
    }


def test_empty_variables_count_as_absent() -> None:
    environment = {"SEGMENTATION_DATA_DIR": "", "SEGMENTATION__SYNTHETIC__SEED": "", "SEGMENTATION_CONFIG": ""}
    assert environment_layer(environment).data == {}
    assert config_from_environment(environment) is None


def test_settings_file_is_taken_from_the_environment() -> None:
    assert config_from_environment({"SEGMENTATION_CONFIG": "a/b.yaml"}) == Path("a/b.yaml")


def test_variables_of_other_programs_are_left_alone() -> None:
    environment = {"SEGMENTATION_PORT": "tcp://1.2.3.4:80", "SEGMENTATION_SERVICE_HOST": "1.2.3.4"}
    assert environment_layer(environment).data == {}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"SEGMENTATION_CONFG": "a"},
            r"variable SEGMENTATION_CONFG is not a setting\.\nHint: .* 'SEGMENTATION_CONFIG'\?",
        ),
        ({"SEGMENTATION_DATADIR": "a"}, r"variable SEGMENTATION_DATADIR is not .*\nHint: .* 'SEGMENTATION_DATA_DIR'\?"),
        (
            {"SEGMENTATION_ENGINE__THREADS": "1"},
            r"is not a setting\.\nHint: did you mean 'SEGMENTATION__ENGINE__THREADS'",
        ),
        (
            {"SEGMENTATION_DATA_DIR": "a", "SEGMENTATION__DATA_DIR": "b"},
            r"^environment variables SEGMENTATION_DATA_DIR and SEGMENTATION__DATA_DIR set the same\.\nHint: keep one",
        ),
        (
            {"SEGMENTATION__FEATURES__DEPARTMENTS": "[a"},
            r"^environment variable SEGMENTATION__FEATURES__DEPARTMENTS:.: this is not valid YAML",
        ),
        (
            {"SEGMENTATION__SEEED": "1"},
            r"^environment variable SEGMENTATION__SEEED: seeed is not a setting\.\nHint: known names are automation",
        ),
        (
            {"SEGMENTATION__SYNTHETIC__SEEED": "1"},
            r"^environment variable SEGMENTATION__SYNTHETIC__SEEED: synthetic.seeed is not .*\nHint: .* 'seed'\?",
        ),
        (
            {"SEGMENTATION__SYNTHETIC__SEED": "x"},
            r"^environment variable SEGMENTATION__SYNTHETIC__SEED: synthetic.seed must be a whole number, got 'x'\.",
        ),
        (
            {"SEGMENTATION_PROFILE": "dmo"},
            r"^environment variable SEGMENTATION_PROFILE: there is no profile 'dmo'\.\nHint: did you mean 'demo'\?",
        ),
        (
            {"SEGMENTATION__SYNTHETIC": "5"},
            r"^environment variable SEGMENTATION__SYNTHETIC: synthetic must be a section with keys of its own, got the",
        ),
    ],
)
def test_problems_name_the_variable(
    environment: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=expected):
        load_settings(environment=environment)
