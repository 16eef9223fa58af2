"""The one place where an algorithm may fail without stopping the month: what it raised becomes a reason in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from segmentation_assets.errors import SegmentationError

_log = logging.getLogger("segmentation_assets.clustering")

_LONGEST_MESSAGE = 200
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+\b")
_QUOTED_PATH = re.compile(r"""(['"])(?:file:)?(?:/|~/|[A-Za-z]:[\\/])[^'"]*\1""")
_BARE_PATH = re.compile(r"(?<![\w/\\.])(?:file:)?(?:(?:/|~/)[^\s/'\"]+(?:/[^\s/'\"]*)+|[A-Za-z]:[\\/][^\s'\"]+)")

Found = TypeVar("Found")


@dataclass(frozen=True)
class Attempt(Generic[Found]):
    """What an algorithm returned; ``None`` with the reason where it raised."""

    found: Found | None
    failure: str = ""


def attempt(work: Callable[[], Found], name: str) -> Attempt[Found]:
    """Let an algorithm work, and turn what it raises into a reason.

    Parameters
    ----------
    work : callable
        Builds, fits or applies the algorithm, and nothing else.
    name : str
        Of the algorithm, for the log; the traceback goes there.

    Returns
    -------
    Attempt

    Raises
    ------
    SegmentationError, OSError
        Problems of the data, the settings or the disk are not the algorithm's and pass through; so do interrupts.
    """
    try:
        return Attempt(work())
    except (SegmentationError, OSError):
        raise
    except Exception as problem:  # noqa: BLE001 - an algorithm may raise anything, and the others shall go on
        reason = describe_failure(problem)
        _log.warning("%s failed: %s", name, reason, exc_info=problem)
        return Attempt(None, reason)


def describe_failure(problem: BaseException) -> str:
    r"""Write an exception as ``Type: message``, the same in every run.

    Parameters
    ----------
    problem : BaseException

    Returns
    -------
    str
        One line; memory addresses and paths are left out, and a message is cut at 200 characters.

    Examples
    --------
    >>> describe_failure(ValueError("no room at 0x7f1c in '/tmp/a b/c.bin'\n"))
    'ValueError: no room at (address) in (path)'
    """
    kind = type(problem).__name__
    printable = "".join(character if character.isprintable() else " " for character in str(problem))
    message = " ".join(printable.split())
    for pattern, word in ((_QUOTED_PATH, "(path)"), (_BARE_PATH, "(path)"), (_ADDRESS, "(address)")):
        message = pattern.sub(word, message)
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[: _LONGEST_MESSAGE - 1]}…"
    return f"{kind}: {message}" if message else kind
