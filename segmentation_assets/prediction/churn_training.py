"""Training of churn models: candidates, their choice on later customers, and an honest test beside plain baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.config.prediction import PredictionSettings, enabled_sections
from segmentation_assets.config.section import Section
from segmentation_assets.errors import plural
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.binary_scores import BinaryScores, calibration_curve, lift_curve, measure_binary
from segmentation_assets.prediction.churn_baselines import RECENCY, fit_baselines
from segmentation_assets.prediction.churn_model import (
    ChurnModel,
    LabelledRows,
    find_eligible,
    fit_churn_model,
    raw_scores,
)
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.prediction.feature_importance import rank_features
from segmentation_assets.prediction.group_scores import measure_groups
from segmentation_assets.prediction.leak_check import LeakReport, find_telling_columns, measure_shuffled
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets.prediction.model_record import (
    CALIBRATION,
    MINIMUM_QUALITY,
    NO_LEAK,
    ProblemsByCheck,
    all_problems,
)

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 200
"""Eligible customers that a date needs."""

FEWEST_OF_EACH = 20
"""Customers of either outcome that a date needs."""

ALGORITHM, BASELINE, IN_FORCE = "algorithm", "baseline", "in_force"
"""Roles of what is compared: trained now, a plain rule, and the model in force until now."""


@dataclass(frozen=True)
class Candidate:
    """Something that tells churn, and what it is worth.

    Parameters
    ----------
    name, role : str
    validation : BinaryScores or None
        On the customers that algorithms are chosen on; None for what is not chosen.
    test : BinaryScores
    """

    name: str
    role: str
    validation: BinaryScores | None
    test: BinaryScores


@dataclass(frozen=True)
class ChurnTraining:
    """What came of a training.

    Parameters
    ----------
    model : ChurnModel
        The recipe that was chosen, fitted on the newest outcomes that are known.
    candidates : tuple of Candidate
        Judged on the test customers; the recipe as fitted before their outcomes.
    importance : DataFrame
        feature, importance, importance_sd, is_used.
    calibration, lift, groups : DataFrame
        Curves of the recipe chosen, and its scores by country and tenure, on the test customers.
    named_precision, named_recall, named_share : float
        What its threshold is worth there.
    leak : LeakReport
    learned_rows : int
        Customers at the training dates, one at two dates counted twice.
    problems_by_check : mapping of str to tuple of str
    """

    model: ChurnModel
    candidates: tuple[Candidate, ...]
    importance: pd.DataFrame
    calibration: pd.DataFrame
    lift: pd.DataFrame
    groups: pd.DataFrame
    named_precision: float
    named_recall: float
    named_share: float
    leak: LeakReport
    learned_rows: int
    problems_by_check: ProblemsByCheck

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the model must not be used; empty where it may."""
        return all_problems(self.problems_by_check)

    def candidate(self, name: str) -> Candidate:
        """Return the candidate of a name."""
        return next(one for one in self.candidates if one.name == name)


def rows_at(snapshots: pd.DataFrame, dates: Sequence[dt.date]) -> pd.DataFrame:
    """Take the rows of some dates."""
    import pandas as pd

    return snapshots[pd.to_datetime(snapshots["cutoff_date"]).isin(pd.to_datetime(list(dates)))]


def label_rows(snapshots: pd.DataFrame, dates: Sequence[dt.date], eligible_days: int) -> LabelledRows:
    """Take the customers who may churn at some dates, and whether they did.

    Parameters
    ----------
    snapshots : DataFrame
        ``silver/training_features``.
    dates : sequence of date
    eligible_days : int
    """
    chosen = rows_at(snapshots, dates)
    chosen = chosen[find_eligible(chosen, eligible_days)]
    chosen = chosen.sort_values(["customer_id", "cutoff_date"], kind="stable", ignore_index=True)
    return LabelledRows(chosen, (chosen["outcome_order_count"] == 0).to_numpy(dtype=bool))


def reason_not_trainable(snapshots: pd.DataFrame, cutoffs: Cutoffs, eligible_days: int) -> str:
    """Say why no churn model can be trained; empty where one can."""
    for day in cutoffs.dates:
        rows = label_rows(snapshots, [day], eligible_days)
        churned = int(rows.outcome.sum())
        if len(rows.outcome) < FEWEST_ROWS or min(churned, len(rows.outcome) - churned) < FEWEST_OF_EACH:
            return (
                f"of {plural(len(rows.outcome), 'customer')} who could churn at {day}, {churned} did; a model needs "
                f"{FEWEST_ROWS} of them, {FEWEST_OF_EACH} of either kind"
            )
    return ""


