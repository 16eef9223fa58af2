"""Files that vanish or get shorter from one delivery to the next, and what becomes of their rows.

Some rows no other file holds; of others an earlier version, which they had replaced, holds again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from segmentation_assets.errors import plural
from segmentation_assets.storage.engine import Connection, quote_identifier, quote_text

_KEYS = {
    "order_lines": ("order_id",),
    "customers": ("customer_id",),
    "products": ("product_id",),
    "engagement_events": ("customer_id", "event_at", "event_type"),
}
"""Columns by which rows of a delivered table are found again in another file."""

_PLACE = {"source_file", "source_row", "repairs"}
"""Columns of where and how a row was read, and not of what it says."""

_IS_OF_FILE = "source_file = file OR starts_with(source_file, file || '[')"
"""Condition that a row stands in a file, or in a sheet or table of it."""

_MOST_NAMED = 5


@dataclass(frozen=True)
class FileRecord:
    """What is remembered of a delivered file: its SHA-256, and how many rows it has."""

    sha256: str
    rows: int


@dataclass(frozen=True)
class Loss:
    """Rows of a file that were delivered once and are no longer.

    Parameters
    ----------
    sha256 : str
        Of the file as it was before.
    rows_before : int
        Rows of the file before.
    rows_now : int
        Rows of the file of that name now; 0 where there is none.
    lost_rows : int
        Stored rows of it that no file delivers any more.
    reverted_rows : int
        Stored rows of it in whose place an earlier version from another file holds again.
    """

    sha256: str
    rows_before: int
    rows_now: int
    lost_rows: int
    reverted_rows: int = 0


def record_files(hashes: Mapping[str, str], part_rows: Mapping[str, int]) -> dict[str, FileRecord]:
    """Put down the delivered files of a table.

    Parameters
    ----------
    hashes : mapping of str to str
        File → SHA-256.
    part_rows : mapping of str to int
        File, sheet or database table → its rows.

    Returns
    -------
    dict of str to FileRecord
    """
    return {
        name: FileRecord(sha256, sum(rows for part, rows in part_rows.items() if _is_part_of(part, name)))
        for name, sha256 in hashes.items()
    }


def _is_part_of(part: str, name: str) -> bool:
    return part == name or part.startswith(f"{name}[")


def changed_files(before: Mapping[str, FileRecord], now: Mapping[str, FileRecord]) -> dict[str, FileRecord]:
    """List the files of before that are gone or have other content now; one that only changed its name is neither."""
    contents = {record.sha256 for record in now.values()}
    return {name: record for name, record in before.items() if record.sha256 not in contents}


def count_lost_rows(
    connection: Connection, table_name: str, before: str, now: str, files: Mapping[str, bool]
) -> dict[str, int]:
    """Count the rows of some files that the raw table held before and holds from no file now.

    Parameters
    ----------
    connection : Connection
    table_name : str
        Delivered table, such as ``order_lines``.
    before, now : str
        SQL table expressions of the raw table.
    files : mapping of str to bool
        File → whether it is gone or has fewer rows than before.

    Returns
    -------
    dict of str to int
        File → rows; 0 where all of them are still there.

    Notes
    -----
    Order lines are looked for by their order: of an order with three lines before and two now, one is lost where the
    file is shorter. In a file that is not, an order may have been corrected, and counts as lost when it is in no file.
    """
    keys = _KEYS[table_name]
    key = ", ".join(map(quote_identifier, keys))
    filled = ", ".join(
        f"coalesce(CAST({quote_identifier(name)} AS VARCHAR), '') AS {quote_identifier(name)}" for name in keys
    )
    named = ", ".join(f"({quote_text(name)}, {is_shorter})" for name, is_shorter in files.items())
    counted = connection.execute(
        f"WITH files AS (SELECT * FROM (VALUES {named}) AS t(file, is_shorter)), "
        f"old AS (SELECT file, is_shorter, {key}, count(*) AS row_count FROM "
        f"(SELECT source_file, {filled} FROM {before}) JOIN files "
        f"ON {_IS_OF_FILE} GROUP BY ALL), "
        f"new AS (SELECT {key}, count(*) AS row_count FROM (SELECT {filled} FROM {now}) SEMI JOIN old USING ({key}) "
        "GROUP BY ALL) "
        "SELECT file, sum(CASE WHEN is_shorter OR new.row_count IS NULL THEN "
        "greatest(old.row_count - coalesce(new.row_count, 0), 0) ELSE 0 END) FROM old "
        f"LEFT JOIN new USING ({key}) GROUP BY file ORDER BY file"
    ).fetchall()
    return dict.fromkeys(files, 0) | {str(name): int(count) for name, count in counted}


def kept_files(before: Mapping[str, FileRecord], now: Mapping[str, FileRecord]) -> tuple[str, ...]:
    """List the files of now whose content was there before, under whatever name."""
    contents = {record.sha256 for record in before.values()}
    return tuple(name for name, record in now.items() if record.sha256 in contents)


def count_reverted_rows(
    connection: Connection, table_name: str, before: str, now: str, changed: Iterable[str], kept: Iterable[str]
) -> dict[str, int]:
    """Count the rows of changed files in whose place files that were there before have other ones now.

    Parameters
    ----------
    connection : Connection
    table_name : str
        Delivered table, such as ``order_lines``. Events have no versions.
    before, now : str
        SQL table expressions of the raw table; the columns that both have are compared.
    changed, kept : iterable of str
        Files that are gone or have other content, and those that are as they were.

    Returns
    -------
    dict of str to int
        File → rows, where there are any.
    """
    kept = tuple(kept)
    if not kept or table_name == "engagement_events":
        return {}
    (key,) = map(quote_identifier, _KEYS[table_name])
    known = [connection.execute(f"SELECT * FROM {rows} LIMIT 0").description for rows in (before, now)]
    common = {str(column[0]) for column in known[0]} & {str(column[0]) for column in known[1]} - _PLACE
    content = f"(sum(hash({', '.join(map(quote_identifier, sorted(common)))})), count(*)) AS content"
    again = f"(SELECT * FROM {now} SEMI JOIN old USING ({key}))"
    counted = connection.execute(
        f"WITH old AS (SELECT file, {key}, {content}, count(*) AS row_count FROM {_from_files(before, changed)} "
        f"GROUP BY ALL), new AS (SELECT {key}, {content} FROM {_from_files(again, kept)} GROUP BY ALL) "
        f"SELECT file, sum(row_count) FROM old JOIN new USING ({key}) WHERE old.content <> new.content "
        "GROUP BY file ORDER BY file"
    ).fetchall()
    return {str(name): int(count) for name, count in counted}


def _from_files(relation: str, names: Iterable[str]) -> str:
    """Make the SQL table expression of rows with the file they come from, of some files."""
    named = ", ".join(f"({quote_text(name)})" for name in names)
    return f"(SELECT * FROM {relation} JOIN (VALUES {named}) AS files(file) ON {_IS_OF_FILE})"


def losses_now(
    earlier: Mapping[str, Loss],
    changed: Mapping[str, FileRecord],
    lost_rows: Mapping[str, int],
    reverted_rows: Mapping[str, int],
    now: Mapping[str, FileRecord],
) -> dict[str, Loss]:
    """List what is lost: what was and is not back, and what is new.

    Parameters
    ----------
    earlier : mapping of str to Loss
        Losses told of before. One ends when a file has its content, or the file of its name as many rows as it had;
        that of a file which is not shorter is told once.
    changed : mapping of str to FileRecord
        Files that are gone or have other content since.
    lost_rows : mapping of str to int
        Their rows that no file delivers any more.
    reverted_rows : mapping of str to int
        Their rows in whose place an earlier version holds again.
    now : mapping of str to FileRecord
        The files that are there.

    Returns
    -------
    dict of str to Loss
        By file, sorted.
    """
    contents = {record.sha256 for record in now.values()}
    rows = {name: record.rows for name, record in now.items()}
    found = {
        name: replace(loss, rows_now=rows.get(name, 0))
        for name, loss in earlier.items()
        if loss.sha256 not in contents and rows.get(name, 0) < loss.rows_before
    }
    for name, record in changed.items():
        lost, reverted = lost_rows.get(name, 0), reverted_rows.get(name, 0)
        if lost or reverted:
            first = found.get(name) or Loss(record.sha256, record.rows, rows.get(name, 0), 0)
            found[name] = replace(first, lost_rows=first.lost_rows + lost, reverted_rows=first.reverted_rows + reverted)
    return dict(sorted(found.items()))


def not_withdrawn(losses: Mapping[str, Loss], withdrawn: Sequence[str]) -> dict[str, Loss]:
    """Leave out the losses of files that are meant to be gone or shorter, by patterns."""
    return {name: loss for name, loss in losses.items() if not any(fnmatchcase(name, pattern) for pattern in withdrawn)}


def describe_losses(losses: Mapping[str, Mapping[str, Loss]], withdrawn: Sequence[str]) -> str:
    """Say what is lost of which raw table, and what to do.

    Parameters
    ----------
    losses : mapping of str to mapping of str to Loss
        Delivered table → file → loss.
    withdrawn : sequence of str
        Patterns of files that are meant to be gone or shorter; those that fit no loss are named.

    Returns
    -------
    str
    """
    told = [(table, *item) for table, lost in losses.items() for item in not_withdrawn(lost, withdrawn).items()]
    if not told:
        return "No rows of earlier deliveries are lost or undone, but of files that source.withdrawn names, if any."
    named = "; ".join(_loss_words(*entry) for entry in told[:_MOST_NAMED])
    more = "; …" if len(told) > _MOST_NAMED else ""
    files = [name for lost in losses.values() for name in lost]
    vain = [pattern for pattern in withdrawn if not any(fnmatchcase(name, pattern) for name in files)]
    fits = f" Of source.withdrawn, {', '.join(vain)} fits no file that lost rows." if vain else ""
    return (
        f"Files lack rows that were delivered before: {named}{more}. Deliver them again, or name the file in "
        f"source.withdrawn if it is meant to be so.{fits}"
    )


def _loss_words(table: str, name: str, loss: Loss) -> str:
    now = f"{loss.rows_now:,} now" if loss.rows_now else "none now"
    ends = {"are in no file": loss.lost_rows, "have an earlier version again": loss.reverted_rows}
    told = ", ".join(f"{count:,} {end}" for end, count in ends.items() if count)
    return f"{name} ({plural(loss.rows_before, 'row')} before, {now}; of those in raw/{table}, {told})"


def as_metadata(entries: Mapping[str, FileRecord] | Mapping[str, Loss]) -> dict[str, dict[str, Any]]:
    """Write records or losses as plain values by file."""
    return {name: asdict(entry) for name, entry in entries.items()}
