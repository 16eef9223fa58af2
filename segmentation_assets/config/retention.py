"""The settings of how much is kept beside what is in force: versions, months, models and records of runs."""

from pydantic import Field

from segmentation_assets.config.section import Section


class RetentionSettings(Section):
    """What is kept, and for how long; without a number everything is. See docs/data-versions.md."""

    versions: int = Field(
        0,
        ge=0,
        le=100,
        description="replaced contents of every table and month that stay beside the one in force, for "
        "'segmentation data restore'; each takes as much room as the table. With 0 they go after an hour",
    )
    months: int | None = Field(
        None,
        ge=1,
        le=1_200,
        description="newest snapshot months whose results stay; older ones go, closed months and what later months "
        "read excepted, and are not made again. Absent keeps all",
    )
    models: int | None = Field(
        None,
        ge=0,
        le=10_000,
        description="newest models of each name that stay although no stored result and no alias needs them; "
        "absent keeps all",
    )
    runs: int | None = Field(
        None, ge=1, le=1_000_000, description="newest records of runs, with their logs, that stay; absent keeps all"
    )

    @property
    def is_set(self) -> bool:
        """Whether anything is ever removed by it, replaced contents apart."""
        return any(value is not None for value in (self.months, self.models, self.runs))
