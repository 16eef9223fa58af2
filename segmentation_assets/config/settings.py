"""The settings schema: every key of segmentation.yaml with its range, default and meaning.

Reading files, profiles and environment variables is done in `loading.py`.
"""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from segmentation_assets.config.champion import ChampionSettings
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.config.contract import ContractSettings
from segmentation_assets.config.features import FeatureSettings, ImputationSettings, MatrixSettings
from segmentation_assets.config.money import MoneySettings
from segmentation_assets.config.notifications import NotificationSettings
from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.config.prediction import PredictionSettings
from segmentation_assets.config.retention import RetentionSettings
from segmentation_assets.config.rfm import RfmSettings
from segmentation_assets.config.section import Section
from segmentation_assets.config.segment_catalogue import SegmentCatalogueSettings
from segmentation_assets.config.source import (
    DELIVERED_COLUMNS,
    AdvisedError,
    SourceSettings,
    UnmappedColumnError,
)
from segmentation_assets.config.synthetic import Month, SyntheticSettings
from segmentation_assets.config.tracking import TrackingSettings


def _check_size(text: str) -> str:
    """Accept sizes that the engine can work with."""
    factor = 1000 if text.endswith("GB") else 1
    if not _FEWEST_MEGABYTES <= float(text[:-2]) * factor <= _MOST_GIGABYTES * 1000:
        raise ValueError(f"'{text}' is out of range; write {_FEWEST_MEGABYTES}MB to {_MOST_GIGABYTES}GB")
    return text


def _check_expression(text: str) -> str:
    """Accept regular expressions."""
    try:
        re.compile(text)
    except re.error as problem:
        raise ValueError(f"'{text}' is not a regular expression: {problem}") from problem
    return text


_FEWEST_MEGABYTES, _MOST_GIGABYTES = 100, 1_000_000
_MOST_BUCKETS = 10_000
_SIZE = r"^\d+(\.\d+)?(MB|GB)$"


class CalendarSettings(Section):
    """Which months get a snapshot and how far back each one looks."""

    first_snapshot: Month = Field(description="first month that gets a snapshot, YYYY-MM")
    last_month: Month | None = Field(
        None, description="last snapshot month of a historical file; open-ended when absent"
    )
    closed_through: Month | None = Field(
        None,
        description="last month whose delivered segments, reports and exports stay as they are, whatever settings and "
        "code say, until 'segmentation run --rebuild-from'; late lines change its features only",
    )
    lookback_months: int = Field(24, ge=1, le=120, description="months of order lines a snapshot's features read")
    partial_grace_days: int = Field(
        3,
        ge=0,
        le=27,
        description="the newest month counts as unfinished when its last order lies more than this many days "
        "before the month's end",
    )

    @model_validator(mode="after")
    def _check_order(self) -> "CalendarSettings":
        if self.last_month is not None and self.last_month < self.first_snapshot:
            raise ValueError(f"last_month {self.last_month} lies before first_snapshot {self.first_snapshot}")
        return self


class EngineSettings(Section):
    """DuckDB: threads and memory. They change the speed, never a result."""

    threads: int = Field(2, ge=1, le=256, description="threads of one DuckDB connection")
    memory_limit: Annotated[str, AfterValidator(_check_size)] = Field(
        "4GB", pattern=_SIZE, description="memory of one connection"
    )
    max_temp_directory_size: Annotated[str, AfterValidator(_check_size)] = Field(
        "20GB", pattern=_SIZE, description="disk space one connection may spill to"
    )
    customer_buckets: Annotated[int, Field(ge=1, le=_MOST_BUCKETS)] | Literal["auto"] = Field(
        "auto", description="files per month of order lines, by customer; auto is one per 2.5 million lines"
    )


class DashboardSettings(Section):
    """The HTML dashboard."""

    title: str = Field("Customer segments", min_length=1, description="heading of the dashboard")
    map_points: int = Field(5_000, ge=100, le=10_000, description="customers drawn on the map at most")


