"""How much a classifier loses when a feature is shuffled among customers, and which features are worth going by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import GradientBoostingSettings
from segmentation_assets.prediction.binary_scores import area_under_curve
from segmentation_assets.prediction.classifiers import make_classifier
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.multiclass_scores import customer_log_losses

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Outcomes = npt.NDArray[np.bool_] | npt.NDArray[np.int64]
    Places = npt.NDArray[np.int64]

REPEATS = 2
"""Times that each feature is shuffled, unless the caller is content with fewer."""

HELD_OUT_SHARE = 0.25
"""Share of the customers that the losses are measured on; the model learns from the others."""

MEASURED_CUSTOMERS, MEASURED_OF_SEVERAL = 2_500, 1_000
"""Rows at most that the losses are measured on: where there are two outcomes, and where there are more."""

TREES, TREES_PER_CLASS = 60, 15
"""Trees of the model where there are two outcomes, and per outcome where there are more."""

LEARNED_ROWS = 20_000
"""Rows at most that the model learns from."""

_ROWS_AT_ONCE = 4_000


def rank_features(
    features: pd.DataFrame, outcome: Outcomes, inputs: ModelInputs, *, seed: int, repeats: int = REPEATS
) -> pd.DataFrame:
    """Rank features by what their shuffling costs a gradient boosting, on customers that it has not learned from.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        With ``customer_id``; all rows of a customer are held out together.
    outcome : ndarray of bool or int, shape (n_rows,)
        Whether something happened, or the number of each row's class.
    inputs : ModelInputs
    seed : int
    repeats : int, 1 or more
        Times that each feature is shuffled.

    Returns
    -------
    DataFrame
        feature, importance and importance_sd over the repeats (0 for one), the largest importance first. The
        importance is the mean loss of the area under the ROC curve where the outcome is yes or no, and the mean rise of
        the log loss where it is a class. Features that say the same share their importance.

    References
    ----------
    Breiman (2001), Random forests, doi:10.1023/A:1010933404324; Fisher, Rudin and Dominici (2019), JMLR 20(177).
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    customers = np.sort(features["customer_id"].unique())
    held = set(rng.permutation(customers)[: max(1, round(HELD_OUT_SHARE * len(customers)))])
    is_held = features["customer_id"].isin(held).to_numpy()
    matrix = inputs.matrix(features)
    classes, places = np.unique(outcome, return_inverse=True)
    most, trees = (MEASURED_CUSTOMERS, TREES) if len(classes) == 2 else (MEASURED_OF_SEVERAL, TREES_PER_CLASS)
    judged = np.flatnonzero(is_held)
    judged = np.sort(rng.permutation(judged)[:most])
    learned = np.flatnonzero(~is_held)
    learned = np.sort(rng.permutation(learned)[:LEARNED_ROWS])
    settings = GradientBoostingSettings(learning_rate=0.12, max_iter=trees, min_samples_leaf=20, l2_regularization=0)
    model = make_classifier(settings, seed, len(matrix))
    with one_thread():
        model.fit(matrix[learned], places[learned])
        measure = _measure_area if outcome.dtype == np.bool_ else _measure_likelihood
        losses = _losses_of_shuffling(model, matrix[judged], places[judged], inputs, measure, rng, repeats)
    return _ranked(losses)


def _losses_of_shuffling(
    model: Any,
    matrix: Floats,
    places: Places,
    inputs: ModelInputs,
    measure: Callable[[Any, Floats, Places], float],
    rng: np.random.Generator,
    repeats: int,
) -> dict[str, list[float]]:
    """By feature, how far the measure falls each time that the feature is shuffled.

    Several shuffled copies are scored at once, as calls cost much, but no more than the cache of a processor holds.
    """
    import numpy as np

    before = measure(model, model.predict_proba(matrix), places)
    losses: dict[str, list[float]] = {name: [] for name in inputs.features}
    made_from = np.array(inputs.column_features)
    planned = [name for name in inputs.features for _ in range(repeats)]
    most = max(1, _ROWS_AT_ONCE // len(matrix))
    for start in range(0, len(planned), most):
        names = planned[start : start + most]
        copies = np.repeat(matrix[None], len(names), axis=0)
        for copy, name in zip(copies, names, strict=True):
            columns = made_from == name
            copy[:, columns] = matrix[rng.permutation(len(matrix))][:, columns]
        scores = model.predict_proba(copies.reshape(-1, matrix.shape[1]))
        for name, own in zip(names, np.split(scores, len(names)), strict=True):
            losses[name].append(before - measure(model, own, places))
    return losses


def _ranked(losses: dict[str, list[float]]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    ranked = pd.DataFrame(
        {
            "feature": [*losses],
            "importance": [float(np.mean(values)) for values in losses.values()],
            "importance_sd": [float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for values in losses.values()],
        }
    )
    return ranked.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _measure_area(model: Any, scores: Floats, places: Places) -> float:
    return area_under_curve(places == 1, scores[:, 1])


def _measure_likelihood(model: Any, scores: Floats, places: Places) -> float:
    """Mean log likelihood; classes that the model has not seen have none."""
    import numpy as np

    probability = np.zeros((len(scores), int(max(places.max(), model.classes_.max())) + 1))
    probability[:, model.classes_] = scores
    return -float(customer_log_losses(places, probability).mean())
