"""The stored tables as SQL and frames, seen from one partition; what is found is never written to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Connection, parquet_scan, read_frame
from segmentation_assets.storage.store import WHOLE

if TYPE_CHECKING:
    import pandas as pd


class StoredTables(Protocol):
    """Reads what is stored; a class that derives from it gets all methods.

    Parameters
    ----------
    platform : Platform
    partition : str
        Month as YYYY-MM-01, or ``all``.
    connection : Connection
    """

    platform: Platform
    partition: str

    @property
    def connection(self) -> Connection:
        """The engine connection."""
        ...

    def paths(self, key: str, partition: str | None = None) -> list[Path]:
        """Parquet files of a table, by default of the same partition."""
        return self.platform.store.table_paths(key, self._partition_of(key, partition))

    def relation(self, key: str, partition: str | None = None) -> str:
        """SQL table expression of a table."""
        return parquet_scan(self.paths(key, partition))

    def slices_relation(self, key: str, slices: Sequence[str]) -> str:
        """SQL table expression of several slices of a table, in their order."""
        return parquet_scan([path for name in slices for path in self.platform.store.slice_paths(key, name)])

    def frame(self, key: str, columns: Sequence[str] | None = None, partition: str | None = None) -> pd.DataFrame:
        """Read a table as a frame."""
        return read_frame(self.connection, self.paths(key, partition), columns)

    def document(self, key: str, name: str, partition: str | None = None) -> str:
        """Read a text file stored beside a table."""
        folder = self.paths(key, partition)[0].parent
        return (folder / name).read_text(encoding="utf-8")

    def input_metadata(self, key: str, partition: str | None = None) -> dict[str, Any]:
        """Metadata stored with a result."""
        manifest = self.platform.store.manifest(key, self._partition_of(key, partition))
        return manifest.metadata if manifest else {}

    def _partition_of(self, key: str, partition: str | None) -> str:
        if partition is not None:
            return partition
        return self.partition if self.platform.graph.node(key).is_partitioned else WHOLE