class WorkbookSettings(Section):
    """The Excel workbook."""

    max_customers: int = Field(
        20_000, ge=1, le=1_048_575, description="customers listed; above it the sheet points to the CSV and Parquet"
    )


class MapSettings(Section):
    """How customers are laid out on maps, in the dashboard and in pictures."""

    method: Literal["pca", "tsne"] = Field(
        "pca",
        description="pca: the two directions along which customers differ most; tsne: customers that are alike lie "
        "close together, while distances between groups mean nothing",
    )
    tsne_customers: int = Field(
        1_500, ge=100, le=10_000, description="customers on a map by t-SNE at most, whose time grows with them"
    )
    tsne_perplexity: float = Field(30.0, ge=2, le=100, description="about how many neighbours t-SNE counts as near")


class ReportSettings(Section):
    """Files people read."""

    dashboard: DashboardSettings = DashboardSettings()
    map: MapSettings = MapSettings()
    workbook: WorkbookSettings = WorkbookSettings()


class ExecutionSettings(Section):
    """How Dagster runs the steps."""

    executor: Literal["in_process", "multiprocess"] = Field(
        "in_process",
        description="for runs that Dagster starts: in_process is cheaper for small data, multiprocess starts a process "
        "per step; segmentation run and catch_up_job always work in one process",
    )


class AutomationSettings(Section):
    """What Dagster does by itself while its daemon runs."""

    enabled: bool = Field(
        True, description="whether the sensors and the monthly schedule are on when Dagster first sees them"
    )
    interval_seconds: int = Field(30, ge=5, le=86_400, description="seconds between two looks of a sensor")
    catch_up_after_seconds: int = Field(
        180,
        ge=15,
        le=864_000,
        description="what stays out of date for so long, without a run, is caught up on; at least three looks",
    )
    delivery_quiet_seconds: int = Field(
        60, ge=0, le=86_400, description="a delivery is read when no file has changed for so long"
    )
    max_attempts: int = Field(
        3, ge=1, le=20, description="tries for the same cause, each after twice the wait of the one before"
    )
    schedule_day: int = Field(1, ge=1, le=28, description="day of the month on which the month before is made")
    schedule_hour: int = Field(6, ge=0, le=23, description="hour of that day, in UTC")
    fresh_by_day: int = Field(
        5, ge=2, le=28, description="day of the month by which the month before has to be made; shown as freshness"
    )

    @model_validator(mode="after")
    def _check_patience(self) -> "AutomationSettings":
        if self.catch_up_after_seconds < 3 * self.interval_seconds:
            raise ValueError(
                f"catch_up_after_seconds {self.catch_up_after_seconds} is less than three looks of "
                f"{self.interval_seconds} seconds, so the catch-up would do what automation is about to"
            )
        return self


class ReferenceSettings(Section):
    """Conventions of a published analysis, to be reproduced beside the platform's own."""

    name: str = Field("published conventions", description="what the reference is called in the output")
    as_of: Literal["last_line_plus_one_day"] = Field(
        "last_line_plus_one_day", description="the snapshot instant: the last order line plus 24 hours"
    )
    recency: Literal["calendar_days", "elapsed_days"] = Field("elapsed_days", description="as features.recency")
    non_product_codes: tuple[str, ...] = Field((), description="codes left out of sales; none means all codes count")
    product_code_pattern: Annotated[str, AfterValidator(_check_expression)] = Field(
        "^[0-9]{5}", description="regular expression of the last step of the cleaning ladder"
    )


