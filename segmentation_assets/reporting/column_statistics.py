"""What the values of a column look like: known, zero and outlying ones, quantiles, a histogram, the commonest texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from segmentation_assets.storage.engine import Connection, fetch_row, quote_identifier
from segmentation_assets.tables.declaration import Column, ColumnType

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Kind = Literal["number", "category", "time"]

QUANTILES = {
    "minimum": 0.0,
    "low": 0.05,
    "lower_quartile": 0.25,
    "median": 0.5,
    "upper_quartile": 0.75,
    "high": 0.95,
    "maximum": 1.0,
}
"""Name of each quantile → the share of known values below it."""

MOST_BINS = 20
TOP_VALUES = 5

FENCE = 1.5
"""A value further than this many interquartile ranges beyond a quartile is an outlier (Tukey's rule)."""

_TAIL = 0.01
_WHOLE: tuple[ColumnType, ...] = ("BIGINT", "INTEGER")
_COLUMNS_AT_ONCE = 16
"""Columns that are in memory together."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of equally wide bins; the first and the last also hold what lies beyond.

    Parameters
    ----------
    low, width : float
        Where the first bin begins, and how wide each is.
    counts : tuple of int
    """

    low: float
    width: float
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ColumnStatistics:
    """The values of one column.

    Parameters
    ----------
    name : str
    kind : {"number", "category", "time"}
    row_count, known_count : int
        Rows, and those with a value.
    quantiles : mapping of str to float or str
        By the names of `QUANTILES`; ISO text of the nearest known value for times; empty where nothing is known.
    mean, deviation : float or None
        Of numbers; the deviation is that of the population.
    zero_count : int or None
        Of numbers.
    outlier_count : int or None
        Of numbers, by Tukey's rule; ``None`` where the quartiles coincide, as the rule then says nothing.
    histogram : Histogram or None
        Of numbers.
    distinct_count : int or None
        Of categories.
    top : tuple of (str, int)
        The commonest categories with their rows; of equally common ones the first in the alphabet.
    """

    name: str
    kind: Kind
    row_count: int
    known_count: int
    quantiles: Mapping[str, float | str]
    mean: float | None = None
    deviation: float | None = None
    zero_count: int | None = None
    outlier_count: int | None = None
    histogram: Histogram | None = None
    distinct_count: int | None = None
    top: tuple[tuple[str, int], ...] = ()

    @property
    def missing_count(self) -> int:
        """Rows without a value."""
        return self.row_count - self.known_count


def kind_of(dtype: ColumnType) -> Kind:
    """Tell how a column of a type is described.

    Example
    -------
    >>> kind_of("DECIMAL(18,2)"), kind_of("DATE"), kind_of("BOOLEAN")
    ('number', 'time', 'category')
    """
    kinds: dict[str, Kind] = {"VARCHAR": "category", "BOOLEAN": "category", "DATE": "time", "TIMESTAMP": "time"}
    return kinds.get(dtype, "number")


def describe_columns(connection: Connection, relation: str, columns: Sequence[Column]) -> tuple[ColumnStatistics, ...]:
    """Describe columns of a relation, each by its declared type, over all rows.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression that has the columns.
    columns : sequence of Column

    Returns
    -------
    tuple of ColumnStatistics
        In the order given.
    """
    numbers = [column for column in columns if kind_of(column.dtype) == "number"]
    found: dict[str, ColumnStatistics] = {}
    for start in range(0, len(numbers), _COLUMNS_AT_ONCE):
        chosen = numbers[start : start + _COLUMNS_AT_ONCE]
        casts = ", ".join(f"CAST({quote_identifier(column.name)} AS DOUBLE)" for column in chosen)
        frame = connection.execute(f"SELECT {casts} FROM {relation}").df()
        for place, column in enumerate(chosen):
            values = frame.iloc[:, place].to_numpy(dtype="float64")
            found[column.name] = describe_numbers(column.name, values, is_whole=column.dtype in _WHOLE)
    others = {"category": _describe_category, "time": _describe_time}
    return tuple(
        found[column.name] if column.name in found else others[kind_of(column.dtype)](connection, relation, column)
        for column in columns
    )


def describe_numbers(name: str, values: npt.NDArray[np.float64], *, is_whole: bool = False) -> ColumnStatistics:
    """Describe numbers.

    Parameters
    ----------
    name : str
    values : ndarray, shape (n_rows,)
        NaN where a value is missing; their order does not matter, as they are sorted before they are summed.
    is_whole : bool
        Whether the bins of the histogram should hold whole numbers.

    Returns
    -------
    ColumnStatistics
    """
    import numpy as np

    known = np.sort(values[~np.isnan(values)])
    if not known.size:
        return ColumnStatistics(name=name, kind="number", row_count=len(values), known_count=0, quantiles={})
    shares = (*QUANTILES.values(), _TAIL, 1 - _TAIL)
    *quantiles, first, last = (float(value) for value in np.quantile(known, shares))
    named = dict(zip(QUANTILES, quantiles, strict=True))
    low, high = named["lower_quartile"], named["upper_quartile"]
    reach = FENCE * (high - low)
    if first == last:
        first, last = float(known[0]), float(known[-1])
    return ColumnStatistics(
        name=name,
        kind="number",
        row_count=len(values),
        known_count=int(known.size),
        quantiles=named,
        mean=float(known.mean()),
        deviation=float(known.std()),
        zero_count=int((known == 0).sum()),
        outlier_count=int(((known < low - reach) | (known > high + reach)).sum()) if high > low else None,
        histogram=_count_bins(known, *(_whole_bins(first, last) if is_whole else _equal_bins(first, last))),
    )


def _whole_bins(first: float, last: float) -> tuple[float, float, int]:
    """Begin, width and number of bins that each hold as many whole numbers."""
    low, span = math.floor(first), math.ceil(last) - math.floor(first) + 1
    width = -(-span // MOST_BINS)
    return low, width, -(-span // width)


def _equal_bins(first: float, last: float) -> tuple[float, float, int]:
    return (first, (last - first) / MOST_BINS, MOST_BINS) if first < last else (first, 1.0, 1)


def _count_bins(known: npt.NDArray[np.float64], low: float, width: float, bins: int) -> Histogram:
    import numpy as np

    places = np.clip(np.floor((known - low) / width), 0, bins - 1).astype("int64")
    counts = np.bincount(places, minlength=bins)
    return Histogram(low=low, width=width, counts=tuple(int(count) for count in counts))


def _describe_category(connection: Connection, relation: str, column: Column) -> ColumnStatistics:
    name = quote_identifier(column.name)
    found = connection.execute(
        "SELECT value, found, sum(found) OVER () AS rows, sum(found) FILTER (value IS NOT NULL) OVER () AS known, "
        f"count(value) OVER () AS different FROM (SELECT CAST({name} AS VARCHAR) AS value, count(*) AS found FROM "
        f"{relation} GROUP BY ALL) ORDER BY value IS NULL, found DESC, value LIMIT {TOP_VALUES}"
    ).fetchall()
    _, _, rows, known, distinct = found[0] if found else (None, 0, 0, 0, 0)
    return ColumnStatistics(
        name=column.name,
        kind="category",
        row_count=int(rows),
        known_count=int(known or 0),
        quantiles={},
        distinct_count=distinct,
        top=tuple((str(value), int(count)) for value, count, *_ in found if value is not None),
    )


def _describe_time(connection: Connection, relation: str, column: Column) -> ColumnStatistics:
    values = f"(SELECT {quote_identifier(column.name)} AS value FROM {relation})"
    rows, known, found = fetch_row(
        connection, f"SELECT count(*), count(value), quantile_disc(value, {list(QUANTILES.values())}) FROM {values}"
    )
    quantiles = dict(zip(QUANTILES, (str(value) for value in found), strict=True)) if known else {}
    return ColumnStatistics(name=column.name, kind="time", row_count=rows, known_count=known, quantiles=quantiles)
