"""The crosswalk: which customer a delivered id stands for, where sources write them otherwise or share one id."""

from __future__ import annotations

from pathlib import Path

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.settings_csv import read_header, read_rows
from segmentation_assets.storage.engine import Connection, EngineError, fetch_row, quote_identifier, quote_text

_NEEDED = ("delivered_id", "customer_id")
_OPTIONAL = ("source", "valid_from", "valid_to")
_DATES = ("valid_from", "valid_to")
_ENTRIES, _WRITTEN = "crosswalk_entries", "crosswalk_as_written"
_WHOLE_NUMBER = r"'^(-?[0-9]+)\.0+$'"
_FILE_OF_PART = r"regexp_replace(line.source_file, '\[[^\]]*\]$', '')"

_HOLD_AT_ONCE = (
    "coalesce(one.valid_from, DATE '0001-01-01') <= coalesce(other.valid_to, DATE '9999-12-31') "
    "AND coalesce(other.valid_from, DATE '0001-01-01') <= coalesce(one.valid_to, DATE '9999-12-31')"
)


def read_crosswalk(connection: Connection, path: Path, files: str) -> str:
    """Read a crosswalk file and check that every delivered id stands for one customer at a time.

    Parameters
    ----------
    connection : Connection
    path : Path
        CSV in UTF-8 with the columns delivered_id and customer_id, and where wanted source, valid_from, valid_to.
    files : str
        SQL table expression with the ``file_name`` of every delivered file.

    Returns
    -------
    str
        SQL table expression with the columns of ``source/crosswalk``.

    Raises
    ------
    DataError
        The file is missing or cannot be read, a column is missing or unknown, an id is empty, a date is none, or
        entries contradict each other: overlapping, in a chain or in a circle.
    """
    if not path.is_file():
        raise DataError(f"the crosswalk {path} does not exist", "put it there, or correct population.crosswalk.")
    columns = _load(connection, path)
    for column in (name for name in _DATES if name in columns):
        text = quote_identifier(column)
        _refuse(connection, path, column, "is no date", "write YYYY-MM-DD.",
                f"SELECT entry_number, {text} FROM {_WRITTEN} WHERE {text} IS NOT NULL "
                f"AND try_strptime({text}, '%Y-%m-%d') IS NULL")  # fmt: skip
    typed = ", ".join(_typed(name, columns) for name in (*_NEEDED, *_OPTIONAL))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_ENTRIES} AS SELECT entry_number, {typed} FROM {_WRITTEN}")
    for column, problem, hint, sql in _contradictions(files):
        _refuse(connection, path, column, problem, hint, sql)
    return _ENTRIES


def resolved_sql(relation: str, crosswalk: str, day: str) -> str:
    """Make the SQL table expression of rows under the customer that each delivered id stands for.

    Parameters
    ----------
    relation : str
        SQL table expression with customer_id and source_file.
    crosswalk : str
        SQL table expression with the columns of ``source/crosswalk``.
    day : str
        SQL of the day of a row, over ``line``; the entries that hold on it count.

    Returns
    -------
    str
        The columns of `relation`, customer_id replaced, and delivered_customer_id as it was. An entry for the row's
        file counts before one for all files; an entry is applied once. Guests stay guests.
    """
    joined = " ".join(
        f"LEFT JOIN (SELECT * FROM {crosswalk} WHERE source IS {known} NULL) AS {name} "
        f"ON {name}.delivered_id = line.customer_id AND ({name}.valid_from IS NULL OR {name}.valid_from <= {day}) "
        f"AND ({name}.valid_to IS NULL OR {name}.valid_to >= {day}){condition}"
        for name, known, condition in (
            ("everywhere", "", ""), ("here", "NOT", f" AND {_FILE_OF_PART} GLOB here.source"),
        )
    )  # fmt: skip
    return (
        "(SELECT line.* REPLACE (coalesce(here.customer_id, everywhere.customer_id, line.customer_id) AS customer_id), "
        f"line.customer_id AS delivered_customer_id FROM {relation} AS line {joined})"
    )


