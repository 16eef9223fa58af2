"""The engine as a Dagster resource: an in-memory DuckDB with bounded memory and disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster_duckdb import DuckDBResource

from segmentation_assets.storage.engine import Connection, Engine, open_connection


class EngineResource(DuckDBResource):
    """DuckDB in memory; every connection is closed, also when the step that opened it fails."""

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        """Open a connection with the configured limits."""
        with open_connection(self.database, dict(self.connection_config)) as connection:
            yield connection


def engine_resource(engine: Engine) -> EngineResource:
    """Make the resource from the engine's settings."""
    return EngineResource(database=":memory:", connection_config=engine.connection_config)
