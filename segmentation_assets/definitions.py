"""All Dagster definitions, built from the settings that the environment names."""

from functools import partial

from segmentation_assets.config.loading import load_settings_from_environment
from segmentation_assets.graph.feature_settings import require_sound_features
from segmentation_assets.orchestration.build import build_defs

_load = partial(load_settings_from_environment, check=require_sound_features)
_loaded = _load()

defs = build_defs(_loaded.settings, current_settings=lambda: _load(config=_loaded.config_path).settings)
