"""What a computation really reads: other values in one column at a time, and what comes out differently."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from segmentation_assets.tables.declaration import Column

Rows = tuple[tuple[Any, ...], ...]
Result = Mapping[Hashable, Mapping[str, Any]]
"""Values by row and column."""

SEEDS = range(4)


def perturbed(rows: Rows, places: Collection[int], seed: int, *, may_repeat: bool = True) -> Rows:
    """The same rows with the values of some columns mixed up among them; with odd seeds some stand more than once."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(rows), size=len(rows)) if seed % 2 and may_repeat else rng.permutation(len(rows))
    return tuple(
        tuple(rows[other][place] if place in places else value for place, value in enumerate(row))
        for row, other in zip(rows, drawn, strict=True)
    )


def changed_columns(before: Result, after: Result) -> set[str]:
    """Columns that differ in a row that is there both times."""
    return {
        column
        for row in before.keys() & after.keys()
        for column in before[row]
        if before[row][column] != after[row][column]
    }


def columns_changed_by(
    compute: Callable[[Rows], Result], before: Result, rows: Rows, *places: int, may_repeat: bool = True
) -> set[str]:
    """Columns of the result that differ from before with at least one perturbation of the columns at these places."""
    return {
        column
        for seed in SEEDS
        for column in changed_columns(before, compute(perturbed(rows, places, seed, may_repeat=may_repeat)))
    }


def declared_readers(columns: Iterable[Column], *names: str) -> set[str]:
    """Columns that are declared to read one of the names, written ``table.column`` by the table's noun."""
    return {column.name for column in columns if set(names) & set(column.reads)}


def rows_by_customer(frame: pd.DataFrame) -> Result:
    """Rows of a frame by customer, missing values as None."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {row["customer_id"]: row for row in plain.to_dict("records")}
