import datetime as dt

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.storage.engine import Engine, open_connection
from segmentation_assets.storage.publishing import WarehouseTable, build_warehouse


@pytest.fixture
def engine(tmp_path):
    return Engine(EngineSettings(), tmp_path / "it's a spill")


@pytest.fixture
def parquet(engine, tmp_path):
    """Write a query as a Parquet file."""

    def write(name, sql):
        path = tmp_path / name
        with engine.connect() as connection:
            connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
        return path

    return write


def rows_of(engine, target, sql):
    with open_connection(str(target), engine.connection_config) as connection:
        return connection.execute(sql).fetchall()


def test_monthly_tables_carry_their_month_and_columns_meet_by_name(engine, parquet, tmp_path):
    june = parquet("june.parquet", "SELECT 'a' AS customer_id, 1.50::DECIMAL(18,2) AS amount")
    july = parquet("july.parquet", "SELECT 2.50::DECIMAL(18,2) AS amount, 'b' AS customer_id, true AS extra")
    target = tmp_path / "warehouse.duckdb"
    tables = [WarehouseTable("gold/x", {"2025-06-01": [june], "2025-07-01": [july]}, is_partitioned=True)]
    assert build_warehouse(target, tables, engine) == {"gold/x": 2}
    found = rows_of(
        engine, target, "SELECT month, customer_id, CAST(amount AS VARCHAR), extra FROM gold.x ORDER BY month"
    )
    assert found == [(dt.date(2025, 6, 1), "a", "1.50", None), (dt.date(2025, 7, 1), "b", "2.50", True)]


def test_tables_without_months_are_copied_as_they_are(engine, parquet, tmp_path):
    parts = [parquet("p0.parquet", "SELECT 1 AS n"), parquet("p1.parquet", "SELECT 2 AS n")]
    target = tmp_path / "warehouse.duckdb"
    assert build_warehouse(target, [WarehouseTable("raw/x", {"all": parts}, is_partitioned=False)], engine) == {
        "raw/x": 2
    }
    assert rows_of(engine, target, "SELECT n FROM raw.x ORDER BY n") == [(1,), (2,)]


def test_asset_without_files_is_left_out(engine, tmp_path):
    target = tmp_path / "warehouse.duckdb"
    assert build_warehouse(target, [WarehouseTable("gold/x", {}, is_partitioned=True)], engine) == {}
    assert rows_of(engine, target, "SELECT count(*) FROM duckdb_tables()") == [(0,)]


def test_published_file_needs_no_other_file(engine, parquet, tmp_path):
    source = parquet("p.parquet", "SELECT 1 AS n")
    target = tmp_path / "warehouse.duckdb"
    build_warehouse(target, [WarehouseTable("raw/x", {"all": [source]}, is_partitioned=False)], engine)
    source.unlink()
    assert rows_of(engine, target, "SELECT n FROM raw.x") == [(1,)]
    assert not list(tmp_path.glob("*.wal"))