def resolved_profiles_sql(customers: str, crosswalk: str, day: str) -> str:
    """Make the SQL table expression of one profile per customer, with the columns of ``raw/customers``.

    Of several delivered profiles of one customer the one under the customer's own id counts, whole; without one, the
    first by file and row. Ids are those that hold on `day`, an SQL date.
    """
    rows = resolved_sql(customers, crosswalk, day)
    return (
        f"(SELECT * EXCLUDE (delivered_customer_id) FROM {rows} QUALIFY row_number() OVER (PARTITION BY customer_id "
        "ORDER BY delivered_customer_id <> customer_id, source_file, source_row) = 1)"
    )


def entries_of_sql(crosswalk: str, lines: str, instant: str) -> str:
    """Make the SQL table expression of the entries that concern some rows, for the days of these rows alone.

    It tells whether another crosswalk means the same for them: days outside of theirs and numbers of rows are left out.
    """
    return (
        "(SELECT delivered_id, customer_id, source, greatest(valid_from, first_day) AS valid_from, "
        f"least(valid_to, last_day) AS valid_to FROM {_with_days(crosswalk, lines, instant)} "
        f"WHERE {_has_row(lines, instant)})"
    )


def unused_entries_sql(crosswalk: str, lines: str) -> str:
    """Make the SQL table expression of the entries that hold on a day of the order lines and concern none of them."""
    return (
        f"(SELECT delivered_id FROM {_with_days(crosswalk, lines, 'order_at')} "
        "WHERE coalesce(valid_from <= last_day, true) AND coalesce(valid_to >= first_day, true) "
        f"AND NOT {_has_row(lines, 'order_at')})"
    )


def _with_days(crosswalk: str, rows: str, instant: str) -> str:
    """Entries beside the first and the last day of some rows."""
    day = f"CAST({instant} AS DATE)"
    return f"{crosswalk} AS entry, (SELECT min({day}) AS first_day, max({day}) AS last_day FROM {rows})"


def _has_row(rows: str, instant: str) -> str:
    """Condition that an entry concerns one of some rows."""
    day = f"CAST(line.{instant} AS DATE)"
    return (
        f"EXISTS (SELECT 1 FROM {rows} AS line WHERE line.customer_id = entry.delivered_id "
        f"AND (entry.valid_from IS NULL OR {day} >= entry.valid_from) "
        f"AND (entry.valid_to IS NULL OR {day} <= entry.valid_to) "
        f"AND (entry.source IS NULL OR {_FILE_OF_PART} GLOB entry.source))"
    )


def count_reassigned(connection: Connection, lines: str, crosswalk: str) -> dict[str, int]:
    """Count order lines that count for another customer than they were delivered with, and entries without a line."""
    rows = resolved_sql(lines, crosswalk, "CAST(line.order_at AS DATE)")
    moved, ids, customers = fetch_row(
        connection,
        f"SELECT count(*), count(DISTINCT delivered_customer_id), count(DISTINCT customer_id) FROM {rows} "
        "WHERE delivered_customer_id IS DISTINCT FROM customer_id",
    )
    (entries,) = fetch_row(connection, f"SELECT count(*) FROM {crosswalk}")
    (used,) = fetch_row(connection, f"SELECT count(*) FROM {entries_of_sql(crosswalk, lines, 'order_at')}")
    return {
        "crosswalk_entries": entries,
        "crosswalk_entries_without_lines": entries - used,
        "reassigned_lines": moved,
        "reassigned_ids": ids,
        "customers_they_count_for": customers,
    }


def _load(connection: Connection, path: Path) -> tuple[str, ...]:
    """Read the texts of the file into a table, with the number of each row; return its columns."""
    columns = read_header(path)
    unknown = sorted(set(columns) - {*_NEEDED, *_OPTIONAL})
    missing = sorted(set(_NEEDED) - set(columns))
    if missing or unknown:
        raise DataError(
            f"{path.name} has the columns {', '.join(columns) or 'none'}",
            f"its first line has to be {','.join(_NEEDED)} and where wanted {','.join(_OPTIONAL)}.",
        )
    types = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in columns)
    cleaned = ", ".join(f"nullif(trim({quote_identifier(name)}), '') AS {quote_identifier(name)}" for name in columns)
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_WRITTEN} AS SELECT row_number() OVER () AS entry_number, {cleaned} "
            f"FROM read_csv({quote_text(str(path))}, auto_detect = false, header = true, delim = ',', quote = '\"', "
            f"escape = '\"', columns = {{{types}}})"
        )
    except EngineError as problem:
        read_rows(path)
        words = str(problem).splitlines()[0]
        raise DataError(f"{path.name} cannot be read: {words}", "save it as CSV in UTF-8 with commas.") from problem
    return columns


