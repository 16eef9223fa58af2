"""Recency, frequency and monetary scores, and the maps of named segments."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.rfm import QUINTILES, RfmCuts, RfmSettings
from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES, RFM_SEGMENTS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

MEASURES = {
    "recency_score": "recency_days",
    "frequency_score": "order_count",
    "monetary_score": "net_revenue_amount",
}
"""Feature behind each score."""

SCORE_COUNT = 5

NOBODY, CUSTOMER, POPULATION, BOTH = "nobody", "customer", "population", "customer+population"
"""What moved a customer to another cell."""

Cuts = tuple[float, float, float, float]


@dataclass(frozen=True)
class RfmThresholds:
    """The 20, 40, 60 and 80 % points of each measure; each is a value that occurs.

    Parameters
    ----------
    recency_days : tuple of 4 float
        Days. A customer at or below the first point scores 5.
    order_count : tuple of 4 float
        Orders. A customer at or below the first point scores 1.
    net_revenue_amount : tuple of 4 float
        Currency. A customer at or below the first point scores 1.
    """

    recency_days: Cuts
    order_count: Cuts
    net_revenue_amount: Cuts

    def to_plain(self) -> dict[str, list[float]]:
        """Return what JSON can hold."""
        return {measure: list(getattr(self, measure)) for measure in MEASURES.values()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> RfmThresholds:
        """Read what `to_plain` returned."""
        return cls(**{measure: _cuts(plain[measure]) for measure in MEASURES.values()})

    def with_cuts(self, cuts: RfmCuts) -> RfmThresholds:
        """Return the same with points of one's own where there are some."""
        own = {measure: getattr(cuts, measure) for measure in MEASURES.values()}
        return replace(self, **{measure: points for measure, points in own.items() if points is not None})


def score_rfm(
    features: pd.DataFrame, settings: RfmSettings = QUINTILES, thresholds: RfmThresholds | None = None
) -> tuple[pd.DataFrame, RfmThresholds]:
    """Score every customer with an order against the others of the same snapshot, or by given thresholds.

    Parameters
    ----------
    features : DataFrame
        Columns customer_id, recency_days (days), order_count, net_revenue_amount (currency). Customers without
        recency_days are left out. The order of rows does not matter.
    settings : RfmSettings
        Which map, and points of one's own.
    thresholds : RfmThresholds, optional
        Those of another snapshot; the quintile points of this one by default.

    Returns
    -------
    tuple of (DataFrame, RfmThresholds)
        customer_id, the three scores, rfm_code and rfm_segment, sorted by customer_id, and the thresholds used.

    Raises
    ------
    DataError
        A column is missing, or no customer has an order.
    """
    used = (thresholds or fit_thresholds(features)).with_cuts(settings.cuts)
    return apply_thresholds(features, used, rfm_map(settings.map)), used


def trace_scores(scored: pd.DataFrame, by_former: pd.DataFrame | None, before: pd.DataFrame | None) -> pd.DataFrame:
    """Add where customers were a month earlier, and whether they moved or the thresholds did.

    Parameters
    ----------
    scored : DataFrame
        As `score_rfm` returns it.
    by_former : DataFrame or None
        This month's customers by the thresholds and the map of the month before; ``None`` in the first month.
    before : DataFrame or None
        ``gold/rfm_segments`` of the month before.

    Returns
    -------
    DataFrame
        Columns of ``gold/rfm_segments``.

    Notes
    -----
    A customer whose cell is another one although the former thresholds would have left it there was moved by the
    others: the population moved. One whose own figures led to another cell moved itself; both can be, and cancel each
    other.
    """
    import pandas as pd

    rows = scored.set_index("customer_id")
    if by_former is None or before is None:
        nothing = pd.Series(None, index=rows.index, dtype="object")
        return rows.assign(previous_rfm_segment=nothing, moved_by=nothing).reset_index()[
            list(RFM_SEGMENTS.column_names)
        ]
    previous = before.set_index("customer_id")["rfm_segment"].reindex(rows.index)
    fixed = by_former.set_index("customer_id")["rfm_segment"].reindex(rows.index)
    by_customer, by_population = fixed != previous, fixed != rows["rfm_segment"]
    moved_by = pd.Series(NOBODY, index=rows.index, dtype="object")
    moved_by = (
        moved_by.mask(by_customer, CUSTOMER).mask(by_population, POPULATION).mask(by_customer & by_population, BOTH)
    )
    traced = rows.assign(previous_rfm_segment=previous, moved_by=moved_by.where(previous.notna(), None))
    return traced.reset_index()[list(RFM_SEGMENTS.column_names)]


