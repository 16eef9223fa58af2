"""Tests in three tiers: unit, assets and end_to_end."""