def _typed(name: str, columns: tuple[str, ...]) -> str:
    column = quote_identifier(name)
    if name not in columns:
        return f"CAST(NULL AS {'DATE' if name in _DATES else 'VARCHAR'}) AS {column}"
    if name in _DATES:
        return f"CAST(try_strptime({column}, '%Y-%m-%d') AS DATE) AS {column}"
    if name in _NEEDED:
        return f"regexp_replace({column}, {_WHOLE_NUMBER}, '\\1') AS {column}"
    return column


def _refuse(connection: Connection, path: Path, column: str, problem: str, hint: str, sql: str) -> None:
    """Stop where a query of row number and value has a row; name the first."""
    found = connection.execute(f"SELECT *, count(*) OVER () FROM ({sql}) ORDER BY 1 LIMIT 1").fetchone()
    if found is None:
        return
    row, value, *details, count = found
    words = problem.format(*details)
    shown = f"'{value}'" if value is not None else "no value"
    more = f"; {count} entries have this fault" if count > 1 else ""
    raise DataError(f"{path.name}, row {row}, column '{column}': {shown} {words}{more}", hint)


def _contradictions(files: str) -> list[tuple[str, str, str, str]]:
    """List column, problem, hint and query of the entries that cannot hold."""
    pairs = f"FROM {_ENTRIES} AS one JOIN {_ENTRIES} AS other ON"
    shared = (
        f"SELECT 1 FROM (SELECT file_name FROM {files}) WHERE file_name GLOB one.source AND file_name GLOB other.source"
    )
    empty = [
        (name, "stands where an id is needed", "fill it in, or remove the row.",
         f"SELECT entry_number, {name} FROM {_ENTRIES} WHERE {name} IS NULL")
        for name in _NEEDED
    ]  # fmt: skip
    return [
        *empty,
        ("valid_to", "lies before valid_from {0}", "the last day has to be the first one or later.",
         f"SELECT entry_number, valid_to, valid_from FROM {_ENTRIES} WHERE valid_to < valid_from"),
        ("delivered_id", "stands in row {0} too, for days that overlap",
         "keep one entry, or give each its days by valid_from and valid_to.",
         f"SELECT one.entry_number, one.delivered_id, min(other.entry_number) {pairs} one.delivered_id = "
         "other.delivered_id AND one.entry_number > other.entry_number "
         f"AND one.source IS NOT DISTINCT FROM other.source AND {_HOLD_AT_ONCE} GROUP BY ALL"),
        ("delivered_id", "stands in row {0} too, and '{1}' matches both sources",
         "narrow source so that a file belongs to one entry.",
         f"SELECT one.entry_number, one.delivered_id, min(other.entry_number), min(file_name) {pairs} "
         "one.delivered_id = other.delivered_id AND one.entry_number > other.entry_number "
         f"AND one.source <> other.source AND {_HOLD_AT_ONCE} "
            f"JOIN (SELECT file_name FROM {files}) AS file ON file_name GLOB one.source AND "
         "file_name GLOB other.source GROUP BY ALL"),
        ("customer_id", "is itself replaced by '{1}' in row {0}",
         "an entry is applied once: write the customer that the id stands for in the end, and none in a circle.",
         f"SELECT one.entry_number, one.customer_id, other.entry_number, other.customer_id {pairs} one.customer_id = "
         "other.delivered_id AND one.delivered_id <> one.customer_id AND other.delivered_id <> other.customer_id "
         f"AND (one.source IS NULL OR other.source IS NULL OR one.source = other.source OR EXISTS ({shared})) "
         f"AND {_HOLD_AT_ONCE} "
         "QUALIFY row_number() OVER (PARTITION BY one.entry_number ORDER BY other.entry_number) = 1"),
    ]  # fmt: skip
