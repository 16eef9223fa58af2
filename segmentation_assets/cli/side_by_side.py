"""Prints in what two things differ, side by side."""

from __future__ import annotations

import json
from typing import Any

from segmentation_assets.errors import plural
from segmentation_assets.monitoring.differences import Differences

_WIDTH = 32


def side_by_side(first: str, second: str, found: Differences) -> str:
    """Write a line per entry that differs, below the names of the two, and how many are alike."""
    width = max((len(name) for name in found.differing), default=0)
    lines = [f"{'':{width}}  {first}  {second}"]
    lines += [f"{name:{width}}  {_cell(one)}  {_cell(other)}" for name, (one, other) in found.differing.items()]
    return "\n".join([*lines, f"{plural(found.alike_count, 'entry', 'entries')} alike."])


def _cell(value: Any) -> str:
    text = "-" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
    return f"{text[: _WIDTH - 1]}…" if len(text) > _WIDTH else f"{text:{_WIDTH}}"
