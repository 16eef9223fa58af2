"""Settings as nested mappings that lie on top of each other, each value with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

KeyPath = tuple[str | int, ...]

OriginKind = Literal["profile", "file", "environment", "command line"]


@dataclass(frozen=True)
class Origin:
    """Where a value was written.

    Parameters
    ----------
    kind : OriginKind
        Layer of the value.
    label : str
        Place for people, such as ``segmentation.yaml:4``.
    written : str
        The value as it was written; empty where that says nothing more than the value itself.
    line : int
        Line in the file; 0 where there is none.
    """

    kind: OriginKind
    label: str
    written: str = ""
    line: int = 0


@dataclass(frozen=True)
class Layer:
    """Settings from one place, or several merged.

    Parameters
    ----------
    data : dict
        Nested settings, plain JSON values.
    origins : dict of KeyPath to Origin
        Origin of every section, value and list element.
    problems : tuple of str
        What is wrong with the text itself, a sentence each.
    """

    data: dict[str, object]
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def origin(self, path: KeyPath) -> Origin | None:
        """Return the origin of a value, or of the closest section around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None


def dotted(path: KeyPath) -> str:
    """Write a path as ``section.key``; list elements count from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def leaves(data: Mapping[str, object], above: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Yield every value that is not a section, with its path; lists count as values."""
    for key, value in data.items():
        path = (*above, key)
        if isinstance(value, Mapping) and value:
            yield from leaves(value, path)
        else:
            yield path, value


def merge(lower: Layer, upper: Layer) -> Layer:
    """Lay one layer over another: sections are joined, values and lists are replaced."""
    replaced = {path for path, _ in leaves(upper.data)}
    kept = {path: origin for path, origin in lower.origins.items() if not _lies_within(path, replaced)}
    return Layer(_merge_data(lower.data, upper.data), {**kept, **upper.origins}, (*lower.problems, *upper.problems))


def without(layer: Layer, *paths: KeyPath) -> Layer:
    """Leave out sections or values."""
    data = layer.data
    for path in paths:
        data = _without_path(data, path)
    gone = set(paths)
    origins = {path: origin for path, origin in layer.origins.items() if not _lies_within(path, gone)}
    return Layer(data, origins, layer.problems)


def layer_of(path: KeyPath, value: object, origin: Origin) -> Layer:
    """Make a layer of a single value."""
    data: object = value
    for key in reversed(path):
        data = {str(key): data}
    origins = {path[:length]: origin for length in range(1, len(path) + 1)}
    return Layer(data if isinstance(data, dict) else {}, origins)


def _merge_data(lower: Mapping[str, object], upper: Mapping[str, object]) -> dict[str, object]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        both_sections = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge_data(below, value) if both_sections else value  # type: ignore[arg-type]
    return merged


def _without_path(data: dict[str, object], path: KeyPath) -> dict[str, object]:
    first, rest = str(path[0]), path[1:]
    if not rest:
        return {key: value for key, value in data.items() if key != first}
    section = data.get(first)
    return {**data, first: _without_path(section, rest)} if isinstance(section, dict) else data


def _lies_within(path: KeyPath, roots: set[KeyPath]) -> bool:
    return any(path[:length] in roots for length in range(1, len(path) + 1))
