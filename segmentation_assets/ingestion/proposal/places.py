"""Where the files lie: their common folder, and patterns that match those of one table and no others."""

from __future__ import annotations

import glob
import os
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from segmentation_assets.ingestion.delivery import split_ending
from segmentation_assets.ingestion.proposal.sample import Finding

_NUMBER = re.compile(r"\d+([-_.]?\d+)*")


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder that holds all files, directly or further down.

    Examples
    --------
    >>> common_folder([Path("/in/orders/a.csv"), Path("/in/b.csv")]).as_posix()
    '/in'
    """
    return Path(os.path.commonpath([path.parent for path in paths]))


def file_patterns(names: Collection[str], beside: Collection[str], others: Collection[str]) -> tuple[Finding[str], ...]:
    """Make the patterns of the files of one table.

    Parameters
    ----------
    names : collection of str
        Files of the table, as paths below the delivery folder.
    beside : collection of str
        All files there.
    others : collection of str
        Files there that belong to another table, or to none.

    Returns
    -------
    tuple of Finding of str
        One pattern for files whose names differ in numbers only; a guess where it matches files that were not named.
        Where it would match a file of another table, the names themselves. The name of an only file is a guess too, as
        it takes in no later one.

    Examples
    --------
    >>> [found.value for found in file_patterns({"orders-2024-01.csv", "orders-2024-02.csv"}, (), ())]
    ['orders-*.csv']
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        groups[_skeleton(name)].append(name)
    found: list[Finding[str]] = []
    for pattern, members in groups.items():
        if len(members) == 1 or any(_matches(other, pattern) for other in others):
            found += [Finding(glob.escape(name)) for name in members]
        else:
            found.append(_pattern(pattern, members, beside))
    if len(names) == 1:
        return (replace(found[0], doubt=_only_doubt(next(iter(names)), others)),)
    return tuple(found)


def _only_doubt(name: str, others: Collection[str]) -> str:
    """Say of an only file that no later one is read, and how later ones are where its name tells."""
    stem, ending = split_ending(name)
    wider = [pattern for pattern in (_skeleton(name), f"{glob.escape(stem)}*{ending}") if pattern != glob.escape(name)]
    free = next((pattern for pattern in wider if not any(_matches(other, pattern) for other in others)), None)
    offered = f"; where more will come, write a pattern such as '{free}'" if free else ""
    return f"no other file is read{offered}"


def _skeleton(name: str) -> str:
    """Put a star for each number in the name of a file; folders stay as they are."""
    folder, _, file = name.rpartition("/")
    parts = [glob.escape(file[start:end]) for start, end in _gaps(file)]
    return (f"{glob.escape(folder)}/" if folder else "") + "*".join(parts)


def _gaps(file: str) -> list[tuple[int, int]]:
    """Return where the text between numbers begins and ends."""
    spans = [match.span() for match in _NUMBER.finditer(file)]
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(file)]
    return list(zip(starts, ends, strict=True))


def _matches(name: str, pattern: str) -> bool:
    """Whether a pattern below the delivery folder matches a path below it."""
    path = PurePosixPath(name)
    return len(path.parts) == len(PurePosixPath(pattern).parts) and path.match(pattern)


def _pattern(pattern: str, members: Sequence[str], beside: Collection[str]) -> Finding[str]:
    more = sorted(name for name in beside if name not in members and _matches(name, pattern))
    if not more:
        return Finding(pattern)
    listed = ", ".join(more[:3]) + (", …" if len(more) > 3 else "")
    return Finding(pattern, f"it also matches {listed}, which was not named; else list the files")
