"""What a failed step or run says for itself, in words a user can act on."""

from dataclasses import dataclass

import dagster as dg

_INTERRUPTED_STEP = "DagsterExecutionInterruptedError"
"""Class of the error with which a step ends that was interrupted."""

_INTERRUPTED_RUN = "UNEXPECTED_TERMINATION"
"""Reason that Dagster gives for the end of a run that was interrupted."""

_DEFECT_HINT = "this is a defect of the software; the log of the run has the details."


@dataclass(frozen=True)
class StepFailure:
    """Why a step failed.

    Parameters
    ----------
    key : str
        Asset key.
    message, hint : str
    details : str
        Stack trace of a defect of the software; empty for a problem in data or settings.
    """

    key: str
    message: str
    hint: str
    details: str = ""


def asset_key(event: dg.DagsterEvent) -> str:
    """Return the key of the asset whose step an event belongs to; empty for an event of the run."""
    return (event.step_key or "").replace("__", "/")


def step_failure(event: dg.DagsterEvent) -> StepFailure:
    """Read the failure of a step."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        message, _, hint = data.user_failure_data.description.partition("\nHint: ")
        return StepFailure(asset_key(event), message, hint)
    cause = (data.error.cause or data.error) if data.error else None
    message = cause.message.strip() if cause else "no message"
    details = data.error.to_string() if data.error else "no details"
    return StepFailure(asset_key(event), message, _DEFECT_HINT, details)


def is_interrupted_step(event: dg.DagsterEvent) -> bool:
    """Whether a step did not fail but was interrupted."""
    error = event.step_failure_data.error
    return error is not None and error.cls_name == _INTERRUPTED_STEP


def is_interrupted_run(event: dg.DagsterEvent) -> bool:
    """Whether a run was stopped from outside, in a step or between two."""
    end = event.job_failure_data if event.is_job_failure else None
    return end is not None and end.failure_reason is not None and end.failure_reason.value == _INTERRUPTED_RUN
