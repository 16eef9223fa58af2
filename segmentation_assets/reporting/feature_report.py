"""What a month shows of every feature: its declaration, its values, its gaps, its partners and whether it is used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import plural
from segmentation_assets.features.dictionary import DictionaryEntry, DictionarySection
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.features.selection import DroppedFeature
from segmentation_assets.reporting.column_cells import share_of
from segmentation_assets.reporting.column_statistics import ColumnStatistics, describe_columns
from segmentation_assets.reporting.correlations import Correlations, Partner, correlate_ranks, sample_customers
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    from segmentation_assets.storage.engine import Connection

CLUSTERED, NOT_OFFERED, LEFT_OUT = "clustered_on", "not_offered", "left_out"
"""States of a feature beside the reasons for which the model matrix leaves one out."""

_LEFT_OUT_WORDS: dict[str, str] = {
    "all_null": "no customer has a value",
    "constant": "all customers have the same value",
}


@dataclass(frozen=True, kw_only=True)
class MatrixUse:
    """Whether clusterings see a feature.

    Parameters
    ----------
    state : str
        ``clustered_on``, ``not_offered``, or the reason for which the matrix leaves it out, such as ``redundant``.
    words : str
        The same in words, with the numbers it rests on.
    kept_instead : str or None
        Of a redundant feature, the one that is kept.
    correlation : float or None
        Of a redundant feature, Pearson's r with that one after the matrix's transformation.
    customer_count : int
        Customers that the matrix was fitted on.
    """

    state: str
    words: str
    customer_count: int
    kept_instead: str | None = None
    correlation: float | None = None


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What was filled in of a feature, or, of a core metric, who was set aside for want of it.

    Parameters
    ----------
    count, customer_count : int
        Customers concerned, of so many.
    reasons : mapping of str to int
        Code of each reason to the customers of `count` that it holds for.
    rule : str
        What was done, in words.
    values : mapping of str to (float, str or None)
        Code of each reason to the constant that is taken for it, where it is one.
    """

    count: int
    customer_count: int
    reasons: Mapping[str, int]
    rule: str
    values: Mapping[str, float | str | None]


@dataclass(frozen=True, kw_only=True)
class FeatureFacts:
    """All that a month shows of one feature; `filling` is ``None`` for what is never filled."""

    entry: DictionaryEntry
    statistics: ColumnStatistics
    filling: Filling | None
    partners: tuple[Partner, ...]
    use: MatrixUse

    @property
    def name(self) -> str:
        """Name of its column."""
        return self.entry.column.name


@dataclass(frozen=True, kw_only=True)
class FeatureReport:
    """The features of a month.

    Parameters
    ----------
    month : str
        As YYYY-MM.
    as_of_date : date
    currency : str
    sections : tuple of DictionarySection
    facts : dict of str to FeatureFacts
        By feature, in the order of the sections.
    correlations : Correlations
    absent : dict of str to str
        Blocks and features that are not computed, with the reason.
    """

    month: str
    as_of_date: dt.date
    currency: str
    sections: tuple[DictionarySection, ...]
    facts: dict[str, FeatureFacts]
    correlations: Correlations
    absent: dict[str, str]

    @property
    def customer_count(self) -> int:
        """All customers of the month."""
        return self.correlations.customer_count


@dataclass(frozen=True, kw_only=True)
class FeatureTables:
    """What the report reads.

    Parameters
    ----------
    features : str
        SQL table expression of ``silver/customer_features``.
    tracking : sequence of mappings
        Entry `tracking` of the metadata of ``silver/imputed_features``.
    preparation : Preparation
        How the model matrix was made.
    matrix : mapping
        Metadata of ``silver/model_matrix``; its `adjustments` are told.
    offered : collection of str
        Features that the matrix may choose from.
    seed : int
        Of the sample for correlations.
    """

    features: str
    tracking: Sequence[Mapping[str, Any]]
    preparation: Preparation
    matrix: Mapping[str, Any]
    offered: Collection[str]
    seed: int


def gather_facts(
    connection: Connection, sections: Sequence[DictionarySection], tables: FeatureTables
) -> tuple[dict[str, FeatureFacts], Correlations]:
    """Describe every feature.

    Parameters
    ----------
    connection : Connection
    sections : sequence of DictionarySection
    tables : FeatureTables

    Returns
    -------
    tuple of (dict of str to FeatureFacts, Correlations)
        The facts by feature in declared order; correlations of all that are numbers.
    """
    entries = [entry for section in sections for entry in section.entries]
    described = describe_columns(connection, tables.features, [entry.column for entry in entries])
    numbers = [statistics.name for statistics in described if statistics.kind == "number"]
    sample = sample_customers(connection, tables.features, numbers, tables.seed)
    correlations = correlate_ranks(sample, described[0].row_count)
    fillings = _fillings(tables, described[0].row_count)
    facts = {
        entry.column.name: FeatureFacts(
            entry=entry,
            statistics=statistics,
            filling=fillings.get(entry.column.name),
            partners=correlations.partners_of(entry.column.name),
            use=find_use(entry.column.name, tables),
        )
        for entry, statistics in zip(entries, described, strict=True)
    }
    return facts, correlations


