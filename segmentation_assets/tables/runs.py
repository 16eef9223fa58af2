"""Tables of the runs, derived from the run records beside which they lie.

They hold times and durations, so they are not among the tables that the same input makes the same to the byte; no
asset makes them and none reads them.
"""

from segmentation_assets.tables.declaration import Column, ColumnType, Table

_NOT_KNOWN = "the run was recorded before this was noted, or it could not be measured"

RUN_ID = Column(name="run_id", dtype="VARCHAR", meaning="Run, as its record and its log are named.")
STARTED_AT = Column(name="started_at", dtype="TIMESTAMP", meaning="When the run began, UTC.")


def _json(name: str, meaning: str) -> Column:
    return Column(name=name, dtype="VARCHAR", meaning=f"{meaning}, as JSON.")


def _optional(name: str, dtype: ColumnType, meaning: str, *, unit: str = "", null_rule: str = _NOT_KNOWN) -> Column:
    return Column(name=name, dtype=dtype, unit=unit, nullable=True, null_rule=null_rule, meaning=meaning)


RUNS = Table(
    key="runs/runs",
    row="a model or a clustering of a month that a run made or kept",
    primary_key=("run_id", "asset_key", "month"),
    columns=(
        RUN_ID,
        Column(name="asset_key", dtype="VARCHAR", meaning="Asset, such as models/churn or clusters/kmeans."),
        Column(name="month", dtype="VARCHAR", meaning="Snapshot month, YYYY-MM."),
        STARTED_AT,
        _optional("made_at", "TIMESTAMP", "When the step ended, UTC."),
        Column(name="was_kept", dtype="BOOLEAN", meaning="Whether the stored result was kept, as nothing had changed."),
        Column(name="why_computed", dtype="VARCHAR", meaning="What had changed; empty where it was kept."),
        Column(name="has_run_succeeded", dtype="BOOLEAN", meaning="Whether the run as a whole ended well."),
        _optional("code_version", "VARCHAR", "Logic version, and hash of the settings that the result depends on."),
        _optional("content_hash", "VARCHAR", "Hash of the result."),
        _optional("model_hash", "VARCHAR", "Hash of the model in the model store.", null_rule="no model is in force"),
        _optional("data_hash", "VARCHAR", "One hash of all that was read; `inputs` has them one by one."),
        _optional("seed", "BIGINT", "Seed of everything that is drawn.", null_rule="nothing is drawn, or not known"),
        _optional("customer_count", "BIGINT", "Customers it was made of.", unit="customers"),
        _optional("not_trained", "VARCHAR", "Why nothing was trained; metrics are those of the last training.",
                  null_rule="it was trained, or it is no model that is trained"),
        _json("parameters", "Settings it was made with, by dotted name"),
        _json("metrics", "Every number among its figures, by name"),
        _json("inputs", "Content hash of everything that was read, by asset and month"),
        _json("packages", "Versions of the packages that decide results"),
        _optional("cpu_seconds", "DOUBLE", "CPU seconds of the step in this run.", unit="seconds"),
        _optional("wall_seconds", "DOUBLE", "Seconds of the step in this run.", unit="seconds"),
        _optional("peak_megabytes", "DOUBLE", "Most memory of the process during the step.", unit="megabytes"),
    ),
)  # fmt: skip

RUN_TOTALS = Table(
    key="runs/run_totals",
    row="a run",
    primary_key=("run_id",),
    columns=(
        RUN_ID,
        Column(name="command", dtype="VARCHAR", meaning="Command line that the run was started with."),
        STARTED_AT,
        _optional("ended_at", "TIMESTAMP", "When the run, or its last step so far, ended, UTC."),
        _optional("duration_seconds", "DOUBLE", "Seconds from start to end.", unit="seconds"),
        Column(name="has_succeeded", dtype="BOOLEAN", meaning="Whether the run ended well."),
        Column(name="error_count", dtype="BIGINT", minimum=0, meaning="Errors; the record has their texts."),
        Column(name="computed_steps", dtype="BIGINT", unit="steps", minimum=0, meaning="Steps that were computed."),
        Column(name="kept_steps", dtype="BIGINT", unit="steps", minimum=0, meaning="Steps whose result was kept."),
        Column(name="computed_models", dtype="BIGINT", unit="steps", minimum=0,
               meaning="Those among the computed steps that have a row in `runs`."),
        _optional("cpu_seconds", "DOUBLE", "CPU seconds of the whole run.", unit="seconds",
                  null_rule="Dagster started the run: no process oversees the whole of it"),
        _optional("peak_megabytes", "DOUBLE", "Most memory of the process at the end of the run.", unit="megabytes"),
        _optional("git_commit", "VARCHAR", "Commit of the code.", null_rule="the code did not run from a checkout"),
        _optional("lock_sha256", "VARCHAR", "SHA-256 of requirements.lock.", null_rule="there is no such file"),
        _json("packages", "Versions of the packages that decide results"),
        _json("settings", "All settings in force, secrets masked"),
        Column(name="is_for_mlflow", dtype="BOOLEAN", meaning="Whether the settings wanted the run sent to MLflow."),
        Column(name="record_stamp", dtype="VARCHAR",
               meaning="Size and time of change of the record that the rows were read from."),
    ),
)  # fmt: skip

TABLES = (RUNS, RUN_TOTALS)
