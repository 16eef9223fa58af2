"""Whether the features that the settings ask for can be made of what the source maps."""

from __future__ import annotations

from segmentation_assets.config.settings import Settings
from segmentation_assets.features.matrix_table import require_components
from segmentation_assets.features.registry import features_table, left_out_columns
from segmentation_assets.features.selection import candidate_features
from segmentation_assets.graph.sources import optional_inputs


def require_sound_features(settings: Settings) -> None:
    """Refuse settings whose features cannot be declared.

    Raises
    ------
    SettingsError
        The settings make a column twice, name a feature, department or class that cannot be one, or want more
        components than there can be.
    """
    available = optional_inputs(settings)
    table = features_table(settings.features, available)
    left_out = left_out_columns(settings.features, available)
    require_components(candidate_features(table, settings.matrix, left_out), settings.matrix)
