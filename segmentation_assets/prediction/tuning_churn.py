"""How good settings of churn models are, by folds of the customers of the training dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import PredictionSettings, enabled_sections
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError, plural
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.churn_model import LabelledRows, raw_scores
from segmentation_assets.prediction.churn_training import label_rows, reason_not_trainable
from segmentation_assets.prediction.classifiers import make_classifier
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.prediction.feature_importance import rank_features
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.tuning_scores import FoldScores

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Split:
    """What is learned from and what is judged, with the features ranked on the former alone."""

    learn: LabelledRows
    judged: LabelledRows
    offered: ModelInputs
    ranked: tuple[str, ...]

    @classmethod
    def of(cls, learn: LabelledRows, judged: LabelledRows, columns: Sequence[FeatureColumn], seed: int) -> _Split:
        offered = ModelInputs.fit(learn.features, columns)
        ranked = rank_features(learn.features, learn.outcome, offered, seed=seed)
        return cls(learn, judged, offered, tuple(ranked["feature"]))

    def score(self, settings: PredictionSettings, algorithm: str) -> float:
        """Average precision of an algorithm on the rows that are judged."""
        from sklearn.metrics import average_precision_score

        inputs = self.offered.only(self.ranked[: settings.churn.max_features])
        matrix = inputs.matrix(self.learn.features)
        section = getattr(settings.churn.algorithms, algorithm)
        estimator = make_classifier(section, settings.seed, len(matrix))
        with one_thread():
            estimator.fit(matrix, self.learn.outcome)
        return float(average_precision_score(self.judged.outcome, raw_scores(estimator, inputs, self.judged.features)))


class ChurnObjective:
    """Average precision of churn on customers left out, at the training dates alone.

    Parameters
    ----------
    snapshots : DataFrame
        ``silver/training_features``.
    columns : sequence of FeatureColumn
    cutoffs : Cutoffs
    settings : PredictionSettings
    folds, seed : int

    Raises
    ------
    DataError
        There are too few customers of either outcome.

    Notes
    -----
    All rows of a customer are in the same fold. Features are ranked in each fold without the customers that are judged.
    The validation date is looked at once, by `compare_later`, after the search; the test date never is. Average
    precision is the score that training chooses algorithms by, and needs no calibration.
    """

    score_name = "average precision"

    def __init__(
        self,
        snapshots: pd.DataFrame,
        columns: Sequence[FeatureColumn],
        cutoffs: Cutoffs,
        settings: PredictionSettings,
        *,
        folds: int,
        seed: int,
    ) -> None:
        reason = reason_not_trainable(snapshots, cutoffs, settings.churn.eligible_days)
        if reason:
            raise DataError(f"no churn model can be tuned: {reason}", "wait for more customers.")
        self._snapshots, self._columns, self._cutoffs = snapshots, columns, cutoffs
        self.train = label_rows(snapshots, cutoffs.train, settings.churn.eligible_days)
        self._splits = [
            _Split.of(_take(self.train, learn), _take(self.train, held), columns, settings.seed)
            for learn, held in _split(self.train, folds, seed)
        ]

    @property
    def rests_on(self) -> str:
        """Whose rows the scores are of."""
        customers = plural(int(self.train.features["customer_id"].nunique()), "customer")
        return (
            f"{customers} at {plural(len(self._cutoffs.train), 'date')}, {float(self.train.outcome.mean()):.1%} churned"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What else has to be known of the scores."""
        days = ", ".join(map(str, sorted(self._cutoffs.train)))
        later = "" if self._cutoffs.validation is None else f"validation ({self._cutoffs.validation}) and "
        return (
            f"Training dates {days}, {plural(len(self.train.outcome), 'row')}; the dates of {later}test "
            f"({self._cutoffs.test}) are no part of the search.",
        )

    def score(self, settings: Settings, algorithm: str) -> FoldScores:
        """Judge one algorithm by folds, or the best of those enabled, which is then named among the facts."""
        own = settings.prediction
        names = [algorithm] if algorithm else list(enabled_sections(own.churn.algorithms))
        found = {name: tuple(split.score(own, name) for split in self._splits) for name in names}
        best = max(found, key=lambda name: sum(found[name]))
        return FoldScores(found[best], {"algorithm": best})

    def compare_later(
        self, settings: Settings, algorithms: Sequence[str], tuned: Settings
    ) -> tuple[float, float] | None:
        """Judge the settings in force and the tuned ones on the validation date, which the search has not seen.

        Parameters
        ----------
        settings, tuned : Settings
        algorithms : sequence of str
            The best algorithm of either by folds.

        Returns
        -------
        tuple of float, or None
            Average precision of both; None where the history is too short for a validation date.
        """
        if self._cutoffs.validation is None:
            return None
        own = settings.prediction
        later = label_rows(self._snapshots, [self._cutoffs.validation], own.churn.eligible_days)
        split = _Split.of(self.train, later, self._columns, own.seed)
        before, after = (
            split.score(one.prediction, name) for one, name in zip((settings, tuned), algorithms, strict=True)
        )
        return before, after


def _split(rows: LabelledRows, folds: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """Positions of what is learned from and what is judged; the rows of a customer stay together."""
    from sklearn.model_selection import StratifiedGroupKFold

    customers = rows.features["customer_id"].to_numpy(dtype=object)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return list(splitter.split(customers, rows.outcome, customers))


def _take(rows: LabelledRows, places: list[int]) -> LabelledRows:
    return LabelledRows(rows.features.iloc[places].reset_index(drop=True), rows.outcome[places])
