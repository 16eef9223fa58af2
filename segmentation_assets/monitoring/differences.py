"""What differs between two nested descriptions, such as those of two models or two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Differences:
    """Entries of two descriptions.

    Parameters
    ----------
    differing : dict
        Both values by dotted name, sorted by name; ``None`` stands where an entry is missing.
    alike_count : int
        Entries that are equal.
    """

    differing: dict[str, tuple[Any, Any]]
    alike_count: int


def flatten(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Give the entries of nested mappings by dotted name; lists stay as they are.

    Examples
    --------
    >>> flatten({"clustering": {"seed": 7, "choose_by": ["silhouette"]}})
    {'clustering.seed': 7, 'clustering.choose_by': ['silhouette']}
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found


def find_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Differences:
    """Compare two nested descriptions entry by entry.

    Examples
    --------
    >>> find_differences({"seed": 7, "month": "2025-06"}, {"seed": 8, "month": "2025-06"})
    Differences(differing={'seed': (7, 8)}, alike_count=1)
    """
    flat = [flatten(first), flatten(second)]
    names = sorted({*flat[0], *flat[1]})
    pairs = {name: (flat[0].get(name), flat[1].get(name)) for name in names}
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return Differences(differing, len(names) - len(differing))
