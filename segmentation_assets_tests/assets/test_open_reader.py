"""Readers of segmentation.duckdb: one that stays open never blocks a run, and a new one sees the new content."""

from __future__ import annotations

import subprocess
import sys

import pytest

from segmentation_assets_tests.assets.conftest import MONTHS

TITLE_QUERY = "SELECT count(DISTINCT segment_name) FROM gold.champion WHERE segment_name = 'Our best'"

READER = f"""
import sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(connection.execute({TITLE_QUERY!r}).fetchone()[0], flush=True)
"""


class Reader:
    """Another process with the file open, asked by a line and answering by one."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=60)


@pytest.fixture
def open_reader(shop):
    readers = []

    def make():
        readers.append(Reader(shop.data_dir / "segmentation.duckdb"))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def test_open_reader_neither_blocks_a_run_nor_sees_half_of_it(shop, run, open_reader):
    early = open_reader()
    assert early.ask() == 0
    (shop.data_dir / "decisions.csv").write_text(
        "decided_on,kind,from_month,subject,value,decided_by\n2025-08-15,rename,2025-08,S001,Our best,Ann\n"
    )

    computed = run(shop.settings(), keys={"source/decisions", "gold/champion", "serving/warehouse"})

    assert ("gold/champion", MONTHS[-1]) in computed
    assert ("serving/warehouse", "all") in computed
    assert early.ask() == 0
    assert open_reader().ask() == 1


def test_warehouse_holds_every_published_asset_with_its_months(shop):
    from segmentation_assets.graph.platform import Platform
    from segmentation_assets.storage.engine import open_connection

    platform = Platform(shop.settings())
    warehouse = platform.graph.node("serving/warehouse")
    with open_connection(str(shop.data_dir / "segmentation.duckdb"), platform.engine.connection_config) as connection:
        for item in warehouse.inputs:
            node = platform.graph.node(item.key)
            stored = [platform.store.manifest(item.key, month) for month in platform.store.partitions(item.key)]
            (rows,) = connection.execute(f"SELECT count(*) FROM {node.layer}.{node.noun}").fetchone()
            assert rows == sum(manifest.row_count for manifest in stored), item.key
            if node.is_partitioned:
                found = connection.execute(f"SELECT DISTINCT month FROM {node.layer}.{node.noun} ORDER BY 1").fetchall()
                months = tuple(manifest.partition for manifest in stored if manifest.row_count)
                assert tuple(row[0].isoformat() for row in found) == months, item.key
                assert months == MONTHS or item.key in {"clusters/usefulness", "gold/segment_events"}
