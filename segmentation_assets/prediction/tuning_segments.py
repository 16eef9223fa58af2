"""How good settings of the segment classifier are, by stratified folds of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.prediction import SegmentClassifierSettings
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError, plural
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.segment_classifier import class_probabilities
from segmentation_assets.prediction.segment_comparison import find_learnable
from segmentation_assets.prediction.segment_recipe import SegmentRecipe, SegmentRows, assign_folds, make_recipe
from segmentation_assets.prediction.tuning_scores import FoldScores

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Split:
    """What is learned from and what is judged, with the features ranked on the former alone."""

    learn: SegmentRows
    judged: SegmentRows
    offered: ModelInputs
    ranked: tuple[str, ...]

    def score(self, recipe: SegmentRecipe, algorithm: str) -> float:
        """Macro F1 of an algorithm on the rows that are judged."""
        from sklearn.metrics import f1_score

        inputs = self.offered.only(self.ranked[: recipe.max_features])
        estimator = recipe.fit(algorithm, inputs, self.learn)
        told = class_probabilities(estimator, inputs.matrix(self.judged.features), recipe.segments).argmax(axis=1)
        segments = list(range(recipe.segments))
        return float(f1_score(self.judged.codes, told, labels=segments, average="macro", zero_division=0.0))


class SegmentObjective:
    """Mean F1 of all segments on customers left out.

    Parameters
    ----------
    current : DataFrame
        As `train_segment_classifier` takes it.
    columns : sequence of FeatureColumn
    settings : SegmentClassifierSettings
    folds, seed : int
        Of the comparison.
    model_seed : int
        Of the models, as they are trained.

    Raises
    ------
    DataError
        There are too few customers or segments.

    Notes
    -----
    F1 counts every segment the same, however small, and it is what ``min_macro_f1`` bounds. The most probable segment
    is taken before calibration. Features are ranked in each fold without the customers that are judged.
    """

    score_name = "macro F1"

    def __init__(
        self,
        current: pd.DataFrame,
        columns: Sequence[FeatureColumn],
        settings: SegmentClassifierSettings,
        *,
        folds: int,
        seed: int,
        model_seed: int,
    ) -> None:
        learnable = find_learnable(current, folds)
        reason = learnable.reason_not_trainable(columns)
        if reason:
            raise DataError(f"no segment classifier can be tuned: {reason}", "wait for more customers or segments.")
        self._keys, self._seed, self._rows = learnable.segment_keys, model_seed, learnable.encode()
        recipe = make_recipe(settings, self._keys, model_seed)
        fold = assign_folds(self._rows, folds, seed)
        self._splits = [
            _split(recipe, columns, self._rows.take(fold != number), self._rows.take(fold == number))
            for number in range(folds)
        ]

    @property
    def rests_on(self) -> str:
        """Whose rows the scores are of."""
        return f"{plural(len(self._rows), 'customer')} in {plural(len(self._keys), 'segment')}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else has to be known of the scores."""
        return ("The model imitates the clustering: no score says whether the segments are good.",)

    def score(self, settings: Settings, algorithm: str) -> FoldScores:
        """Judge one algorithm by folds, or the best of those enabled, which is then named among the facts."""
        recipe = make_recipe(settings.prediction.segment_classifier, self._keys, self._seed)
        names = [algorithm] if algorithm else list(recipe.sections)
        found = {name: tuple(split.score(recipe, name) for split in self._splits) for name in names}
        best = max(found, key=lambda name: sum(found[name]))
        return FoldScores(found[best], {"algorithm": best})


def _split(recipe: SegmentRecipe, columns: Sequence[FeatureColumn], learn: SegmentRows, judged: SegmentRows) -> _Split:
    offered = ModelInputs.fit(learn.features, columns)
    return _Split(learn, judged, offered, tuple(recipe.rank(offered, learn)["feature"]))