def _fillings(tables: FeatureTables, customer_count: int) -> dict[str, Filling]:
    """Put together what was filled in of each feature for different reasons."""
    fillings: dict[str, Filling] = {}
    for track in tables.tracking:
        name, count, reason = track["feature"], int(track.get("filled_count") or 0), str(track.get("reason") or "")
        is_core = track.get("imputation_class") == "core"
        earlier = fillings.get(name)
        fillings[name] = Filling(
            count=count + (earlier.count if earlier else 0),
            customer_count=customer_count if is_core else tables.preparation.fitted_count,
            reasons={**(earlier.reasons if earlier else {}), reason: count},
            rule=str(track.get("rule") or ""),
            values={**(earlier.values if earlier else {}), reason: track.get("fill_value")},
        )
    return fillings


def find_use(name: str, tables: FeatureTables) -> MatrixUse:
    """Tell whether clusterings see a feature, and if not why.

    Parameters
    ----------
    name : str
    tables : FeatureTables

    Returns
    -------
    MatrixUse
    """
    preparation = tables.preparation
    count = preparation.fitted_count
    if name in preparation.features:
        return MatrixUse(state=CLUSTERED, words=_way_in(name, preparation, tables.matrix), customer_count=count)
    dropped = next((drop for drop in preparation.dropped if drop.feature == name), None)
    if dropped is not None:
        return MatrixUse(
            state=dropped.reason,
            words=_left_out(dropped, count),
            customer_count=count,
            kept_instead=dropped.kept_instead,
            correlation=dropped.correlation,
        )
    if name in tables.offered:
        return MatrixUse(state=LEFT_OUT, words="offered to clusterings and left out", customer_count=count)
    return MatrixUse(state=NOT_OFFERED, words="not offered to clusterings by matrix.features", customer_count=count)


def _way_in(name: str, preparation: Preparation, matrix: Mapping[str, Any]) -> str:
    """Say how a feature gets into the matrix, and for how many customers its value was changed on the way."""
    columns = [column for column in preparation.columns if column.feature == name]
    words = ["clustered on", *sorted({f"on a {c.scale} scale" for c in columns if c.scale != "as it is"})]
    words += [f"as {len(columns)} columns"] if len(columns) > 1 else []
    words += ["as part of the principal components"] if preparation.components else []
    for changed in matrix.get("adjustments") or ():
        if changed["feature"] == name:
            counts = ((code, count) for code, count in changed.items() if code != "feature" and count)
            words += [f"{code.replace('_', ' ')} for {plural(count, 'customer')}" for code, count in counts]
    return ", ".join(words)


def _left_out(dropped: DroppedFeature, fitted_count: int) -> str:
    if dropped.kept_instead is None or dropped.correlation is None:
        return f"left out: {_LEFT_OUT_WORDS.get(dropped.reason, dropped.reason.replace('_', ' '))}"
    rests_on = f"Pearson's r = {dropped.correlation:.2f} over {plural(fitted_count, 'customer')}"
    return f"left out: says the same as {dropped.kept_instead}, which is kept: {rests_on}"


def to_plain(report: FeatureReport) -> dict[str, Any]:
    """Return the report as plain values for JSON; numbers to ten significant digits."""
    return {
        "month": report.month,
        "as_of_date": report.as_of_date.isoformat(),
        "currency": report.currency,
        "customers": report.customer_count,
        "correlation_sample": report.correlations.sample_count,
        "features": [_plain_facts(facts) for facts in report.facts.values()],
        "absent": report.absent,
    }


def _plain_facts(facts: FeatureFacts) -> dict[str, Any]:
    column, statistics, filling = facts.entry.column, facts.statistics, facts.filling
    return {
        "name": column.name,
        "label": column.label,
        "block": facts.entry.block,
        "type": column.dtype,
        "unit": column.unit,
        "meaning": column.meaning,
        "null_means": column.null_rule,
        "imputation_class": column.imputation,
        "direction": column.direction,
        "reference": column.reference,
        "requires": list(facts.entry.requires),
        "made_from": list(column.reads),
        "distribution": _plain_statistics(statistics),
        "imputed": None
        if filling is None
        else {
            "count": filling.count,
            "customers": filling.customer_count,
            "share": share_of(filling.count, filling.customer_count),
            "reasons": dict(filling.reasons),
            "rule": filling.rule,
            "values": dict(filling.values),
        },
        "rank_correlations": [
            {"feature": partner.name, "correlation": partner.correlation, "customers": partner.pair_count}
            for partner in facts.partners
        ],
        "matrix": {
            "state": facts.use.state,
            "words": facts.use.words,
            "kept_instead": facts.use.kept_instead,
            "correlation": facts.use.correlation,
            "customers": facts.use.customer_count,
        },
    }


def _plain_statistics(statistics: ColumnStatistics) -> dict[str, Any]:
    histogram = statistics.histogram
    return {
        "kind": statistics.kind,
        "customers": statistics.row_count,
        "known": statistics.known_count,
        "missing": statistics.missing_count,
        "missing_share": share_of(statistics.missing_count, statistics.row_count),
        "quantiles": {name: _rounded(value) for name, value in statistics.quantiles.items()},
        "mean": _rounded(statistics.mean),
        "standard_deviation": _rounded(statistics.deviation),
        "zeros": statistics.zero_count,
        "outliers": statistics.outlier_count,
        "histogram": histogram
        and {"low": _rounded(histogram.low), "width": _rounded(histogram.width), "counts": list(histogram.counts)},
        "different_values": statistics.distinct_count,
        "top_values": [{"value": value, "customers": count} for value, count in statistics.top],
    }


def _rounded(value: float | str | None) -> float | str | None:
    return round_number(value) if isinstance(value, float) else value
