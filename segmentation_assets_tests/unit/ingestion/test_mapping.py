from __future__ import annotations

from pathlib import Path

from segmentation_assets.config.settings import CalendarSettings, Settings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.ingestion.mapping import delivery_folder, effective_source
from segmentation_assets.synthetic.delivery import synthetic_source
from segmentation_assets_tests.unit.ingestion.counter import order_lines_mapping


def make_settings(**source: object) -> Settings:
    if source.get("kind") == "files":
        source["order_lines"] = order_lines_mapping()
    return Settings(
        calendar=CalendarSettings(first_snapshot="2025-06"), data_dir=Path("here"), source=SourceSettings(**source)
    )


def test_the_synthetic_shop_brings_its_own_mapping_and_folder() -> None:
    settings = make_settings(kind="synthetic", folder="elsewhere")
    assert effective_source(settings) == synthetic_source()
    assert delivery_folder(settings) == Path("here/synthetic/delivery")


def test_own_files_are_read_from_the_data_folder_by_default() -> None:
    settings = make_settings(kind="files")
    assert effective_source(settings) is settings.source
    assert delivery_folder(settings) == Path("here/deliveries")


def test_own_files_are_read_from_the_folder_set() -> None:
    assert delivery_folder(make_settings(kind="files", folder="/elsewhere")) == Path("/elsewhere")