class Settings(Section):
    """Everything that can be set. One file, `segmentation.yaml`; see `segmentation config show`."""

    profile: str = Field("default", description="packaged profile the file builds on: demo or default")
    data_dir: Path = Field(Path("data"), description="folder of all tables, models, reports and logs")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of all amounts")
    calendar: CalendarSettings
    source: SourceSettings = SourceSettings()
    contract: ContractSettings = ContractSettings()
    population: PopulationSettings = PopulationSettings()
    money: MoneySettings = MoneySettings()
    synthetic: SyntheticSettings = Field(default_factory=SyntheticSettings)
    engine: EngineSettings = EngineSettings()
    features: FeatureSettings = FeatureSettings()
    imputation: ImputationSettings = ImputationSettings()
    matrix: MatrixSettings = MatrixSettings()
    clustering: ClusteringSettings = ClusteringSettings()
    leaderboard: LeaderboardSettings = LeaderboardSettings()
    rfm: RfmSettings = RfmSettings()
    champion: ChampionSettings = ChampionSettings()
    segment_catalogue: SegmentCatalogueSettings = SegmentCatalogueSettings()
    prediction: PredictionSettings = PredictionSettings()
    reports: ReportSettings = ReportSettings()
    execution: ExecutionSettings = ExecutionSettings()
    automation: AutomationSettings = AutomationSettings()
    notifications: NotificationSettings = NotificationSettings()
    retention: RetentionSettings = RetentionSettings()
    tracking: TrackingSettings = TrackingSettings()
    reference: ReferenceSettings | None = Field(None, description="a published analysis to reproduce; optional")

    @model_validator(mode="after")
    def _check_population(self) -> "Settings":
        if self.source.kind == "synthetic" or self.source.order_lines is None:
            return self
        for column in self.population.needed_columns:
            if column not in self.source.order_lines.columns:
                raise UnmappedColumnError(
                    f"population filters by {column}, which source.order_lines.columns does not map",
                    self.source.order_lines.columns,
                )
        customers = self.source.customers.columns if self.source.customers else {}
        if self.population.exclude_account_types and "account_type" not in customers:
            raise UnmappedColumnError(
                "population.exclude_account_types needs account_type in source.customers.columns", customers
            )
        return self

    @model_validator(mode="after")
    def _check_business(self) -> "Settings":
        last = self.synthetic.last_month
        for name in ("first_snapshot", "last_month"):
            month = getattr(self.calendar, name)
            if self.source.kind == "synthetic" and month is not None and month > last:
                raise AdvisedError(
                    f"calendar.{name} {month} lies after the last month of the synthetic shop, {last}: it has "
                    f"{self.synthetic.months} months from {self.synthetic.first_month}",
                    f"set calendar.{name} to a month of the shop, or synthetic.months higher.",
                )
        return self

    @model_validator(mode="after")
    def _check_contract(self) -> "Settings":
        if self.source.kind == "synthetic":
            return self
        for table in DELIVERED_COLUMNS:
            mapping = getattr(self.source, table)
            columns = mapping.columns if mapping is not None else {}
            for rule in self.contract.of(table):
                if rule.column not in columns:
                    raise UnmappedColumnError(
                        f"contract.{table} has a rule for {rule.column}, which source.{table}.columns does not map",
                        columns,
                    )
        return self

    @model_validator(mode="after")
    def _check_money(self) -> "Settings":
        source = self.source
        if source.kind != "synthetic" and source.order_lines is not None:
            self.money.check_columns(source.order_lines.columns, source.products.columns if source.products else None)
        return self

    def altered(self, by_path: Mapping[str, Any]) -> "Settings":
        """Return the settings with values at dotted paths replaced.

        Raises
        ------
        ValidationError
            A value does not fit its setting.
        """
        plain = self.model_dump()
        for path, value in by_path.items():
            *sections, name = path.split(".")
            section = plain
            for part in sections:
                section = section[part]
            section[name] = value
        return Settings.model_validate(plain)

    def section(self, path: str) -> object:
        """Return the section at a dotted path, such as ``clustering.algorithms.kmeans``."""
        value: object = self
        for name in path.split("."):
            value = getattr(value, name)
        return value


def month_start(month: str) -> dt.date:
    """Return the first day of a month written YYYY-MM or YYYY-MM-01."""
    return dt.date(int(month[:4]), int(month[5:7]), 1)
