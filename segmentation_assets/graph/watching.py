"""When to act on something that was noticed: after it has stayed the same for a while, and not for ever.

Pure rules for the sensors; what is noticed, and what acting means, is theirs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Verdict(StrEnum):
    """What a look at the world leads to."""

    NOTHING = "nothing to do"
    WAIT = "waiting"
    ACT = "acting"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class Watch:
    """What was noticed, since when, and how often it was acted on.

    Parameters
    ----------
    cause : str
        Names what was noticed, so that another cause starts anew; empty for nothing.
    since : float
        Seconds since the epoch at which the cause, or the last try, was first seen.
    attempts : int
        Tries for this cause so far.
    """

    cause: str = ""
    since: float = 0.0
    attempts: int = 0

    def to_json(self) -> str:
        """Write the watch as a sensor's cursor."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | None) -> Watch:
        """Read a sensor's cursor; one that cannot be read starts anew."""
        try:
            return cls(**json.loads(text or "{}"))
        except (TypeError, ValueError):
            return cls()


def look(
    watch: Watch, cause: str, now: float, *, quiet_seconds: float, max_attempts: int, is_busy: bool
) -> tuple[Verdict, Watch]:
    """Decide what a look leads to.

    Parameters
    ----------
    watch : Watch
        As the last look left it.
    cause : str
        What is to be done now, named so that it changes with anything that could change the outcome; empty for
        nothing.
    now : float
        Seconds since the epoch.
    quiet_seconds : float
        How long a cause has to stay the same. After each try it is twice as long.
    max_attempts : int
        Tries for the same cause.
    is_busy : bool
        Whether work is under way that may do it; the wait then starts anew.

    Returns
    -------
    tuple of (Verdict, Watch)
        With ``ACT``, the watch already counts the try.

    Examples
    --------
    >>> verdict, watch = look(Watch(), "a", 100.0, quiet_seconds=60, max_attempts=1, is_busy=False)
    >>> str(verdict)
    'waiting'
    >>> verdict, watch = look(watch, "a", 160.0, quiet_seconds=60, max_attempts=1, is_busy=False)
    >>> str(verdict), watch.attempts
    ('acting', 1)
    """
    if not cause:
        return Verdict.NOTHING, Watch()
    if cause != watch.cause:
        watch = Watch(cause, now)
    if is_busy:
        return Verdict.WAIT, replace(watch, since=now)
    if watch.attempts >= max_attempts:
        return Verdict.GIVEN_UP, watch
    if now - watch.since < quiet_seconds * 2**watch.attempts:
        return Verdict.WAIT, watch
    return Verdict.ACT, replace(watch, since=now, attempts=watch.attempts + 1)
