"""From a file of order lines or features to a file of segments and predictions, in bounded memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.inputs import as_of
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.ingestion.decisions import erased_hashes
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.segments.model_space import features_seen
from segmentation_assets.serving.feature_inputs import declared_features
from segmentation_assets.serving.feature_rows import read_feature_rows
from segmentation_assets.serving.input_file import Content, look_at_input
from segmentation_assets.serving.order_line_rows import LineRows, read_order_lines
from segmentation_assets.serving.output_file import check_output, write_output
from segmentation_assets.serving.reasons import UsualValues, add_reasons
from segmentation_assets.serving.scorer import LoadedRule, Scorer, load_rule, load_scorer
from segmentation_assets.serving.scoring_models import ScoringModels
from segmentation_assets.storage.engine import Connection, fetch_row, parquet_scan, write_frame
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.prediction import PREDICTIONS

if TYPE_CHECKING:
    import pandas as pd

SCORED = ("churn_probability", "expected_spend_amount_12m", "expected_segment_key")
"""One column of each model, by which it is told how many customers could be scored."""

MOST_WITH_REASONS = 10_000
"""Customers up to whom reasons are given unless something else is asked for."""

REASONS = 3

_VECTORS_AT_ONCE = 24
"""Rows scored at once, in vectors of the engine of 2,048 rows."""


@dataclass(frozen=True)
class MonthTables(StoredTables):
    """The stored tables of a month, read through one connection."""

    platform: Platform
    partition: str
    opened: Connection

    @property
    def connection(self) -> Connection:
        """The engine connection."""
        return self.opened


@dataclass(frozen=True)
class PredictionRequest:
    """What is to be scored, and how.

    Parameters
    ----------
    source, target : Path
    month : str
        Snapshot month whose models are in force, YYYY-MM-01.
    as_of_date : date or None
        For order lines: what happened before this day counts; that of the month where absent.
    chosen : mapping of str to ModelReference
        Models to take in place of those in force, by name.
    reasons : int or None
        Most reasons of each kind; None for `REASONS` of up to `MOST_WITH_REASONS` customers.
    sheets : tuple of str
        Sheets of a workbook.
    """

    source: Path
    target: Path
    month: str
    as_of_date: dt.date | None = None
    chosen: Mapping[str, ModelReference] = field(default_factory=dict)
    reasons: int | None = None
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True)
class PredictionOutcome:
    """What was scored.

    Parameters
    ----------
    content : {"order_lines", "features"}
    customers : int
        Rows written.
    as_of_date : date or None
        None for features, which were made as of a date of their own.
    segments, states, said_by : mapping of str to int
        Customers by name of their segment, by state, and by who says which segment.
    scored : mapping of str to int
        Customers with a value, by column.
    models : ScoringModels
    hashes : mapping of str to str
        Content hash of each model that was used, by its name in the store.
    reasons : int
    lines : LineRows or None
        What became of order lines.
    set_aside : Path or None
        File with the order lines that cannot be read.
    unread : tuple of str
        Columns of order lines that the mapping does not name.
    """

    content: Content
    customers: int
    as_of_date: dt.date | None
    segments: Mapping[str, int]
    states: Mapping[str, int]
    said_by: Mapping[str, int]
    scored: Mapping[str, int]
    models: ScoringModels
    hashes: Mapping[str, str]
    reasons: int
    lines: LineRows | None
    set_aside: Path | None
    unread: tuple[str, ...]


def predict_file(platform: Platform, request: PredictionRequest) -> PredictionOutcome:
    """Score the customers of a file.

    Parameters
    ----------
    platform : Platform
    request : PredictionRequest

    Returns
    -------
    PredictionOutcome

    Raises
    ------
    DataError
        The input cannot be used, or a model is not stored.
    SettingsError
        The output is of a kind that cannot be written.
    """
    check_output(request.target, request.source)
    staging = platform.data_dir / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=staging) as folder, platform.engine.connect() as connection:
        tables, scratch = MonthTables(platform, request.month, connection), Path(folder)
        rule = load_rule(tables, request.chosen)
        read = _read_rows(tables, request, rule, scratch)
        scorer = load_scorer(tables, rule, _columns(connection, read.rows), request.chosen)
        (customers,) = fetch_row(connection, f"SELECT count(*) FROM {parquet_scan([read.rows])}")
        if not customers:
            raise DataError(
                f"{request.source.name} has no customer to score as of {read.as_of_date}: they have no sale or return "
                "in the lookback, too few orders, or are outside of the population; or lines have no customer",
                "check --as-of and the mapping of customer_id.",
            )
        most = request.reasons
        if most is None:
            most = REASONS if customers <= MOST_WITH_REASONS else 0
        scored = scratch / "scored"
        scored.mkdir()
        _write_scored(tables, read.rows, scorer, most, scored)
        relation = parquet_scan(sorted(scored.glob("*.parquet")))
        set_aside = write_output(connection, relation, request.target, read.lines.set_aside if read.lines else None)
        return PredictionOutcome(
            content=read.content,
            customers=int(customers),
            as_of_date=read.as_of_date,
            segments=_count(connection, relation, "segment_name"),
            states=_count(connection, relation, "state"),
            said_by=_count(connection, relation, "segment_said_by"),
            scored={name: _count_known(connection, relation, name) for name in SCORED},
            models=scorer.models,
            hashes={**scorer.hashes, **scorer.models.hashes},
            reasons=most,
            lines=read.lines,
            set_aside=set_aside,
            unread=read.unread,
        )


@dataclass(frozen=True)
class _Read:
    """The customers to be scored, as Parquet."""

    content: Content
    rows: Path
    as_of_date: dt.date | None = None
    lines: LineRows | None = None
    unread: tuple[str, ...] = ()


def _read_rows(tables: MonthTables, request: PredictionRequest, rule: LoadedRule, scratch: Path) -> _Read:
    platform, features = tables.platform, declared_features(tables)
    mapping = effective_source(platform.settings).order_lines
    file = look_at_input(request.source, scratch, mapping, features, request.sheets)
    if file.content == "features":
        if request.as_of_date is not None:
            raise SettingsError(
                f"{request.source.name} holds features, which were made as of a date of their own",
                "leave out --as-of; it is for order lines.",
            )
        return _Read(file.content, read_feature_rows(tables.connection, file, features, rule.needed, scratch))
    as_of_date = request.as_of_date or as_of(platform, request.month)[0]
    erased = erased_hashes(tables.frame("source/decisions"))
    lines = read_order_lines(tables, request.source, as_of_date, scratch, sheets=request.sheets or None, erased=erased)
    return _Read(file.content, lines.rows, as_of_date, lines, file.unread)


def _columns(connection: Connection, rows: Path) -> list[str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM {parquet_scan([rows])}").fetchall()
    return [str(name) for name, *_ in described]


def _write_scored(tables: MonthTables, rows: Path, scorer: Scorer, most: int, folder: Path) -> None:
    """Score so many rows at once, and write each lot as a file of its own."""
    usual = _usual_values(tables, scorer) if most else None
    with tables.platform.engine.connect() as reading:
        found = reading.execute(f"SELECT * FROM {parquet_scan([rows])}")
        for number, features in enumerate(_lots(found)):
            scores = scorer.score(features)
            if usual is not None:
                scores = add_reasons(scores, features, scorer, usual, most)
            write_frame(tables.connection, scores, PREDICTIONS, folder / f"part-{number:06d}.parquet")


def _lots(found: Connection) -> Iterator[pd.DataFrame]:
    """Yield lots of rows; one without a row where there is none."""
    features: pd.DataFrame = found.fetch_df_chunk(_VECTORS_AT_ONCE)
    yield features
    while len(features := found.fetch_df_chunk(_VECTORS_AT_ONCE)):
        yield features


def _usual_values(tables: MonthTables, scorer: Scorer) -> UsualValues:
    """What is usual among the customers of the month, of the features that models go by."""
    churn = scorer.models.churn
    declared = feature_columns(declared_features(tables))
    wanted = {*features_seen(scorer.rule.model), *(churn.inputs.features if churn else ())}
    names = [column.name for column in declared if column.name in wanted]
    features = tables.frame("silver/customer_features", ["customer_id", *names])
    segments = tables.frame("gold/customer_segments", ["customer_id", "segment_key"])
    keys = features["customer_id"].map(segments.set_index("customer_id")["segment_key"])
    return UsualValues.of(features[names], keys, {column.name: column.label for column in declared})


def _count(connection: Connection, relation: str, column: str) -> dict[str, int]:
    """Customers by value of a column, the most frequent first."""
    counted = connection.execute(
        f"SELECT {column}, count(*) FROM {relation} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY 2 DESC, 1"
    ).fetchall()
    return {str(value): int(count) for value, count in counted}


def _count_known(connection: Connection, relation: str, column: str) -> int:
    (count,) = fetch_row(connection, f"SELECT count({column}) FROM {relation}")
    return int(count)
