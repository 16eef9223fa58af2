"""How good a model is for some customers and others: by country, and by how long they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from segmentation_assets.prediction.binary_scores import area_under_curve

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

MOST_GROUPS = 6
"""Countries that are told of one by one; the others are one group."""

FEWEST_CUSTOMERS = 50
"""Customers of either outcome below which no area under the ROC curve is given for a group."""

TENURES = ((90, "up to 90 days"), (365, "91 to 365 days"), (None, "more than a year"))
"""Days since the first order, upper ends included, and what the group is called."""

_OTHERS, _UNKNOWN = "others", "unknown"


def measure_groups(features: pd.DataFrame, outcome: Flags, probability: Floats) -> pd.DataFrame:
    """Compare foretold and found shares within groups of customers.

    Parameters
    ----------
    features : DataFrame, shape (n_customers, n_features)
        main_country and tenure_days, where they are known.
    outcome : ndarray of bool, shape (n_customers,)
    probability : ndarray of float, shape (n_customers,)

    Returns
    -------
    DataFrame
        grouping (``country`` or ``tenure``), group, customer_count, found_share, mean_probability, and auc, which is
        null for groups with fewer than `FEWEST_CUSTOMERS` of either outcome.
    """
    return _table(
        features,
        lambda chosen: {
            "found_share": float(outcome[chosen].mean()),
            "mean_probability": float(probability[chosen].mean()),
            "auc": _area(outcome[chosen], probability[chosen]),
        },
        ("found_share", "mean_probability", "auc"),
    )


def sum_groups(features: pd.DataFrame, totals: Mapping[str, Floats]) -> pd.DataFrame:
    """Sum values within groups of customers.

    Parameters
    ----------
    features : DataFrame, shape (n_customers, n_features)
        main_country and tenure_days, where they are known.
    totals : mapping of str to ndarray, shape (n_customers,)

    Returns
    -------
    DataFrame
        grouping (``country`` or ``tenure``), group, customer_count, and a column per total.
    """
    return _table(
        features, lambda chosen: {name: float(values[chosen].sum()) for name, values in totals.items()}, [*totals]
    )


def _table(
    features: pd.DataFrame, measure: Callable[[Flags], dict[str, float | None]], names: Sequence[str]
) -> pd.DataFrame:
    """Measure each group of customers; the largest group of each grouping comes first."""
    import numpy as np
    import pandas as pd

    groupings = {}
    if "main_country" in features:
        groupings["country"] = _countries(features["main_country"])
    if "tenure_days" in features:
        groupings["tenure"] = _tenures(features["tenure_days"])
    rows = [
        {"grouping": grouping, "group": group, "customer_count": int(chosen.sum()), **measure(chosen)}
        for grouping, of_customers in groupings.items()
        for group in dict.fromkeys(of_customers)
        if (chosen := np.array([name == group for name in of_customers])).any()
    ]
    frame = pd.DataFrame(rows, columns=["grouping", "group", "customer_count", *names])
    return frame.sort_values(
        ["grouping", "customer_count", "group"], ascending=[True, False, True], kind="stable", ignore_index=True
    )


def _countries(values: pd.Series) -> list[str]:
    known = values.astype(object).where(values.notna(), _UNKNOWN).astype(str)
    counts = known.value_counts()
    ranked = sorted(counts.index, key=lambda name: (-counts[name], name))[:MOST_GROUPS]
    return [name if name in ranked else _OTHERS for name in known]


def _tenures(values: pd.Series) -> list[str]:
    days = values.to_numpy(dtype="float64", na_value=float("nan"))
    return [
        next((words for end, words in TENURES if end is None or number <= end), _UNKNOWN)
        if number == number
        else _UNKNOWN
        for number in days
    ]


def _area(outcome: Flags, probability: Floats) -> float | None:
    if min(outcome.sum(), (~outcome).sum()) < FEWEST_CUSTOMERS:
        return None
    return area_under_curve(outcome, probability)
