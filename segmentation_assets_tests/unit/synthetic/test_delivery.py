import hashlib
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.config.settings import EngineSettings, SyntheticSettings
from segmentation_assets.storage.engine import Engine, parquet_scan
from segmentation_assets.synthetic.delivery import (
    business_months,
    delivery_frames,
    synthetic_source,
    write_delivery,
    write_ground_truth,
)
from segmentation_assets.synthetic.shop import Shop, generate_shop

SMALL = SyntheticSettings(customers=60, first_month="2023-11", months=3)


@pytest.fixture(scope="module")
def small_shop() -> Shop:
    return generate_shop(SMALL)


def write(shop: Shop, folder: Path, threads: int = 2) -> list[Path]:
    with Engine(EngineSettings(threads=threads), folder / "spill").connect() as connection:
        return write_delivery(connection, shop, folder)


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with Engine(EngineSettings(), folder / "spill").connect() as connection:
        return connection.execute(sql).fetchall()


def test_business_months_are_first_days_across_the_year() -> None:
    assert business_months(SMALL) == ("2023-11-01", "2023-12-01", "2024-01-01")


def test_delivery_has_a_file_of_lines_and_events_per_month(small_shop: Shop) -> None:
    assert list(delivery_frames(small_shop)) == [
        "customers.parquet",
        "engagement_events-2023-11.parquet",
        "engagement_events-2023-12.parquet",
        "engagement_events-2024-01.parquet",
        "order_lines-2023-11.parquet",
        "order_lines-2023-12.parquet",
        "order_lines-2024-01.parquet",
        "products.parquet",
    ]


@pytest.mark.parametrize(("table", "instant"), [("order_lines", "order_at"), ("engagement_events", "event_at")])
def test_monthly_files_hold_every_row_once_in_its_month(small_shop: Shop, table: str, instant: str) -> None:
    parts = {name: frame for name, frame in delivery_frames(small_shop).items() if name.startswith(table)}
    for name, frame in parts.items():
        assert (frame[instant].dt.strftime(f"{table}-%Y-%m.parquet") == name).all()
    assert_frame_equal(pd.concat(parts.values(), ignore_index=True), getattr(small_shop, table))


def test_the_truth_is_not_in_the_delivery(small_shop: Shop) -> None:
    frames = delivery_frames(small_shop)
    segments = set(small_shop.ground_truth["true_segment"])
    columns = {column for frame in frames.values() for column in frame}
    assert not [column for column in columns if "segment" in column or "truth" in column or "archetype" in column]
    texts = [
        frame[column] for frame in frames.values() for column in frame.select_dtypes(exclude=["number", "datetime"])
    ]
    assert not any(text.isin(segments).any() for text in texts)


def test_files_read_back_with_the_declared_types(small_shop: Shop, tmp_path: Path) -> None:
    write(small_shop, tmp_path)
    described = query(tmp_path, f"DESCRIBE SELECT * FROM {parquet_scan([tmp_path / 'order_lines-2023-12.parquet'])}")
    assert [(row[0], row[1]) for row in described] == [
        ("order_id", "VARCHAR"),
        ("order_at", "TIMESTAMP"),
        ("customer_id", "VARCHAR"),
        ("product_id", "VARCHAR"),
        ("quantity", "BIGINT"),
        ("unit_price", "DECIMAL(18,4)"),
    ]
    described = query(tmp_path, f"DESCRIBE SELECT * FROM {parquet_scan([tmp_path / 'customers.parquet'])}")
    assert [row[1] for row in described] == ["VARCHAR", "DATE", "INTEGER", "VARCHAR"]


def test_files_hold_the_money_of_the_shop_to_the_cent(small_shop: Shop, tmp_path: Path) -> None:
    paths = [path for path in write(small_shop, tmp_path) if path.name.startswith("order_lines")]
    sql = f"SELECT CAST(sum(quantity * unit_price) * 100 AS BIGINT), count(*) FROM {parquet_scan(paths)}"
    lines = small_shop.order_lines
    cents = (lines["unit_price"] * 100).round().astype(int)
    assert query(tmp_path, sql) == [(int((cents * lines["quantity"]).sum()), len(lines))]


def test_files_keep_the_order_of_the_frames(small_shop: Shop, tmp_path: Path) -> None:
    write(small_shop, tmp_path)
    path = tmp_path / "order_lines-2023-11.parquet"
    found = query(tmp_path, f"SELECT order_id, product_id, quantity FROM {parquet_scan([path])}")
    frame = delivery_frames(small_shop)[path.name][["order_id", "product_id", "quantity"]]
    assert found == list(frame.itertuples(index=False, name=None))


def test_files_are_byte_identical_whatever_the_threads(small_shop: Shop, tmp_path: Path) -> None:
    first = write(small_shop, tmp_path / "first", threads=1)
    second = write(generate_shop(SMALL), tmp_path / "second", threads=4)
    assert [path.name for path in first] == sorted(path.name for path in first) == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()


def test_a_longer_delivery_leaves_earlier_monthly_files_as_they_are(small_shop: Shop, tmp_path: Path) -> None:
    write(small_shop, tmp_path / "short")
    write(generate_shop(SMALL.model_copy(update={"months": 4})), tmp_path / "long")
    for path in sorted((tmp_path / "short").glob("*-20*.parquet")):
        assert path.read_bytes() == (tmp_path / "long" / path.name).read_bytes()
    assert (tmp_path / "long" / "order_lines-2024-02.parquet").exists()


def test_mapping_finds_every_delivered_file_and_column(small_shop: Shop, tmp_path: Path) -> None:
    source = synthetic_source()
    paths = write(small_shop, tmp_path)
    tables = (source.order_lines, source.customers, source.products, source.engagement_events)
    found = []
    for table in tables:
        assert table is not None
        files = sorted(path for pattern in table.files for path in tmp_path.glob(pattern))
        described = query(tmp_path, f"DESCRIBE SELECT * FROM {parquet_scan(files)}")
        assert [row[0] for row in described] == list(table.columns.values())
        found += files
    assert source.kind == "files"
    assert sorted(found) == paths


def test_ground_truth_is_written_apart(small_shop: Shop, tmp_path: Path) -> None:
    with Engine(EngineSettings(), tmp_path / "spill").connect() as connection:
        path = write_ground_truth(connection, small_shop, tmp_path / "truth")
    assert path == tmp_path / "truth" / "ground_truth.parquet"
    found = query(tmp_path, f"SELECT customer_id, true_segment FROM {parquet_scan([path])}")
    assert found == list(small_shop.ground_truth.itertuples(index=False, name=None))
