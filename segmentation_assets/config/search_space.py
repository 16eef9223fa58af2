"""Ranges that settings are tuned within; each section of the settings declares its own, beside its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Numbers:
    """A setting that is a number.

    Parameters
    ----------
    lower, upper : int or float
        Both included; whole numbers where both are whole.
    is_log : bool
        Whether a step is a factor, for settings that range over orders of magnitude.
    fields : tuple of str
        Settings that take the value; the one of the range's own name where there are none.
    only_with : tuple of (str, str) or None
        Another range of the section and the value it must have for this one to have an effect.
    """

    lower: float
    upper: float
    is_log: bool = False
    fields: tuple[str, ...] = ()
    only_with: tuple[str, str] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are in the range."""
        return isinstance(self.lower, int) and isinstance(self.upper, int)


@dataclass(frozen=True)
class Options:
    """A setting that is one of a few values; parameters as those of `Numbers`.

    Parameters
    ----------
    values : tuple
        In the form that the setting takes.
    """

    values: tuple[Any, ...]
    fields: tuple[str, ...] = ()
    only_with: tuple[str, str] | None = None

    @property
    def by_label(self) -> dict[str, Any]:
        """Value by the text that stands for it.

        Example
        -------
        >>> Options(((64, 32), (64,))).by_label
        {'64-32': (64, 32), '64': (64,)}
        """
        return {_label(value): value for value in self.values}


SearchRange: TypeAlias = Numbers | Options

SearchSpace: TypeAlias = Mapping[str, SearchRange]
"""Ranges by name, those that others depend on first."""


def _label(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