def train_churn(
    snapshots: pd.DataFrame,
    columns: Sequence[FeatureColumn],
    cutoffs: Cutoffs,
    settings: PredictionSettings,
    *,
    ceiling: float,
    in_force: ChurnModel | None = None,
) -> ChurnTraining:
    """Choose a recipe for churn by validation, judge it on later customers, and fit it anew on what is known now.

    Parameters
    ----------
    snapshots : DataFrame
        ``silver/training_features``: features of customers at each date of `cutoffs`, and what followed.
    columns : sequence of FeatureColumn
        Features that models may go by.
    cutoffs : Cutoffs
    settings : PredictionSettings
    ceiling : float
        Area under the ROC curve above which a model is taken to have seen the future.
    in_force : ChurnModel, optional
        Model to compare with, if it was fitted before any outcome of the test was known.

    Returns
    -------
    ChurnTraining

    Notes
    -----
    Features are ranked, and algorithms fitted, on the training dates; the algorithm of highest average precision on the
    validation customers is chosen, and calibrated there. Nothing is decided on the test customers. The model that is
    put to use is the same recipe (algorithm, features, settings) one step later: its own outcomes are not known yet, so
    the scores of the test belong to the recipe, not to that very fit.
    """
    churn = settings.churn
    train, test = (label_rows(snapshots, days, churn.eligible_days) for days in (cutoffs.train, [cutoffs.test]))
    validation = (
        None if cutoffs.validation is None else label_rows(snapshots, [cutoffs.validation], churn.eligible_days)
    )
    offered = ModelInputs.fit(train.features, columns)
    ranked = rank_features(train.features, train.outcome, offered, seed=settings.seed)
    used = set(ranked["feature"].head(churn.max_features))
    inputs = offered.only(used)
    sections = enabled_sections(settings.churn.algorithms)
    fitted = {name: fit_churn_model(name, section, inputs, train, validation, settings) for name, section in
              sections.items()}  # fmt: skip
    judged_on = train if validation is None else validation
    compared = [
        Candidate(
            name,
            ALGORITHM,
            measure_binary(judged_on.outcome, model.calibration.apply(scores), seed=settings.seed),
            _test(model, test, settings),
        )
        for name, (model, scores) in fitted.items()
    ]
    chosen = max(compared, key=lambda one: one.validation.average_precision if one.validation else 0.0)
    rules = fit_baselines(rows_at(snapshots, cutoffs.train[:1]), judged_on, settings.horizon_days)
    for name, rule in rules.items():
        scores = (measure_binary(rows.outcome, rule(rows.features), seed=settings.seed) for rows in (judged_on, test))
        compared.append(Candidate(name, BASELINE, *scores))
    if in_force is not None:
        compared.append(Candidate("model in force", IN_FORCE, None, _test(in_force, test, settings)))
    tested = fitted[chosen.name][0]
    probability = tested.score(test.features).to_numpy()
    leak = _look_for_leaks(offered, test, chosen.test, ceiling, settings.seed)
    model = _fit_newest(chosen.name, sections[chosen.name], inputs, snapshots, cutoffs, settings)
    named = probability >= tested.threshold.value
    hits = int((named & test.outcome).sum())
    return ChurnTraining(
        model=model,
        candidates=tuple(compared),
        importance=ranked.assign(is_used=ranked["feature"].isin(used)),
        calibration=calibration_curve(test.outcome, probability),
        lift=lift_curve(test.outcome, probability),
        groups=measure_groups(test.features, test.outcome, probability),
        named_precision=hits / named.sum() if named.any() else float("nan"),
        named_recall=hits / int(test.outcome.sum()),
        named_share=float(named.mean()),
        leak=leak,
        learned_rows=len(train.outcome),
        problems_by_check={
            NO_LEAK: leak.problems,
            CALIBRATION: _calibration_problems(chosen, settings),
            MINIMUM_QUALITY: _quality_problems(chosen, compared),
        },
    )


def _test(model: ChurnModel, test: LabelledRows, settings: PredictionSettings) -> BinaryScores:
    probability = model.calibration.apply(raw_scores(model.estimator, model.inputs, test.features))
    return measure_binary(test.outcome, probability, seed=settings.seed)


def _fit_newest(
    name: str,
    section: Section,
    inputs: ModelInputs,
    snapshots: pd.DataFrame,
    cutoffs: Cutoffs,
    settings: PredictionSettings,
) -> ChurnModel:
    """Fit the recipe on the newest outcomes."""
    eligible_days = settings.churn.eligible_days
    train = label_rows(snapshots, cutoffs.to_learn_from, eligible_days)
    later = cutoffs.to_calibrate_on
    validation = None if later is None else label_rows(snapshots, [later], eligible_days)
    return fit_churn_model(name, section, inputs, train, validation, settings)[0]


def _look_for_leaks(
    inputs: ModelInputs, test: LabelledRows, scores: BinaryScores, ceiling: float, seed: int
) -> LeakReport:
    matrix = inputs.matrix(test.features)
    return LeakReport(
        ceiling=ceiling,
        auc=scores.auc,
        telling=find_telling_columns(matrix, inputs.column_features, test.outcome, ceiling),
        shuffled=measure_shuffled(matrix, test.outcome, seed=seed),
    )


def _calibration_problems(chosen: Candidate, settings: PredictionSettings) -> tuple[str, ...]:
    """Say whether foretold and found shares are too far apart."""
    error, most = chosen.test.calibration_error, settings.churn.max_calibration_error
    if error <= most:
        return ()
    return (
        f"foretold and found shares differ by {error:.3f} in the mean, more than {most:g} "
        "(prediction.churn.max_calibration_error)",
    )


def _quality_problems(chosen: Candidate, compared: Sequence[Candidate]) -> tuple[str, ...]:
    """Say whether the model is worse than a plain rule or the model in force."""
    others: Mapping[str, Candidate] = {one.name: one for one in compared if one.role != ALGORITHM}
    found = []
    recency = others[RECENCY].test
    if chosen.test.auc < recency.auc_lower:
        found.append(
            f"its AUC of {chosen.test.auc:.3f} lies below that of days since the last order alone "
            f"({recency.auc:.3f}, {recency.auc_lower:.3f} to {recency.auc_upper:.3f})"
        )
    in_force = next((one.test for one in compared if one.role == IN_FORCE), None)
    if in_force is not None and chosen.test.auc_upper < in_force.auc:
        found.append(
            f"its AUC of {chosen.test.auc:.3f} (to {chosen.test.auc_upper:.3f}) is clearly below that of the model in "
            f"force, {in_force.auc:.3f}"
        )
    return tuple(found)
