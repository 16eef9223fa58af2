"""The settings of the model in force: when another one takes its place."""

from typing import Literal

from pydantic import Field

from segmentation_assets.config.section import Section


class ChampionSettings(Section):
    """When a refitted model replaces the one in force, always through the gates of the leaderboard."""

    promotion: Literal["manual", "every_month", "every_n_months", "on_drift"] = Field(
        "manual",
        description="manual: only by 'segmentation promote'; every_month and every_n_months: the best candidate when "
        "the model in force is that old; on_drift: when customers have become others than those it was fitted on",
    )
    every_months: int = Field(
        6, ge=1, le=120, description="months a model stays in force at least, for promotion every_n_months"
    )
    min_known_days: int = Field(
        30, ge=0, le=3_650, description="days since the first order below which a customer counts as too new to tell"
    )
    max_size_change: float = Field(
        0.3,
        gt=0,
        le=10,
        description="share of its customers that a segment may lose or gain in a month without a warning",
    )
    max_psi: float = Field(
        0.25,
        gt=0,
        le=10,
        description="population stability index above which customers count as others, for promotion on_drift",
    )
