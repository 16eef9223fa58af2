"""Order of the layers, folders and profiles."""

from importlib.resources import files
from pathlib import Path

import pytest

from segmentation_assets.config.catalogue import CATALOGUE_FILE, read_catalogue_file
from segmentation_assets.config.loading import (
    load_profile,
    load_settings,
    load_settings_from_environment,
    profile_names,
)
from segmentation_assets.errors import SettingsError

FILES_SOURCE = """\
source:
  kind: files
  order_lines:
    files: [orders.csv]
    columns: {order_id: a, order_at: b, customer_id: c, product_id: d, quantity: e, unit_price: f}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_the_default_profile_counts(folder: Path) -> None:
    loaded = load_settings()
    settings = loaded.settings
    assert (settings.profile, settings.synthetic.customers, settings.synthetic.months) == ("default", 15_000, 24)
    assert (settings.calendar.first_snapshot, settings.calendar.last_month) == ("2025-06", "2025-08")
    assert settings.synthetic.first_month == "2023-09"
    assert settings.data_dir == folder / "data"
    assert loaded.config_path is None
    assert loaded.sources["synthetic.customers"] == "profile default"


def test_demo_profile_builds_on_the_default_one_with_a_data_folder_of_its_own(folder: Path) -> None:
    default, demo = load_settings().settings, load_settings(profile="demo").settings
    assert (demo.profile, demo.synthetic.customers, demo.synthetic.months) == ("demo", 1_500, 18)
    assert (demo.synthetic.first_month, demo.data_dir) == ("2024-03", folder / "data" / "demo")
    assert demo.features.departments == default.features.departments
    assert len(demo.features.departments) == 4
    assert demo.calendar == default.calendar


def test_every_packaged_profile_loads(folder: Path) -> None:
    assert profile_names() == ("default", "demo")
    assert [load_settings(profile=name).settings.profile for name in profile_names()] == ["default", "demo"]


def test_a_profile_alone_reads_nothing_of_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "segmentation.yaml", "synthetic: {customers: 77}\n")
    monkeypatch.setenv("SEGMENTATION__SYNTHETIC__CUSTOMERS", "78")
    assert load_profile().synthetic.customers == 15_000
    assert load_profile("demo", {"synthetic.seed": 3}).synthetic.seed == 3
    with pytest.raises(SettingsError, match=r"^overrides: synthetic\.customer is not a setting\.\nHint: did you mean"):
        load_profile(overrides={"synthetic.customer": 5})
    with pytest.raises(SettingsError, match=r"there is no profile 'dem'\.\nHint: did you mean 'demo'\?"):
        load_profile("dem")


def test_each_layer_counts_more_than_the_one_before(folder: Path) -> None:
    write(folder / "segmentation.yaml", "profile: demo\nsynthetic:\n  months: 20\n  seed: 1\n  customers: 100\n")
    loaded = load_settings(
        environment={"SEGMENTATION__SYNTHETIC__SEED": "2", "SEGMENTATION__SYNTHETIC__CUSTOMERS": "200"},
        overrides={"synthetic.customers": 300},
    )
    shop = loaded.settings.synthetic
    assert (shop.first_month, shop.months, shop.seed, shop.customers) == ("2024-03", 20, 2, 300)
    assert {key: loaded.sources[f"synthetic.{key}"] for key in ("first_month", "months", "seed", "customers")} == {
        "first_month": "profile demo",
        "months": "segmentation.yaml:3",
        "seed": "environment variable SEGMENTATION__SYNTHETIC__SEED",
        "customers": "command line",
    }


def test_file_argument_beats_the_environment_and_the_working_directory(folder: Path) -> None:
    write(folder / "segmentation.yaml", "currency: AAA\n")
    environment = {"SEGMENTATION_CONFIG": str(write(folder / "b.yaml", "currency: BBB\n"))}
    argument = write(folder / "c.yaml", "currency: CCC\n")
    assert load_settings().settings.currency == "AAA"
    assert load_settings(environment=environment).settings.currency == "BBB"
    loaded = load_settings(config=argument, environment=environment)
    assert (loaded.settings.currency, loaded.config_path) == ("CCC", argument)


def test_profile_argument_beats_the_environment_which_beats_the_file(folder: Path) -> None:
    write(folder / "segmentation.yaml", "profile: demo\n")
    assert load_settings().settings.synthetic.customers == 1_500
    from_environment = load_settings(environment={"SEGMENTATION_PROFILE": "default"}).settings
    assert (from_environment.profile, from_environment.synthetic.customers) == ("default", 15_000)
    argument = load_settings(profile="default", environment={"SEGMENTATION_PROFILE": "demo"}).settings
    assert (argument.profile, argument.synthetic.customers) == ("default", 15_000)


def test_lists_are_replaced_and_sections_joined(folder: Path) -> None:
    write(folder / "segmentation.yaml", "features:\n  departments: [Shoes]\ncalendar:\n  lookback_months: 12\n")
    settings = load_settings().settings
    assert settings.features.departments == ("Shoes",)
    assert (settings.calendar.lookback_months, settings.calendar.first_snapshot) == (12, "2025-06")


def test_section_without_content_counts_as_absent(folder: Path) -> None:
    write(folder / "segmentation.yaml", "leaderboard:\n#  min_coverage: 0.5\nreference:\n")
    settings = load_settings().settings
    assert (settings.leaderboard.min_coverage, settings.reference) == (0.8, None)


def test_empty_file_changes_nothing(folder: Path) -> None:
    write(folder / "segmentation.yaml", "# nothing yet\n")
    assert load_settings().settings.currency == "EUR"


def test_byte_order_mark_is_passed_over(folder: Path) -> None:
    (folder / "segmentation.yaml").write_bytes(b"\xef\xbb\xbfcurrency: GBP\n")
    assert load_settings().settings.currency == "GBP"


def test_shop_calendar_and_products_of_a_profile_do_not_count_for_own_files(folder: Path) -> None:
    write(folder / "segmentation.yaml", FILES_SOURCE + "calendar:\n  first_snapshot: 2024-01\n")
    settings = load_settings(profile="demo").settings
    assert (settings.calendar.first_snapshot, settings.calendar.last_month) == ("2024-01", None)
    features = settings.features
    assert (features.departments, features.classes, features.child_ages, features.sizes) == ((), {}, (), ())


@pytest.mark.parametrize("profile", profile_names())
def test_products_of_a_profile_are_in_the_packaged_catalogue(folder: Path, profile: str) -> None:
    features = load_settings(profile=profile).settings.features
    departments = {department.name: department for department in read_catalogue_file().departments}
    assert set(features.departments) == set(departments)
    for department, listed in features.classes.items():
        assert set(listed) <= {entry.name for entry in departments[department].classes}
    every_class = [entry for department in departments.values() for entry in department.classes]
    assert set(features.child_ages) <= {age for entry in every_class for age in entry.child_ages}
    assert set(features.sizes) <= {size for entry in every_class for size in entry.sizes}


def test_own_files_need_a_first_snapshot(folder: Path) -> None:
    write(folder / "segmentation.yaml", FILES_SOURCE)
    expected = r"^segmentation.yaml: calendar is missing\.\nHint: set calendar.first_snapshot \(first month that gets a"
    with pytest.raises(SettingsError, match=expected):
        load_settings()
    write(folder / "segmentation.yaml", FILES_SOURCE + "calendar:\n  lookback_months: 12\n")
    expected = r"^segmentation.yaml:6: calendar.first_snapshot is missing\.\nHint: set calendar.first_snapshot \("
    with pytest.raises(SettingsError, match=expected):
        load_settings()


def test_relative_data_folder_starts_from_the_working_directory(folder: Path) -> None:
    config = write(folder / "elsewhere" / "shop.yaml", "data_dir: ../shop data\n")
    assert load_settings(config=config).settings.data_dir == folder.parent / "shop data"
    environment = {"SEGMENTATION_DATA_DIR": "other"}
    assert load_settings(config=config, environment=environment).settings.data_dir == folder / "other"
    assert load_settings(overrides={"data_dir": Path("third")}).settings.data_dir == folder / "third"
    assert load_settings(overrides={"data_dir": "/absolute/../there"}).settings.data_dir == Path("/there")


def test_home_folder_is_filled_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert load_settings(overrides={"data_dir": "~/shop"}).settings.data_dir == folder / "shop"


def test_relative_source_folder_starts_from_the_file_that_names_it(folder: Path) -> None:
    config = write(folder / "elsewhere" / "shop.yaml", "source:\n  folder: incoming\n")
    assert load_settings(config=config).settings.source.folder == str(folder / "elsewhere" / "incoming")
    environment = {"SEGMENTATION__SOURCE__FOLDER": "incoming"}
    loaded = load_settings(config=config, environment=environment)
    assert loaded.settings.source.folder == str(folder / "incoming")
    assert loaded.sources["source.folder"] == "environment variable SEGMENTATION__SOURCE__FOLDER"
    assert load_settings().settings.source.folder is None


def test_process_environment_is_read_on_demand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTATION_PROFILE", "demo")
    assert load_settings().settings.profile == "default"
    assert load_settings_from_environment().settings.profile == "demo"


def test_numbers_with_an_exponent_are_numbers(folder: Path) -> None:
    write(folder / "segmentation.yaml", "leaderboard:\n  min_coverage: 5e-1\n  min_stability: 1\n")
    assert load_settings().settings.leaderboard.min_coverage == 0.5
    assert load_settings().settings.leaderboard.min_stability == 1.0


@pytest.mark.parametrize("name", ["online_retail.yaml"])
def test_every_example_loads(folder: Path, repository: Path, name: str) -> None:
    settings = load_settings(config=repository / "examples" / name).settings
    assert settings.source.order_lines is not None
    assert settings.data_dir == folder / "data" / "online-retail"
    assert (settings.currency, settings.source.time_zone) == ("GBP", "Europe/London")
    assert (settings.calendar.first_snapshot, settings.calendar.last_month) == ("2011-10", "2011-12")
    assert settings.source.cancellations.rule == "prefix"
    assert len(set(settings.source.non_product_codes)) == 17
    assert settings.reference is not None
    assert settings.features.departments == ()


def test_catalogue_is_found_beside_the_settings_file_that_names_it(folder: Path) -> None:
    (folder / "shops").mkdir()
    write(folder / "shops" / "mine.yaml", "synthetic:\n  catalogue: catalogue.yaml\n")
    packaged = files("segmentation_assets").joinpath(CATALOGUE_FILE).read_text(encoding="utf-8")
    write(folder / "shops" / "catalogue.yaml", packaged)
    loaded = load_settings(config=folder / "shops" / "mine.yaml")
    assert loaded.settings.synthetic.catalogue == folder / "shops" / "catalogue.yaml"


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ("first_snapshot: 2024-03, last_month: 2024-06", "calendar.last_month 2024-06"),
        ("first_snapshot: 2024-05, last_month: null", "calendar.first_snapshot 2024-05"),
    ],
)
def test_snapshots_after_the_last_month_of_the_built_in_shop_are_refused(
    folder: Path, calendar: str, said: str
) -> None:
    write(folder / "mine.yaml", f"calendar: {{{calendar}}}\nsynthetic: {{months: 8}}\n")
    expected = (
        rf"{said} lies after the last month of the synthetic shop, 2024-04: it has 8 months from 2023-09\.\n"
        "Hint: set calendar"
    )
    with pytest.raises(SettingsError, match=expected):
        load_settings(config=folder / "mine.yaml")


def test_mix_and_faults_are_numbers_in_the_environment() -> None:
    environment = {
        "SEGMENTATION__SYNTHETIC__MIX": "{gift_buyer: 0.9}",
        "SEGMENTATION__SYNTHETIC__FAULTS__GUESTS": "0.2",
        "SEGMENTATION__SYNTHETIC__FAULTS__PRESET": "real",
    }
    shop = load_settings(environment=environment).settings.synthetic
    assert shop.mix == {"gift_buyer": 0.9}
    assert (shop.faults.rate("guests"), shop.faults.rate("write_offs")) == (0.2, 0.0025)
