"""Errors a user of the platform can meet, each a sentence followed by a hint; and words that such sentences share."""

from collections.abc import Iterable
from difflib import get_close_matches


class SegmentationError(Exception):
    """A problem in data or settings that the user can put right.

    Parameters
    ----------
    message : str
        What was expected, what came and where: file, row, column and value as far as known.
    hint : str
        What to do about it; printed on a line of its own.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}\nHint: {hint}" if hint else message)

    def __reduce__(self) -> tuple[type["SegmentationError"], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class SettingsError(SegmentationError):
    """A settings file, profile or override that cannot be used.

    Parameters
    ----------
    message, hint : str
        As of every error.
    setting : tuple of str or int
        Path of the setting that is wrong, such as ``("features", "interactions", 0)``, where the message names it but
        not the place where it is set; whoever loads the settings adds the place.
    """

    def __init__(self, message: str, hint: str = "", *, setting: tuple[str | int, ...] = ()) -> None:
        self.setting = setting
        super().__init__(message, hint)


class DataError(SegmentationError):
    """Delivered or stored data that breaks a declared rule."""


class PredecessorError(DataError):
    """A month was asked for while a month it builds on is missing or out of date."""


class MonthNotDeliveredError(DataError):
    """A month was asked for that no delivered order line reaches."""


def noun(count: int, one: str, many: str = "") -> str:
    """Return the noun that fits a count; `many` is `one` with an s where it is not given.

    Example
    -------
    >>> noun(1, "row"), noun(0, "row"), noun(2, "entry", "entries")
    ('row', 'rows', 'entries')
    """
    return one if count == 1 else many or f"{one}s"


def plural(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun.

    Example
    -------
    >>> plural(1, "segment"), plural(1200, "customer")
    ('1 segment', '1,200 customers')
    """
    return f"{count:,} {noun(count, one, many)}"


def closest_hint(wanted: str, known: Iterable[str], otherwise: str = "nothing of the kind is there at all.") -> str:
    """Return a hint that offers the known name closest to `wanted`, or lists what there is; `otherwise` for nothing.

    Example
    -------
    >>> closest_hint("ordres", ["orders"]), closest_hint("ordres", [], "deliver the file again.")
    ("did you mean 'orders'?", 'deliver the file again.')
    """
    names = sorted(known)
    matches = get_close_matches(wanted, names, n=1, cutoff=0.6)
    if matches:
        return f"did you mean '{matches[0]}'?"
    return f"known names are {', '.join(names)}." if names else otherwise
