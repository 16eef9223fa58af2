"""What a person can change for one run in the Launchpad; everything else is a setting."""

from typing import Any

import dagster as dg
from pydantic import Field

from segmentation_assets.orchestration.incremental import StepOptions
from segmentation_assets.orchestration.run_tags import FORCE_TAG, IN_ORDER_TAG, own_tag

FORCE_WORDS = "compute everything that is selected again, whether anything it rests on has changed or not"
SEED_WORDS = (
    "seed of the clusterings for this run only, in place of clustering.seed; the results keep it on record and stay "
    "until something they rest on changes or a forced run replaces them"
)
MONTHS_WORDS = (
    "only the newest so many snapshot months, with earlier ones they build on that are not up to date; all months "
    "when left out"
)


class RunOptions(dg.ConfigurableResource[None]):
    """What a person changes for one run."""

    force: bool = Field(default=False, description=FORCE_WORDS)
    seed: int | None = Field(default=None, ge=0, lt=2**31, description=SEED_WORDS)

    def for_step(self, run: dg.DagsterRun) -> StepOptions:
        """Return the options of a step of a run."""
        return StepOptions(
            force=self.force or run.tags.get(FORCE_TAG) == "true",
            is_in_order=own_tag(run, IN_ORDER_TAG) == "true",
            by_hand=changed_by_hand(self.seed),
        )


def changed_by_hand(seed: int | None) -> dict[str, Any]:
    """Return the settings, by dotted path, that a seed given by hand replaces."""
    return {} if seed is None else {"clustering.seed": seed}
