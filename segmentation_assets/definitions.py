"""All Dagster definitions, built from the settings that the environment names."""

from segmentation_assets.config.loading import load_settings_from_environment
from segmentation_assets.orchestration.build import build_defs

defs = build_defs(
    load_settings_from_environment().settings, current_settings=lambda: load_settings_from_environment().settings
)
