"""Rows of features from a file: typed, checked, and stored as Parquet for scoring."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.errors import DataError, closest_hint, noun, plural
from segmentation_assets.ingestion.parts import ReadablePart, Reader
from segmentation_assets.ingestion.reading import open_file
from segmentation_assets.serving.input_file import InputFile
from segmentation_assets.storage.engine import (
    Connection,
    copy_to_parquet,
    fetch_row,
    parquet_scan,
    quote_identifier,
    quote_text,
)
from segmentation_assets.tables.declaration import Column, Table

SPEND = "btyd_monetary_value"
"""Mean money of a repeat order day, as models of spend take it; features have it rounded to the cent."""

_ROUNDED_SPEND = "repeat_spend_amount_mean"
_NO_VALUE = "('', 'nan', 'null', 'none', 'nat')"
_KINDS = {"BIGINT": "a whole number", "DATE": "a date such as 2026-05-31"}
_UNITS = {"share": "shares are written from 0 to 1, not in percent", "rate": "rates are written from 0 to 1"}


def read_feature_rows(
    connection: Connection, file: InputFile, table: Table, needed: Collection[str], scratch: Path
) -> Path:
    """Read a file with a row of features per customer.

    Parameters
    ----------
    connection : Connection
    file : InputFile
    table : Table
        Declaration of the features.
    needed : collection of str
        Features that must be there.
    scratch : Path
        Folder for the result and for what it is made from.

    Returns
    -------
    Path
        Parquet, sorted by customer_id: the columns of the file, typed, and `SPEND` where the file has it.

    Raises
    ------
    DataError
        A column is unknown or missing, a value is of another kind or outside of what the feature can be, or a customer
        has no id or stands in several rows.
    """
    columns = _known_columns(file, table, needed)
    mapping = DeliveredTable(
        files=(file.path.name,),
        columns={column.name: column.name for column in columns},
        encoding=file.encoding,
        separator=file.separator,
        sheets=file.sheets,
    )
    declared = Table(key=table.key, row=table.row, columns=columns, primary_key=table.primary_key)
    texts = scratch / "texts"
    texts.mkdir()
    parts = open_file(Reader(connection, declared, mapping, file.path.parent, texts), file.path.name, 0)
    typed = scratch / "typed.parquet"
    copy_to_parquet(connection, " UNION ALL ".join(_typed_sql(columns, part) for part in parts), typed)
    _refuse_faults(connection, typed, columns)
    _refuse_repeats(connection, typed, file)
    _refuse_impossible_histories(connection, typed, {column.name for column in columns})
    result = scratch / "rows.parquet"
    names = ", ".join(quote_identifier(column.name) for column in columns)
    has_spend = any(column.name == _ROUNDED_SPEND for column in columns)
    spend = f", CAST({_ROUNDED_SPEND} AS DOUBLE) AS {SPEND}" if has_spend else ""
    copy_to_parquet(connection, f"SELECT {names}{spend} FROM {parquet_scan([typed])} ORDER BY customer_id", result)
    return result


def _known_columns(file: InputFile, table: Table, needed: Collection[str]) -> tuple[Column, ...]:
    """Declarations of the columns of the file, in declared order."""
    unknown = [name for name in file.columns if name not in table.column_names]
    if unknown:
        raise DataError(
            f"{file.path.name} has the {noun(len(unknown), 'column')} {', '.join(unknown)}, which is no feature",
            closest_hint(
                unknown[0], get_close_matches(unknown[0], table.column_names), "leave out what is no feature."
            ),
        )
    missing = sorted({"customer_id", *needed} - {*file.columns})
    if missing:
        raise DataError(
            f"{file.path.name} lacks the {noun(len(missing), 'column')} {', '.join(missing)}, "
            "which the model in force goes by",
            closest_hint(
                missing[0], get_close_matches(missing[0], file.columns), "'segmentation dictionary' says what each is."
            ),
        )
    return tuple(column for column in table.columns if column.name in file.columns)


def _typed_sql(columns: Sequence[Column], part: ReadablePart) -> str:
    """Make the SQL of a part with typed columns, and of the first column of a row with a value that is none.

    Each step reads the columns of the one before, as expressions would multiply otherwise.
    """
    place = "source_file, source_row, malformed"
    types = dict(zip((column.name for column in columns), part.types, strict=True))
    cleaned = ", ".join(f"{_cleaned(column.name, types[column.name])} AS {_given(column)}" for column in columns)
    given = ", ".join(_given(column) for column in columns)
    typed = ", ".join(f"{_typed(column)} AS {quote_identifier(column.name)}" for column in columns)
    names = ", ".join(quote_identifier(column.name) for column in columns)
    faults = " ".join(f"WHEN {_is_fault(column)} THEN {quote_text(column.name)}" for column in columns)
    values = " ".join(f"WHEN {quote_text(column.name)} THEN CAST({_given(column)} AS VARCHAR)" for column in columns)
    steps = f"(SELECT {place}, {given}, {typed} FROM (SELECT {place}, {cleaned} FROM ({part.sql})))"
    judged = f"(SELECT *, CASE WHEN malformed IS NOT NULL THEN '' {faults} END AS fault FROM {steps})"
    return f"SELECT {place}, {names}, fault, CASE fault {values} END AS fault_value FROM {judged}"


def _given(column: Column) -> str:
    return quote_identifier(f"given_{column.name}")


def _cleaned(name: str, delivered_type: str) -> str:
    """SQL of a value as delivered; null where there is none."""
    raw = quote_identifier(f"raw_{name}")
    if delivered_type == "VARCHAR":
        return f"CASE WHEN lower(trim({raw})) NOT IN {_NO_VALUE} THEN trim({raw}) END"
    return f"CASE WHEN NOT isnan({raw}) THEN {raw} END" if delivered_type in ("DOUBLE", "FLOAT") else raw


def _typed(column: Column) -> str:
    given = _given(column)
    if column.dtype == "BIGINT":
        number = f"TRY_CAST({given} AS DOUBLE)"
        return f"CASE WHEN {number} = floor({number}) THEN TRY_CAST({number} AS BIGINT) END"
    return f"TRY_CAST({given} AS {column.dtype})"


def _is_fault(column: Column) -> str:
    """Make the condition under which a value is none of the feature."""
    given, typed = _given(column), quote_identifier(column.name)
    if column.name == "customer_id":
        return f"{given} IS NULL"
    found = [f"{given} IS NOT NULL AND {typed} IS NULL"]
    if column.dtype == "DOUBLE":
        found.append(f"isinf({typed})")
    if column.minimum is not None:
        found.append(f"{typed} < {column.minimum}")
    if column.maximum is not None:
        found.append(f"{typed} > {column.maximum}")
    if column.allowed:
        found.append(f"{typed} NOT IN ({', '.join(map(quote_text, column.allowed))})")
    return " OR ".join(found)


def _refuse_faults(connection: Connection, typed: Path, columns: Sequence[Column]) -> None:
    """Refuse the first row that cannot be read, and say in how many there is one like it."""
    relation = parquet_scan([typed])
    (count,) = fetch_row(connection, f"SELECT count(fault) FROM {relation}")
    if not count:
        return
    place, row, name, value, malformed = fetch_row(
        connection,
        f"SELECT source_file, source_row, fault, fault_value, malformed FROM {relation} WHERE fault IS NOT NULL "
        "ORDER BY source_file, source_row LIMIT 1",
    )
    of_all = f"{plural(count, 'row')} cannot be read, the first is row {row} of {place}"
    if not name:
        raise DataError(f"{of_all}, which does not fit the header: {malformed}", "export the file again.")
    column = next(column for column in columns if column.name == name)
    if name == "customer_id":
        raise DataError(f"{of_all}, which has no customer_id", "every row needs one.")
    raise DataError(f"{of_all}: {name} is '{value}' and must be {_wanted(column)}", _advice(column))


def _wanted(column: Column) -> str:
    if column.allowed:
        return f"one of {', '.join(column.allowed)}"
    kind = _KINDS.get(column.dtype, "a number")
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{kind} from {low:g} to {high:g}"
    return kind if low is None else f"{kind}, {low:g} or more"


def _advice(column: Column) -> str:
    """Say how the feature is written."""
    if column.allowed or column.dtype == "DATE":
        return "'segmentation dictionary' says what the feature is."
    of_kind = next((words for ending, words in _UNITS.items() if ending in column.name), "")
    unit = f" in {column.unit}" if column.unit else ""
    return f"{of_kind or f'write it{unit}, with a point as decimal mark'}."


def _refuse_repeats(connection: Connection, typed: Path, file: InputFile) -> None:
    found = connection.execute(
        f"SELECT customer_id, count(*), min(source_row), max(source_row) FROM {parquet_scan([typed])} "
        "GROUP BY customer_id HAVING count(*) > 1 ORDER BY customer_id LIMIT 1"
    ).fetchall()
    for customer, count, first, last in found:
        raise DataError(
            f"{file.path.name} has customer '{customer}' in {count} rows, for example {first} and {last}",
            "keep one row per customer.",
        )


def _refuse_impossible_histories(connection: Connection, typed: Path, names: Collection[str]) -> None:
    """Refuse the first row whose order days cannot be, as models of orders would."""
    if not {"btyd_frequency", "btyd_recency", "btyd_T"} <= {*names}:
        return
    found = connection.execute(
        'SELECT source_file, source_row, btyd_frequency, btyd_recency, "btyd_T" '
        f'FROM {parquet_scan([typed])} WHERE btyd_frequency IS NOT NULL AND (btyd_recency IS NULL OR "btyd_T" IS NULL '
        'OR btyd_recency > "btyd_T" OR (btyd_frequency = 0) <> (btyd_recency = 0)) '
        "ORDER BY source_file, source_row LIMIT 1"
    ).fetchall()
    for place, row, frequency, recency, length in found:
        raise DataError(
            f"row {row} of {place} has a history that cannot be: btyd_frequency {frequency}, btyd_recency {recency}, "
            f"btyd_T {length}",
            "btyd_recency are the days from the first to the last order day: 0 exactly where the frequency is 0, and "
            "no more than btyd_T, the days since the first one.",
        )
