"""Trials of a search, kept in a file so that a search goes on where it was stopped, however it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.failures import attempt
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError
from segmentation_assets.prediction.tuning_scores import FoldScores, Objective, Tried
from segmentation_assets.prediction.tuning_space import ALGORITHM, Draw, TuningSpace

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

_ATTRIBUTE = "tried"
_FAILED_SHORTFALL = 10.0
"""What a failure counts as among missed gates: worse than all of them."""

_VERSION = 1
"""Of what scores mean; another one begins new studies."""


def study_name(fixed: Mapping[str, Any]) -> str:
    """Name a study by everything its scores rest on.

    Parameters
    ----------
    fixed : mapping
        Hashes of data, settings, ranges, seed and folds; what JSON can hold.
    """
    text = json.dumps([_VERSION, fixed], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class TuningStudy:
    """The trials of one study; opened by `open_study`.

    Parameters
    ----------
    study : optuna.Study
    other_studies : int
        Studies in the same file that rest on other data or settings.
    """

    def __init__(self, study: Study, other_studies: int) -> None:
        self._study = study
        self.other_studies = other_studies

    def tried(self) -> list[Tried]:
        """List the finished trials, the one of the settings in force first."""
        kept = [trial for trial in self._study.get_trials(deepcopy=False) if _ATTRIBUTE in trial.user_attrs]
        finished = [trial for trial in kept if trial.state.is_finished() and trial.state.name != "FAIL"]
        return [_read(number, trial) for number, trial in enumerate(finished, start=1)]

    def search(
        self,
        space: TuningSpace,
        objective: Objective,
        settings: Settings,
        *,
        trials: int,
        seed: int,
        on_trial: Callable[[Tried], None],
    ) -> list[Tried]:
        """Try settings until there are as many finished trials as wanted.

        Parameters
        ----------
        space : TuningSpace
        objective : Objective
        settings : Settings
            Those in force; the first trial is of them.
        trials : int
            Finished trials in all, those of earlier calls included.
        seed : int
        on_trial : callable
            Told of each new trial.

        Returns
        -------
        list of Tried

        Notes
        -----
        Trials are drawn by the tree-structured Parzen estimator, anew seeded for each from the seed and the number of
        trials before it: a search that was stopped goes on to the same trials as one that was not. What misses a gate
        is ended as pruned, which the estimator ranks below everything usable, by how much is missed. Settings that were
        tried before are not computed again.

        References
        ----------
        Bergstra et al. (2011), Algorithms for hyper-parameter optimization, NeurIPS 24.
        """
        known = self.tried()
        while len(known) < trials:
            self._study.sampler = _sampler(seed, len(known))
            trial = self._study.ask()
            draw = space.draw(trial) if known else Draw()
            repeated = next((one.scores for one in known[1:] if one.draw.changes == draw.changes), None)
            scores = _judge(objective, settings, draw) if repeated is None else repeated
            self._tell(trial, draw, scores)
            known.append(Tried(len(known) + 1, draw, scores))
            on_trial(known[-1])
        return known

    def _tell(self, trial: Trial, draw: Draw, scores: FoldScores) -> None:
        from optuna.trial import TrialState

        one = Tried(0, draw, scores)
        trial.set_user_attr(_ATTRIBUTE, {"draw": vars(draw), "scores": vars(scores)})
        if one.is_usable:
            self._study.tell(trial, one.score)
            return
        trial.report(-scores.shortfall, step=0)
        self._study.tell(trial, state=TrialState.PRUNED)


@contextmanager
def open_study(path: Path, name: str) -> Iterator[TuningStudy]:
    """Open the study of a name, or begin it; only one process may have a file open.

    Parameters
    ----------
    path : Path
        SQLite file of studies: a trial is written in one transaction, so that a process that is killed leaves those
        that are finished. Its path is no part of an address, in which some characters would have a meaning.
    name : str

    Raises
    ------
    DataError
        The file cannot be read or written.
    """
    import sqlite3

    import optuna
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path.parent.mkdir(parents=True, exist_ok=True)
    own_file = {"creator": lambda: sqlite3.connect(path), "poolclass": NullPool}
    try:
        storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=own_file)
        try:
            others = set(optuna.get_all_study_names(storage)) - {name}
            study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
            _end_abandoned(study)
            yield TuningStudy(study, len(others))
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.StorageInternalError) as problem:
        reason = str(problem).partition("\n")[0]
        raise DataError(
            f"{path} cannot be read or written: {reason}",
            "check that the disk has room; if the file is damaged, move it away, and the search begins anew.",
        ) from problem


FEWEST_COMPARED = 10
"""Different scores that importance is measured on at least: fewer show chance."""


def comparable_trials(tried: Sequence[Tried]) -> list[Tried]:
    """List the usable trials that have the same parameters as the best of those drawn; none where there are too few.

    Parameters
    ----------
    tried : sequence of Tried
    """
    drawn = [one for one in tried if one.is_usable and one.draw.parameters]
    if not drawn:
        return []
    best = max(drawn, key=lambda one: one.score).draw
    alike = [
        one
        for one in drawn
        if one.draw.algorithm == best.algorithm and one.draw.parameters.keys() == best.parameters.keys()
    ]
    return alike if len({one.score for one in alike}) >= FEWEST_COMPARED else []


def measure_importance(compared: Sequence[Tried], space: TuningSpace, seed: int) -> dict[str, float]:
    """Measure how much of the differences between scores each parameter explains, the largest first.

    Parameters
    ----------
    compared : sequence of Tried
        As of `comparable_trials`.
    space : TuningSpace
    seed : int

    Returns
    -------
    dict of str to float
        Shares that sum to 1; empty without trials.

    References
    ----------
    Hutter, Hoos and Leyton-Brown (2014), An efficient approach for assessing hyperparameter importance, ICML 31.
    """
    import optuna

    if not compared:
        return {}
    copied = optuna.create_study(direction="maximize")
    copied.add_trials([_as_trial(space, one) for one in compared])
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    found = optuna.importance.get_param_importances(copied, evaluator=evaluator)
    return {name: float(share) for name, share in found.items() if name != ALGORITHM}


def _as_trial(space: TuningSpace, one: Tried) -> FrozenTrial:
    """Make a finished trial again, with the ranges that its parameters were drawn from."""
    import optuna

    fixed = optuna.trial.FixedTrial(one.draw.parameters)
    space.draw(fixed)
    return optuna.trial.create_trial(
        params=fixed.params, distributions=fixed.distributions, value=one.score, state=optuna.trial.TrialState.COMPLETE
    )


def _judge(objective: Objective, settings: Settings, draw: Draw) -> FoldScores:
    """Judge a draw; an algorithm that raises an error makes it unusable and leaves the others alone."""
    altered = settings.altered(draw.changes)
    tried = attempt(lambda: objective.score(altered, draw.algorithm), draw.algorithm or "tuning")
    if tried.found is None:
        return FoldScores((), {}, f"could not be fitted: {tried.failure}", _FAILED_SHORTFALL)
    return tried.found


def _sampler(seed: int, number: int) -> Any:
    import numpy as np
    from optuna.samplers import TPESampler

    return TPESampler(seed=int(np.random.SeedSequence((seed, number)).generate_state(1)[0]))


def _end_abandoned(study: Study) -> None:
    """End trials that a process began which is gone."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _read(number: int, trial: FrozenTrial) -> Tried:
    plain = trial.user_attrs[_ATTRIBUTE]
    changes = {
        path: tuple(value) if isinstance(value, list) else value for path, value in plain["draw"]["changes"].items()
    }
    scores = FoldScores(**{**plain["scores"], "values": tuple(plain["scores"]["values"])})
    return Tried(number, Draw(**{**plain["draw"], "changes": changes}), scores)
