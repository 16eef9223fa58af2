"""`segmentation models`: list, show, compare and archive stored models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.errors import plural
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.model_catalogue import ListedModel, archive_model, find_model, list_models
from segmentation_assets.storage.models import ModelStore

_SHORT_HASH, _NAME_WIDTH = 12, 34
_MEGABYTE = 1_000_000


def models(parsed: argparse.Namespace) -> int:
    """Carry out ``segmentation models list``, ``show``, ``compare`` or ``archive``."""
    store = Platform(load_from_arguments(parsed).settings).models
    print(_ACTIONS[parsed.action](store, parsed))
    return 0


def _list(store: ModelStore, parsed: argparse.Namespace) -> str:
    listed = list_models(store)
    if parsed.json:
        return json.dumps([_plain(model) for model in listed], indent=1, sort_keys=True)
    if not listed:
        return "no model is stored; 'segmentation run' fits them."
    return "\n".join(_line(model) for model in listed)


def _line(model: ListedModel) -> str:
    name = f"{model.reference.name}@{model.reference.content_hash[:_SHORT_HASH]}"
    uses = plural(len(model.used_by), "result") if model.used_by else "unused"
    month, size = model.description.get("month", ""), f"{model.size_bytes / _MEGABYTE:.2f} MB"
    return f"{name:{_NAME_WIDTH}} {month:8} {size:>10}  {uses:>11}  {', '.join(model.aliases)}".rstrip()


def _show(store: ModelStore, parsed: argparse.Namespace) -> str:
    model = find_model(store, parsed.model)
    return json.dumps({**_plain(model), "state": model.state}, indent=1, sort_keys=True, ensure_ascii=False)


def _compare(store: ModelStore, parsed: argparse.Namespace) -> str:
    """Put what differs between two models side by side."""
    first, second = (find_model(store, text) for text in (parsed.model, parsed.other))
    if parsed.json:
        return json.dumps([_plain(first), _plain(second)], indent=1, sort_keys=True)
    flat = [_flat({"description": model.description, "state": model.state}) for model in (first, second)]
    names = sorted({*flat[0], *flat[1]})
    differing = [name for name in names if flat[0].get(name) != flat[1].get(name)]
    width = max((len(name) for name in differing), default=0)
    lines = [f"{'':{width}}  {first.full_name}  {second.full_name}"]
    lines += [f"{name:{width}}  {_cell(flat[0].get(name))}  {_cell(flat[1].get(name))}" for name in differing]
    lines.append(f"{plural(len(names) - len(differing), 'entry', 'entries')} alike.")
    return "\n".join(lines)


def _archive(store: ModelStore, parsed: argparse.Namespace) -> str:
    model = find_model(store, parsed.model)
    target = archive_model(store, model)
    return f"{model.full_name} lies in {target} now; move it back to {store.folder(model.reference)} to use it again."


def _plain(model: ListedModel) -> dict[str, Any]:
    return {
        "model": model.full_name,
        "aliases": list(model.aliases),
        "size_bytes": model.size_bytes,
        "used_by": list(model.used_by),
        "description": model.description,
    }


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Entries of nested mappings by dotted name; lists stay as they are."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found


def _cell(value: Any) -> str:
    text = "-" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
    return f"{text[:31]}…" if len(text) > 32 else f"{text:32}"


_ACTIONS: dict[str, Callable[[ModelStore, argparse.Namespace], str]] = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "archive": _archive,
}
