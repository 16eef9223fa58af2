"""Whether the model in force gives way this month, and to which candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.config.champion import ChampionSettings
from segmentation_assets.errors import DataError, closest_hint, plural

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from segmentation_assets.segments.drift import Drift

BEST = "best"
"""What a decision names instead of an algorithm for the one that ranks first."""


@dataclass(frozen=True)
class Promotion:
    """What is to happen to the model in force.

    Parameters
    ----------
    algorithm : str
        Candidate that takes its place, or ``rfm_map``; empty when it stays.
    reason : str
        Why, in words.
    """

    algorithm: str
    reason: str


def choose_promotion(
    in_force: pd.Series | None,
    leaderboard: pd.DataFrame,
    decisions: pd.DataFrame,
    policy: ChampionSettings,
    month: str,
    drift: Callable[[], Drift | None],
) -> Promotion:
    """Choose by decision from outside, or else by the policy; in any case only what passes the gates.

    Parameters
    ----------
    in_force : Series or None
        A row of ``gold/champion`` of the month before; ``None`` when no model is in force.
    leaderboard : DataFrame
        ``clusters/leaderboard`` of this month.
    decisions : DataFrame
        ``source/decisions``; the last of kind ``promote`` for this month counts.
    policy : ChampionSettings
    month : str
        Snapshot month, YYYY-MM or YYYY-MM-01.
    drift : callable
        Measures how far customers have moved; called only where the policy asks for it. ``None`` where the model in
        force did not note whom it was promoted on.

    Returns
    -------
    Promotion

    Raises
    ------
    DataError
        A decision names an algorithm that is no candidate.
    """
    asked = _asked_for(decisions, month)
    if in_force is None:
        return _first(leaderboard, asked, month)
    present = f"the model in force, {in_force['algorithm']} of {in_force['trained_month']}"
    if asked is not None:
        is_due, why = True, f"{asked['decided_by']} asked for it on {asked['decided_on']:%Y-%m-%d}"
    else:
        is_due, why = _is_due(in_force, policy, month, drift)
    if not is_due:
        return Promotion("", f"{_capital(present)}, stays: {why}.")
    found, evidence = find_candidate(leaderboard, BEST if asked is None else str(asked["subject"]), month)
    if not found:
        return Promotion("", f"{_capital(present)}, stays, although {why}: {evidence}")
    return Promotion(found, f"{found} takes the place of {present}: {why}. {evidence}")


def _first(leaderboard: pd.DataFrame, asked: pd.Series | None, month: str) -> Promotion:
    """Choose where no model is in force: one is needed, and the RFM map always is one."""
    found, evidence = find_candidate(leaderboard, BEST if asked is None else str(asked["subject"]), month)
    if found:
        return Promotion(found, f"No model was in force; {found} is promoted. {evidence}")
    return Promotion(BASELINE, f"No usable clustering; the RFM map is in force. {evidence}")


def _is_due(
    in_force: pd.Series, policy: ChampionSettings, month: str, drift: Callable[[], Drift | None]
) -> tuple[bool, str]:
    """Say whether the policy asks for another model, and why."""
    age = _months_since(str(in_force["trained_month"]), month)
    if policy.promotion == "every_month":
        return True, "champion.promotion is every_month"
    if policy.promotion == "every_n_months":
        old = f"it is {plural(age, 'month')} old, and champion.every_months is {policy.every_months}"
        return age >= policy.every_months, old
    if policy.promotion == "on_drift":
        found = drift()
        if found is None:
            return False, "it does not know whom it was promoted on, so drift cannot be measured"
        limit = f"{found.sentence}; champion.max_psi is {policy.max_psi:g}"
        return found.index > policy.max_psi, limit
    return False, "nothing asked for another one"


def find_candidate(leaderboard: pd.DataFrame, wanted: str, month: str) -> tuple[str, str]:
    """Return the candidate that may be promoted.

    Parameters
    ----------
    leaderboard : DataFrame
        ``clusters/leaderboard``.
    wanted : str
        Algorithm, ``best`` or ``rfm_map``.
    month : str
        Snapshot month, YYYY-MM or YYYY-MM-01.

    Returns
    -------
    tuple of str and str
        Its name, empty where none may be promoted, and what the leaderboard says of it, or why not.

    Raises
    ------
    DataError
        There is no such candidate.
    """
    if wanted == BASELINE:
        return BASELINE, "The RFM map needs to pass no gate."
    candidates = leaderboard[~leaderboard["is_baseline"].astype(bool)].sort_values("candidate")
    if wanted != BEST and wanted not in set(candidates["candidate"]):
        raise DataError(
            f"'{wanted}' cannot be promoted, as it is no candidate of {month[:7]}",
            closest_hint(wanted, (*candidates["candidate"], BEST, BASELINE)),
        )
    compared = str(leaderboard["compared_month"].iloc[0]) if len(leaderboard) else month[:7]
    if compared != month[:7]:
        return "", f"candidates are not due in {month[:7]}, the last comparison is of {compared}."
    ranked = candidates[candidates["rank"].notna()].sort_values("rank")
    if wanted != BEST:
        row = candidates[candidates["candidate"] == wanted].iloc[0]
        return (wanted if wanted in set(ranked["candidate"]) else ""), _sentence(row["reason"])
    if len(ranked):
        return str(ranked["candidate"].iloc[0]), _sentence(ranked["reason"].iloc[0])
    reasons = [f"{row['candidate']}: {_sentence(row['reason'])}" for _, row in candidates.iterrows()]
    return "", " ".join(reasons) or "There was no candidate."


def _asked_for(decisions: pd.DataFrame, month: str) -> pd.Series | None:
    """Return the last decision that asks for a promotion in a month."""
    asked = decisions[(decisions["kind"] == "promote") & (decisions["from_month"] == month[:7])]
    return None if asked.empty else asked.sort_values("decision_number").iloc[-1]


def _months_since(earlier: str, later: str) -> int:
    """Count the months from one to another, both written YYYY-MM or longer."""
    (years, months), (other_years, other_months) = (map(int, month[:7].split("-")) for month in (earlier, later))
    return 12 * (other_years - years) + other_months - months


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _sentence(reason: object) -> str:
    return f"{str(reason).removesuffix('.')}."
