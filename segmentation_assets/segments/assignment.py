"""Assigns every customer of a snapshot with the frozen model in force, and compares with the month before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.errors import DataError
from segmentation_assets.features.blocks.rfm import DAYS_PER_MONTH
from segmentation_assets.features.preparation import prepare
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.drift import note_reference
from segmentation_assets.segments.rfm import apply_thresholds
from segmentation_assets.tables.gold import CLUSTER_COLUMNS, CUSTOMER_SEGMENTS, RFM_SEGMENT_NAMES
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

ASSIGNED = "assigned"
NO_PURCHASES = "no_purchases"
EXCEPTIONAL = "exceptional"
TOO_NEW = "too_new"
OUTSIDE = "outside_known_range"

_ROUNDING = 1e-9
_FRAME = (
    "customer_id",
    "segment_key",
    "runner_up_segment_key",
    "segment_confidence",
    "imputed_share",
    "is_outlier",
    "is_outside",
)


@dataclass(frozen=True)
class Assignment:
    """What the model in force makes of customers.

    Parameters
    ----------
    frame : DataFrame
        customer_id, segment_key, runner_up_segment_key (segment of the second nearest cluster, null for the RFM map),
        imputed_share, is_outlier (null where the model looks for none) and is_outside (farther from the centre than
        anybody whom the model was promoted on), for the customers that have the core metrics.
    adjustments : tuple of dict
        Values that were changed before assigning, per feature, as in `Prepared.adjustments`; none by the RFM map.
    """

    frame: pd.DataFrame
    adjustments: tuple[dict[str, str | int], ...] = ()


def assign_segments(
    features: pd.DataFrame,
    champion: pd.DataFrame,
    assignment: Assignment,
    rfm_segments: pd.DataFrame,
    previous: pd.DataFrame | None,
    as_of_date: dt.date,
    *,
    next_as_of: dt.date,
    min_known_days: int = 0,
    suppressed: Collection[str] = (),
    clusters: Mapping[str, pd.Series] | None = None,
) -> pd.DataFrame:
    """Give every customer a row, with the segment that the model in force says.

    Parameters
    ----------
    features : DataFrame
        ``silver/customer_features`` of this month.
    champion : DataFrame
        ``gold/champion`` of this month; gives the names.
    assignment : Assignment
        What the model in force says of `features`.
    rfm_segments : DataFrame
        ``gold/rfm_segments`` of this month.
    previous : DataFrame or None
        ``gold/customer_segments`` of the month before; ``None`` in the first month.
    as_of_date : date
    next_as_of : date
        As-of date of the following month, were it whole.
    min_known_days : int
        Days since the first order below which a customer is too new.
    suppressed : collection of str
        Customers not to be addressed.
    clusters : mapping of str to Series of int, index customer_id, optional
        The clusters by algorithm.

    Returns
    -------
    DataFrame
        Columns of ``gold/customer_segments``, a row per customer of `features`, sorted by customer_id. Customers
        without core metrics have the state ``no_purchases``; those that the model calls noise, or puts into a cluster
        too small to be a segment, are ``exceptional``. Those that are too new, or far from all whom the model was
        promoted on, have a segment and say so. changed_at and months_in_segment are carried on from the month before
        as long as the segment is the same.
    """
    import pandas as pd

    customers = features[["customer_id"]].sort_values("customer_id")
    rows = customers.merge(assignment.frame, how="left", on="customer_id")
    is_assigned = rows["segment_key"].notna()
    names = champion.set_index("segment_key")["segment_name"]
    is_judged = rows["customer_id"].isin(assignment.frame["customer_id"])
    rows["state"] = find_states(
        rows, features, is_assigned=is_assigned, is_judged=is_judged, min_known_days=min_known_days
    )
    rows["segment_name"] = rows["segment_key"].map(names)
    rfm = rfm_segments.set_index("customer_id")["rfm_segment"]
    rows["rfm_segment"] = rows["customer_id"].map(rfm).where(is_judged)
    for name, column in CLUSTER_COLUMNS.items():
        rows[column] = rows["customer_id"].map((clusters or {}).get(name, pd.Series(dtype="Int64"))).astype("Int64")
    rows["is_suppressed"] = rows["customer_id"].isin(list(suppressed))
    rows["as_of_date"] = rows["valid_from"] = pd.Timestamp(as_of_date)
    rows["valid_to"] = pd.Timestamp(next_as_of)
    return _with_history(rows, previous)[list(CUSTOMER_SEGMENTS.column_names)]


def find_states(
    rows: pd.DataFrame, features: pd.DataFrame, *, is_assigned: pd.Series, is_judged: pd.Series, min_known_days: int
) -> pd.Series:
    """Say of each customer whether there is a segment and how far to trust it.

    Parameters
    ----------
    rows : DataFrame
        customer_id and is_outside, null for customers that were not judged.
    features : DataFrame
        customer_id and lifetime_months, of the same customers.
    is_assigned, is_judged : Series of bool
        Whether the model gives a customer a segment, and whether it could look at it at all.
    min_known_days : int
        Days since the first order below which a customer is too new.

    Returns
    -------
    Series of str
    """
    known_months = rows["customer_id"].map(features.set_index("customer_id")["lifetime_months"]).astype("float64")
    known_days = (known_months * DAYS_PER_MONTH).round()
    states = is_assigned.map({True: ASSIGNED, False: NO_PURCHASES}).mask(is_judged & ~is_assigned, EXCEPTIONAL)
    is_outside = rows["is_outside"].fillna(value=False).astype(bool)
    return states.mask(is_assigned & is_outside, OUTSIDE).mask(is_assigned & (known_days < min_known_days), TOO_NEW)


def places_by_model(features: pd.DataFrame, model: ChampionModel) -> pd.Series:
    """Say where a model puts customers.

    Parameters
    ----------
    features : DataFrame
        ``silver/customer_features`` of any month.
    model : ChampionModel

    Returns
    -------
    Series of str, index customer_id
        Segment key, or the state of those whom the model gives none.
    """
    judged = assign_by_model(features, model).frame.set_index("customer_id")["segment_key"]
    keys = judged.astype("object").where(judged.notna(), EXCEPTIONAL)
    return keys.reindex(features["customer_id"]).fillna(NO_PURCHASES).astype("str")


def matrix_seen_by(features: pd.DataFrame, model: ChampionModel) -> pd.DataFrame:
    """Prepare features as the model does; no column for the RFM map, which looks at scores.

    Returns
    -------
    DataFrame of shape (n_customers, n_features), index customer_id
    """
    if model.preparation is None:
        return features.set_index("customer_id")[[]]
    return prepare(features, model.preparation).matrix


def note_population(model: ChampionModel, features: pd.DataFrame) -> ChampionModel:
    """Return the model with what it has to know of the customers it is promoted on.

    Parameters
    ----------
    model : ChampionModel
        As it will be in force.
    features : DataFrame
        ``silver/customer_features`` of the month of the promotion.

    Returns
    -------
    ChampionModel
        With the largest distance of any of them from its centre, and with how they are spread.
    """
    import numpy as np

    keys = assign_by_model(features, model).frame["segment_key"]
    matrix = matrix_seen_by(features, model)
    known = None
    if model.estimator is not None and len(matrix):
        distances = model.estimator.assign(matrix).distances
        known = None if np.isnan(distances).all() else round_number(float(np.nanmax(distances)))
    return replace(model, known_distance=known, reference=note_reference(matrix, keys))


def assign_by_model(features: pd.DataFrame, model: ChampionModel) -> Assignment:
    """Apply the model in force to features of any snapshot, one customer or many.

    Parameters
    ----------
    features : DataFrame
        customer_id and the columns the model uses.
    model : ChampionModel
        Prepares the features in its own way.

    Returns
    -------
    Assignment

    Raises
    ------
    DataError
        The model yields a cluster that has no segment.
    """
    return _assign_by_map(features, model) if model.estimator is None else _assign_by_estimator(features, model)


def _assign_by_map(features: pd.DataFrame, model: ChampionModel) -> Assignment:
    import pandas as pd

    if model.rfm_thresholds is None or model.rfm_cells is None:
        raise DataError(
            f"the model in force, {model.algorithm}, holds neither an estimator nor RFM thresholds with their map",
            "remove its folder from the model store and run again with --force.",
        )
    scored = apply_thresholds(features, model.rfm_thresholds, model.rfm_cells)
    clusters = scored["rfm_segment"].map({name: number for number, name in enumerate(RFM_SEGMENT_NAMES)})
    return Assignment(
        pd.DataFrame(
            {
                "customer_id": scored["customer_id"],
                "segment_key": _keys_of(clusters.to_numpy(), model),
                "runner_up_segment_key": None,
                "segment_confidence": None,
                "imputed_share": 0.0,
                "is_outlier": None,
                "is_outside": False,
            }
        )
    )


def _assign_by_estimator(features: pd.DataFrame, model: ChampionModel) -> Assignment:
    import pandas as pd

    if model.estimator is None or model.preparation is None:
        raise DataError(
            f"the model in force, {model.algorithm}, lacks its estimator or its preparation",
            "remove its folder from the model store and run again with --force.",
        )
    prepared = prepare(features, model.preparation)
    if prepared.matrix.empty:
        return Assignment(pd.DataFrame(columns=list(_FRAME)))
    assigned = model.estimator.assign(prepared.matrix)
    frame = pd.DataFrame(
        {
            "customer_id": prepared.matrix.index,
            "segment_key": _keys_of(assigned.labels, model),
            "runner_up_segment_key": _keys_of(assigned.runners_up, model),
            "segment_confidence": None if model.confidence is None else model.confidence.apply(assigned),
            "imputed_share": prepared.imputed_share.to_numpy(),
            "is_outlier": assigned.is_outlier,
            "is_outside": _is_outside(assigned.distances, model.known_distance),
        }
    )
    return Assignment(frame, prepared.adjustments)


def _is_outside(distances: npt.NDArray[np.float64], known: float | None) -> npt.NDArray[np.bool_]:
    """Say who is farther from the own centre than anybody at the promotion, rounding apart."""
    import numpy as np

    limit = np.inf if known is None else known * (1 + _ROUNDING)
    outside: npt.NDArray[np.bool_] = distances > limit
    return outside


def _keys_of(clusters: npt.NDArray[np.int64], model: ChampionModel) -> list[str | None]:
    """Name the segments that clusters stand for; noise and clusters too small to be segments have none."""
    keys = {segment.cluster: segment.segment_key for segment in model.segments}
    unknown = sorted(set(map(int, clusters)) - {*keys, NOISE, *model.exceptional_clusters})
    if unknown:
        raise DataError(
            f"the model in force puts customers into cluster {unknown[0]}, which has no segment",
            f"its segments stand for the clusters {', '.join(map(str, sorted(keys)))}.",
        )
    return [keys.get(int(cluster)) for cluster in clusters]


def _with_history(rows: pd.DataFrame, previous: pd.DataFrame | None) -> pd.DataFrame:
    """Add the segment a month earlier, and since when and for how many snapshots the present one holds."""
    import pandas as pd

    as_of_dates = rows["as_of_date"].where(rows["segment_key"].notna())
    if previous is None:
        nothing = pd.Series(None, index=rows.index, dtype="object")
        months = rows["segment_key"].notna().map({True: 1.0, False: None})
        return rows.assign(previous_segment_key=nothing, changed_at=as_of_dates, months_in_segment=months)
    before = previous.set_index("customer_id")
    keys = rows["customer_id"].map(before["segment_key"])
    since = rows["customer_id"].map(pd.to_datetime(before["changed_at"]))
    is_same = rows["segment_key"].notna() & (rows["segment_key"] == keys)
    months = rows["customer_id"].map(before["months_in_segment"]).where(is_same, 0) + 1
    return rows.assign(
        previous_segment_key=keys,
        changed_at=since.where(is_same, as_of_dates),
        months_in_segment=months.where(rows["segment_key"].notna()),
    )
