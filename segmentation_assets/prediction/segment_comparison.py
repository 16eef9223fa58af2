"""The comparison of algorithms that tell segments: who is learned from, what each is worth, and which is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from segmentation_assets.errors import DataError, closest_hint, plural
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.group_scores import measure_groups
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.model_record import ProblemsByCheck, all_problems
from segmentation_assets.prediction.multiclass_scores import (
    MulticlassScores,
    customer_log_losses,
    mean_with_interval,
    measure_classes,
)
from segmentation_assets.prediction.segment_recipe import BASELINE, SegmentRows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 200
"""Customers with a segment that a model needs."""

FEWEST_OF_TWO = 20
"""Customers that the two largest segments need."""

ROLE_ALGORITHM, ROLE_BASELINE = "algorithm", "baseline"

Model = TypeVar("Model")


@dataclass(frozen=True)
class SplitScores:
    """What a candidate is worth on customers whose segment it has not seen.

    Parameters
    ----------
    overall : MulticlassScores
    by_part : dict of str to MulticlassScores
        The same for each part of the customers, such as a band of newcomers; empty where there are no parts.
    log_loss_gain, log_loss_gain_lower, log_loss_gain_upper : float
        How far the log loss lies below that of the baseline, with its interval at 95 %; 0 for the baseline.
    """

    overall: MulticlassScores
    by_part: dict[str, MulticlassScores]
    log_loss_gain: float
    log_loss_gain_lower: float
    log_loss_gain_upper: float


@dataclass(frozen=True)
class SegmentCandidate:
    """Something that tells segments, and what it is worth.

    Parameters
    ----------
    name, role : str
    out_of_fold : SplitScores
        On the customers that algorithms are chosen on, each by a model that has not seen it.
    out_of_time : SplitScores or None
        On other customers at a later date than was learned from; None where there is no earlier date.
    """

    name: str
    role: str
    out_of_fold: SplitScores
    out_of_time: SplitScores | None


@dataclass(frozen=True)
class ClassifierTraining(Generic[Model]):
    """What came of a training.

    Parameters
    ----------
    model : SegmentClassifier or NewcomerClassifier
        Of the algorithm chosen, fitted on all customers.
    candidates : tuple of SegmentCandidate
        Algorithms, and the baseline last.
    algorithm : str
        That was chosen: the one of the smallest log loss on the folds left out.
    importance : DataFrame
        feature, importance, importance_sd, is_used.
    groups : DataFrame
        Of the customers left out, by country and tenure: found_share, of whom the right segment was named, and
        mean_probability, of whom it was expected.
    sentence : str
        What the model does, how often it is right, and what it does not say.
    notes : tuple of str
        Who was set aside, and what could not be measured.
    problems_by_check : mapping of str to tuple of str
    """

    model: Model
    candidates: tuple[SegmentCandidate, ...]
    algorithm: str
    importance: pd.DataFrame
    groups: pd.DataFrame
    sentence: str
    notes: tuple[str, ...]
    problems_by_check: ProblemsByCheck

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the model must not be used; empty where it may."""
        return all_problems(self.problems_by_check)

    def candidate(self, name: str) -> SegmentCandidate:
        """Return the candidate of a name."""
        return next(one for one in self.candidates if one.name == name)

    @property
    def chosen(self) -> SegmentCandidate:
        """The candidate that was chosen."""
        return self.candidate(self.algorithm)


@dataclass(frozen=True)
class LearnableSegments:
    """Customers whose segment can be learned.

    Parameters
    ----------
    frame : DataFrame
        Their rows, sorted by customer and date.
    segment_keys : tuple of str
        Sorted.
    notes : tuple of str
        Who was set aside.
    """

    frame: pd.DataFrame
    segment_keys: tuple[str, ...]
    notes: tuple[str, ...]

    def reason_not_trainable(self, columns: Sequence[FeatureColumn]) -> str:
        """Say why no model that goes by some features can be trained on them; empty where one can.

        Raises
        ------
        DataError
            A feature is missing.
        """
        counts = self.frame.groupby("segment_key")["customer_id"].nunique().sort_values(ascending=False)
        customers = int(self.frame["customer_id"].nunique())
        aside = f" ({'; '.join(self.notes)})" if self.notes else ""
        if len(counts) < 2:
            found = plural(len(counts), "segment")
            return f"{plural(customers, 'customer')} are in {found}, and it takes two to tell them apart{aside}"
        if customers < FEWEST_ROWS or counts.iloc[1] < FEWEST_OF_TWO:
            return (
                f"{plural(customers, 'customer')} have a segment, {counts.iloc[1]} of them that of the second largest; "
                f"a model needs {FEWEST_ROWS} of them, {FEWEST_OF_TWO} in each of two segments{aside}"
            )
        if not ModelInputs.fit(self.frame, columns).features:
            return f"none of {plural(len(columns), 'feature')} varies among {plural(customers, 'customer')}"
        return ""

    def encode(self, groups: npt.NDArray[np.int64] | None = None) -> SegmentRows:
        """Number the segments, in `segment_keys`; `groups` are those of `SegmentRows`, one for all by default."""
        import numpy as np
        import pandas as pd

        codes = pd.Index(self.segment_keys).get_indexer(self.frame["segment_key"]).astype(np.int64)
        return SegmentRows(self.frame, codes, np.zeros_like(codes) if groups is None else groups)


