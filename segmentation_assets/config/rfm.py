"""The settings of the RFM scores and their map."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from segmentation_assets.config.section import Section


def _check_rising(cuts: tuple[float, ...]) -> tuple[float, ...]:
    """Accept points that rise."""
    if any(one >= other for one, other in pairwise(cuts)):
        raise ValueError(f"{', '.join(f'{cut:g}' for cut in cuts)} do not rise; write four points, the smallest first")
    return cuts


Points = Annotated[tuple[float, float, float, float], AfterValidator(_check_rising)]


class RfmCuts(Section):
    """Points of one's own between the scores; the quintile points count where there are none."""

    recency_days: Points | None = Field(None, description="days; at or below the first point the score is 5")
    order_count: Points | None = Field(None, description="orders; at or below the first point the score is 1")
    net_revenue_amount: Points | None = Field(None, description="currency; at or below the first point the score is 1")


class RfmSettings(Section):
    """How customers are scored by recency, frequency and money, and which segment a score is."""

    map: Literal["cells_125", "grid_25"] = Field(
        "cells_125",
        description="cells_125: eleven segments by all three scores; grid_25: the usual grid of ten by recency and "
        "frequency alone",
    )
    thresholds: Literal["each_month", "first_month"] = Field(
        "each_month",
        description="each_month: quintile points of the month's customers, which move with them; first_month: those of "
        "the first snapshot in every month, so that a score means the same",
    )
    cuts: RfmCuts = RfmCuts()


QUINTILES = RfmSettings()
"""Quintiles of each month and the map of 125 cells."""
