import hashlib
from pathlib import Path

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.storage.engine import Engine, parquet_scan
from segmentation_assets.synthetic.delivery import (
    PERSONAL_COLUMNS,
    DeliveryFiles,
    business_months,
    synthetic_source,
    write_delivery,
)
from segmentation_assets.synthetic.shop import Business, Shop, generate_shop, open_business

SMALL = SyntheticSettings(customers=60, first_month="2023-11", months=3)


@pytest.fixture(scope="module")
def small_shop() -> Shop:
    return generate_shop(SMALL)


def deliver(folder: Path, business: Business | None = None, threads: int = 2) -> DeliveryFiles:
    with Engine(EngineSettings(threads=threads), folder / "spill").connect() as connection:
        return write_delivery(connection, business or open_business(SMALL), folder, folder / "truth")


def write(folder: Path, threads: int = 2) -> list[Path]:
    return list(deliver(folder, threads=threads).delivered)


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with Engine(EngineSettings(), folder / "spill").connect() as connection:
        return connection.execute(sql).fetchall()


def test_business_months_are_first_days_across_the_year() -> None:
    assert business_months(SMALL) == ("2023-11-01", "2023-12-01", "2024-01-01")


def test_delivery_has_files_per_month_for_all_that_it_adds(tmp_path: Path) -> None:
    assert [path.name for path in write(tmp_path)] == [
        "customers-2023-11.parquet",
        "customers-2023-12.parquet",
        "customers-2024-01.parquet",
        "engagement_events-2023-11.parquet",
        "engagement_events-2023-12.parquet",
        "engagement_events-2024-01.parquet",
        "order_lines-2023-11.parquet",
        "order_lines-2023-12.parquet",
        "order_lines-2024-01.parquet",
        "products-2023-11.parquet",
    ]


def test_monthly_files_hold_every_row_once_in_its_month(small_shop: Shop, tmp_path: Path) -> None:
    deliver(tmp_path)
    for table, instant in (("order_lines", "order_at"), ("engagement_events", "event_at")):
        found = query(
            tmp_path,
            f"SELECT count(*), count(*) FILTER (filename NOT LIKE '%{table}-' || strftime({instant}, '%Y-%m.parquet')) "
            f"FROM read_parquet('{tmp_path}/{table}-*.parquet', filename = true)",
        )
        assert found == [(len(getattr(small_shop, table)), 0)]


def test_the_truth_is_not_in_the_delivery(small_shop: Shop, tmp_path: Path) -> None:
    archetypes = ", ".join(f"'{name}'" for name in small_shop.true_customers["archetype"].unique())
    for path in write(tmp_path):
        columns = [row[0] for row in query(tmp_path, f"DESCRIBE SELECT * FROM {parquet_scan([path])}")]
        assert not [name for name in columns if "true" in name or "state" in name or "archetype" in name]
        matches = " OR ".join(f"CAST({name} AS VARCHAR) IN ({archetypes})" for name in map('"{}"'.format, columns))
        assert query(tmp_path, f"SELECT count(*) FROM {parquet_scan([path])} WHERE {matches}") == [(0,)]


def test_files_read_back_with_the_declared_types(small_shop: Shop, tmp_path: Path) -> None:
    write(tmp_path)
    described = query(tmp_path, f"DESCRIBE SELECT * FROM {parquet_scan([tmp_path / 'order_lines-2023-12.parquet'])}")
    assert [(row[0], row[1]) for row in described] == [
        ("order_id", "VARCHAR"),
        ("order_at", "TIMESTAMP"),
        ("customer_id", "VARCHAR"),
        ("product_id", "VARCHAR"),
        ("quantity", "BIGINT"),
        ("unit_price", "DECIMAL(18,4)"),
        ("country", "VARCHAR"),
        ("channel", "VARCHAR"),
        ("store_id", "VARCHAR"),
        ("brand", "VARCHAR"),
        ("list_price", "DECIMAL(18,4)"),
        ("cost_price", "DECIMAL(18,4)"),
        ("currency", "VARCHAR"),
    ]
    described = query(tmp_path, f"DESCRIBE SELECT * FROM {parquet_scan([tmp_path / 'customers-2023-11.parquet'])}")
    assert [row[1] for row in described] == [
        "VARCHAR", "DATE", "INTEGER", "VARCHAR", "VARCHAR", "INTEGER", "VARCHAR", "DATE", "VARCHAR",
    ]  # fmt: skip


def test_files_hold_the_money_of_the_shop_to_the_cent(small_shop: Shop, tmp_path: Path) -> None:
    paths = [path for path in write(tmp_path) if path.name.startswith("order_lines")]
    sql = f"SELECT CAST(sum(quantity * unit_price) * 100 AS BIGINT), count(*) FROM {parquet_scan(paths)}"
    lines = small_shop.order_lines
    cents = (lines["unit_price"] * 100).round().astype(int)
    assert query(tmp_path, sql) == [(int((cents * lines["quantity"]).sum()), len(lines))]


def test_files_keep_the_order_of_the_frames(small_shop: Shop, tmp_path: Path) -> None:
    paths = [path for path in write(tmp_path) if path.name.startswith("order_lines")]
    found = query(tmp_path, f"SELECT order_id, product_id, quantity FROM {parquet_scan(paths)}")
    frame = small_shop.order_lines[["order_id", "product_id", "quantity"]]
    assert found == list(frame.itertuples(index=False, name=None))


