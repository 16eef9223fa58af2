"""What lies in a data folder, for comparing before and after, and a way to change it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.storage.engine import Engine, quote_text

PRODUCTS = ("tables", "manifests", "models", "reports", "exports", "segmentation.duckdb")


def paths_of(data_dir: Path) -> list[Path]:
    """Every stored file in force; event log, logs, run records and what was replaced apart."""
    return sorted(set(_files_below(data_dir, PRODUCTS)) - _replaced_paths(data_dir))


def _files_below(data_dir: Path, parts: tuple[str, ...]) -> list[Path]:
    found = (path for part in parts for path in (data_dir / part, *(data_dir / part).rglob("*")))
    return [path for path in found if path.is_file()]


def _replaced_paths(data_dir: Path) -> set[Path]:
    """Files of tables that no manifest names: they stay for a while for whoever is reading them."""
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in (data_dir / "manifests").rglob("*.json")]
    current = {data_dir / file["path"] for manifest in manifests for file in manifest["files"]}
    return {path for path in (data_dir / "tables").rglob("*") if path.is_file()} - current


def files_of(data_dir: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of every stored file in force."""
    return _stamps(data_dir, paths_of(data_dir))


def every_file_of(data_dir: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of every file stored or delivered, what was replaced included."""
    return _stamps(data_dir, _files_below(data_dir, (*PRODUCTS, "synthetic")))


def _stamps(data_dir: Path, paths: list[Path]) -> dict[str, tuple[int, int]]:
    return {str(path.relative_to(data_dir)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def bytes_of(data_dir: Path, *parts: str) -> dict[str, bytes]:
    """Content of the stored files below some parts of the data folder."""
    return {
        name: path.read_bytes()
        for path in paths_of(data_dir)
        if (name := str(path.relative_to(data_dir))).startswith(parts)
    }


def rewrite(path: Path, sql: str, codec: str = "zstd") -> None:
    """Replace a Parquet file, whole, by the result of a query over its rows, named `t`."""
    new = path.with_suffix(".new")
    with Engine(EngineSettings(), path.parent / "spill").connect() as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet({quote_text(str(path))})")
        connection.execute(f"COPY ({sql}) TO {quote_text(str(new))} (FORMAT parquet, COMPRESSION {codec})")
    os.replace(new, path)
