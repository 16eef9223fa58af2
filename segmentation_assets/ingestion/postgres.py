"""Tables of a Postgres server, copied as of one moment into Parquet files that are read like delivered ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.source import DeliveredTable, PostgresSettings
from segmentation_assets.errors import DataError, SettingsError, closest_hint
from segmentation_assets.ingestion.columns import find_columns
from segmentation_assets.storage.engine import Connection, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table

if TYPE_CHECKING:
    import psycopg

CONNECTION_VARIABLE = "SEGMENTATION__SOURCE__POSTGRES__CONNECTION"
"""Environment variable that the connection is best given in."""

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 60
_SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lock_timeout": f"{_LOCK_SECONDS}s",
}
_TABLES_SQL = """
    SELECT n.nspname, c.relname, c.oid
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"""
_COLUMNS_SQL = """
    SELECT a.attname, pg_catalog.format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL)
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_KEPT_TYPES = {
    "smallint": "BIGINT",
    "integer": "BIGINT",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "boolean": "BOOLEAN",
}
_DATE_TYPES = {
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class _Copied:
    """Columns of one table as they stand, as text, in a scratch file."""

    path: Path
    columns: tuple[str, ...]
    types: tuple[str, ...]


def copy_tables(
    connection: Connection,
    server: PostgresSettings,
    mapped: Sequence[tuple[Table, DeliveredTable]],
    targets: Mapping[str, Path],
    time_zone: str,
) -> dict[str, int]:
    """Copy the mapped columns of the tables to Parquet, all as of one moment.

    Parameters
    ----------
    connection : Connection
        Engine connection that writes the files.
    server : PostgresSettings
    mapped : sequence of (Table, DeliveredTable)
        Declaration and mapping of each delivered table.
    targets : mapping of str to Path
        File to write, by key of the raw table.
    time_zone : str
        IANA zone of the shop.

    Returns
    -------
    dict of str to int
        Rows by name of the table on the server.

    Raises
    ------
    SettingsError
        psycopg is not installed, or no usable connection is set.
    DataError
        The server cannot be reached or refuses the login; a table or a mapped column is not there or may not be read;
        the connection is lost.

    Notes
    -----
    Rows are sorted by all columns, as a server has no order of its own: equal rows give a file equal to the byte, so
    that its hash changes exactly when a mapped value does. All tables are read in one read-only transaction of
    isolation level REPEATABLE READ, and streamed to disk.
    """
    scratch: list[tuple[Table, DeliveredTable, _Copied]] = []
    with _snapshot(server) as database:
        known = {_shown(schema, name): (schema, name, oid) for schema, name, oid in database.execute(_TABLES_SQL)}
        for table, mapping in mapped:
            path = targets[table.key].with_suffix(".csv")
            scratch.append((table, mapping, _copy_as_text(database, table, mapping, known, path)))
    counts = {}
    for table, mapping, copied in scratch:
        _write_parquet(connection, copied, targets[table.key], mapping, time_zone)
        copied.path.unlink()
        found = connection.execute(f"SELECT count(*) FROM {quote_text(str(targets[table.key]))}").fetchone()
        counts[str(mapping.table)] = int(found[0]) if found else 0
    return counts


def _shown(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"


@contextmanager
def _snapshot(server: PostgresSettings) -> Iterator[psycopg.Connection[Any]]:
    """Open a transaction that sees one moment and can change nothing."""
    try:
        import psycopg
    except ImportError as problem:
        raise SettingsError(
            "source.kind 'postgres' needs the package psycopg, which is not installed",
            "pip install 'segmentation-assets[postgres]'.",
        ) from problem
    with _connect(server) as database:
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        database.read_only = True
        try:
            for name, value in _SESSION.items():
                database.execute("SELECT set_config(%s, %s, false)", (name, value))
            yield database
        except psycopg.OperationalError as problem:
            raise DataError(
                f"the connection to the Postgres server was lost while reading: {_sentence(problem)}",
                "nothing was stored; start again when the server is back.",
            ) from None
        except psycopg.Error as problem:
            raise DataError(f"the Postgres server could not be read: {_sentence(problem)}", "see its log.") from None


def _connect(server: PostgresSettings) -> psycopg.Connection[Any]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if server.connection is None:
        raise SettingsError(
            "source.kind 'postgres' needs source.postgres.connection, which is not set",
            f"set it in {CONNECTION_VARIABLE}, for example to postgresql://reader@db.example.org/shop.",
        )
    try:
        asked = conninfo_to_dict(server.connection.get_secret_value())
    except psycopg.ProgrammingError:
        raise SettingsError(
            "source.postgres.connection is not a connection of Postgres (it is not shown, as it may hold a password)",
            "write for example postgresql://reader@db.example.org/shop, or host=db.example.org user=reader.",
        ) from None
    settled: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "segmentation",
        "client_encoding": "UTF8",
    }
    try:
        return psycopg.connect("", **(settled | asked))
    except psycopg.Error as problem:
        text = _sentence(problem)
        password = str(asked.get("password") or "")
        raise DataError(
            f"the Postgres server cannot be reached: {text.replace(password, '***') if password else text}",
            "check that it runs, and host, port, database, user and password of source.postgres.connection "
            f"({CONNECTION_VARIABLE}).",
        ) from None


def _sentence(problem: Exception) -> str:
    """Return the last line that says something, which names the cause; psycopg puts details before it."""
    diagnosed = getattr(getattr(problem, "diag", None), "message_primary", None)
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    causes = [line for line in lines if "failed: " in line or "FATAL" in line]
    return str(diagnosed or (causes or lines or ["no reason was given"])[0])


def _copy_as_text(
    database: psycopg.Connection[Any],
    table: Table,
    mapping: DeliveredTable,
    known: Mapping[str, tuple[str, str, int]],
    path: Path,
) -> _Copied:
    """Stream the mapped columns of one table to disk as the server writes them."""
    import psycopg
    from psycopg import sql

    wanted = str(mapping.table).removeprefix("public.")
    if wanted not in known:
        raise DataError(
            f"the Postgres server has no table '{mapping.table}', which source.{table.key.split('/')[1]}.table names, "
            "or its user may not see it",
            closest_hint(wanted, known, "its user sees no table at all; grant SELECT on the tables to be read."),
        )
    schema, name, oid = known[wanted]
    types = {str(column): str(dtype) for column, dtype in database.execute(_COLUMNS_SQL, (oid,))}
    found = find_columns(table, mapping, f"Postgres table {wanted}", tuple(types))
    columns = tuple(dict.fromkeys(found.values()))
    query = sql.SQL("COPY (SELECT 1, {} FROM {}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, name)
    )
    try:
        with database.cursor() as cursor, cursor.copy(query) as copy, path.open("wb") as target:
            for block in copy:
                target.write(block)
    except psycopg.errors.InsufficientPrivilege as problem:
        raise DataError(
            f"the Postgres user may not read {wanted}: {_sentence(problem)}",
            f"let the owner run: GRANT SELECT ON {wanted} TO the user; in a schema also GRANT USAGE ON SCHEMA.",
        ) from None
    except psycopg.errors.LockNotAvailable:
        raise DataError(
            f"Postgres table {wanted} was locked for longer than {_LOCK_SECONDS} seconds",
            "nothing was stored; start again when whoever changes the table has ended.",
        ) from None
    return _Copied(path, columns, tuple(types[column] for column in columns))


def _write_parquet(
    connection: Connection, copied: _Copied, target: Path, mapping: DeliveredTable, time_zone: str
) -> None:
    """Give the values their types and write them sorted."""
    fields = ["'always': 'VARCHAR'", *(f"'field_{place}': 'VARCHAR'" for place in range(len(copied.columns)))]
    relation = (
        f"read_csv({quote_text(str(copied.path))}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\n', columns = {{{', '.join(fields)}}})"
    )
    values = ", ".join(
        f"{_value_sql(connection, relation, f'field_{place}', dtype, mapping, time_zone)} AS {quote_identifier(column)}"
        for place, (column, dtype) in enumerate(zip(copied.columns, copied.types, strict=True))
    )
    connection.execute(
        f"COPY (SELECT {values} FROM {relation} ORDER BY ALL) TO {quote_text(str(target))} "
        "(FORMAT parquet, COMPRESSION zstd)"
    )


def _value_sql(
    connection: Connection, relation: str, field: str, dtype: str, mapping: DeliveredTable, time_zone: str
) -> str:
    """Make the SQL of one value; exact numbers stay text, as they may have more digits than any type of the engine."""
    if dtype == "numeric":
        return field if mapping.decimal == "." else f"replace({field}, '.', {quote_text(mapping.decimal)})"
    if dtype not in _DATE_TYPES:
        return f"CAST({field} AS {_KEPT_TYPES[dtype]})" if dtype in _KEPT_TYPES else field
    date = f"TRY_CAST({field} AS {_DATE_TYPES[dtype]})"
    is_kept = f"coalesce(isfinite({date}), false)"
    odd = connection.execute(f"SELECT 1 FROM {relation} WHERE {field} <> '' AND NOT {is_kept} LIMIT 1").fetchone()
    if odd is None:
        return date
    local = f"timezone({quote_text(time_zone)}, {date})" if dtype.endswith("with time zone") else date
    return f"CASE WHEN {is_kept} THEN strftime({local}, {quote_text(mapping.date_format)}) ELSE {field} END"
