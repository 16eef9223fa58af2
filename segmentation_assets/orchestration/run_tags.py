"""Tags of runs: what this project notes on them and what it reads of them.

Dagster copies the tags of a run to a run that executes it again. What holds for one run only therefore names that run,
as ``<run id>:<value>``, and is no word about any other.
"""

import dagster as dg

PARTITION_TAG = "dagster/partition"

FORCE_TAG = "segmentation/force"
"""``true``: compute everything that is selected. Executed again, a forced run is forced again."""

IN_ORDER_TAG = "segmentation/in_order"
"""Names its run: the caller makes the months in order, so no step looks whether earlier ones are up to date."""

PROCESS_TAG = "segmentation/process"
"""Names its run: the process that works on it."""

NOTIFIED_TAG = "segmentation/notified"
"""Names its run: the channels that took the message of its failure."""

STARTED_BY_TAG = "segmentation/started_by"
"""The sensor that asked for a run, or the id of the run that made it."""

AUTOMATION = "automation"


def own_value(run_id: str, value: str) -> str:
    """Return a tag's value in the form that names the run it holds for."""
    return f"{run_id}:{value}"


def own_tag(run: dg.DagsterRun, tag: str) -> str:
    """Return what a tag says of this very run; empty when it says nothing, or was copied from another run."""
    run_id, _, value = run.tags.get(tag, "").partition(":")
    return value if run_id == run.run_id else ""


def is_automated(run: dg.DagsterRun) -> bool:
    """Whether the automation sensor asked for a run, and no person executed it again."""
    return run.tags.get(STARTED_BY_TAG) == AUTOMATION and run.parent_run_id is None