def fit_thresholds(features: pd.DataFrame) -> RfmThresholds:
    """Find the quintile points of the three measures.

    Parameters
    ----------
    features : DataFrame
        As for `score_rfm`.

    Returns
    -------
    RfmThresholds

    Raises
    ------
    DataError
        A column is missing, or no customer has an order.

    Notes
    -----
    The point at k fifths is the smallest value that at least k/5 of the customers do not exceed. As it is one of the
    values themselves, equal values share a score and a change of currency unit moves nobody.

    Examples
    --------
    >>> import pandas as pd
    >>> ten = range(1, 11)
    >>> frame = pd.DataFrame(
    ...     {"customer_id": map(str, ten), "recency_days": ten, "order_count": ten, "net_revenue_amount": ten}
    ... )
    >>> fit_thresholds(frame).order_count
    (2.0, 4.0, 6.0, 8.0)
    """
    buyers = _buyers(features)
    if buyers.empty:
        raise DataError(
            f"none of {len(features)} customers has an order, so there are no quintiles to score by",
            "check that silver/order_lines holds sales in the lookback of this snapshot.",
        )
    return RfmThresholds(**{measure: _quintiles(_values(buyers, measure)) for measure in MEASURES.values()})


def apply_thresholds(features: pd.DataFrame, thresholds: RfmThresholds, cells: Mapping[str, str]) -> pd.DataFrame:
    """Score customers by given thresholds and a given map, of this or of an earlier snapshot.

    Parameters
    ----------
    features : DataFrame
        As for `score_rfm`.
    thresholds : RfmThresholds
    cells : mapping of str to str
        Segment by code, for all 125 codes.

    Returns
    -------
    DataFrame
        customer_id, the three scores, rfm_code and rfm_segment, sorted by customer_id.

    Raises
    ------
    DataError
        A column is missing.
    """
    buyers = _buyers(features)
    scores = {
        score: _scores(_values(buyers, measure), getattr(thresholds, measure)) for score, measure in MEASURES.items()
    }
    scores["recency_score"] = SCORE_COUNT + 1 - scores["recency_score"]
    scored = buyers[["customer_id"]].assign(**scores)
    scored["rfm_code"] = ["".join(map(str, code)) for code in zip(*scores.values(), strict=True)]
    scored["rfm_segment"] = [cells[code] for code in scored["rfm_code"]]
    return scored


@cache
def rfm_map(name: str = "cells_125") -> Mapping[str, str]:
    """Return a packaged map: segment name by code, such as ``555``; the grid of 25 cells looks at no money."""
    texts = files("segmentation_assets").joinpath("segments/data")
    if name == "cells_125":
        return read_rfm_map(texts.joinpath("rfm_map.csv").read_text("utf-8"))
    grid = csv.DictReader(io.StringIO(texts.joinpath("rfm_grid.csv").read_text("utf-8")))
    cells = [f"{row['code']}{money},{row['segment']}" for row in grid for money in range(1, SCORE_COUNT + 1)]
    return read_rfm_map("\n".join(["code,segment", *cells]))


def read_rfm_map(text: str) -> dict[str, str]:
    """Read a map of RFM codes and check that it is complete and disjoint.

    Parameters
    ----------
    text : str
        CSV with the columns code and segment.

    Returns
    -------
    dict of str to str
        Segment by code, for all 125 codes.

    Raises
    ------
    DataError
        A code stands twice, is missing or unknown, or a segment name is not one of the eleven.
    """
    found: dict[str, str] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=1):
        if row["code"] in found:
            raise DataError(f"the RFM map names code {row['code']} twice, again in row {number}", "keep one of them.")
        if row["segment"] not in RFM_SEGMENT_NAMES:
            raise DataError(
                f"the RFM map names the segment '{row['segment']}' in row {number}",
                closest_hint(row["segment"], RFM_SEGMENT_NAMES),
            )
        found[row["code"]] = row["segment"]
    wanted = {"".join(code) for code in product("12345", repeat=3)}
    different = sorted(wanted ^ set(found))
    if different:
        raise DataError(
            f"the RFM map must name each code from 111 to 555 once; missing or unknown: {', '.join(different[:5])}",
            "every combination of three scores from 1 to 5 needs a segment, and nothing else.",
        )
    return found


def _buyers(features: pd.DataFrame) -> pd.DataFrame:
    """Keep the customers with an order, sorted."""
    missing = sorted({"customer_id", *MEASURES.values()} - set(features.columns))
    if missing:
        raise DataError(
            f"RFM scores need the columns {', '.join(missing)}", closest_hint(missing[0], map(str, features.columns))
        )
    return features[features["recency_days"].notna()].sort_values("customer_id", ignore_index=True)


def _values(buyers: pd.DataFrame, measure: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = buyers[measure].to_numpy(dtype="float64")
    return values


def _quintiles(values: npt.NDArray[np.float64]) -> Cuts:
    import numpy as np

    ordered = np.sort(values)
    return _cuts([ordered[-(-fifth * len(ordered) // SCORE_COUNT) - 1] for fifth in range(1, SCORE_COUNT)])


def _cuts(values: Any) -> Cuts:
    first, second, third, fourth = map(float, values)
    return first, second, third, fourth


def _scores(values: npt.NDArray[np.float64], cuts: Cuts) -> npt.NDArray[np.int64]:
    """Score 1 plus the number of points that lie below each value."""
    import numpy as np

    return np.searchsorted(np.array(cuts), values, side="left") + 1
