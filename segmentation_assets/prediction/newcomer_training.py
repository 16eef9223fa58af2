"""Training of a model that tells newcomers' later segment, judged beside the largest segment of each band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segmentation_assets.config.prediction import NewcomerSettings, SegmentClassifierSettings
from segmentation_assets.errors import DataError, closest_hint, plural
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.model_record import CALIBRATION, MINIMUM_QUALITY, ProblemsByCheck
from segmentation_assets.prediction.newcomer_bands import (
    TENURE,
    band_names,
    blank_unknown,
    find_known_features,
    place_in_bands,
)
from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier
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
)
from segmentation_assets.prediction.segment_recipe import (
    BASELINE,
    SegmentRecipe,
    SegmentRows,
    cross_judge,
    fit_chosen,
    judge_later,
    make_recipe,
)

if TYPE_CHECKING:
    import pandas as pd

FEWEST_JUDGED = 50
"""Newcomers of the newest date that it takes to judge by."""


CALIBRATION_FOLDS = 3
"""Folds at most by which models of older dates are calibrated; nothing is chosen by them."""


@dataclass(frozen=True)
class _Newcomers:
    """Rows to learn from: where too few newcomers have a feature, it is blank."""

    rows: SegmentRows
    known: dict[str, tuple[int, ...]]
    offered: ModelInputs


def reason_no_newcomer_classifier(
    rows: pd.DataFrame, columns: Sequence[FeatureColumn], settings: SegmentClassifierSettings
) -> str:
    """Say why no model of newcomers can be trained; empty where one can.

    Parameters
    ----------
    rows : DataFrame
        As of `train_newcomer_classifier`.
    columns : sequence of FeatureColumn
    settings : SegmentClassifierSettings

    Raises
    ------
    DataError
        A column is missing.
    """
    return _reason(_find_newcomers(rows, settings), _with_tenure(columns), settings)


def train_newcomer_classifier(
    rows: pd.DataFrame,
    columns: Sequence[FeatureColumn],
    settings: SegmentClassifierSettings,
    *,
    horizon_days: int,
    seed: int,
) -> ClassifierTraining[NewcomerClassifier]:
    """Choose the algorithm that tells best which segment newcomers reach, and fit it on all of them.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_features)
        Customers at one or more dates: ``customer_id``, ``cutoff_date``, their features then, among them
        ``tenure_days``, and the ``segment_key`` of a date at least `horizon_days` later; null where they have none.
        Customers who were no newcomers then are left out.
    columns : sequence of FeatureColumn
        Features that models may go by, where enough newcomers have them.
    settings : SegmentClassifierSettings
    horizon_days : int
        Days from `cutoff_date` to the segment at least.
    seed : int

    Returns
    -------
    ClassifierTraining

    Raises
    ------
    DataError
        There are too few newcomers or segments, or no feature varies: as `reason_no_newcomer_classifier` says; or a
        column is missing.

    Notes
    -----
    One model for all bands, with ``tenure_days`` among its features. Algorithms are compared by folds in which all rows
    of a customer stay together. Out of time they learn from the dates whose segments were known at the newest date, and
    are judged on newcomers of the newest date whom they have not learned from.
    """
    learnable = _find_newcomers(rows, settings)
    offered = _with_tenure(columns)
    reason = _reason(learnable, offered, settings)
    if reason:
        raise DataError(f"no model of newcomers can be trained: {reason}", "wait for more newcomers.")
    keys, parts = learnable.segment_keys, band_names(settings.newcomers.bands)
    recipe = make_recipe(settings, keys, seed, always_used=(TENURE.name,))
    newcomers = _blank(learnable, offered, settings)
    judged = cross_judge(recipe, newcomers.offered, newcomers.rows)
    later, note = _judge_out_of_time(recipe, learnable, offered, settings, horizon_days)
    candidates = list_candidates(judge_candidates(judged.probabilities, newcomers.rows, keys, parts), later)
    chosen = choose_algorithm(candidates)
    classifier, importance = fit_chosen(
        recipe, chosen, newcomers.offered, newcomers.rows, keys, judged.calibrations[chosen]
    )
    by_name = {one.name: one for one in candidates}
    return ClassifierTraining(
        model=NewcomerClassifier(classifier, settings.newcomers.bands, newcomers.known, horizon_days),
        candidates=candidates,
        algorithm=chosen,
        importance=importance,
        groups=group_hits(judged.probabilities[chosen], newcomers.rows),
        sentence=_sentence(by_name[chosen], by_name[BASELINE], settings.newcomers.bands[-1], horizon_days),
        notes=(*learnable.notes, *([note] if note else [])),
        problems_by_check=_problems(by_name[chosen], settings.newcomers),
    )


def _with_tenure(columns: Sequence[FeatureColumn]) -> tuple[FeatureColumn, ...]:
    return (*columns, *([] if TENURE.name in {column.name for column in columns} else [TENURE]))


def _find_newcomers(rows: pd.DataFrame, settings: SegmentClassifierSettings) -> LearnableSegments:
    """Leave out who is no newcomer, and segments that too few of them reach."""
    if "cutoff_date" not in rows:
        raise DataError("the column cutoff_date is missing", closest_hint("cutoff_date", rows.columns))
    is_newcomer = place_in_bands(rows, settings.newcomers.bands) >= 0
    found = find_learnable(rows[is_newcomer], settings.folds)
    others = int((~is_newcomer).sum())
    note = f"{plural(others, 'row')} of customers who were no newcomers left out"
    return LearnableSegments(found.frame, found.segment_keys, (*([note] if others else []), *found.notes))


def _reason(learnable: LearnableSegments, columns: Sequence[FeatureColumn], settings: SegmentClassifierSettings) -> str:
    """Say why no model can be trained, also where newcomers have too few features."""
    reason = learnable.reason_not_trainable(columns)
    if reason or _blank(learnable, columns, settings).offered.features:
        return reason
    share = settings.newcomers.min_known_share
    return f"none of {plural(len(columns), 'feature')} varies and is known of {share:.0%} of the newcomers of a band"


def _blank(
    learnable: LearnableSegments, columns: Sequence[FeatureColumn], settings: SegmentClassifierSettings
) -> _Newcomers:
    """Find what newcomers have, and blank it where too few have it."""
    frame, newcomers = learnable.frame, settings.newcomers
    places = place_in_bands(frame, newcomers.bands)
    known = find_known_features(frame, places, columns, newcomers.min_known_share)
    known[TENURE.name] = tuple(range(len(newcomers.bands)))
    blanked = LearnableSegments(blank_unknown(frame, places, known), learnable.segment_keys, ())
    offered = ModelInputs.fit(blanked.frame, [column for column in columns if column.name in known])
    return _Newcomers(blanked.encode(places), known, offered)


def _judge_out_of_time(
    recipe: SegmentRecipe,
    learnable: LearnableSegments,
    columns: Sequence[FeatureColumn],
    settings: SegmentClassifierSettings,
    horizon_days: int,
) -> tuple[dict[str, SplitScores] | None, str]:
    """Judge models of older dates on other newcomers of the newest date; or say why this was not possible."""
    import pandas as pd

    frame, keys, bands = learnable.frame, learnable.segment_keys, settings.newcomers.bands
    dates = pd.to_datetime(frame["cutoff_date"])
    newest = dates.max()
    before = find_learnable(frame[dates + pd.Timedelta(days=horizon_days) <= newest], settings.folds)
    learn = LearnableSegments(before.frame, keys, ())
    now = frame[(dates == newest) & ~frame["customer_id"].isin(learn.frame["customer_id"])].reset_index(drop=True)
    reason = _reason(learn, columns, settings)
    if not reason and len(now) < FEWEST_JUDGED:
        reason = f"{plural(len(now), 'newcomer')} of the newest date were not learned from; it takes {FEWEST_JUDGED}"
    if reason:
        return None, f"not judged out of time: of dates whose segments were known at the newest one, {reason}"
    learned = _blank(learn, columns, settings)
    places = place_in_bands(now, bands)
    judged = LearnableSegments(blank_unknown(now, places, learned.known), keys, ()).encode(places)
    thrice = replace(recipe, folds=min(recipe.folds, CALIBRATION_FOLDS))
    calibrations = cross_judge(thrice, learned.offered, learned.rows).calibrations
    inputs = recipe.pick(learned.offered, learned.rows)
    told = judge_later(recipe, inputs, learned.rows, judged, calibrations=calibrations)
    return judge_candidates(told, judged, keys, band_names(bands)), ""


def _sentence(chosen: SegmentCandidate, baseline: SegmentCandidate, longest: int, horizon_days: int) -> str:
    """Say how often the model is right, and what that rests on."""
    here, plain = chosen.out_of_fold.overall, baseline.out_of_fold.overall
    later = ""
    if chosen.out_of_time is not None and baseline.out_of_time is not None:
        scores = chosen.out_of_time.overall
        later = (
            f"; of {plural(scores.customers, 'newer newcomer')} for {scores.accuracy:.1%} "
            f"({baseline.out_of_time.overall.accuracy:.1%})"
        )
    return (
        f"For customers known for at most {longest} days the model names the segment that the clustering puts them "
        f"into at least {horizon_days} days later: right for {here.accuracy:.1%} of "
        f"{plural(here.customers, 'newcomer')} held out (always the largest segment of the band: {plain.accuracy:.1%})"
        f"{later}. It says nothing about whether the segments are good."
    )


def _problems(chosen: SegmentCandidate, settings: NewcomerSettings) -> ProblemsByCheck:
    """Say what speaks against the model: on the newest newcomers, or those held out where these are too few."""
    scores = chosen.out_of_fold if chosen.out_of_time is None else chosen.out_of_time
    split = "held out" if chosen.out_of_time is None else "of the newest date"
    where = f"on {plural(scores.overall.customers, 'newcomer')} {split}"
    found = []
    if scores.log_loss_gain_lower <= 0:
        found.append(
            f"{where} it is not clearly better than the shares of segments in each band: its log loss is smaller by "
            f"{scores.log_loss_gain:.3f} ({scores.log_loss_gain_lower:.3f} to {scores.log_loss_gain_upper:.3f})"
        )
    return {
        CALIBRATION: calibration_problems(
            scores.overall, where, settings.max_calibration_error, "newcomers.max_calibration_error"
        ),
        MINIMUM_QUALITY: tuple(found),
    }
