"""Fits one algorithm on a sample, assigns everyone and numbers the clusters canonically."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.evaluation import Evaluation, evaluate
from segmentation_assets.clustering.failures import attempt
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.clustering.registry import AlgorithmEntry, Clusterer
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.errors import DataError
from segmentation_assets.tables.rounding import round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.clustering.estimator import Assigned


@dataclass(frozen=True)
class ClusteringResult:
    """A fitted algorithm, what it says of every customer, and what it is worth.

    Parameters
    ----------
    algorithm : str
    customers : Index
        In the order of `assigned`.
    estimator : Clusterer or None
        Fitted; its own numbers are the canonical ones. ``None`` when there was nothing to fit or it failed.
    assigned : Assigned or None
        Clusters by descending mean net revenue, -1 is noise.
    evaluation : Evaluation or None
        ``None`` without an estimator, and when the algorithm could not be fitted again.
    fitted_count : int
        Customers the estimator was fitted on.
    notes : tuple of str
        Choices made for the user.
    failure : str
        ``Type: message`` of what the algorithm raised; empty when it raised nothing.
    refit_failure : str
        The same of its fits on resampled customers and on reference data.
    """

    algorithm: str
    customers: pd.Index
    estimator: Clusterer | None
    assigned: Assigned | None
    evaluation: Evaluation | None
    fitted_count: int
    notes: tuple[str, ...]
    failure: str = ""
    refit_failure: str = ""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Cluster of each customer; all noise without an estimator."""
        import numpy as np

        return np.full(len(self.customers), NOISE) if self.assigned is None else self.assigned.labels


def fit_clustering(
    matrix: pd.DataFrame,
    revenue: pd.Series,
    entry: AlgorithmEntry,
    settings: ClusteringSettings,
    gates: LeaderboardSettings,
    checkpoint_dir: Path | None = None,
) -> ClusteringResult:
    """Fit an algorithm on a seeded sample of the matrix, assign every customer, and try out what it is worth.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features), index customer_id
        Finite, scaled numbers. The order of rows does not matter.
    revenue : Series of float, index customer_id
        Net revenue of at least the customers of the matrix, in currency.
    entry : AlgorithmEntry
    settings : ClusteringSettings
    gates : LeaderboardSettings
        The bounds the result will be judged by; an algorithm that chooses among partitions respects them.
    checkpoint_dir : Path, optional
        Where an algorithm that can go on after it was killed keeps what it needs for that.

    Returns
    -------
    ClusteringResult
        Where `nothing_to_fit` has a reason or the algorithm raises an error, everyone is noise and the reason is a
        note. Else clusters are numbered 0, 1, … by descending mean net revenue; of clusters with equal means the one
        with the alphabetically first customer comes first.

    Raises
    ------
    DataError
        A repeated customer, a number that is not finite, or a customer without revenue.
    OSError
        The disk or the machine failed, not the algorithm.
    """
    ordered = matrix.sort_index()
    _check_matrix(ordered)
    money = revenue_by_row(ordered, revenue)
    reason = nothing_to_fit(ordered)
    if reason:
        return _unfitted(entry.name, ordered, f"nothing was fitted: {reason}")
    tried = attempt(
        lambda: _fit(ordered, money, entry.build(settings, gates, len(ordered)), checkpoint_dir), entry.name
    )
    if tried.found is None:
        return _unfitted(entry.name, ordered, f"could not be fitted: {tried.failure}", tried.failure)
    estimator, assigned = tried.found
    resamples = min(settings.evaluation.resamples, entry.most_resamples)
    trials = settings.evaluation.model_copy(update={"resamples": resamples})
    tested = attempt(lambda: evaluate(estimator, ordered, trials, settings.seed), entry.name)
    fitted = estimator.fitted_count_
    note = (f"fitted on a sample of {fitted} of {len(ordered)} customers",) if fitted < len(ordered) else ()
    return ClusteringResult(
        algorithm=entry.name,
        customers=ordered.index,
        estimator=estimator,
        assigned=assigned,
        evaluation=tested.found,
        fitted_count=fitted,
        notes=(*note, *estimator.notes_),
        refit_failure=tested.failure,
    )


def _fit(
    ordered: pd.DataFrame, money: npt.NDArray[np.float64], estimator: Clusterer, checkpoint_dir: Path | None
) -> tuple[Clusterer, Assigned]:
    """Fit on the sample, number the clusters and assign everyone."""
    keeps_checkpoints = checkpoint_dir is not None and "checkpoint_dir" in estimator.get_params()
    if keeps_checkpoints:
        estimator.set_params(checkpoint_dir=str(checkpoint_dir))
    assigned = estimator.fit_assign(ordered)
    if keeps_checkpoints:
        estimator.set_params(checkpoint_dir=None)
    order = _canonical_order(assigned.labels, money, estimator.n_clusters_)
    return estimator.reorder_clusters(order), assigned.renumbered(order)


def nothing_to_fit(matrix: pd.DataFrame) -> str:
    """Say why no algorithm can be fitted on a matrix; empty when one can.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features)
    """
    if len(matrix) < 2:
        return f"a clustering needs at least two customers, the model matrix holds {len(matrix)}"
    if not matrix.shape[1]:
        return f"the model matrix has no column, as no chosen feature differs among its {len(matrix)} customers"
    return ""