def find_learnable(frame: pd.DataFrame, folds: int) -> LearnableSegments:
    """Set aside customers without a segment, and segments of fewer customers than there are folds.

    Parameters
    ----------
    frame : DataFrame
        With ``customer_id``, ``segment_key``, and ``cutoff_date`` where there are several dates.
    folds : int

    Raises
    ------
    DataError
        The column of customers or segments is missing.
    """
    for name in ("customer_id", "segment_key"):
        if name not in frame:
            raise DataError(f"the column {name} is missing", closest_hint(name, frame.columns))
    known = frame[frame["segment_key"].notna()]
    notes = []
    if len(known) < len(frame):
        notes.append(f"{plural(len(frame) - len(known), 'row')} without a segment left out")
    counts = known.groupby("segment_key")["customer_id"].nunique()
    for key, count in counts[counts < folds].items():
        notes.append(f"segment {key} is not learned: it has {plural(int(count), 'customer')} for {folds} folds")
    keys = tuple(sorted(map(str, counts.index[counts >= folds])))
    return LearnableSegments(restrict_to(known, keys), keys, tuple(notes))


def restrict_to(frame: pd.DataFrame, segment_keys: Sequence[str]) -> pd.DataFrame:
    """Take the rows of some segments, sorted by customer and date."""
    order = ["customer_id", *(["cutoff_date"] if "cutoff_date" in frame else [])]
    return frame[frame["segment_key"].isin(segment_keys)].sort_values(order, kind="stable", ignore_index=True)


def judge_candidates(
    probabilities: Mapping[str, Floats], rows: SegmentRows, segment_keys: Sequence[str], parts: Sequence[str] = ()
) -> dict[str, SplitScores]:
    """Judge what algorithms and the baseline say of the same rows.

    Parameters
    ----------
    probabilities : mapping of str to ndarray, shape (n_rows, n_segments)
        By candidate, with that of the baseline.
    rows : SegmentRows
    segment_keys : sequence of str
    parts : sequence of str
        Names of the groups of `rows`; none where they are not told apart.
    """
    losses = {name: customer_log_losses(rows.codes, told) for name, told in probabilities.items()}
    customers = rows.features["customer_id"].to_numpy(dtype=object)
    found = {}
    for name, told in probabilities.items():
        by_part = {
            part: measure_classes(rows.codes[chosen], told[chosen], segment_keys)
            for place, part in enumerate(parts)
            if (chosen := rows.groups == place).any()
        }
        gain = mean_with_interval(losses[BASELINE] - losses[name], customers)
        found[name] = SplitScores(measure_classes(rows.codes, told, segment_keys), by_part, *gain)
    return found


def group_hits(probability: Floats, rows: SegmentRows) -> pd.DataFrame:
    """Compare expected and found shares of right segments within groups of customers, as `measure_groups` does."""
    is_hit = probability.argmax(axis=1) == rows.codes
    return measure_groups(rows.features, is_hit, probability.max(axis=1)).drop(columns="auc")


def calibration_problems(scores: MulticlassScores, where: str, most: float, setting: str) -> tuple[str, ...]:
    """Say whether foretold and found shares of right segments are too far apart, and which setting says so."""
    if scores.calibration_error <= most:
        return ()
    return (
        f"{where} foretold and found shares differ by {scores.calibration_error:.3f} in the mean, more than {most:g} "
        f"(prediction.segment_classifier.{setting})",
    )


def list_candidates(
    out_of_fold: Mapping[str, SplitScores], out_of_time: Mapping[str, SplitScores] | None
) -> tuple[SegmentCandidate, ...]:
    """Put the scores of both splits side by side."""
    return tuple(
        SegmentCandidate(
            name,
            ROLE_BASELINE if name == BASELINE else ROLE_ALGORITHM,
            scores,
            None if out_of_time is None else out_of_time[name],
        )
        for name, scores in out_of_fold.items()
    )


def choose_algorithm(candidates: Sequence[SegmentCandidate]) -> str:
    """Name the algorithm of the smallest log loss on the folds left out; of equal ones the first."""
    algorithms = [one for one in candidates if one.role == ROLE_ALGORITHM]
    return min(algorithms, key=lambda one: one.out_of_fold.overall.log_loss).name
