"""What a search leaves: a patch of the settings, and a table of its trials."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segmentation_assets.config.settings import Settings
from segmentation_assets.prediction.tuning_scores import Tried, Verdict

_SHARES = ("coverage", "smallest_share")
_WIDTH = 110


@dataclass(frozen=True)
class TuningBasis:
    """What a search rests on.

    Parameters
    ----------
    model, month : str
        The month as YYYY-MM.
    score_name : str
    customers : str
        Whose rows the scores are of, in words.
    folds, trials, seed : int
    notes : tuple of str
        What else has to be known of the scores.
    """

    model: str
    month: str
    score_name: str
    customers: str
    folds: int
    trials: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        return (
            f"{self.model}, {self.month}: {self.score_name} by {self.folds} folds on {self.customers}; "
            f"{self.trials} trials, seed {self.seed}."
        )


def changed_settings(verdict: Verdict, settings: Settings) -> dict[str, Any]:
    """Settings, by dotted path, that are recommended and not in force; empty where none are.

    Parameters
    ----------
    verdict : Verdict
    settings : Settings
        In force.
    """
    if verdict.best is None or not verdict.is_better:
        return {}
    return {path: value for path, value in verdict.best.draw.changes.items() if settings.section(path) != value}


def describe_scores(verdict: Verdict, later: tuple[float, float] | None, score_name: str) -> list[str]:
    """Write the scores of the settings in force and of the best ones side by side.

    Parameters
    ----------
    verdict : Verdict
    later : tuple of float, or None
        Scores of both on the validation date, where it was looked at.
    score_name : str
    """
    lines = [f"In force: {_with_facts(verdict.current)}."]
    if verdict.best is not None and verdict.best is not verdict.current:
        lines.append(f"Best, trial {verdict.best.number}: {_with_facts(verdict.best)}.")
    if later is not None:
        lines.append(
            f"On the validation date, which the search has not seen: {score_name} {later[0]:.4f} in force, "
            f"{later[1]:.4f} tuned."
        )
    return lines


def _with_facts(one: Tried) -> str:
    told = {"coverage"} if one.is_usable else set()
    facts = ", ".join(_fact(name, value) for name, value in one.scores.facts.items() if name not in told)
    return f"{one.words} ({facts})" if facts else one.words


def _fact(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    words = name.replace("_", " ")
    if name in _SHARES:
        return f"{words} {value:.1%}"
    return f"{words} {value:.1f}" if name == "segments" else f"{words} {value:.3f}"


def patch_text(basis: TuningBasis, verdict: Verdict, changed: Mapping[str, Any], lines: Sequence[str]) -> str:
    """Write the changed settings as YAML that can be added to the settings file, below what they rest on.

    Parameters
    ----------
    basis : TuningBasis
    verdict : Verdict
    changed : mapping of str to value
        As of `changed_settings`; where it is empty, the patch is a comment alone.
    lines : sequence of str
        As of `describe_scores`.
    """
    import textwrap

    import yaml

    advice = (
        "Nothing is changed by this file: add what follows to segmentation.yaml, in the sections that are there."
        if changed
        else "Nothing has to be changed."
    )
    told = [basis.words, *basis.notes, *lines, verdict.sentence, advice]
    header = [f"# {line}" for text in told for line in textwrap.wrap(text, _WIDTH)]
    body = yaml.safe_dump(_nested(changed), sort_keys=False) if changed else ""
    return "\n".join([*header, body])


def _nested(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted paths into sections, in the order of the paths."""
    found: dict[str, Any] = {}
    for path, value in changed.items():
        *sections, name = path.split(".")
        place = found
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = list(value) if isinstance(value, tuple) else value
    return found


def trials_csv(tried: Sequence[Tried]) -> str:
    """Write a row per trial: score, standard error, why it cannot be used, what was measured, parameters, folds."""
    facts = _names([one.scores.facts for one in tried])
    parameters = _names([one.draw.parameters for one in tried])
    header = [
        "trial",
        "score",
        "standard_error",
        "not_usable",
        *facts,
        *(f"set_{name}" for name in parameters),
        "folds",
    ]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(header)
    for one in tried:
        known = [one.scores.facts.get(name, "") for name in facts]
        drawn = [one.draw.parameters.get(name, "") for name in parameters]
        score = (one.score, one.standard_error) if one.scores.values else ("", "")
        writer.writerow([one.number, *score, one.scores.reason, *known, *drawn, json.dumps(one.scores.values)])
    return target.getvalue()


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))