def _unfitted(algorithm: str, matrix: pd.DataFrame, note: str, failure: str = "") -> ClusteringResult:
    """Make everyone noise, without an estimator."""
    return ClusteringResult(algorithm, matrix.index, None, None, None, 0, (note,), failure)


def assignments_frame(result: ClusteringResult) -> pd.DataFrame:
    """Return the rows of the table ``clusters/<algorithm>``, sorted by customer."""
    import numpy as np
    import pandas as pd

    count, assigned, evaluation = len(result.customers), result.assigned, result.evaluation
    unknown = np.full(count, np.nan)
    if assigned is None:
        numbers = dict.fromkeys(("centre_distance", "confidence", "membership", "outlier_score"), unknown)
        runners_up, is_outlier = np.full(count, NOISE), None
    else:
        runners_up, is_outlier = assigned.runners_up, assigned.is_outlier
        numbers = {
            "centre_distance": round_significant(assigned.distances),
            "confidence": unknown if evaluation is None else evaluation.confidence.apply(assigned),
            "membership": round_significant(assigned.own_memberships),
            "outlier_score": unknown if assigned.outlier_scores is None else round_significant(assigned.outlier_scores),
        }
    second = pd.Series(runners_up, dtype="Int64").where(runners_up >= 0)
    return pd.DataFrame(
        {
            "customer_id": result.customers,
            "cluster": result.labels,
            "runner_up_cluster": second.to_numpy(dtype="object", na_value=None),
            **numbers,
            "is_outlier": pd.Series(is_outlier, index=range(count), dtype="boolean").to_numpy(
                dtype="object", na_value=None
            ),
        }
    )


def empty_assignments() -> pd.DataFrame:
    """Return the table ``clusters/<algorithm>`` of a month in which nothing is fitted: its columns without rows."""
    import pandas as pd

    nobody = ClusteringResult("", pd.Index([], name="customer_id"), None, None, None, 0, ())
    return assignments_frame(nobody)


def describe_fit(result: ClusteringResult) -> dict[str, Any]:
    """Write down what is worth showing and drawing of a fit, as plain lists, numbers and texts.

    Parameters
    ----------
    result : ClusteringResult

    Returns
    -------
    dict
        algorithm, parameters, n_clusters, customer_count, fitted_count, notes, failure, figures, curves (name to list),
        and search (column to list, a row per number of clusters tried). Scores that are undefined are
        ``None``. Without an estimator the last ones are empty.
    """
    estimator = result.estimator
    plain = {
        "algorithm": result.algorithm,
        "parameters": {} if estimator is None else estimator.get_params(),
        "n_clusters": 0 if estimator is None else estimator.n_clusters_,
        "customer_count": len(result.customers),
        "fitted_count": result.fitted_count,
        "notes": result.notes,
        "failure": result.failure or result.refit_failure,
        "figures": {} if estimator is None else estimator.figures_,
        "curves": {} if estimator is None else estimator.curves_,
        "search": getattr(estimator, "search_", {}),
    }
    found: dict[str, Any] = _as_plain(plain)
    return found


def _as_plain(value: Any) -> Any:
    """Turn arrays into lists, and what is not finite into ``None``."""
    import numpy as np

    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {name: _as_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_plain(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _check_matrix(matrix: pd.DataFrame) -> None:
    import numpy as np

    repeated = matrix.index[matrix.index.duplicated()]
    if len(repeated):
        raise DataError(f"the model matrix holds customer {repeated[0]} more than once", "give one row per customer.")
    is_finite = np.isfinite(matrix.to_numpy(dtype=np.float64))
    if not is_finite.all():
        row, column = np.argwhere(~is_finite)[0]
        where = f"customer {matrix.index[row]} in column {matrix.columns[column]}"
        raise DataError(
            f"the model matrix has no finite number for {where}",
            "impute and scale the features before clustering.",
        )


def revenue_by_row(matrix: pd.DataFrame, revenue: pd.Series) -> npt.NDArray[np.float64]:
    """Return the net revenue of the customers of a matrix, in their order; each needs one."""
    import numpy as np

    money = revenue.astype("float64").reindex(matrix.index)
    missing = money.index[money.isna()]
    if len(missing):
        raise DataError(
            f"{len(missing)} customers of the model matrix have no net revenue, for example {missing[0]}",
            "the matrix and the features must be of the same snapshot.",
        )
    values: npt.NDArray[np.float64] = money.to_numpy(dtype=np.float64)
    return values


def _canonical_order(
    labels: npt.NDArray[np.int64], money: npt.NDArray[np.float64], n_clusters: int
) -> npt.NDArray[np.int64]:
    """Order the clusters by descending mean revenue, then by their first row."""
    import numpy as np

    keys = []
    for number in range(n_clusters):
        members = np.flatnonzero(labels == number)
        mean = round_significant([money[members].mean()])[0] if len(members) else -np.inf
        keys.append((-mean, members[0] if len(members) else len(labels), number))
    return np.array([number for *_, number in sorted(keys)])
