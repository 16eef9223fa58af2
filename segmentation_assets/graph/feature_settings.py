"""Whether the features that the settings ask for can be made of what the source maps."""

from __future__ import annotations

from segmentation_assets.config.settings import Settings
from segmentation_assets.features.registry import features_table
from segmentation_assets.features.selection import candidate_features
from segmentation_assets.graph.sources import optional_inputs


def require_sound_features(settings: Settings) -> None:
    """Refuse settings whose features cannot be declared.

    Raises
    ------
    SettingsError
        The settings make a column twice, or name a feature, department or class that cannot be one.
    """
    table = features_table(settings.features, optional_inputs(settings))
    candidate_features(table, settings.matrix)
