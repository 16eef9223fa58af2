"""The customer file: one row per customer with segment, RFM scores, features and flags, and how it becomes CSV.

Parquet is written from the same frame by the caller.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError
from segmentation_assets.tables.gold import CUSTOMER_SEGMENTS, RFM_SEGMENTS

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet run a text as a formula."""

_SEGMENT_COLUMNS = tuple(name for name in CUSTOMER_SEGMENTS.column_names if name not in {"imputed_share", "as_of_date"})
_RFM_COLUMNS = tuple(name for name in RFM_SEGMENTS.column_names if name not in {"customer_id", "rfm_segment"})


def export_frame(snapshot: Snapshot) -> pd.DataFrame:
    """Join segments, RFM scores, features and imputation flags to one row per customer.

    Parameters
    ----------
    snapshot : Snapshot
        The month.

    Returns
    -------
    DataFrame
        A row per customer of `customer_segments`, sorted by `customer_id`. Columns: the segment columns, the RFM
        scores, the features in their order, `imputed_share`, `imputation_reasons`, the `was_imputed_*` flags,
        `as_of_date`. Money columns (`_amount`) are rounded to two decimals; whole numbers are Int64, null where
        unknown.

    Raises
    ------
    DataError
        If a customer stands twice in one of the frames.
    """
    frames = {
        "customer_segments": snapshot.customer_segments,
        "rfm_segments": snapshot.rfm_segments,
        "features": snapshot.features,
        "imputed_flags": snapshot.imputed_flags,
    }
    for name, frame in frames.items():
        _check_unique(name, frame)
    segments = snapshot.customer_segments.drop(columns="as_of_date", errors="ignore")
    first = [name for name in _SEGMENT_COLUMNS if name in segments.columns]
    scores = snapshot.rfm_segments[[name for name in ("customer_id", *_RFM_COLUMNS) if name in snapshot.rfm_segments]]
    joined = segments[first]
    for part in (scores, snapshot.features, segments[["customer_id", "imputed_share"]], _flags(snapshot)):
        new = [name for name in part.columns if name == "customer_id" or name not in joined.columns]
        joined = joined.merge(_nullable(part[new]), on="customer_id", how="left", validate="one_to_one")
    whole = joined.sort_values("customer_id", ignore_index=True).copy()  # pandas warns of adding to scattered columns
    ordered = whole.assign(as_of_date=snapshot.as_of_date)
    return _round_money(ordered)


def _check_unique(name: str, frame: pd.DataFrame) -> None:
    if "customer_id" not in frame.columns:
        return
    twice = frame["customer_id"][frame["customer_id"].duplicated()]
    if len(twice):
        raise DataError(
            f"'{name}' holds {len(twice)} customers more than once, first '{twice.iloc[0]}'; expected one row each.",
            "build the month again with `segmentation run --force`.",
        )


def _flags(snapshot: Snapshot) -> pd.DataFrame:
    """Return the flags and reasons, or no column besides the customer where there are none."""
    if "customer_id" not in snapshot.imputed_flags.columns:
        return snapshot.customer_segments[["customer_id"]]
    return snapshot.imputed_flags


def _nullable(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep whole numbers and flags whole through a join that may leave gaps."""
    import pandas as pd

    kinds = {
        name: "boolean" if pd.api.types.is_bool_dtype(frame[name].dtype) else "Int64"
        for name in frame.columns
        if pd.api.types.is_bool_dtype(frame[name].dtype)
        or pd.api.types.is_integer_dtype(frame[name].dtype)
        or name in _RFM_COLUMNS[:3]
    }
    return frame.astype(kinds)


def _round_money(frame: pd.DataFrame) -> pd.DataFrame:
    """Round money to cents and make it float."""
    money = [name for name in frame.columns if is_money(str(name))]
    return frame.assign(**{name: frame[name].astype("float64").round(2) + 0.0 for name in money})


def is_money(column: str) -> bool:
    """Return whether a column holds amounts, by the naming rule.

    Example
    -------
    >>> is_money("net_revenue_amount"), is_money("net_revenue_amount_90d"), is_money("return_rate")
    (True, True, False)
    >>> is_money("net_revenue_amount_per_order_count")
    False
    """
    return "_amount" in column and not re.search(r"^was_imputed_|_(times|per)_", column)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    r"""Write a frame as UTF-8 CSV after RFC 4180, lines ending in ``\r\n``.

    Texts that a spreadsheet would run as a formula get a leading apostrophe. Numbers are written with the fewest
    digits that read back as the same number, money with two decimals, dates as YYYY-MM-DD, flags as true and
    false, unknown values as nothing.

    Parameters
    ----------
    frame : DataFrame
        Any frame; the index is left out.
    path : Path
        File to write; an existing one is replaced.
    """
    names = [str(name) for name in frame.columns]
    columns = [_write_column(frame[name], is_money(str(name))) for name in frame.columns]
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([defuse(name) for name in names])
        writer.writerows(zip(*columns, strict=True))


def defuse(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    Example
    -------
    >>> defuse("=1+1"), defuse("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write_column(values: pd.Series, money: bool) -> Iterable[str]:  # noqa: FBT001
    """Write the cells of a column."""
    write = _write_money if money else _writer(values)
    return ["" if value is None else write(value) for value in known_cells(values)]


def known_cells(values: pd.Series) -> list[Any]:
    """Return a column as Python objects with None where nothing is known: null, NaN, NaT or infinite."""
    unknown = values.isna() | values.isin([float("inf"), float("-inf")])
    return [None if gap else value for value, gap in zip(values.tolist(), unknown.tolist(), strict=True)]


def _writer(values: pd.Series) -> Callable[[Any], str]:
    """Return how a column's cells are written, decided once where the type says it."""
    kinds: dict[str, Callable[[Any], str]] = {"f": repr, "i": str, "u": str}
    return kinds.get(getattr(values.dtype, "kind", "O"), _write_value)


def _write_money(value: Any) -> str:
    return f"{value:.2f}"


def _write_value(value: Any) -> str:
    """Write one cell of a column of mixed or unknown type."""
    if isinstance(value, str):
        return defuse(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, Decimal | int):
        return str(value)
    if hasattr(value, "isoformat"):
        return _write_instant(value)
    return defuse(str(value))


def _write_instant(value: Any) -> str:
    """Write a date, or an instant that is no midnight, in ISO form."""
    text = str(value.isoformat())
    return text.removesuffix("T00:00:00")
