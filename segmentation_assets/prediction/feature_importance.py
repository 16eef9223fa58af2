"""How much a classifier loses when a feature is shuffled among customers, and which features are worth going by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import GradientBoostingSettings
from segmentation_assets.prediction.binary_scores import area_under_curve
from segmentation_assets.prediction.classifiers import make_classifier
from segmentation_assets.prediction.model_inputs import ModelInputs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Flags = npt.NDArray[np.bool_]

REPEATS = 2
"""Times that each feature is shuffled."""

HELD_OUT_SHARE = 0.25
"""Share of the customers that the losses are measured on; the model learns from the others."""

MEASURED_CUSTOMERS = 2_500
"""Rows at most that the losses are measured on."""


_RANKED_BY = GradientBoostingSettings(learning_rate=0.12, max_iter=60, min_samples_leaf=20, l2_regularization=0)


def rank_features(features: pd.DataFrame, outcome: Flags, inputs: ModelInputs, *, seed: int) -> pd.DataFrame:
    """Rank features by what their shuffling costs a gradient boosting, on customers that it has not learned from.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        With ``customer_id``; all rows of a customer are held out together.
    outcome : ndarray of bool, shape (n_rows,)
    inputs : ModelInputs
    seed : int

    Returns
    -------
    DataFrame
        feature, importance (mean loss of the area under the ROC curve) and importance_sd over `REPEATS`, the largest
        importance first. Features that say the same share their importance.

    References
    ----------
    Breiman (2001), Random forests, doi:10.1023/A:1010933404324; Fisher, Rudin and Dominici (2019), JMLR 20(177).
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    customers = np.sort(features["customer_id"].unique())
    held = set(rng.permutation(customers)[: max(1, round(HELD_OUT_SHARE * len(customers)))])
    is_held = features["customer_id"].isin(held).to_numpy()
    matrix = inputs.matrix(features)
    judged = np.flatnonzero(is_held)
    judged = np.sort(rng.permutation(judged)[:MEASURED_CUSTOMERS])
    model = make_classifier(_RANKED_BY, seed, len(matrix))
    with one_thread():
        model.fit(matrix[~is_held], outcome[~is_held])
        before = _area(model, matrix[judged], outcome[judged])
        losses: dict[str, list[float]] = {name: [] for name in inputs.features}
        made_from = np.array(inputs.column_features)
        for name in inputs.features:
            columns = np.flatnonzero(made_from == name)
            for _ in range(REPEATS):
                shuffled = matrix[judged].copy()
                shuffled[:, columns] = shuffled[rng.permutation(len(judged))][:, columns]
                losses[name].append(before - _area(model, shuffled, outcome[judged]))
    ranked = pd.DataFrame(
        {
            "feature": [*losses],
            "importance": [float(np.mean(values)) for values in losses.values()],
            "importance_sd": [float(np.std(values, ddof=1)) for values in losses.values()],
        }
    )
    return ranked.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _area(model: object, matrix: npt.NDArray[np.float64], outcome: Flags) -> float:
    scores = model.predict_proba(matrix)[:, 1]  # type: ignore[attr-defined]
    return area_under_curve(outcome, scores)
