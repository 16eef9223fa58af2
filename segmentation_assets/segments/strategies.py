"""What to do about each segment of a month: the texts of the catalogue for what the segment is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from segmentation_assets.segments.catalogue import CatalogueEntry
from segmentation_assets.segments.champion_model import RFM_MAP
from segmentation_assets.segments.naming import classify_groups
from segmentation_assets.tables.segment_descriptions import SEGMENT_STRATEGIES

if TYPE_CHECKING:
    import pandas as pd


def plan_strategies(
    champion: pd.DataFrame,
    customer_segments: pd.DataFrame,
    rfm_segments: pd.DataFrame,
    features: pd.DataFrame,
    catalogue: Mapping[str, CatalogueEntry],
    expected_value: pd.Series | None = None,
) -> pd.DataFrame:
    """Give every segment with customers its texts, the segment of the largest value first.

    Parameters
    ----------
    champion, customer_segments, rfm_segments : DataFrame
        The gold tables of the month.
    features : DataFrame
        ``silver/customer_features``: customer_id, net_revenue_amount, and what striking traits are looked for in.
    catalogue : mapping of str to CatalogueEntry
    expected_value : Series of float, optional
        By customer: discounted spend of the next twelve months. Where it is known of nobody, net revenue counts.

    Returns
    -------
    DataFrame
        Columns of ``gold/segment_strategies``.

    Notes
    -----
    A segment keeps its name while its customers change. Its kind is that of its beginning as long as its customers lie
    near that position, and then what they are; its name does not count. A segment of the RFM map is its cell's.
    """
    import pandas as pd

    members = customer_segments.dropna(subset=["segment_key"]).set_index("customer_id")["segment_key"].astype(str)
    money = features.set_index("customer_id")["net_revenue_amount"].astype("float64").reindex(members.index)
    sizes = pd.DataFrame({"customer_count": members.value_counts(), "net_revenue_amount": money.groupby(members).sum()})
    value = None if expected_value is None else expected_value.astype("float64").reindex(members.index)
    is_valued = value is not None and bool(value.notna().any())
    sizes["expected_value_amount"] = value.groupby(members).sum() if value is not None and is_valued else None
    column, reason = ("expected_value_amount", "expected_value") if is_valued else ("net_revenue_amount", "net_revenue")
    kinds = _kinds(champion, members, rfm_segments, features)
    names = champion.set_index("segment_key")["segment_name"]
    ordered = sizes.round(2).rename_axis("segment_key").reset_index()
    ordered = ordered.sort_values([column, "segment_key"], ascending=[False, True], ignore_index=True)
    rows = [
        {
            **row,
            "segment_name": names[row["segment_key"]],
            "priority": place,
            "priority_by": reason,
            "kind": kinds[row["segment_key"]],
            "kind_name": catalogue[kinds[row["segment_key"]]].name,
            **asdict(catalogue[kinds[row["segment_key"]]]),
        }
        for place, row in enumerate(ordered.to_dict("records"), start=1)
    ]
    return pd.DataFrame(rows, columns=list(SEGMENT_STRATEGIES.column_names))


def _kinds(
    champion: pd.DataFrame, members: pd.Series, rfm_segments: pd.DataFrame, features: pd.DataFrame
) -> dict[str, str]:
    former = {str(key): str(kind) for key, kind in champion[["segment_key", "kind"]].to_numpy().tolist()}
    if members.empty or champion["algorithm"].iloc[0] == RFM_MAP:
        return former
    return classify_groups(members, rfm_segments, features, former)
