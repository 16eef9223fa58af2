"""What can be set, as data: JSON Schema, a table of all keys, and look-up of one key."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from segmentation_assets.config.layers import KeyPath
from segmentation_assets.config.settings import Settings

_TYPE_NAMES: dict[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "folder",
    SecretStr: "text",
    dict: "mapping",
    dt.date: "date written YYYY-MM-DD",
}


_LIMITS = ("ge", "gt", "le", "lt")


@dataclass(frozen=True)
class SettingRow:
    """One setting: dotted key, type, default, range or choices, and meaning; all for people to read."""

    key: str
    type: str
    default: str
    range: str
    meaning: str


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of the settings file; an editor can complete and check with it."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def describe_settings() -> tuple[SettingRow, ...]:
    """List every setting, in the order of the schema."""
    return tuple(_rows(Settings, ""))


def setting_keys() -> tuple[str, ...]:
    """Return the dotted keys of all settings, sections left out."""
    return tuple(row.key for row in describe_settings())


def section_keys(path: KeyPath) -> tuple[str, ...]:
    """Return the names that may stand in a section; none when it is no section."""
    model = _model_at(path)
    return tuple(model.model_fields) if model else ()


def find_field(path: KeyPath) -> FieldInfo | None:
    """Return the declaration of a setting, of an element that of its list; ``None`` when there is none."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    model = _model_at(path[:-1])
    return model.model_fields.get(str(path[-1])) if model and path else None


def is_required_section(path: KeyPath) -> bool:
    """Whether the path names a section that cannot be null."""
    field = find_field(path)
    return field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def is_text(path: KeyPath) -> bool:
    """Whether the setting takes text and nothing else; choices of texts and entries of a mapping of names do."""
    field = find_field(path)
    if field is None:
        above = find_field(path[:-1])
        if above is None or get_origin(above.annotation) is not dict:
            return False
        return any(_is_text_type(member) for member in _members(get_args(above.annotation)[1]))
    return all(_is_text_type(member) for member in _members(field.annotation))


def holds_numbers(path: KeyPath) -> bool:
    """Whether the setting is a mapping of names to numbers."""
    field = find_field(path)
    if field is None or get_origin(field.annotation) is not dict:
        return False
    held = get_args(field.annotation)[1]
    return held is float or (get_origin(held) is Annotated and get_args(held)[0] is float)


def holds_secret(path: KeyPath) -> bool:
    """Whether the setting is a secret, or a section with one; its value is never repeated."""
    field = find_field(path)
    return field is not None and _holds_secret(field.annotation)


def may_be_null(path: KeyPath) -> bool:
    """Whether the setting may be left without a value."""
    field = find_field(path)
    return field is not None and type(None) in get_args(field.annotation)


def type_name(annotation: object) -> str:
    """Describe a type for people, such as ``whole number or 'auto'``."""
    names = [_single_type_name(member) for member in _members(annotation)]
    return " or ".join(dict.fromkeys(names))


def value_range(field: FieldInfo) -> str:
    """Describe the range of a setting, such as ``1 to 120``; empty where every value of the type is fine."""
    limits = {name: getattr(item, name) for item in _constraints(field) for name in _LIMITS if hasattr(item, name)}
    if "gt" in limits:
        lowest = f"above {limits['gt']:,}"
        return f"{lowest} and up to {limits['le']:,}" if "le" in limits else lowest
    if {"ge", "le"} <= set(limits):
        return f"{limits['ge']:,} to {limits['le']:,}"
    if {"ge", "lt"} <= set(limits):
        return f"{limits['ge']:,} or more and below {limits['lt']:,}"
    return f"{limits['ge']:,} or more" if "ge" in limits else ""


def _rows(model: type[BaseModel], above: str) -> Iterator[SettingRow]:
    for name, field in model.model_fields.items():
        section = _section_of(field.annotation)
        if section is None:
            yield _row(above + name, field)
            continue
        if type(None) in get_args(field.annotation):
            yield SettingRow(above + name, "section", "absent", "", field.description or "")
        yield from _rows(section, f"{above}{name}.")


def _row(key: str, field: FieldInfo) -> SettingRow:
    meaning = field.description or ""
    return SettingRow(key, type_name(field.annotation), _default_text(field), value_range(field), meaning)


def _default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or field.default_factory is not None:
        return "absent"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(repr(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    annotation: object = Settings
    for part in path:
        model = _section_of(annotation)
        field = model.model_fields.get(str(part)) if model else None
        annotation = _element_of(annotation) if isinstance(part, int) else field.annotation if field else None
    return _section_of(annotation)


def _element_of(annotation: object) -> object:
    """Return the type of the elements of a list; None where it is no list."""
    lists = (member for member in _members(annotation) if get_origin(member) is tuple)
    return next((get_args(member)[0] for member in lists), None)


def _section_of(annotation: object) -> type[BaseModel] | None:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def _members(annotation: object) -> tuple[object, ...]:
    """Take a type apart at its unions; null and annotations are left out."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(member for part in get_args(annotation) for member in _members(part))
    return () if annotation is type(None) else (annotation,)


def _is_text_type(member: object) -> bool:
    choices = get_args(member) if get_origin(member) is Literal else ()
    return member in (str, Path, SecretStr) or (bool(choices) and all(isinstance(choice, str) for choice in choices))


def _holds_secret(annotation: object) -> bool:
    section = _section_of(annotation)
    if section is None:
        return SecretStr in _members(annotation)
    return any(_holds_secret(field.annotation) for field in section.model_fields.values())


def _constraints(field: FieldInfo) -> Iterator[object]:
    """Yield the constraints of a setting, those of the members of a union among them."""
    yield from field.metadata
    for member in get_args(field.annotation):
        if get_origin(member) is Annotated:
            for item in get_args(member)[1:]:
                yield from item.metadata if isinstance(item, FieldInfo) else (item,)


def _single_type_name(member: object) -> str:
    origin = get_origin(member)
    if origin is Literal:
        return " or ".join(f"'{choice}'" for choice in get_args(member))
    if origin is tuple:
        return f"list of {_single_type_name(_members(get_args(member)[0])[0])}".replace("of section", "of sections")
    if origin in (dict, Mapping):
        return "mapping of names"
    return _TYPE_NAMES.get(member, "section")
