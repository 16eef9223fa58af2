"""What is kept of a model from month to month: which one is in force, and what came of the last training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

NO_LEAK, CALIBRATION, MINIMUM_QUALITY = "no_leak", "calibration", "minimum_quality"
"""What is checked of a trained model."""

ProblemsByCheck = Mapping[str, tuple[str, ...]]
"""What speaks against a model, by what was checked; nothing where a check passed."""


def all_problems(by_check: ProblemsByCheck) -> tuple[str, ...]:
    """List what speaks against a model."""
    return tuple(problem for problems in by_check.values() for problem in problems)


@dataclass(frozen=True)
class ModelCheck:
    """What came of one check of a trained model.

    Parameters
    ----------
    name : str
        ``no_leak``, ``calibration`` or ``minimum_quality``.
    passed : bool
    sentence : str
        What was found, with what it rests on.
    """

    name: str
    passed: bool
    sentence: str


def list_checks(by_check: ProblemsByCheck, sound: Mapping[str, str]) -> tuple[ModelCheck, ...]:
    """Say of each check what speaks against the model, or, from `sound`, what was found where nothing does."""
    return tuple(
        ModelCheck(name, passed=not problems, sentence="; ".join(problems) or sound[name])
        for name, problems in by_check.items()
    )


@dataclass(frozen=True)
class Verdict:
    """What came of a training.

    Parameters
    ----------
    problems : tuple of str
        Why the model must not be used; empty where it may.
    told : str
        How good it is, in words, with what that rests on.
    figures : mapping of str to number
        The same as numbers, for plots over time.
    details : mapping of str to JSON values
        Curves, tables and choices, for reports.
    checks : sequence of ModelCheck
    """

    problems: Sequence[str]
    told: str
    figures: Mapping[str, float | int | None]
    details: Mapping[str, Any]
    checks: Sequence[ModelCheck] = ()


@dataclass(frozen=True)
class ModelRecord:
    """The model in force and the last training, as known in a month.

    Parameters
    ----------
    key : str
        Asset, such as ``models/churn``.
    in_force : str or None
        Hash of the model in force; None where there is none.
    in_force_month : str or None
        Snapshot month of its training, YYYY-MM.
    challenger : str or None
        Hash of the model of the last training, where it was not put in force.
    known_until : str or None
        Day before which the outcomes of the model in force lie, YYYY-MM-DD.
    trained_month : str or None
        Snapshot month of the last training.
    not_trained : str
        Why there was no training this month; empty where there was.
    problems, told, figures, details, checks
        As the `Verdict` on the last training.
    """

    key: str
    in_force: str | None = None
    in_force_month: str | None = None
    known_until: str | None = None
    trained_month: str | None = None
    not_trained: str = ""
    problems: tuple[str, ...] = ()
    told: str = ""
    figures: dict[str, float | int | None] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    challenger: str | None = None
    checks: tuple[ModelCheck, ...] = ()

    @property
    def noun(self) -> str:
        """Second part of the key: the name under which its models are stored."""
        return self.key.split("/", 1)[1]

    @property
    def sentence(self) -> str:
        """What to say of it, for a check."""
        in_force = f"the model of {self.in_force_month} is in force" if self.in_force else "no model is in force"
        if self.problems:
            problems = "; ".join(self.problems)
            return f"{self.key}: the model of {self.trained_month} is not used: {problems}; {in_force}."
        if self.trained_month is None:
            return f"{self.key}: {in_force}: {self.not_trained}."
        reason = f" ({self.not_trained})" if self.not_trained else ""
        return f"{self.key}: {in_force}{reason}; {self.told}."

    def left_as_it_is(self, reason: str) -> ModelRecord:
        """Say why there was no training this month."""
        return replace(self, not_trained=reason)

    def after(self, verdict: Verdict, month: str, known_until: str, new_hash: str) -> ModelRecord:
        """Say what came of a training; where there are problems, the model in force stays, and this is a challenger.

        Parameters
        ----------
        verdict : Verdict
        month : str
            Snapshot month of the training, YYYY-MM.
        known_until : str
            Day before which its outcomes lie.
        new_hash : str
            Hash of the model.
        """
        is_new = not verdict.problems
        return replace(
            self,
            in_force=new_hash if is_new else self.in_force,
            in_force_month=month if is_new else self.in_force_month,
            known_until=known_until if is_new else self.known_until,
            trained_month=month,
            not_trained="",
            problems=tuple(verdict.problems),
            told=verdict.told,
            figures=dict(verdict.figures),
            details=dict(verdict.details),
            challenger=None if is_new else new_hash,
            checks=tuple(verdict.checks),
        )

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> ModelRecord:
        """Read what `dataclasses.asdict` makes, after JSON."""
        checks = tuple(ModelCheck(**check) for check in plain.get("checks", ()))
        return cls(**{**plain, "problems": tuple(plain["problems"]), "checks": checks})
