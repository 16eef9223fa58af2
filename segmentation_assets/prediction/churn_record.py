"""What is kept of trainings of churn models: the verdict, curves for reports, and the scores as a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from segmentation_assets.prediction.binary_scores import BinaryScores
from segmentation_assets.prediction.churn_baselines import RECENCY
from segmentation_assets.prediction.churn_training import ALGORITHM, ChurnTraining
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.prediction.model_record import (
    CALIBRATION,
    MINIMUM_QUALITY,
    NO_LEAK,
    Verdict,
    list_checks,
)

if TYPE_CHECKING:
    import pandas as pd

_INTERVALS = {"auc": ("auc_lower", "auc_upper")}
_OF_RANKS = ("auc", "average_precision", "recall_at_top", "base_rate")
"""What is told of customers on whom probabilities were calibrated: nothing that rests on how good these are."""

_NOT_MEASURES = ("customers", "positives", "auc_lower", "auc_upper")


def judge_churn(training: ChurnTraining, cutoffs: Cutoffs) -> Verdict:
    """Say what came of a training."""
    chosen = training.candidate(training.model.algorithm)
    test, shuffled = chosen.test, training.leak.shuffled
    recency = training.candidate(RECENCY).test
    customers = f"on {test.customers:,} customers of {cutoffs.test}"
    return Verdict(
        problems=training.problems,
        told=f"AUC {test.auc:.3f} ({test.auc_lower:.3f} to {test.auc_upper:.3f}) on {test.customers:,} customers of "
        f"{cutoffs.test}, of whom {test.base_rate:.1%} churned",
        figures=asdict(test)
        | {
            "base_rate": test.base_rate,
            "named_precision": training.named_precision,
            "named_recall": training.named_recall,
            "named_share": training.named_share,
        },
        details={
            "algorithm": chosen.name,
            "cutoffs": cutoffs.to_plain(),
            "learned_rows": training.learned_rows,
            "importance": training.importance.to_dict("records"),
            "calibration": training.calibration.to_dict("records"),
            "lift": training.lift.to_dict("records"),
            "groups": _plain_rows(training.groups),
            "threshold": asdict(training.model.threshold),
            "calibration_method": training.model.calibration.method,
            "shuffled": asdict(shuffled),
        },
        checks=list_checks(
            training.problems_by_check,
            {
                NO_LEAK: f"an AUC of {test.auc:.3f} {customers}, not above {training.leak.ceiling:g}, which no feature "
                f"reaches alone; models of shuffled outcomes have {shuffled.mean:.3f} ± {shuffled.standard_error:.3f}",
                CALIBRATION: f"shares foretold and found differ by {test.calibration_error:.3f} on average {customers}",
                MINIMUM_QUALITY: f"an AUC of {test.auc:.3f}, days since the last order alone {recency.auc:.3f}, "
                f"{customers}",
            },
        ),
    )


def _plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None in place of what is missing."""
    return [
        {name: None if value != value else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


def churn_scores(training: ChurnTraining, cutoffs: Cutoffs, month: str) -> pd.DataFrame:
    """Put the scores of all candidates into the rows of ``models/churn``."""
    import pandas as pd

    judged = {"validation": cutoffs.validation or cutoffs.train[0], "test": cutoffs.test}
    rows = [
        {
            "candidate": one.name,
            "role": one.role,
            "is_chosen": one.role == ALGORITHM and one.name == training.model.algorithm,
            "split": split,
            "customer_count": scores.customers,
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
    named = {one.name: getattr(scores, one.name) for one in fields(scores) if one.name not in _NOT_MEASURES}
    intervals = {name: [getattr(scores, end) for end in ends] for name, ends in _INTERVALS.items()}
    none = (None, None)
    return [
        {"measure": name, "value": value, "lower": intervals.get(name, none)[0], "upper": intervals.get(name, none)[1]}
        for name, value in {**named, "base_rate": scores.base_rate}.items()
        if only is None or name in only
    ]
