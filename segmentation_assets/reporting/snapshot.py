"""What every report of one month is made from: frames and facts, gathered by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from segmentation_assets.errors import DataError, plural
from segmentation_assets.features.declaration import name_in_words

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

REQUIRED_COLUMNS = {
    "champion": ("segment_key", "segment_name", "algorithm", "trained_month", "decision", "decision_reason"),
    "customer_segments": (
        "customer_id",
        "state",
        "segment_key",
        "segment_name",
        "previous_segment_key",
        "rfm_segment",
        "imputed_share",
    ),
    "segment_profiles": (
        "segment_key",
        "feature",
        "customer_count",
        "net_revenue_amount",
        "net_revenue_share",
        "mean",
        "median",
        "effect_size",
        "imputed_share",
        "previous_mean",
        "change_size",
    ),
    "leaderboard": ("candidate", "rank", "n_clusters", "coverage", "silhouette", "passed_gates", "reason"),
    "rfm_segments": ("customer_id", "recency_score", "frequency_score", "monetary_score", "rfm_segment"),
    "features": ("customer_id",),
    "matrix": (),
    "shares": ("month", "segment_key", "segment_name", "customer_count", "net_revenue_amount"),
    "reconciliation": ("layer", "measure", "expected", "found", "passed"),
    "quarantine_counts": ("table_name", "reason", "explanation", "row_count"),
    "imputation": ("feature", "reason", "filled_count", "rule"),
}
"""Columns the reports read from each frame; other columns are welcome."""


class FeatureText(NamedTuple):
    """What a feature is, for people.

    Parameters
    ----------
    meaning : str
        One sentence an analyst understands.
    unit : str
        Unit of the values, such as ``days``; empty where there is none.
    direction : str
        Whether more is better, in the words of the feature's declaration; may be empty.
    label : str
        What stands in place of the column name.
    block : str
        Feature block it belongs to; may be empty.
    is_main : bool
        Whether clusterings are offered it; the others are told of apart.
    null_rule : str
        What it means when there is no value; may be empty.
    """

    meaning: str
    unit: str
    direction: str
    label: str = ""
    block: str = ""
    is_main: bool = True
    null_rule: str = ""


def _empty_frame() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """One month's segmentation with what is known about it.

    Parameters
    ----------
    month : str
        Snapshot month, YYYY-MM.
    as_of_date : datetime.date
        The snapshot reads what happened before this day.
    is_partial : bool
        Whether the month is unfinished.
    currency : str
        ISO 4217 code of all amounts.
    title : str
        Heading of the reports.
    champion, customer_segments, segment_profiles, leaderboard, rfm_segments : DataFrame
        The tables of those names, as declared in `tables/gold.py` and `tables/clusters.py`.
    features : DataFrame
        silver/customer_features: `customer_id` and one column per feature.
    matrix : DataFrame
        silver/model_matrix: `customer_id` and one column per matrix column; empty where a fixed rule is in force.
    shares : DataFrame
        `month`, `segment_key`, `segment_name`, `customer_count`, `net_revenue_amount`; a row per snapshot up to
        this one and segment.
    feature_columns : mapping of str to FeatureText
        What each feature is.
    absent_features : mapping of str to str
        Feature block → why it is not there.
    reconciliation : DataFrame
        `layer`, `measure`, `expected`, `found`, `passed`.
    quarantine_counts : DataFrame
        `table_name`, `reason`, `explanation`, `row_count`.
    imputation : DataFrame
        `feature`, `reason` (its code), `filled_count` (customers), `rule` (in words); a row per feature and reason.
    imputed_flags : DataFrame
        `customer_id` and `was_imputed_*` columns; may be empty.
    run_facts : mapping of str to str
        Versions, seed, model hash and the like.
    lookback_months : int or None
        Months before `as_of_date` that orders and money are counted in; None where it is not known.
    left_out : mapping of str to int
        What lies outside of the population, in words beginning with the unit → how many.
    reassigned : mapping of str to int
        What the crosswalk moves to another customer, in words beginning with the unit → how many.
    unused_settings : mapping of str to int
        Entries of the settings that fit no order line, in words beginning with the unit → how many.
    hidden_sheets : mapping of str to int
        What was read from hidden sheets of workbooks, in words beginning with the unit → how many.
    findings, repairs : tuple of (str, str, str)
        What the data shows about its source, and what was changed in order to read it: table, code, sentence.
    flow : DataFrame
        The way of rows and money from the delivered files to the segments: `line`, `words`, `measure`, `expected` and
        `passed` (of sums), `found`; may be empty.
    flows, events : DataFrame
        The tables `segment_flows` and `segment_events`, as declared in `tables/gold.py`; may be empty.
    directions : mapping of str to int
        Direction of `segment_migration` → customers; may be empty.
    amounts : str
        Which amounts are analysed: net or gross of VAT, and of which currency.

    Raises
    ------
    DataError
        If a frame lacks a column that the reports read.
    """

    month: str
    as_of_date: dt.date
    is_partial: bool
    currency: str
    title: str
    champion: pd.DataFrame
    customer_segments: pd.DataFrame
    segment_profiles: pd.DataFrame
    leaderboard: pd.DataFrame
    rfm_segments: pd.DataFrame
    features: pd.DataFrame
    matrix: pd.DataFrame
    shares: pd.DataFrame
    feature_columns: Mapping[str, FeatureText]
    absent_features: Mapping[str, str]
    reconciliation: pd.DataFrame
    quarantine_counts: pd.DataFrame
    imputation: pd.DataFrame
    run_facts: Mapping[str, str]
    lookback_months: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    reassigned: Mapping[str, int] = field(default_factory=dict)
    unused_settings: Mapping[str, int] = field(default_factory=dict)
    hidden_sheets: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[tuple[str, str, str], ...] = ()
    repairs: tuple[tuple[str, str, str], ...] = ()
    flow: pd.DataFrame = field(default_factory=_empty_frame)
    amounts: str = ""
    imputed_flags: pd.DataFrame = field(default_factory=_empty_frame)
    flows: pd.DataFrame = field(default_factory=_empty_frame)
    events: pd.DataFrame = field(default_factory=_empty_frame)
    strategies: pd.DataFrame = field(default_factory=_empty_frame)
    rules: pd.DataFrame = field(default_factory=_empty_frame)
    directions: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, columns in REQUIRED_COLUMNS.items():
            missing = sorted(set(columns) - set(getattr(self, name).columns))
            if missing:
                raise DataError(
                    f"The report of {self.month} needs the columns {', '.join(missing)} in '{name}', which has "
                    f"{', '.join(map(str, getattr(self, name).columns)) or 'none'}.",
                    "build the month again with `segmentation run --force`.",
                )

    @property
    def assigned(self) -> pd.DataFrame:
        """Rows of `customer_segments` that have a segment."""
        return self.customer_segments[self.customer_segments["segment_key"].notna()]

    @property
    def algorithm(self) -> str:
        """Algorithm of the model in force, ``rfm_map`` for the fixed rule, ``none`` without a champion."""
        return str(self.champion["algorithm"].iloc[0]) if len(self.champion) else "none"

    @property
    def lookback(self) -> str:
        """The lookback in words."""
        return (
            "in the lookback"
            if self.lookback_months is None
            else f"in the last {plural(self.lookback_months, 'month')}"
        )

    def feature_text(self, feature: str) -> FeatureText:
        """Return what is declared of a feature; of a column of the model matrix alone its name in words."""
        text = self.feature_columns.get(feature, FeatureText("", "", ""))
        return text if text.label else text._replace(label=name_in_words(feature))