def test_files_are_byte_identical_whatever_the_threads(tmp_path: Path) -> None:
    first = deliver(tmp_path / "first", threads=1)
    second = deliver(tmp_path / "second", threads=4)
    pairs = list(zip(first.delivered + first.truth, second.delivered + second.truth, strict=True))
    assert len(pairs) == 14
    for one, other in pairs:
        assert one.name == other.name
        assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()


@pytest.mark.parametrize("preset", ["none", "real"])
def test_a_longer_delivery_holds_every_file_of_a_shorter_one_byte_for_byte(tmp_path: Path, preset: str) -> None:
    settings = SyntheticSettings.model_validate(
        {"customers": 300, "months": 12, "personal_data": True, "faults": {"preset": preset, "cut_last_month": 0}}
    )
    short = deliver(tmp_path / "short", open_business(settings))
    long = deliver(tmp_path / "long", open_business(settings.model_copy(update={"months": 24})))
    files = [path for path in short.delivered + short.truth if path.name != "true_faults.parquet"]
    assert len(files) > 4 * 12
    for path in files:
        assert path.read_bytes() == (tmp_path / "long" / path.relative_to(tmp_path / "short")).read_bytes(), path.name
    earlier = {path.name for path in long.delivered if path.stem[-7:] < "2024-09"}
    assert earlier == {path.name for path in short.delivered}


def test_a_last_month_that_is_cut_short_is_the_beginning_of_the_whole_one(tmp_path: Path) -> None:
    settings = SMALL.model_copy(update={"faults": FaultSettings(cut_last_month=0.5)})
    deliver(tmp_path / "cut", open_business(settings))
    deliver(tmp_path / "whole", open_business(SMALL))
    days = "order_at < TIMESTAMP '2024-01-17'"
    found = query(tmp_path, f"SELECT * FROM '{tmp_path}/cut/order_lines-2024-01.parquet'")
    expected = query(tmp_path, f"SELECT * FROM '{tmp_path}/whole/order_lines-2024-01.parquet' WHERE {days}")
    assert found == expected
    assert len(found) > 20
    earlier = [path.name for path in (tmp_path / "whole").glob("*.parquet") if path.stem[-7:] < "2024-01"]
    assert len(earlier) == 7
    for name in earlier:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_planted_faults_of_a_month_do_not_depend_on_later_ones(tmp_path: Path) -> None:
    settings = SyntheticSettings.model_validate(
        {"customers": 300, "months": 12, "faults": {"preset": "real", "cut_last_month": 0}}
    )
    counts = []
    for months in (12, 24):
        deliver(tmp_path / str(months), open_business(settings.model_copy(update={"months": months})))
        file = parquet_scan([tmp_path / str(months) / "truth" / "true_faults.parquet"])
        counts.append(query(tmp_path, f"SELECT * FROM {file} WHERE month < '2024-09'"))
    assert counts[0] == counts[1]
    assert len(counts[0]) > 12


def test_mapping_finds_every_delivered_file_and_column(small_shop: Shop, tmp_path: Path) -> None:
    source = synthetic_source()
    paths = write(tmp_path)
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


def test_truth_is_written_apart(small_shop: Shop, tmp_path: Path) -> None:
    truth = deliver(tmp_path).truth
    assert [path.relative_to(tmp_path / "truth").name for path in truth] == [
        "true_customers.parquet",
        "true_states-2023-11.parquet",
        "true_states-2023-12.parquet",
        "true_states-2024-01.parquet",
    ]
    found = query(tmp_path, f"SELECT customer_id, true_state FROM {parquet_scan(truth[1:])}")
    assert found == list(small_shop.true_states[["customer_id", "true_state"]].itertuples(index=False, name=None))


def test_an_id_that_is_a_number_is_one_in_every_table_of_the_truth(tmp_path: Path) -> None:
    deliver(tmp_path, open_business(SMALL.model_copy(update={"faults": FaultSettings(mixed_ids=0.3)})))
    ids = [
        [row[0] for row in query(tmp_path, f"SELECT customer_id FROM {parquet_scan([tmp_path / 'truth' / file])}")]
        for file in ("true_customers.parquet", "true_states-2023-11.parquet", "true_states-2024-01.parquet")
    ]
    assert ids[0] == ids[1] == ids[2]
    assert {customer_id[0] for customer_id in ids[0]} == {"1", "C"}


def test_personal_data_is_delivered_when_asked_for_and_reaches_nobody(small_shop: Shop, tmp_path: Path) -> None:
    deliver(tmp_path, open_business(SMALL.model_copy(update={"personal_data": True})))
    customers = parquet_scan(sorted(tmp_path.glob("customers-*.parquet")))
    described = [row[0] for row in query(tmp_path, f"DESCRIBE SELECT * FROM {customers}")]
    assert described[-len(PERSONAL_COLUMNS) :] == list(PERSONAL_COLUMNS)
    sql = (
        "SELECT count(*), count(DISTINCT email), bool_and(email LIKE '%@example.com'), "
        f"bool_and(regexp_full_match(phone, '555-01[0-9][0-9]')), count(*) FILTER (city IS NULL) FROM {customers}"
    )
    assert query(tmp_path, sql) == [(len(small_shop.customers), len(small_shop.customers), True, True, 0)]
