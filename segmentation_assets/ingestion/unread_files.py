"""Files in the delivery folder that look like tables and are not read: no pattern matches them, or nothing can.

Names alone decide; no file is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import noun, plural
from segmentation_assets.ingestion.decisions import DECISIONS_FILE
from segmentation_assets.ingestion.delivery import (
    CSV_EXTENSIONS,
    kind_of,
    mapped_files,
    mapped_patterns,
    matching_files,
)
from segmentation_assets.ingestion.mapping import delivery_folder

_ADVICE = {
    "save {} as .xlsx": (".xls", ".xlsb", ".ods", ".numbers"),
    "unpack {}": (".zip", ".7z", ".rar", ".tar", ".tar.gz", ".tgz", ".bz2", ".xz"),
    "export {} as CSV or Parquet": (
        ".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".xml", ".feather", ".arrow", ".avro",
        ".orc", ".dbf", ".mdb", ".accdb", ".sav", ".sas7bdat",
    ),
}  # fmt: skip
"""What to do with files of kinds that cannot be read → the ends of their names, in lower case."""

PROSE = tuple(ending for ending in CSV_EXTENSIONS if ending.startswith(".txt"))
"""Ends of names that are more often notes than tables."""

_KEPT_BY_WINDOWS = "thumbs.db"
_MOST_NAMED = 5


@dataclass(frozen=True)
class UnreadFiles:
    """Files that look like tables and are not read, as paths below the delivery folder, sorted.

    Parameters
    ----------
    unmatched : tuple of str
        Files that could be read and that no pattern of the settings matches.
    unreadable : tuple of str
        Files of a kind that cannot be read.
    """

    unmatched: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of these files."""
        return len(self.unmatched) + len(self.unreadable)


def find_unread_files(settings: Settings) -> UnreadFiles:
    """Find the files that look like tables and are not read, in the delivery folder and where the patterns look.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    UnreadFiles
        Without those that the settings name elsewhere, those that the platform makes, and those of
        ``source.withdrawn``. Texts named ``.txt`` are among them where a pattern asks for such files. None where the
        source is no folder of files.
    """
    folder = delivery_folder(settings)
    if settings.source.kind != "files" or not folder.is_dir():
        return UnreadFiles()
    patterns = mapped_patterns(settings.source)
    notes = () if any(pattern.lower().endswith(PROSE) for pattern in patterns) else PROSE
    places = {"*", *(f"{pattern.rpartition('/')[0]}/*" for pattern in patterns if "/" in pattern)}
    known = mapped_files(folder, settings.source, settings.data_dir) | _known_otherwise(settings, folder)
    found = sorted(
        name
        for name in {name for place in places for name in matching_files(folder, place, settings.data_dir)} - known
        if not name.lower().endswith((*notes, _KEPT_BY_WINDOWS))
        and not any(fnmatchcase(name, pattern) for pattern in settings.source.withdrawn)
    )
    return UnreadFiles(
        tuple(name for name in found if kind_of(name)), tuple(name for name in found if advice_for(name))
    )


def _known_otherwise(settings: Settings, folder: Path) -> set[str]:
    """Files below the delivery folder that are read by another setting, or made by the platform."""
    paths = [settings.data_dir / DECISIONS_FILE, settings.data_dir / "segmentation.duckdb"]
    paths += [path for path in (settings.population.crosswalk, settings.money.exchange.file) if path is not None]
    base = folder.resolve()
    resolved = (path.resolve() for path in paths)
    return {path.relative_to(base).as_posix() for path in resolved if path.is_relative_to(base)}


def advice_for(file_name: str) -> str:
    """Say what to do with files of a kind that cannot be read; empty where it can, or is no table.

    Examples
    --------
    >>> advice_for("Orders 2023.XLS"), advice_for("orders.csv.gz"), advice_for("logo.png")
    ('save .xls as .xlsx', '', '')
    """
    lower = file_name.lower()
    fitting = ((advice, ending) for advice, endings in _ADVICE.items() for ending in endings if lower.endswith(ending))
    return next((advice.format(ending) for advice, ending in fitting), "")


def describe_unread_files(found: UnreadFiles) -> dict[str, str]:
    """Say which files are not read, and what to do.

    Parameters
    ----------
    found : UnreadFiles

    Returns
    -------
    dict of str to str
        A label and a sentence with its hint for each of the two groups that has files.
    """
    return dict(_sentences(found))


def _sentences(found: UnreadFiles) -> Iterator[tuple[str, str]]:
    if found.unmatched:
        count = len(found.unmatched)
        them, their = noun(count, "it", "them"), noun(count, "its", "their")
        yield (
            "not read",
            f"{plural(count, 'file')} that no pattern of the settings matches: {_listed(found.unmatched)}. "
            f"Hint: name {them} in source.<table>.files of {their} table, or move {them} to another folder.",
        )
    if found.unreadable:
        kinds = noun(len(found.unreadable), "a kind", "kinds")
        advice = "; ".join(dict.fromkeys(map(advice_for, found.unreadable)))
        yield (
            "unreadable",
            f"{plural(len(found.unreadable), 'file')} of {kinds} that cannot be read: {_listed(found.unreadable)}. "
            f"Hint: {advice}.",
        )


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
