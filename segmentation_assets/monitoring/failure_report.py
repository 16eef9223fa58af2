"""The words of a failure message: one line for a subject, a text for people, facts for programs.

Sending is done in ``notifications.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_LONGEST_ERROR = 2_000
_LONGEST_HINT = 500
_LONGEST_FACT = 300
_LONGEST_SUBJECT = 150
_MOST_ASSETS = 5
_ADVICE = (
    "Nothing of what failed was stored; earlier results are in place. Put the cause right and run it again: "
    "only what is missing or out of date is computed."
)
_SLACK_SIGNS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class FailureReport:
    """What is told of a failed run; it holds no more data than the error itself.

    Parameters
    ----------
    job : str
    run_id : str
    assets : tuple of str
        Keys of the assets whose steps failed; none when the run failed outside its steps.
    month : str
        Month or months of the run, YYYY-MM; empty when it has none.
    error : str
        The error of the first failed step.
    hint : str
        What to do about it; may be empty.
    data_folder : str
        Name of the data folder.
    run_url : str
        Page of the run in the Dagster UI; empty when the address of the UI is not known.
    """

    job: str
    run_id: str
    assets: tuple[str, ...]
    month: str
    error: str
    hint: str
    data_folder: str
    run_url: str


def headline(report: FailureReport) -> str:
    """Say what failed, in one line.

    Example
    -------
    >>> headline(FailureReport("refit_job", "1", ("gold/champion",), "2025-08", "", "", "data", ""))
    'gold/champion failed for 2025-08'
    """
    shown = ", ".join(report.assets[:_MOST_ASSETS]) or f"a run ({report.job})"
    more = f" and {len(report.assets) - _MOST_ASSETS} more" if len(report.assets) > _MOST_ASSETS else ""
    return _fact(f"{shown}{more} failed" + (f" for {report.month}" if report.month else ""))


def subject(report: FailureReport) -> str:
    """Return the headline as the subject of a mail: one line, of at most 150 characters."""
    return _cut(f"[segmentation] {headline(report)} ({_fact(report.data_folder)})", _LONGEST_SUBJECT)


def message_text(report: FailureReport) -> str:
    """Write the message: what failed, why, what to do, and where to look."""
    hint = f"Hint: {_cut(_plain(report.hint), _LONGEST_HINT)}\n" if report.hint else ""
    facts = {
        "Job": report.job,
        "Run": report.run_id,
        "Page of the run": report.run_url,
        "Data folder": report.data_folder,
    }
    listed = "\n".join(f"{label}: {_fact(value)}" for label, value in facts.items() if value)
    error = _cut(_plain(report.error), _LONGEST_ERROR)
    return f"{headline(report)}\n\n{error}\n{hint}\n{_ADVICE}\n\n{listed}\n"


def slack_body(report: FailureReport) -> dict[str, Any]:
    """Make the message for Slack: a text whose signs for links and mentions are made harmless."""
    return {"text": message_text(report).translate(_SLACK_SIGNS)}


def json_body(report: FailureReport) -> dict[str, Any]:
    """Make the message for programs: the text, and every fact in a field of its own; ``None`` where there is none."""
    return {
        "event": "run_failed",
        "text": message_text(report),
        "headline": headline(report),
        "job": _fact(report.job),
        "run_id": report.run_id,
        "assets": [_fact(key) for key in report.assets],
        "month": report.month or None,
        "error": _cut(_plain(report.error), _LONGEST_ERROR),
        "hint": _cut(_plain(report.hint), _LONGEST_HINT) or None,
        "advice": _ADVICE,
        "data_folder": _fact(report.data_folder),
        "run_url": report.run_url or None,
    }


def _fact(text: str) -> str:
    """Put a text on one line, which no header or field can be smuggled in by."""
    return _cut(" ".join(_plain(text).split()), _LONGEST_FACT)


def _plain(text: str) -> str:
    """Take out signs that do not print, line ends aside."""
    lines = text.splitlines()
    return "\n".join("".join(sign if sign.isprintable() else " " for sign in line).rstrip() for line in lines)


def _cut(text: str, length: int) -> str:
    """Shorten a text that is too long."""
    return text if len(text) <= length else f"{text[: length - 2].rstrip()} …"
