"""What is kept of the trainings of churn models: scores as a table, the model in force, curves for reports."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from segmentation_assets.prediction.binary_scores import BinaryScores
from segmentation_assets.prediction.churn_training import ALGORITHM, ChurnTraining
from segmentation_assets.prediction.cutoffs import Cutoffs

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

_INTERVALS = {"auc": ("auc_lower", "auc_upper")}
_OF_RANKS = ("auc", "average_precision", "recall_at_top", "base_rate")
"""What is told of customers on whom probabilities were calibrated: nothing that rests on how good these are."""

_NOT_MEASURES = ("customers", "positives", "auc_lower", "auc_upper")


@dataclass(frozen=True)
class ChurnRecord:
    """What is known of the model in force and of the last training.

    Parameters
    ----------
    in_force : str or None
        Hash of the model in force; None where there is none.
    in_force_month : str or None
        Snapshot month of its training, YYYY-MM.
    known_until : str or None
        Day before which its outcomes lie, YYYY-MM-DD.
    trained_month : str or None
        Snapshot month of the last training.
    algorithm : str or None
        That this training chose.
    problems : tuple of str
        Why its model was not put in force.
    not_trained : str
        Why there was no training this month.
    cutoffs : dict
        As `Cutoffs.to_plain`.
    figures : dict
        Test scores of the recipe chosen, and what its threshold is worth.
    importance, calibration, lift : list of dict
        Rows of the tables of `ChurnTraining`.
    threshold, calibration_method : dict, str
    shuffled : dict
        Areas under the curve of shuffled outcomes.
    """

    in_force: str | None = None
    in_force_month: str | None = None
    known_until: str | None = None
    trained_month: str | None = None
    algorithm: str | None = None
    problems: tuple[str, ...] = ()
    not_trained: str = ""
    cutoffs: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, float | int] = field(default_factory=dict)
    importance: list[dict[str, Any]] = field(default_factory=list)
    calibration: list[dict[str, Any]] = field(default_factory=list)
    lift: list[dict[str, Any]] = field(default_factory=list)
    threshold: dict[str, Any] = field(default_factory=dict)
    calibration_method: str = ""
    shuffled: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What to say of it, for a check."""
        in_force = f"the model of {self.in_force_month} is in force" if self.in_force else "no model is in force"
        if self.problems:
            return (
                f"models/churn: the model of {self.trained_month} is not used: {'; '.join(self.problems)}; {in_force}."
            )
        if self.trained_month is None:
            return f"models/churn: {in_force}: {self.not_trained}."
        reason = f" ({self.not_trained})" if self.not_trained else ""
        return (
            f"models/churn: {in_force}{reason}; AUC {self.figures['auc']:.3f} ({self.figures['auc_lower']:.3f} to "
            f"{self.figures['auc_upper']:.3f}) on {self.figures['customers']:,} customers of "
            f"{self.cutoffs['test']}, of whom {self.figures['base_rate']:.1%} churned."
        )

    def left_as_it_is(self, reason: str) -> ChurnRecord:
        """Say why there was no training this month."""
        return replace(self, not_trained=reason)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> ChurnRecord:
        """Read what `dataclasses.asdict` makes, after JSON."""
        return cls(**{**plain, "problems": tuple(plain["problems"])})


def record_churn(
    training: ChurnTraining,
    cutoffs: Cutoffs,
    known_until: dt.date,
    month: str,
    in_force: str | None,
    before: ChurnRecord,
) -> ChurnRecord:
    """Write down what came of a training.

    Parameters
    ----------
    training : ChurnTraining
    cutoffs : Cutoffs
    known_until : date
        The outcomes lie before this day.
    month : str
        Snapshot month, YYYY-MM.
    in_force : str or None
        Hash of the model in force from now on.
    before : ChurnRecord
        Of the month before, whose model stays where the new one has problems.
    """
    chosen = training.candidate(training.model.algorithm)
    is_new = not training.problems
    return ChurnRecord(
        in_force=in_force,
        in_force_month=month if is_new else before.in_force_month,
        known_until=str(known_until) if is_new else before.known_until,
        trained_month=month,
        algorithm=chosen.name,
        problems=training.problems,
        cutoffs=cutoffs.to_plain(),
        figures=asdict(chosen.test)
        | {
            "base_rate": chosen.test.base_rate,
            "named_precision": training.named_precision,
            "named_recall": training.named_recall,
            "named_share": training.named_share,
        },
        importance=training.importance.to_dict("records"),
        calibration=training.calibration.to_dict("records"),
        lift=training.lift.to_dict("records"),
        threshold=asdict(training.model.threshold),
        calibration_method=training.model.calibration.method,
        shuffled=asdict(training.leak.shuffled),
    )


def scores_table(training: ChurnTraining, cutoffs: Cutoffs, month: str) -> pd.DataFrame:
    """Put the scores of all candidates into the rows of ``models/churn``."""
    import pandas as pd

    judged = {"validation": cutoffs.validation or cutoffs.train[0], "test": cutoffs.test}
    rows = [
        {
            "candidate": one.name,
            "role": one.role,
            "is_chosen": one.role == ALGORITHM and one.name == training.model.algorithm,
            "split": split,
            "cutoff_date": judged[split],
            "trained_month": month,
            **row,
        }
        for one in training.candidates
        for split, scores in (("validation", one.validation), ("test", one.test))
        if scores is not None
        for row in _measures(scores, only=_OF_RANKS if split == "validation" else None)
    ]
    return pd.DataFrame(rows)


def _measures(scores: BinaryScores, *, only: Collection[str] | None) -> list[dict[str, Any]]:
    shared = {"customer_count": scores.customers, "positive_count": scores.positives}
    named = {one.name: getattr(scores, one.name) for one in fields(scores) if one.name not in _NOT_MEASURES}
    intervals = {name: [getattr(scores, end) for end in ends] for name, ends in _INTERVALS.items()}
    none = (None, None)
    return [
        {"measure": name, "value": value, "lower": intervals.get(name, none)[0], "upper": intervals.get(name, none)[1]}
        | shared
        for name, value in {**named, "base_rate": scores.base_rate}.items()
        if only is None or name in only
    ]
