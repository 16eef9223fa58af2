"""What is kept of the trainings of models that tell segments: scores as a table, and the rest for reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from segmentation_assets.prediction.model_record import CALIBRATION, MINIMUM_QUALITY, Verdict, list_checks
from segmentation_assets.prediction.multiclass_scores import MulticlassScores
from segmentation_assets.prediction.segment_comparison import ClassifierTraining, SegmentCandidate, SplitScores
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.prediction import ALL

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

FOLDS, OUT_OF_TIME = "folds", "out_of_time"
"""Splits that models are judged on."""

_INTERVALS = {"accuracy": ("accuracy_lower", "accuracy_upper")}
_NOT_MEASURES = ("customers", "hits", "accuracy_lower", "accuracy_upper", "by_segment", "confusion")
_OF_A_SEGMENT = ("recall", "precision", "f1")


def judge_segments(
    training: ClassifierTraining[Any], cutoff_date: dt.date, known: Mapping[str, Any] | None = None
) -> Verdict:
    """Say what came of a training, on features as of a date.

    Details are notes, importance, ``by_segment`` (split, and the columns of `MulticlassScores.by_segment`) and
    ``confusion`` (split, true_segment_key, named_segment_key, customer_count; pairs that occur); `known` is
    added to them.
    """
    splits = dict(_splits(training.chosen))
    here = training.chosen.out_of_fold.overall
    customers = f"on {here.customers:,} customers left out"
    return Verdict(
        problems=training.problems,
        told=f"{training.sentence[:1].lower()}{training.sentence[1:].removesuffix('.')}",
        figures={f"{split}_{name}": value for split, scores in splits.items() for name, value in _figures(scores)},
        details={
            **(known or {}),
            "algorithm": training.algorithm,
            "cutoff_date": str(cutoff_date),
            "notes": list(training.notes),
            "importance": training.importance.to_dict("records"),
            "groups": training.groups.to_dict("records"),
            "by_segment": [
                {"split": split, **row}
                for split, scores in splits.items()
                for row in _without_nan(scores.overall.by_segment).to_dict("records")
            ],
            "confusion": [row for split, scores in splits.items() for row in _pairs(split, scores.overall)],
        },
        checks=list_checks(
            training.problems_by_check,
            {
                CALIBRATION: f"shares foretold and found differ by {here.calibration_error:.3f} on average {customers}",
                MINIMUM_QUALITY: f"right for {here.accuracy:.1%}, mean F1 {here.macro_f1:.3f}, {customers}",
            },
        ),
    )


def segment_scores(training: ClassifierTraining[Any], table: Table, cutoff_date: dt.date, month: str) -> pd.DataFrame:
    """Put the scores of all candidates into the rows of the model's table.

    Parameters
    ----------
    training : ClassifierTraining
    table : Table
        ``SEGMENT_CLASSIFIER_SCORES`` or ``NEWCOMER_CLASSIFIER_SCORES``.
    cutoff_date : date
        Newest date of the features that were judged.
    month : str
        Snapshot month, YYYY-MM.

    Returns
    -------
    DataFrame
        The columns of the table.
    """
    import pandas as pd

    found = pd.DataFrame(
        [
            {
                "candidate": one.name,
                "role": one.role,
                "is_chosen": one.name == training.algorithm,
                "split": split,
                "cutoff_date": cutoff_date,
                "trained_month": month,
                **row,
            }
            for one in training.candidates
            for split, scores in _splits(one)
            for row in _rows(scores)
        ]
    )
    return found[list(table.column_names)]


def _splits(candidate: SegmentCandidate) -> Iterator[tuple[str, SplitScores]]:
    yield FOLDS, candidate.out_of_fold
    if candidate.out_of_time is not None:
        yield OUT_OF_TIME, candidate.out_of_time


def _figures(scores: SplitScores) -> Iterator[tuple[str, float | int]]:
    yield "customers", scores.overall.customers
    yield from _measures(scores.overall).items()
    for name in ("log_loss_gain", "log_loss_gain_lower", "log_loss_gain_upper"):
        yield name, getattr(scores, name)


def _measures(scores: MulticlassScores) -> dict[str, float]:
    named = {one.name: getattr(scores, one.name) for one in fields(scores) if one.name not in _NOT_MEASURES}
    return {**named, "accuracy_gain": scores.accuracy_gain}


def _rows(scores: SplitScores) -> Iterator[dict[str, Any]]:
    """Rows of all parts of the customers, and of the gain over the baseline."""
    gain = (scores.log_loss_gain, scores.log_loss_gain_lower, scores.log_loss_gain_upper)
    yield _row(ALL, ALL, "log_loss_gain", gain, scores.overall.customers)
    for band, judged in {ALL: scores.overall, **scores.by_part}.items():
        for name, value in _measures(judged).items():
            lower, upper = (getattr(judged, end) for end in _INTERVALS[name]) if name in _INTERVALS else (None, None)
            yield _row(band, ALL, name, (value, lower, upper), judged.customers)
        yield from _segment_rows(band, judged)


def _segment_rows(band: str, scores: MulticlassScores) -> Iterator[dict[str, Any]]:
    """Rows of each segment that occurs; without the precision of one that is never named."""
    told = scores.by_segment[scores.by_segment["customer_count"] > 0]
    for row in told.to_dict("records"):
        for name in _OF_A_SEGMENT:
            if not math.isnan(row[name]):
                value = (row[name], None, None)
                yield _row(band, row["segment_key"], name, value, row["customer_count"])


def _row(
    band: str,
    segment_key: str,
    measure: str,
    value: tuple[float, float | None, float | None],
    customers: int,
) -> dict[str, Any]:
    return {
        "band": band,
        "segment_key": segment_key,
        "measure": measure,
        **dict(zip(("value", "lower", "upper"), value, strict=True)),
        "customer_count": customers,
    }


def _without_nan(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).where(frame.notna(), None)


def _pairs(split: str, scores: MulticlassScores) -> Iterator[dict[str, Any]]:
    for true, counts in scores.confusion.iterrows():
        for named, count in counts.items():
            if count:
                yield {
                    "split": split,
                    "true_segment_key": true,
                    "named_segment_key": named,
                    "customer_count": int(count),
                }
