"""All Dagster definitions, built from the settings that the environment names."""

from segmentation_assets.config.loading import load_settings_from_environment
from segmentation_assets.orchestration.build import build_defs

_loaded = load_settings_from_environment()

defs = build_defs(
    _loaded.settings, current_settings=lambda: load_settings_from_environment(config=_loaded.config_path).settings
)
