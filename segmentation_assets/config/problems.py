"""Turns what validation found into sentences with place, expected, got and hint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from segmentation_assets.config.contract import Limit, kind_of_limit
from segmentation_assets.config.layers import KeyPath, Layer, Origin, dotted
from segmentation_assets.config.schema import (
    find_field,
    holds_numbers,
    holds_secret,
    section_keys,
    setting_keys,
    type_name,
    value_range,
)
from segmentation_assets.config.source import AdvisedError, WantedError
from segmentation_assets.errors import SettingsError, closest_hint

_RANGE_ERRORS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"})
_LENGTH_ERRORS = frozenset({"too_short", "too_long", "string_too_short", "string_too_long"})
_NOT_ASKED = "default_factory_not_called"
"""A default that follows from other settings is not made where one of them is wrong."""

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)? ?%?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""Text that is meant as a number, and such that could be one of thousands or of three decimals."""

_DECIMAL_COMMA = "write decimals with a point, as in 1.17."
"""What the key 17 in {rate: 1,17} calls for."""

_MOST_OFFERED = 3
_SECTION_ERRORS = frozenset({"model_type", "model_attributes_type", "dict_type"})


def describe_problems(error: ValidationError, layer: Layer, name: str) -> tuple[str, ...]:
    """Write one line per setting that is wrong.

    Parameters
    ----------
    error : ValidationError
        What validation of the merged settings found.
    layer : Layer
        The merged settings.
    name : str
        Where a setting that is missing altogether belongs, usually the settings file.

    Returns
    -------
    tuple of str
        Lines in the form ``place: sentence. Hint: advice.``
    """
    by_path: dict[KeyPath, Mapping[str, Any]] = {}
    found = (details for details in error.errors(include_url=False) if details["type"] != _NOT_ASKED)
    for details in found:
        by_path.setdefault(_path_in_data(details["loc"], layer.data, details["type"]), details)
    for path in [path for path in by_path if _is_consequence(path, by_path)]:
        del by_path[path]
    ordered = sorted(by_path, key=lambda path: _place(layer.origin(path)))
    return tuple(_line(path, by_path[path], layer, name) for path in ordered)


def settings_error(problems: Sequence[str]) -> SettingsError:
    """Make one error of one or several problem lines."""
    if len(problems) == 1:
        message, _, hint = problems[0].partition(" Hint: ")
        return SettingsError(message, hint)
    listed = "\n".join(problems)
    hint = "put these right; 'segmentation config check' looks again."
    return SettingsError(f"{len(problems)} settings cannot be used:\n{listed}", hint)


def _line(path: KeyPath, details: Mapping[str, Any], layer: Layer, name: str) -> str:
    origin = layer.origin(path)
    own = origin if origin and layer.origins.get(path) is origin else None
    sentence, hint = _sentence(path, details, own, layer.data)
    place = origin.label if origin else name
    end = "" if sentence.endswith((".", "?")) else "."
    return f"{place}: {sentence}{end}" + (f" Hint: {hint}" if hint else "")


def _is_consequence(path: KeyPath, problems: Mapping[KeyPath, Mapping[str, Any]]) -> bool:
    """Whether a list is found too short only because its elements are wrong."""
    return problems[path]["type"] == "too_short" and any(
        len(other) > len(path) and other[: len(path)] == path for other in problems
    )


def _place(origin: Origin | None) -> tuple[str, int]:
    return (origin.kind, origin.line) if origin else ("", 0)


def _path_in_data(location: tuple[str | int, ...], data: object, kind: str) -> KeyPath:
    """Drop the parts of a location that name a branch of the schema and not a key of the data."""
    path: list[str | int] = []
    value = data
    for part in location:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        elif kind != "missing" or not isinstance(value, Mapping):
            continue
        path.append(part)
    return tuple(path)


def _sentence(path: KeyPath, details: Mapping[str, Any], origin: Origin | None, data: object) -> tuple[str, str]:
    kind, key = details["type"], dotted(path)
    if kind == "extra_forbidden":
        return f"{key} is not a setting", _unknown_hint(path)
    if kind == "missing":
        return f"{key} is missing", _missing_hint(path)
    error = details["ctx"]["error"] if kind == "value_error" else None
    if error and not isinstance(error, WantedError):
        hint = error.hint if isinstance(error, AdvisedError) else _meaning(path)
        return (f"{key}: {error}" if key else str(error)), hint
    got = "a value that is not shown" if holds_secret(path) else _got(details["input"], origin)
    if kind in _SECTION_ERRORS:
        return f"{key} must be a section with keys of its own, got {got}", _section_hint(path)
    if kind in _RANGE_ERRORS or kind in _LENGTH_ERRORS:
        return f"{key} must be {_expected_range(path, details)}, got {got}", _range_hint(path, details["input"])
    if kind == "string_pattern_mismatch":
        return f"{key} is not written as expected, got {got}", _example_hint(path)
    expected = error.wanted if error else _expected_type(path, data)
    return f"{key} must be {expected}, got {got}", _type_hint(path, details, origin, expected)


