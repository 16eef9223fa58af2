"""What all sections of the settings share."""

from pydantic import BaseModel, ConfigDict

LARGEST_SEED = 2**31 - 1


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
