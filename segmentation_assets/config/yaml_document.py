"""Reads YAML text into plain values and remembers the line and the wording of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from segmentation_assets.config.layers import KeyPath, Layer, Origin, OriginKind, dotted
from segmentation_assets.errors import SettingsError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_FLOAT = "tag:yaml.org,2002:float"
_KNOWN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))
_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BaseLoader):  # type: ignore[misc]
    """The safe loader, with numbers such as 1e-3 read as numbers."""


_Loader.add_implicit_resolver(_FLOAT, re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789"))


def read_yaml(text: str, name: str, kind: OriginKind, *, with_lines: bool = True) -> Layer:
    """Read a mapping from YAML text.

    Parameters
    ----------
    text : str
        One YAML document.
    name : str
        What the text is called in messages, usually the file.
    kind : OriginKind
        Layer that the values belong to.
    with_lines : bool
        Whether origins name the line.

    Returns
    -------
    Layer
        Values and origins; keys that stand twice in a section are told in `problems`.

    Raises
    ------
    SettingsError
        The text is no YAML, too large, not a mapping, or uses aliases or tags.
    """
    node = _compose(text, name)
    if node is None:
        return Layer({})
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(
            f"{name}:{_line(node)}: the settings must be a mapping of keys to values, got {_kind_of(node)}.",
            "write 'key: value' lines, as 'segmentation config show' does.",
        )
    reader = _Reader(name, kind, with_lines=with_lines)
    return Layer(reader.mapping(node, ()), reader.origins, tuple(reader.problems))


def read_value(text: str, name: str) -> object:
    """Read a single value written as YAML, such as the content of an environment variable."""
    node = _compose(text, name)
    return None if node is None else _Reader(name, "environment", with_lines=False).value(node, ())


class _Reader:
    """Turns YAML nodes into values, collecting origins and repeated keys."""

    def __init__(self, name: str, kind: OriginKind, *, with_lines: bool) -> None:
        self.name = name
        self.kind = kind
        self.with_lines = with_lines
        self.origins: dict[KeyPath, Origin] = {}
        self.problems: list[str] = []

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        """Read a section; of a repeated key the first counts."""
        lines: dict[str, int] = {}
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key, line = _key_text(key_node, self.name), _line(key_node)
            if key in lines:
                self.problems.append(
                    f"{self.name}:{line}: {dotted((*path, key))} stands here again, first in line {lines[key]}. "
                    "Hint: keep one of them."
                )
                continue
            lines[key] = line
            self._note((*path, key), line, value_node)
            found[key] = self.value(value_node, (*path, key))
        return found

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        """Read a section, a list or a single value."""
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            for index, element in enumerate(node.value):
                self._note((*path, index), _line(element), element)
            return [self.value(element, (*path, index)) for index, element in enumerate(node.value)]
        return _scalar(node, self.name)

    def _note(self, path: KeyPath, line: int, node: yaml.Node) -> None:
        written = node.value if isinstance(node, yaml.ScalarNode) else ""
        label = f"{self.name}:{line}" if self.with_lines else self.name
        self.origins[path] = Origin(self.kind, label, written, line)


def _compose(text: str, name: str) -> yaml.Node | None:
    """Check the text event by event, then build its nodes."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise SettingsError(
            f"{name}: the text is larger than {MAX_BYTES:,} bytes.", "settings are a page or two; is it the right file?"
        )
    try:
        for problem in _refused(text, name):
            raise problem
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, name) from error
    return node


def _refused(text: str, name: str) -> Iterator[SettingsError]:
    """Yield an error for aliases and for sections nested too deep, before anything is built of them."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        place = f"{name}:{event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent):
            yield SettingsError(f"{place}: the alias '*{event.anchor}' is not supported.", "write the value out.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield SettingsError(
                f"{place}: more than {MAX_DEPTH} sections inside each other.", "no setting lies that deep."
            )


def _syntax_error(error: yaml.YAMLError, text: str, name: str) -> SettingsError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = "" if mark is None else f":{mark.line + 1}"
    written = text.splitlines()[mark.line] if mark is not None and mark.line < len(text.splitlines()) else ""
    indent = written[: len(written) - len(written.lstrip())]
    hint = "check the indentation, the colons and the quotes there."
    if "\t" in indent:
        hint = "indent with blanks, not with tabs."
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return SettingsError(f"{name}{line}: this is not valid YAML: {problem}.", hint)


def _scalar(node: yaml.Node, name: str) -> object:
    """Read a single value; dates stay text."""
    if node.tag not in _KNOWN_TAGS:
        raise SettingsError(f"{name}:{_line(node)}: the tag '{node.tag}' is not supported.", "write the value plainly.")
    if node.tag == _TIMESTAMP:
        return str(node.value)
    try:
        return yaml.SafeLoader("").construct_object(node)
    except ValueError as error:
        raise SettingsError(
            f"{name}:{_line(node)}: the value '{node.value}' cannot be read.", "put it in quotes if it is text."
        ) from error


def _key_text(node: yaml.Node, name: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise SettingsError(f"{name}:{_line(node)}: a key must be a name, got {_kind_of(node)}.", "write 'key: value'.")
    return str(node.value)


def _line(node: yaml.Node) -> int:
    mark = node.start_mark
    return mark.line + 1 if mark else 1


def _kind_of(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "a section" if isinstance(node, yaml.MappingNode) else f"'{node.value}'"