def _missing_hint(path: KeyPath) -> str:
    """Say what to set; of a section, the keys it needs."""
    needed = [(*path, name) for name in section_keys(path)] or [path]
    fields = {key: find_field(key) for key in needed}
    told = [f"{dotted(key)} ({field.description})" for key, field in fields.items() if field and field.is_required()]
    return f"set {', '.join(told) or dotted(path)}."


def _unknown_hint(path: KeyPath) -> str:
    """Offer a key of the same name elsewhere, else the closest name in the same section; in a list the latter only."""
    name = str(path[-1])
    if any(isinstance(part, int) for part in path):
        return _DECIMAL_COMMA if name.isdigit() else closest_hint(name, section_keys(path[:-1]))
    split = [key.split(".") for key in setting_keys()]
    elsewhere = dict.fromkeys(".".join(parts[: parts.index(name) + 1]) for parts in split if name in parts)
    if 0 < len(elsewhere) <= _MOST_OFFERED:
        return f"did you mean {' or '.join(repr(key) for key in elsewhere)}?"
    return closest_hint(name, section_keys(path[:-1]))


def _section_hint(path: KeyPath) -> str:
    keys = section_keys(path)
    return f"keys are {', '.join(keys)}." if keys else "write one 'name: value' line per entry."


def _meaning(path: KeyPath) -> str:
    field = find_field(path)
    return f"{field.description}." if field and field.description and not section_keys(path) else ""


def _expected_range(path: KeyPath, details: Mapping[str, Any]) -> str:
    field = find_field(path)
    if details["type"] in _RANGE_ERRORS and field and value_range(field):
        return value_range(field)
    limits = details.get("ctx", {})
    if "min_length" in limits:
        return f"at least {limits['min_length']} long"
    return f"at most {limits['max_length']} long" if "max_length" in limits else "a finite number"


def _range_hint(path: KeyPath, value: object) -> str:
    """Say how a percentage is written as a share, and what the setting means."""
    field = find_field(path)
    limits = value_range(field) if field else ""
    is_share = limits.startswith(("0 ", "above 0 ")) and limits.endswith(" 1")
    if is_share and isinstance(value, int | float) and 1 < value <= 100:
        return _written_hint(path, f"{value / 100:g} for {value:g} %")
    return _meaning(path)


def _written_hint(path: KeyPath, written: str) -> str:
    """Say what to write, and what the setting means."""
    return f"write {written}: {meaning}" if (meaning := _meaning(path)) else f"write {written}."


def _example_hint(path: KeyPath) -> str:
    field = find_field(path)
    return f"write it like {field.default}: {field.description}." if field and field.default else ""


def _pattern(path: KeyPath) -> str:
    field = find_field(path)
    patterns = [getattr(item, "pattern", None) for item in field.metadata] if field else []
    return next((pattern for pattern in patterns if pattern), "")


def _expected_type(path: KeyPath, data: object) -> str:
    field = find_field(path)
    if field is None and holds_numbers(path[:-1]):
        return "a number"
    if field is None or isinstance(path[-1], int) or section_keys(path[:-1]) == ():
        return "text"
    if field.annotation == Limit | None:
        return kind_of_limit(_sibling(path, "column", data))
    name = type_name(field.annotation)
    return name if name.startswith(("'", "text", "true")) else f"a {name}"


def _sibling(path: KeyPath, name: str, data: Any) -> object:
    """Return the value that stands beside a setting of a rule."""
    for part in path[:-1]:
        data = data[part]
    return data.get(name)


def _type_hint(path: KeyPath, details: Mapping[str, Any], origin: Origin | None, expected: str) -> str:
    if holds_secret(path):
        return "put it in quotes."
    value = details["input"]
    if expected == "text" and _pattern(path):
        return _example_hint(path)
    if expected in ("text", "a folder"):
        return f"put it in quotes: '{origin.written if origin and origin.written else value}'."
    if expected.startswith("a list of sections"):
        return f"begin every section with a dash; its keys are {', '.join(section_keys((*path, 0)))}."
    if expected.startswith("a list") and not isinstance(value, list | dict):
        return f"write [{value}]."
    if expected.startswith("a number") and isinstance(value, str) and _meant_number(value):
        return _written_hint(path, _meant_number(value))
    choices = [part.strip("'") for part in expected.split(" or ") if part.startswith("'")]
    if isinstance(value, str) and choices:
        return closest_hint(value, choices)
    return _meaning(path)


def _meant_number(text: str) -> str:
    """Write a number in quotes, with a decimal comma or as a percentage as YAML takes it; empty where it is none."""
    written = text.strip()
    if not _NUMBER.fullmatch(written) or _THOUSANDS.fullmatch(written):
        return ""
    plain = written.rstrip("% ").replace(",", ".")
    return f"{float(plain) / 100:g}" if written.endswith("%") else plain.lstrip("+")


def _got(value: object, origin: Origin | None) -> str:
    """Name a value and, where it is not plain, what kind of thing it is."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "a section"
    written = origin.written if origin and origin.written else str(value)
    if value is None:
        return f"an empty value ({written})" if origin and origin.written else "an empty value"
    if isinstance(value, bool):
        meaning = str(value).lower()
        return meaning if written.lower() == meaning else f"{written}, which means {meaning}"
    return f"the number {written}" if isinstance(value, int | float) else f"'{value}'"
