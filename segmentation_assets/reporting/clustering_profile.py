"""The profile of one algorithm as a document: method, settings, metrics, features and clusters, as plain data.

The Markdown report is written from it, so that both say the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.confidence import ReliabilityBin, reliability_error
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.features.declaration import name_in_words
from segmentation_assets.reporting.noise_profile import profile_noise
from segmentation_assets.reporting.snapshot import FeatureText
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth

SCHEMA_VERSION = 1
"""Raised whenever a field of the document changes its name or meaning."""

Document = dict[str, Any]

_DECISION = ("compared_month", "rank", "passed_gates", "structure", "reason", "failure")
_SCORES = (
    "n_clusters",
    "coverage",
    "customer_count",
    "score_sample_count",
    "smallest_segment_share",
    "smallest_segment_count",
    "silhouette",
    "covered_silhouette",
    "davies_bouldin",
    "calinski_harabasz",
    "stability",
    "smallest_jaccard",
    "usefulness",
    "rfm_usefulness",
    "exceptional_count",
    "exceptional_revenue_share",
)
_DEGREES = ("confidence", "membership", "centre_distance", "outlier_score")
_NO_PARAMETER = "checkpoint_dir"
_QUANTILES = {"min": 0.0, "quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75, "max": 1.0}


def profile_clustering(result: AlgorithmResult, month: ClusteringMonth) -> Document:
    """Describe what one algorithm found.

    Parameters
    ----------
    result : AlgorithmResult
    month : ClusteringMonth

    Returns
    -------
    dict
        Plain values for JSON, numbers to ten significant digits: schema_version, month, as_of_date, currency, method,
        decision, not_due, metrics, search, features, features_used, clusters, apart; the last six only where the
        algorithm was due. Statistics of features rest on known values; standard deviations divide by n. The centre of
        a cluster is the mean of its customers in the model matrix, whose columns have a spread of about 1.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "month": month.month,
        "as_of_date": month.as_of_date.isoformat(),
        "currency": month.currency,
        "method": _method(result),
        "decision": {name: result.decision[name] for name in _DECISION} if result.decision else None,
        "not_due": result.not_due or None,
        **({} if result.not_due else _found(result, month)),
    }
    rounded: Document = as_plain(document)
    return rounded


def _found(result: AlgorithmResult, month: ClusteringMonth) -> Document:
    """Describe the fit of the month."""
    return {
        "metrics": _metrics(result),
        "search": _rows(result.fit["search"]),
        "features": {name: _text(month, name) for name in _named(month)},
        "features_used": list(map(str, month.matrix.columns)),
        "clusters": _clusters(result, month) if result.is_fitted else [],
        "apart": _apart(result, month),
    }


def _method(result: AlgorithmResult) -> Document:
    known = {"algorithm": result.name, "label": result.label, "description": result.description}
    if result.not_due:
        return known
    names = ("n_clusters", "customer_count", "fitted_count", "notes", "failure", "figures")
    parameters = {name: value for name, value in result.fit["parameters"].items() if name != _NO_PARAMETER}
    return {**known, "parameters": parameters, **{name: result.fit[name] for name in names}}


def _metrics(result: AlgorithmResult) -> Document:
    """Scores of the leaderboard, and what the fits on resampled customers and on reference data say."""
    tried = result.evaluation
    scores = {name: result.decision[name] for name in _SCORES}
    if "stability_scores" not in tried:
        return {"scores": scores, "refits": None}
    bins = tuple(ReliabilityBin(**part) for part in tried["reliability"])
    return {
        "scores": scores,
        "refits": {
            "resample_count": len(tried["stability_scores"]),
            "resample_customers": tried["resample_customers"],
            "judged_customers": tried["judged_customers"],
            "stability": tried["stability"],
            "stability_scores": tried["stability_scores"],
            "jaccard": tried["jaccard"],
            "reliability": tried["reliability"],
            "reliability_error": reliability_error(bins) if bins else None,
            "resampled": tried["resampled"],
            "reference": tried["reference"],
        },
    }


def _rows(search: Any) -> list[Document]:
    """Turn columns of the search into a row per number tried."""
    names = list(search)
    return [dict(zip(names, cells, strict=True)) for cells in zip(*(search[name] for name in names), strict=True)]


def _named(month: ClusteringMonth) -> list[str]:
    return list(dict.fromkeys((*month.profiled, *map(str, month.matrix.columns))))


def _text(month: ClusteringMonth, name: str) -> Document:
    text = month.texts.get(name, FeatureText("", "", ""))
    return {"label": text.label or name_in_words(name), "unit": text.unit, "meaning": text.meaning}


def _clusters(result: AlgorithmResult, month: ClusteringMonth) -> list[Document]:
    """Describe the clusters by number, noise last."""
    values = month.features[month.profiled].astype("float64")
    jaccard = list(result.evaluation.get("jaccard", ()))
    total = float(month.revenue.sum())
    clusters = []
    for number in [*result.numbers, NOISE]:
        members = result.labels == number
        if not members.any():
            continue
        money = float(month.revenue[members].sum())
        clusters.append(
            {
                "cluster": number,
                "is_noise": number == NOISE,
                "customer_count": int(members.sum()),
                "customer_share": members.mean(),
                "net_revenue_amount": round(money, 2),
                "net_revenue_share": money / total if total > 0 else None,
                "jaccard": jaccard[number] if 0 <= number < len(jaccard) else None,
                **{name: _degree(result.assignments[name], members) for name in _DEGREES},
                "centre": month.matrix[members].mean().to_dict(),
                "features": {name: summarise(values[name].to_numpy()[members]) for name in month.profiled},
            }
        )
    return clusters


def _degree(column: pd.Series, members: npt.NDArray[np.bool_]) -> Document | None:
    """Summarise a column of the clusters' table; ``None`` where the algorithm does not know it."""
    found = summarise(column.to_numpy(dtype="float64")[members])
    return found if found["known_count"] else None


def summarise(values: npt.NDArray[np.float64]) -> Document:
    """Return known_count, mean, sd (dividing by n), min, quartiles, median and max of known values.

    Example
    -------
    >>> import numpy as np
    >>> found = summarise(np.array([1.0, 3.0, np.nan]))
    >>> found["known_count"], found["mean"], found["sd"], found["median"]
    (2, 2.0, 1.0, 2.0)
    """
    import numpy as np

    known = values[np.isfinite(values)]
    if not len(known):
        return {"known_count": 0, "mean": None, "sd": None, **dict.fromkeys(_QUANTILES)}
    quantiles = np.quantile(known, list(_QUANTILES.values()))
    return {
        "known_count": len(known),
        "mean": float(known.mean()),
        "sd": float(known.std()),
        **dict(zip(_QUANTILES, quantiles.tolist(), strict=True)),
    }


def _apart(result: AlgorithmResult, month: ClusteringMonth) -> Document | None:
    """Profile the noise or the outliers; ``None`` where there are none."""
    is_apart = result.is_apart
    if not result.is_fitted or not is_apart.any():
        return None
    total = float(month.revenue.sum())
    return {
        "kind": "noise" if (result.labels == NOISE).any() else "outliers",
        "customer_count": int(is_apart.sum()),
        "customer_share": is_apart.mean(),
        "net_revenue_share": month.revenue[is_apart].sum() / total if total > 0 else None,
        "groups": profile_noise(month.features, is_apart),
    }


def as_plain(value: Any) -> Any:
    """Turn numbers of numpy into plain ones of ten significant digits, and what is not finite into ``None``."""
    if isinstance(value, dict):
        return {name: as_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(part) for part in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return round_number(value) if math.isfinite(value) else None
    return value
