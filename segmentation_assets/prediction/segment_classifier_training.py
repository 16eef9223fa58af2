"""Training of a model that imitates the clustering: which algorithm agrees best with its rule, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segmentation_assets.config.prediction import SegmentClassifierSettings
from segmentation_assets.errors import DataError, plural
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.model_record import CALIBRATION, MINIMUM_QUALITY
from segmentation_assets.prediction.segment_classifier import SegmentClassifier
from segmentation_assets.prediction.segment_comparison import (
    ClassifierTraining,
    LearnableSegments,
    SegmentCandidate,
    SplitScores,
    calibration_problems,
    choose_algorithm,
    find_learnable,
    group_hits,
    judge_candidates,
    list_candidates,
    restrict_to,
)
from segmentation_assets.prediction.segment_recipe import (
    BASELINE,
    SegmentRecipe,
    cross_judge,
    fit_chosen,
    judge_later,
    make_recipe,
)

if TYPE_CHECKING:
    import pandas as pd

FEWEST_JUDGED = 50
"""Customers of a later date that it takes to judge by."""


def reason_no_classifier(
    current: pd.DataFrame, columns: Sequence[FeatureColumn], settings: SegmentClassifierSettings
) -> str:
    """Say why no segment classifier can be trained; empty where one can.

    Parameters
    ----------
    current : DataFrame
        As of `train_segment_classifier`.
    columns : sequence of FeatureColumn
    settings : SegmentClassifierSettings

    Raises
    ------
    DataError
        A column is missing.
    """
    return find_learnable(current, settings.folds).reason_not_trainable(columns)


def train_segment_classifier(
    current: pd.DataFrame,
    earlier: pd.DataFrame | None,
    columns: Sequence[FeatureColumn],
    settings: SegmentClassifierSettings,
    *,
    seed: int,
) -> ClassifierTraining[SegmentClassifier]:
    """Choose the algorithm that tells best which segment a clustering puts customers into, and fit it on all of them.

    Parameters
    ----------
    current : DataFrame, shape (n_customers, n_features)
        Features of this month, with ``customer_id`` and the ``segment_key`` that the clustering gives; null where it
        gives none.
    earlier : DataFrame or None
        The same at an earlier date, with the segments that the rule of the same clustering gives there.
    columns : sequence of FeatureColumn
        Features that models may go by.
    settings : SegmentClassifierSettings
    seed : int

    Returns
    -------
    ClassifierTraining

    Raises
    ------
    DataError
        There are too few customers or segments, or no feature varies: as `reason_no_classifier` says; or a column is
        missing.

    Notes
    -----
    Algorithms are compared by stratified folds of `current`. In each fold features are ranked, models fitted and
    probabilities calibrated without the customers that are judged. Out of time they learn from a part of the customers
    of `earlier` and are judged on the other customers of `current`, so that both date and customers are new to them.
    Nothing is decided by that.
    """
    learnable = find_learnable(current, settings.folds)
    reason = learnable.reason_not_trainable(columns)
    if reason:
        raise DataError(f"no segment classifier can be trained: {reason}", "wait for more customers or segments.")
    keys = learnable.segment_keys
    rows = learnable.encode()
    recipe = make_recipe(settings, keys, seed)
    offered = ModelInputs.fit(learnable.frame, columns)
    judged = cross_judge(recipe, offered, rows)
    later, later_notes = _judge_out_of_time(recipe, learnable, earlier, columns)
    candidates = list_candidates(judge_candidates(judged.probabilities, rows, keys), later)
    chosen = choose_algorithm(candidates)
    model, importance = fit_chosen(recipe, chosen, offered, rows, keys, judged.calibrations[chosen])
    by_name = {one.name: one for one in candidates}
    overall = by_name[chosen].out_of_fold.overall
    return ClassifierTraining(
        model=model,
        candidates=candidates,
        algorithm=chosen,
        importance=importance,
        groups=group_hits(judged.probabilities[chosen], rows),
        sentence=_fidelity(by_name[chosen], by_name[BASELINE]),
        notes=(*learnable.notes, *later_notes),
        problems_by_check={
            CALIBRATION: calibration_problems(
                overall,
                f"on {plural(overall.customers, 'customer')} held out",
                settings.max_calibration_error,
                "max_calibration_error",
            ),
            MINIMUM_QUALITY: _quality_problems(by_name[chosen], settings),
        },
    )


def _judge_out_of_time(
    recipe: SegmentRecipe,
    learnable: LearnableSegments,
    earlier: pd.DataFrame | None,
    columns: Sequence[FeatureColumn],
) -> tuple[dict[str, SplitScores] | None, tuple[str, ...]]:
    """Judge models of an earlier date on other customers now, or say why this was not possible; with notes."""
    if earlier is None or not len(earlier):
        return None, ("not judged out of time: there is no earlier date",)
    before = restrict_to(earlier, learnable.segment_keys)
    aside = len(earlier) - len(before)
    notes = [f"{plural(aside, 'row')} of the earlier date without a segment that is learned left out"] if aside else []
    keys = learnable.segment_keys
    learn, calibrate_on = _spare_customers(before, recipe)
    now = learnable.encode()
    judged = now.take(~now.features["customer_id"].isin(learn["customer_id"]).to_numpy())
    learned_from = LearnableSegments(learn, keys, ())
    reason = learned_from.reason_not_trainable(columns)
    if not reason and len(judged) < FEWEST_JUDGED:
        reason = f"{plural(len(judged), 'customer')} of now were not learned from then; it takes {FEWEST_JUDGED}"
    if reason:
        return None, (*notes, f"not judged out of time: at the earlier date, {reason}")
    rows = learned_from.encode()
    inputs = recipe.pick(ModelInputs.fit(learn, columns), rows)
    told = judge_later(recipe, inputs, rows, judged, calibrate_on=LearnableSegments(calibrate_on, keys, ()).encode())
    return judge_candidates(told, judged, keys), tuple(notes)


def _spare_customers(before: pd.DataFrame, recipe: SegmentRecipe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off as many customers as a fold has, to calibrate on and to be judged later."""
    import numpy as np

    customers = np.sort(before["customer_id"].unique())
    spared = np.random.default_rng(recipe.seed).permutation(customers)[: len(customers) // recipe.folds]
    is_spared = before["customer_id"].isin(spared)
    return before[~is_spared].reset_index(drop=True), before[is_spared].reset_index(drop=True)


def _fidelity(chosen: SegmentCandidate, baseline: SegmentCandidate) -> str:
    """Say how often the model agrees with the clustering, and what that does not mean."""
    here, plain = chosen.out_of_fold.overall, baseline.out_of_fold.overall
    later = ""
    if chosen.out_of_time is not None:
        scores = chosen.out_of_time.overall
        later = (
            f"; fitted at an earlier date, it agrees for {scores.accuracy:.1%} of "
            f"{plural(scores.customers, 'other customer')} now"
        )
    return (
        f"The model imitates the clustering: it agrees with its rule for {here.accuracy:.1%} of "
        f"{plural(here.customers, 'customer')} held out (always naming the largest segment: {plain.accuracy:.1%})"
        f"{later}. It says nothing about whether the segments are good."
    )


def _quality_problems(chosen: SegmentCandidate, settings: SegmentClassifierSettings) -> tuple[str, ...]:
    """Say whether the model tells segments too badly."""
    scores, found = chosen.out_of_fold.overall, []
    if scores.macro_f1 < settings.min_macro_f1:
        found.append(
            f"the mean F1 of its segments is {scores.macro_f1:.3f}, below {settings.min_macro_f1:g} "
            "(prediction.segment_classifier.min_macro_f1)"
        )
    if scores.accuracy_gain < settings.min_accuracy_gain:
        found.append(
            f"it agrees for {scores.accuracy:.1%} of the customers where always naming the largest segment does for "
            f"{scores.largest_share:.1%}: of those that this misses it wins {scores.accuracy_gain:.1%}, less than "
            f"{settings.min_accuracy_gain:.1%} (prediction.segment_classifier.min_accuracy_gain)"
        )
    return tuple(found)
