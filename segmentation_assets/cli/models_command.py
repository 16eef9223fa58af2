"""`segmentation models`: list, show, compare and archive stored models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.cli.side_by_side import side_by_side
from segmentation_assets.errors import plural
from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.differences import find_differences
from segmentation_assets.storage.manifest import SHORT_HASH
from segmentation_assets.storage.model_catalogue import ListedModel, archive_model, find_model, list_models
from segmentation_assets.storage.models import ModelStore

_NAME_WIDTH = 34
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
    name = f"{model.reference.name}@{model.reference.content_hash[:SHORT_HASH]}"
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
    found = find_differences(*({"description": model.description, "state": model.state} for model in (first, second)))
    return side_by_side(first.full_name, second.full_name, found)


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


_ACTIONS: dict[str, Callable[[ModelStore, argparse.Namespace], str]] = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "archive": _archive,
}
