"""What can be tuned, within which ranges, and what a draw from them means as settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.prediction import enabled_sections
from segmentation_assets.config.search_space import Numbers, Options, SearchRange, SearchSpace
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import SettingsError, closest_hint

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

CHURN, SEGMENT_CLASSIFIER = "churn", "segment_classifier"
"""Models that are tuned beside the clustering algorithms."""

ALGORITHM = "algorithm"
"""Parameter that says which of several algorithms a draw is of."""

_DIGITS = 4
"""Significant digits of a number that is drawn: more would say nothing, and the patch shows what was tried."""


@dataclass(frozen=True)
class Draw:
    """Settings to be tried.

    Parameters
    ----------
    parameters : dict
        What was drawn, by name of the range; empty for the settings in force.
    changes : dict
        The settings that this means, by dotted path; empty likewise.
    algorithm : str
        Which of several algorithms it is of; empty for a model of one, and for the settings in force.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    algorithm: str = ""


@dataclass(frozen=True)
class TuningSpace:
    """Where the settings of a model are searched.

    Parameters
    ----------
    path : str
        Dotted path of the section that `shared` is of.
    shared : mapping of str to range
        Searched whichever algorithm is drawn.
    branches : mapping of str to mapping
        Ranges by algorithm, of which each draw takes one; empty for a model of one algorithm.
    """

    path: str
    shared: SearchSpace
    branches: Mapping[str, SearchSpace]

    def draw(self, trial: BaseTrial) -> Draw:
        """Draw settings to be tried."""
        parameters: dict[str, Any] = {}
        changes: dict[str, Any] = {}
        algorithm = ""
        places = [("", self.path, self.shared)]
        if self.branches:
            algorithm = parameters[ALGORITHM] = str(trial.suggest_categorical(ALGORITHM, list(self.branches)))
            places.append((f"{algorithm}.", f"{self.path}.algorithms.{algorithm}", self.branches[algorithm]))
        for before, path, space in places:
            drawn = _draw_section(trial, space, before)
            parameters |= {f"{before}{name}": shown for name, (shown, _) in drawn.items()}
            for name, (_, value) in drawn.items():
                changes |= {f"{path}.{setting}": value for setting in space[name].fields or (name,)}
        return Draw(parameters, changes, algorithm)


def _draw_section(trial: BaseTrial, space: SearchSpace, before: str) -> dict[str, tuple[Any, Any]]:
    """Draw what has an effect, as it is shown and as the setting takes it."""
    drawn: dict[str, tuple[Any, Any]] = {}
    for name, within in space.items():
        if within.only_with is not None:
            other, wanted = within.only_with
            if drawn[other][0] != wanted:
                continue
        drawn[name] = _draw_one(trial, f"{before}{name}", within)
    return drawn


def _draw_one(trial: BaseTrial, name: str, within: SearchRange) -> tuple[Any, Any]:
    if isinstance(within, Options):
        label = trial.suggest_categorical(name, list(within.by_label))
        return label, within.by_label[str(label)]
    value = _draw_number(trial, name, within)
    return value, value


def _draw_number(trial: BaseTrial, name: str, within: Numbers) -> float:
    if within.is_whole:
        return trial.suggest_int(name, int(within.lower), int(within.upper), log=within.is_log)
    drawn = trial.suggest_float(name, within.lower, within.upper, log=within.is_log)
    return min(within.upper, max(within.lower, float(f"{drawn:.{_DIGITS}g}")))


def tunable_models() -> tuple[str, ...]:
    """Names of everything that can be tuned."""
    return (CHURN, SEGMENT_CLASSIFIER, *ALGORITHMS)


def find_space(model: str, settings: Settings) -> TuningSpace:
    """Return the ranges that the settings sections of a model declare.

    Parameters
    ----------
    model : str
        ``churn``, ``segment_classifier`` or a clustering algorithm.
    settings : Settings
        Of the two models, algorithms that are switched off are not searched.

    Raises
    ------
    SettingsError
        There is no such model, or it has nothing to search.

    Examples
    --------
    >>> from segmentation_assets.config.loading import load_profile
    >>> space = find_space("kmeans", load_profile())
    >>> space.path, list(space.shared)
    ('clustering.algorithms.kmeans', ['k', 'n_init'])
    """
    if model not in tunable_models():
        raise SettingsError(f"there is no model '{model}' to tune", closest_hint(model, tunable_models()))
    if model in ALGORITHMS:
        path = ALGORITHMS[model].settings_path
        space = TuningSpace(path, getattr(settings.clustering.algorithms, model).search_space, {})
    else:
        own = getattr(settings.prediction, model)
        branches = {name: section.search_space for name, section in enabled_sections(own.algorithms).items()}
        space = TuningSpace(f"prediction.{model}", own.search_space, branches)
    if not space.shared and not space.branches:
        raise SettingsError(f"{space.path} has nothing to search", "declare a search_space in its section.")
    return space
