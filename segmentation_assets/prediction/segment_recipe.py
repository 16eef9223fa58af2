"""How models of segments are made, and how they do on customers left out: what both kinds of them share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import SegmentClassifierSettings, enabled_sections
from segmentation_assets.config.section import Section
from segmentation_assets.prediction.class_calibration import ClassCalibration, fit_class_calibration
from segmentation_assets.prediction.classifiers import make_classifier
from segmentation_assets.prediction.feature_importance import REPEATS, rank_features
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.segment_classifier import SegmentClassifier, class_probabilities

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

BASELINE = "largest_segment"
"""What needs no features: the shares of segments, and with them always the largest one."""


@dataclass(frozen=True)
class SegmentRows:
    """Customers, perhaps at several dates, and the segment that each row has.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        With ``customer_id``, sorted by it and the date.
    codes : ndarray of int, shape (n_rows,)
        Place of the segment among the keys.
    groups : ndarray of int, shape (n_rows,)
        Place of the part that the row belongs to, such as a band of newcomers: the baseline names the largest segment
        of each part.
    """

    features: pd.DataFrame
    codes: Codes
    groups: Codes

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, chosen: Flags) -> SegmentRows:
        """Take the rows that are marked."""
        return SegmentRows(self.features[chosen].reset_index(drop=True), self.codes[chosen], self.groups[chosen])


@dataclass(frozen=True)
class SegmentRecipe:
    """What is the same for every fit.

    Parameters
    ----------
    sections : mapping of str to Section
        The settings of each algorithm.
    segments : int
        Number of segments that can be named.
    folds, max_features, seed : int
    always_used : tuple of str
        Features that a model goes by whatever their importance, if they vary.
    """

    sections: Mapping[str, Section]
    segments: int
    folds: int
    max_features: int
    seed: int
    always_used: tuple[str, ...] = ()

    def rank(self, offered: ModelInputs, rows: SegmentRows, repeats: int = REPEATS) -> pd.DataFrame:
        """Rank the features offered, and say which are used: feature, importance, importance_sd, is_used."""
        ranked = rank_features(rows.features, rows.codes, offered, seed=self.seed, repeats=repeats)
        fixed = [name for name in self.always_used if name in offered.features]
        others = ranked.loc[~ranked["feature"].isin(fixed), "feature"]
        used = {*fixed, *others.head(max(0, self.max_features - len(fixed)))}
        return ranked.assign(is_used=ranked["feature"].isin(used))

    def pick(self, offered: ModelInputs, rows: SegmentRows) -> ModelInputs:
        """Pick the features to go by; all of them where there are no more than wanted."""
        if len(offered.features) <= self.max_features:
            return offered
        return offered.only(used_features(self.rank(offered, rows, repeats=1)))

    def fit(self, name: str, inputs: ModelInputs, rows: SegmentRows) -> Any:
        """Fit one algorithm."""
        matrix = inputs.matrix(rows.features)
        estimator: Any = make_classifier(self.sections[name], self.seed, len(matrix))
        with one_thread():
            return estimator.fit(matrix, rows.codes)


@dataclass(frozen=True)
class CrossJudged:
    """Probabilities of every row, by models that have seen no row of its customer.

    Parameters
    ----------
    probabilities : dict of str to ndarray, shape (n_rows, n_segments)
        By algorithm, and of the baseline; those of algorithms are calibrated on the other folds.
    calibrations : dict of str to ClassCalibration
        By algorithm, fitted on all folds.
    """

    probabilities: dict[str, Floats]
    calibrations: dict[str, ClassCalibration]


def make_recipe(
    settings: SegmentClassifierSettings, segment_keys: Collection[str], seed: int, *, always_used: tuple[str, ...] = ()
) -> SegmentRecipe:
    """Make the recipe that the settings ask for."""
    sections = enabled_sections(settings.algorithms)
    return SegmentRecipe(sections, len(segment_keys), settings.folds, settings.max_features, seed, always_used)


def used_features(ranked: pd.DataFrame) -> Collection[str]:
    """Names of the features that a ranking says are used."""
    return set(ranked.loc[ranked["is_used"], "feature"])


def assign_folds(rows: SegmentRows, folds: int, seed: int) -> Codes:
    """Number the fold of each row: segments are spread evenly, and the rows of a customer stay together.

    Parameters
    ----------
    rows : SegmentRows
        Every segment that occurs has at least `folds` customers.
    folds, seed : int
    """
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    customers = rows.features["customer_id"]
    groups = None if customers.is_unique else customers.to_numpy(dtype=object)
    splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(folds, shuffle=True, random_state=seed)
    found = np.empty(len(rows), dtype=np.int64)
    for number, (_, held) in enumerate(splitter.split(customers, rows.codes, groups)):
        found[held] = number
    return found


def cross_judge(recipe: SegmentRecipe, offered: ModelInputs, rows: SegmentRows) -> CrossJudged:
    """Judge every algorithm by folds; features are picked anew in each, on what is learned from there.

    Parameters
    ----------
    recipe : SegmentRecipe
    offered : ModelInputs
    rows : SegmentRows
        Every segment that occurs has at least as many customers as there are folds.
    """
    import numpy as np

    fold = assign_folds(rows, recipe.folds, recipe.seed)
    raw = {name: np.empty((len(rows), recipe.segments)) for name in (*recipe.sections, BASELINE)}
    for number in range(recipe.folds):
        is_held = fold == number
        learn, held = rows.take(~is_held), rows.take(is_held)
        inputs = recipe.pick(offered, learn)
        matrix = inputs.matrix(held.features)
        for name in recipe.sections:
            raw[name][is_held] = class_probabilities(recipe.fit(name, inputs, learn), matrix, recipe.segments)
        raw[BASELINE][is_held] = share_probabilities(learn, held, recipe.segments)
    calibrated = {name: _calibrate_across(raw[name], rows.codes, fold) for name in recipe.sections}
    calibrations = {name: fit_class_calibration(raw[name], rows.codes) for name in recipe.sections}
    return CrossJudged({**calibrated, BASELINE: raw[BASELINE]}, calibrations)


def judge_later(
    recipe: SegmentRecipe,
    inputs: ModelInputs,
    learn: SegmentRows,
    judged: SegmentRows,
    *,
    calibrations: Mapping[str, ClassCalibration] | None = None,
    calibrate_on: SegmentRows | None = None,
) -> dict[str, Floats]:
    """Fit every algorithm on rows of earlier dates, and tell the segments of later ones.

    Parameters
    ----------
    recipe : SegmentRecipe
    inputs : ModelInputs
        Picked on `learn`.
    learn, judged : SegmentRows
    calibrations : mapping of str to ClassCalibration, optional
        By algorithm.
    calibrate_on : SegmentRows, optional
        Where they are not given: rows of earlier dates that calibrations are fitted on, of other customers.

    Returns
    -------
    dict of str to ndarray of float, shape (n_judged, n_segments)
        By algorithm, and of the baseline.
    """
    found = {BASELINE: share_probabilities(learn, judged, recipe.segments)}
    for name in recipe.sections:
        estimator = recipe.fit(name, inputs, learn)

        def told(rows: SegmentRows, fitted: Any = estimator) -> Floats:
            return class_probabilities(fitted, inputs.matrix(rows.features), recipe.segments)

        known = (calibrations or {}).get(name)
        if known is None and calibrate_on is not None:
            known = fit_class_calibration(told(calibrate_on), calibrate_on.codes)
        found[name] = told(judged) if known is None else known.apply(told(judged))
    return found


def fit_chosen(
    recipe: SegmentRecipe,
    name: str,
    offered: ModelInputs,
    rows: SegmentRows,
    segment_keys: tuple[str, ...],
    calibration: ClassCalibration,
) -> tuple[SegmentClassifier, pd.DataFrame]:
    """Fit the algorithm that was chosen on all rows; with the ranking of the features, as of `SegmentRecipe.rank`."""
    importance = recipe.rank(offered, rows)
    inputs = offered.only(used_features(importance))
    return SegmentClassifier(name, recipe.fit(name, inputs, rows), inputs, segment_keys, calibration), importance


def share_probabilities(learn: SegmentRows, judged: SegmentRows, segments: int) -> Floats:
    """Take the shares of segments in each part for probabilities, one customer added to each segment."""
    import numpy as np

    parts = int(max(learn.groups.max(), judged.groups.max())) + 1
    counts = np.ones((parts, segments))
    np.add.at(counts, (learn.groups, learn.codes), 1)
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares[judged.groups]


def _calibrate_across(raw: Floats, codes: Codes, fold: Codes) -> Floats:
    """Calibrate each fold by the others."""
    import numpy as np

    found = np.empty_like(raw)
    for number in np.unique(fold):
        is_held = fold == number
        found[is_held] = fit_class_calibration(raw[~is_held], codes[~is_held]).apply(raw[is_held])
    return found
