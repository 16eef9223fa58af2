"""What `segmentation config` prints."""

import json
import re
from pathlib import Path

import pytest

from segmentation_assets.cli.config_command import check_text, schema_text, show_text
from segmentation_assets.cli.main import main
from segmentation_assets.config.loading import load_settings
from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.feature_settings import require_sound_features

FILES_CONFIG = """\
calendar:
  first_snapshot: 2024-01
source:
  kind: files
  folder: incoming
  order_lines:
    files: ["orders-*.csv"]
    columns: {order_id: a, order_at: b, customer_id: c, product_id: d, quantity: e, unit_price: f}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_says_what_a_synthetic_shop_leads_to(folder: Path) -> None:
    assert check_text(load_settings(profile="demo")).splitlines() == [
        "settings           ok",
        "profile            demo",
        "file               none; profile, environment and arguments only",
        f"data folder        {folder}/data/demo",
        "currency           EUR",
        "snapshots          2025-06 to 2025-08, each over 24 months of order lines",
        "features           153 in 20 blocks",
        "source             synthetic shop: 1,500 customers, 18 months from 2024-03, seed 7",
    ]


def test_check_lists_the_files_that_will_be_read(folder: Path) -> None:
    (folder / "segmentation.yaml").write_text(FILES_CONFIG)
    assert check_text(load_settings()).splitlines()[-2:] == [
        f"source             files in {folder}/incoming, which does not exist yet",
        "order_lines        orders-*.csv: 0 files",
    ]
    (folder / "incoming").mkdir()
    for name in ("orders-2.csv", "orders-1.csv", "other.csv"):
        (folder / "incoming" / name).touch()
    assert check_text(load_settings()).splitlines()[-5:] == [
        "snapshots          2024-01 to the newest month, each over 24 months of order lines",
        "features           83 in 11 blocks; without return_mix, mix, departments, fit, discounts, channels, "
        "engagement, profile, margin",
        f"source             files in {folder}/incoming",
        "order_lines        orders-*.csv: 2 files (orders-1.csv, orders-2.csv)",
        "not read           1 file that no pattern of the settings matches: other.csv. "
        "Hint: name it in source.<table>.files of its table, or move it to another folder.",
    ]


def test_check_names_files_beside_the_delivery_that_are_missing(folder: Path) -> None:
    (folder / "rates.csv").touch()
    overrides = {"population.crosswalk": str(folder / "nowhere.csv"), "money.exchange.file": str(folder / "rates.csv")}
    assert check_text(load_settings(profile="demo", overrides=overrides)).splitlines()[-2:] == [
        f"crosswalk          {folder}/nowhere.csv, which does not exist yet",
        f"exchange           {folder}/rates.csv",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "features:\n  sizes:\n    - '1'\n    - '+1'\n",
            r"segmentation.yaml:4: features.sizes lists '1' and '\+1', which both make the column size_unit_count_1\n",
        ),
        ("features:\n  sizes: [M, M]\n", "segmentation.yaml:2: features.sizes lists 'M' twice\nHint: list each"),
        (
            "features:\n  classes:\n    Shoe: [Boots]\n",
            "segmentation.yaml:3: features.classes names the department 'Shoe', which features.departments does not",
        ),
        (
            "features:\n  interactions:\n    - [recency_days, order_count]\n    - [recency_day, order_count]\n",
            "segmentation.yaml:4: features.interactions names 'recency_day', which is not a feature\nHint: did you",
        ),
        (
            "features:\n  interactions:\n    - [recency_days, order_count]\n    - [order_count, recency_days]\n",
            r"segmentation.yaml:4: features.interactions lists \[order_count, recency_days\] and \[recency_",
        ),
        (
            "features:\n  event_kinds:\n    visit: [visit]\n    event: [visit]\n",
            "segmentation.yaml:4: two features would be named event_count_90d: ",
        ),
        (
            "features:\n  set: basic\nmatrix:\n  features: [recency_days, gap_days_mean]\n",
            "segmentation.yaml:4: matrix.features names 'gap_days_mean', which is left out: features.set is basic\n",
        ),
        (
            "matrix:\n  features: [recency_days, order_count]\n  pca: 3\n",
            "segmentation.yaml:3: matrix.pca asks for 3 components, and there are 2 columns at most\nHint: name fewer",
        ),
        (
            "matrix:\n  features: [recency_days,\n    orders]\n",
            "segmentation.yaml:3: matrix.features names 'orders', which is not a feature\n",
        ),
    ],
)
def test_features_that_cannot_be_made_are_refused_with_the_place(folder: Path, text: str, expected: str) -> None:
    (folder / "segmentation.yaml").write_text(text)
    with pytest.raises(SettingsError, match=f"^{expected}"):
        load_settings(profile="demo", check=require_sound_features)


def test_features_that_cannot_be_made_are_refused_by_every_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "segmentation.yaml").write_text("matrix:\n  features: [orders]\n")
    for command in (["config", "check"], ["run"], ["status"]):
        assert main(command) == 1
        assert "segmentation.yaml:2: matrix.features names 'orders'" in capsys.readouterr().err


def test_the_readme_counts_the_features_of_the_default_profile(folder: Path, repository: Path) -> None:
    counts = re.search(r"computes (\d+ features in \d+ blocks)", (repository / "README.md").read_text(encoding="utf-8"))
    assert counts
    assert f"features           {counts[1].replace('features ', '')}" in check_text(load_settings()).splitlines()


def test_shown_settings_name_where_each_value_comes_from(folder: Path) -> None:
    (folder / "segmentation.yaml").write_text("imputation:\n  method: median\n")
    lines = show_text(load_settings(overrides={"synthetic.seed": 3})).splitlines()
    assert lines[0] == "# settings in force; values without a comment are built-in defaults"
    assert "  method: median  # segmentation.yaml:2" in lines
    assert "  seed: 3  # command line" in lines
    assert "  customers: 15000  # profile default" in lines
    assert "  scaling: standard" in lines


def test_shown_settings_can_be_loaded_again(folder: Path, repository: Path) -> None:
    title = "A: 'quoted' # title\nin two lines, with a £ sign"
    loaded = load_settings(
        config=repository / "examples" / "online_retail.yaml",
        overrides={"reports.dashboard.title": title, "source.adjustment_prefixes": ["NO", "1", "a\nb"]},
    )
    (folder / "shown.yaml").write_text(show_text(loaded), encoding="utf-8")
    assert load_settings(config=folder / "shown.yaml").settings == loaded.settings


def test_schema_is_json(folder: Path) -> None:
    assert "calendar" in json.loads(schema_text())["properties"]


def test_actions_print_and_succeed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--profile", "demo"]) == 0
    assert capsys.readouterr().out.startswith("settings           ok\nprofile            demo\n")
    assert main(["config", "show"]) == 0
    assert "profile: default\n" in capsys.readouterr().out
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_bad_settings_end_with_code_1_and_one_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segmentation.yaml").write_text("synthetic:\n  sed: 1\n")
    assert main(["config", "check"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "error: segmentation.yaml:2: synthetic.sed is not a setting.\nHint: did you mean 'seed'?\n"
