"""What all sections of the settings share."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from segmentation_assets.config.search_space import SearchSpace

LARGEST_SEED = 2**31 - 1


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused.

    `search_space` is what `segmentation tune` searches; a section that declares none is not tuned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    search_space: ClassVar[SearchSpace] = {}
