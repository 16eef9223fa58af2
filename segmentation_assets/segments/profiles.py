"""What each segment is like: size, money, and every feature against everyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.imputation import FLAG_PREFIX
from segmentation_assets.tables.rounding import round_significant
from segmentation_assets.tables.segment_descriptions import SEGMENT_PROFILES

if TYPE_CHECKING:
    import pandas as pd

_REVENUE = "net_revenue_amount"

WARN_IMPUTED_SHARE = 0.2
"""Share of filled-in values from which on a segment's feature is to be read with care."""


def profile_segments(
    features: pd.DataFrame,
    customer_segments: pd.DataFrame,
    imputed_flags: pd.DataFrame,
    feature_columns: Sequence[str],
    previous: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Describe every segment by every feature.

    Parameters
    ----------
    features : DataFrame
        ``silver/customer_features``: values as known, null where unknown.
    customer_segments : DataFrame
        ``gold/customer_segments`` of the same month; only assigned customers count.
    imputed_flags : DataFrame
        customer_id and a ``was_imputed_…`` column per feature that can be filled in; others count as never filled.
    feature_columns : sequence of str
        Numeric columns of `features` to describe.
    previous : DataFrame, optional
        ``gold/segment_profiles`` of the month before.

    Returns
    -------
    DataFrame
        Columns of ``gold/segment_profiles``, a row per segment with customers and feature, sorted. Means, medians,
        quartiles and effect sizes rest on known values; doubles are rounded to 10 significant digits.

    Raises
    ------
    DataError
        A feature is missing or not numeric.

    Notes
    -----
    The effect size is (mean of the segment - mean of everyone) / standard deviation of everyone, where everyone is all
    assigned customers and the deviation divides by n.
    """
    import pandas as pd

    names = list(feature_columns)
    _check_columns(features, names)
    assigned = customer_segments[customer_segments["segment_key"].notna()]
    keyed = assigned[["customer_id", "segment_key", "segment_name"]].merge(features, on="customer_id")
    members = keyed.sort_values("customer_id", ignore_index=True)
    if members.empty:
        return pd.DataFrame(columns=list(SEGMENT_PROFILES.column_names))
    values = members[names].astype("float64")
    spread = values.std(ddof=0).where(values.max() > values.min())
    imputed = _imputed_shares(members, imputed_flags, names)
    tables = {
        **_statistics(values, members["segment_key"], spread),
        "imputed_share": imputed,
        "rests_on_imputed": imputed >= WARN_IMPUTED_SHARE,
    }
    tables |= _changes(tables["mean"], previous, spread)
    joined = _long(tables).merge(_sizes(members), on="segment_key")
    ordered = joined.sort_values(["segment_key", "feature"], ignore_index=True)
    return ordered[list(SEGMENT_PROFILES.column_names)]


def _check_columns(features: pd.DataFrame, names: Sequence[str]) -> None:
    import pandas as pd

    missing = sorted({*names, _REVENUE} - set(features.columns))
    if missing:
        raise DataError(
            f"profiles need the columns {', '.join(missing)}", closest_hint(missing[0], map(str, features.columns))
        )
    others = [name for name in names if not pd.api.types.is_numeric_dtype(features[name].dtype)]
    if others:
        raise DataError(
            f"profiles describe numbers, but {others[0]} is of type {features[others[0]].dtype}",
            "leave the column out.",
        )


def _changes(means: pd.DataFrame, previous: pd.DataFrame | None, spread: pd.Series) -> dict[str, pd.DataFrame]:
    """Set the means beside those of the month before, each of shape (n_segments, n_features)."""
    before = means * float("nan")
    if previous is not None:
        former = previous.pivot_table(index="segment_key", columns="feature", values="mean", dropna=False)
        before = former.reindex(index=means.index, columns=means.columns)
    return {"previous_mean": before, "change_size": ((means - before) / spread).round(10)}


def _statistics(values: pd.DataFrame, keys: pd.Series, spread: pd.Series) -> dict[str, pd.DataFrame]:
    """Statistics of known values, each of shape (n_segments, n_features)."""
    groups = values.groupby(keys)
    means = groups.mean()
    quartiles = groups.quantile([0.25, 0.5, 0.75])
    return {
        "known_count": groups.count(),
        "mean": means,
        "median": quartiles.xs(0.5, level=1),
        "quartile_1": quartiles.xs(0.25, level=1),
        "quartile_3": quartiles.xs(0.75, level=1),
        "effect_size": ((means - values.mean()) / spread).round(10),
    }


def _imputed_shares(members: pd.DataFrame, imputed_flags: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Share of each segment's customers whose value was filled in, shape (n_segments, n_features)."""
    import pandas as pd

    flags = imputed_flags.set_index("customer_id").reindex(
        index=members["customer_id"], columns=[f"{FLAG_PREFIX}{name}" for name in names]
    )
    filled = pd.DataFrame(flags.astype("float64").fillna(0.0).to_numpy(), columns=list(names))
    return filled.groupby(members["segment_key"]).mean()


def _long(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Turn tables of segments and features into one row per segment and feature."""
    import pandas as pd

    first = next(iter(tables.values()))
    index = pd.MultiIndex.from_product([first.index, first.columns], names=["segment_key", "feature"])
    columns = {name: table[first.columns].loc[first.index].to_numpy().ravel() for name, table in tables.items()}
    rounded = {name: round_significant(cells) if cells.dtype.kind == "f" else cells for name, cells in columns.items()}
    return pd.DataFrame(rounded, index=index).reset_index()


def _sizes(members: pd.DataFrame) -> pd.DataFrame:
    """Count customers and sum money per segment, in whole cents."""
    import numpy as np

    cents = np.rint(members[_REVENUE].astype("float64") * 100).astype("int64")
    keyed = members[["segment_key", "segment_name"]].assign(cents=cents)
    sizes = keyed.groupby("segment_key", as_index=False).agg(
        segment_name=("segment_name", "first"), customer_count=("cents", "size"), cents=("cents", "sum")
    )
    total = int(sizes["cents"].sum())
    shares = sizes["cents"] / total if total > 0 else np.nan
    return sizes.assign(
        customer_share=round_significant(sizes["customer_count"] / len(members)),
        net_revenue_amount=sizes["cents"] / 100,
        net_revenue_share=round_significant(np.broadcast_to(shares, len(sizes))),
    )
