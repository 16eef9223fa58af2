"""Who moved from segment to segment since the month before, and whether data, customer, time or model moved them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from segmentation_assets.tables.gold import CUSTOMER_STATES, SEGMENT_FLOWS, SEGMENT_MIGRATION

if TYPE_CHECKING:
    import pandas as pd

ABSENT = "absent"
"""Place of a customer who is not known in a month."""

RESTATEMENT, BEHAVIOUR, AGEING, MODEL, TOTAL = "restatement", "behaviour", "ageing", "model", "total"

_CENTS = 100


def places_of(segments: pd.DataFrame) -> pd.Series:
    """Return where each customer is: a segment key, or the state of one without a segment.

    Parameters
    ----------
    segments : DataFrame
        Columns customer_id, segment_key and state.

    Returns
    -------
    Series of str, index customer_id
    """
    rows = segments.set_index("customer_id")
    return rows["segment_key"].astype("object").where(rows["segment_key"].notna(), rows["state"]).astype("str")


def trace_migration(
    before: pd.Series,
    restated: pd.Series,
    moved: pd.Series,
    after: pd.Series,
    *,
    active: Collection[str],
    money_before: pd.Series,
    money_after: pd.Series,
) -> pd.DataFrame:
    """Follow every customer in three steps, so that moves that cancel each other stay visible.

    Parameters
    ----------
    before : Series of str, index customer_id
        Places of the month before, as delivered: former model, former data. Empty in the first month.
    restated : Series of str, index customer_id
        By the former model on the data of the month before as they are now known.
    moved : Series of str, index customer_id
        By the former model on this month's data.
    after : Series of str, index customer_id
        By the model in force on this month's data.
    active : collection of str
        Customers with an order or a return since the month before.
    money_before, money_after : Series of float, index customer_id
        Net revenue in the lookback of the month before and of this one.

    Returns
    -------
    DataFrame
        Columns of ``gold/segment_migration``, a row per customer of either month, sorted.

    Notes
    -----
    A place is worth the mean net revenue of those who are there; that of a segment that ended is of the month before.
    A customer who goes to a place worth more is an upgrade.
    """
    import pandas as pd

    customers = before.index.union(after.index).sort_values()
    steps = {"before": before, "restated": restated, "moved": moved, "after": after}
    rows = pd.DataFrame(
        {f"{name}_place": places.reindex(customers).astype("object").fillna(ABSENT) for name, places in steps.items()},
        index=customers,
    )
    rows["is_active"] = rows.index.isin(list(active))
    rows["before_revenue_amount"] = money_before.reindex(customers).fillna(0.0)
    rows["after_revenue_amount"] = money_after.reindex(customers).fillna(0.0)
    rows["cause"] = _causes(rows)
    rows["direction"] = _directions(rows)
    return rows.rename_axis("customer_id").reset_index()[list(SEGMENT_MIGRATION.column_names)]


def _causes(rows: pd.DataFrame) -> pd.Series:
    """Say what moved each customer; several causes are joined, and none is empty."""
    changed = {
        RESTATEMENT: rows["before_place"] != rows["restated_place"],
        BEHAVIOUR: (rows["restated_place"] != rows["moved_place"]) & rows["is_active"],
        AGEING: (rows["restated_place"] != rows["moved_place"]) & ~rows["is_active"],
        MODEL: rows["moved_place"] != rows["after_place"],
    }
    found = rows["before_place"].map(lambda _: "")
    for cause, is_changed in changed.items():
        joined = found.where(found == "", found + "+") + cause
        found = found.where(~is_changed, joined)
    return found.where(found != "", "none")


def _directions(rows: pd.DataFrame) -> pd.Series:
    """Compare what the places before and after are worth."""
    import numpy as np
    import pandas as pd

    worth_before = rows.groupby("before_place")["before_revenue_amount"].mean()
    worth_after = rows.groupby("after_place")["after_revenue_amount"].mean()
    worth = worth_after.combine_first(worth_before)
    was, is_now = (rows[f"{name}_place"].map(is_segment).astype(bool) for name in ("before", "after"))
    gain = rows["after_place"].map(worth) - rows["before_place"].map(worth)
    conditions = {
        "stayed": rows["before_place"] == rows["after_place"],
        "outside": ~was & ~is_now,
        "entry": ~was,
        "exit": ~is_now,
        "upgrade": gain > 0,
        "downgrade": gain < 0,
    }
    return pd.Series(np.select(list(conditions.values()), list(conditions), "sideways"), index=rows.index)


def is_segment(place: str) -> bool:
    """Whether a place is a segment, and neither the state of a customer without one nor absence.

    Example
    -------
    >>> is_segment("S001"), is_segment("exceptional"), is_segment(ABSENT)
    (True, False, False)
    """
    return place != ABSENT and place not in CUSTOMER_STATES


def sum_flows(migration: pd.DataFrame) -> pd.DataFrame:
    """Sum the moves of customers to tables from place to place, one per step.

    Parameters
    ----------
    migration : DataFrame
        ``gold/segment_migration``.

    Returns
    -------
    DataFrame
        Columns of ``gold/segment_flows``, sorted. The customers of the steps total, restatement and model are all, and
        so are those of behaviour and ageing together.
    """
    import pandas as pd

    active = migration["is_active"].astype(bool)
    steps = [
        (TOTAL, migration, "before_place", "after_place"),
        (RESTATEMENT, migration, "before_place", "restated_place"),
        (BEHAVIOUR, migration[active], "restated_place", "moved_place"),
        (AGEING, migration[~active], "restated_place", "moved_place"),
        (MODEL, migration, "moved_place", "after_place"),
    ]
    return pd.concat([_sum(name, rows, source, target) for name, rows, source, target in steps], ignore_index=True)


def _sum(step: str, rows: pd.DataFrame, source: str, target: str) -> pd.DataFrame:
    """Count customers and sum money, in whole cents, from place to place."""
    cents = {
        name: (rows[name].astype("float64") * _CENTS).round().astype("int64")
        for name in ("before_revenue_amount", "after_revenue_amount")
    }
    keyed = rows[[source, target]].assign(**cents)
    keyed.columns = ["from_place", "to_place", *cents]
    summed = keyed.groupby(["from_place", "to_place"], sort=True)
    counted = summed.sum().div(_CENTS).assign(customer_count=summed.size()).reset_index()
    return counted.assign(step=step)[list(SEGMENT_FLOWS.column_names)]
