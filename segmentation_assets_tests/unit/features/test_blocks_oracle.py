"""All features against a second implementation, and properties that hold for every feature."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from segmentation_assets.config.settings import EngineSettings, FeatureSettings
from segmentation_assets.features import registry
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets_tests.unit.features.oracle import expected_rows
from segmentation_assets_tests.unit.features.shop import (
    AS_OF,
    SETTINGS,
    Shop,
    compute_rows,
    customer_row,
    instant,
    line,
    random_shop,
)

SEEDS = range(4)
LEAP_SHOP = Shop(
    (
        line("a", "o1", "2024-02-28 23:59:59", "sale", "1.0050", 3, "shoe-1"),
        line("a", "o2", "2024-02-29 00:00:00", "sale", "2.0050", 1, "hat-1"),
        line("a", "o3", "2024-03-01 00:00:00", "sale", "0.0000", 1, "toy-1"),
        line("b", "r1", "2024-02-29 12:00:00", "return", "-3.3333", -1, "shoe-1"),
        line("c", "o4", "2024-01-31 12:00:00", "sale", "3.3333", 1, "gone"),
        line("c", "r4", "2024-02-29 12:00:00", "return", "-3.3333", -1, "gone"),
    ),
    customers=(customer_row("a", "2024-02-29"), customer_row("c")),
    events=(("a", "2023-12-31 12:00:00", "open"), ("b", "2024-02-29 23:59:59", "click")),
)


def _assert_same(found: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]]) -> None:
    """Counts, days and money to the bit, doubles within 1e-9."""
    assert found.keys() == expected.keys()
    for customer, row in expected.items():
        assert found[customer].keys() == row.keys()
        for name, value in row.items():
            wanted = pytest.approx(value, abs=1e-9, rel=1e-9) if isinstance(value, float) else value
            assert found[customer][name] == wanted, (customer, name)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("recency", ["calendar_days", "elapsed_days"])
@pytest.mark.parametrize("as_of", [AS_OF, instant("2025-05-31 12:50")])
def test_features_equal_a_second_implementation(
    connection: Connection, seed: int, recency: str, as_of: datetime
) -> None:
    shop = random_shop(seed).before(instant("2025-05-31")) if as_of != AS_OF else random_shop(seed)
    settings = SETTINGS.model_copy(update={"recency": recency})
    found = compute_rows(connection, shop, as_of, settings)
    assert len(found) > 5
    _assert_same(found, expected_rows(shop, as_of, settings))


@pytest.mark.parametrize("as_of", [instant("2024-02-29"), instant("2024-03-01"), instant("2025-02-28")])
def test_features_around_the_leap_day_equal_a_second_implementation(connection: Connection, as_of: datetime) -> None:
    found = compute_rows(connection, LEAP_SHOP, as_of)
    _assert_same(found, expected_rows(LEAP_SHOP, as_of))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("as_of", [instant("2025-06-01"), instant("2025-03-01"), instant("2024-02-29")])
def test_full_data_give_what_truncated_data_give(connection: Connection, seed: int, as_of: datetime) -> None:
    shop = random_shop(seed)
    assert shop.before(as_of) != shop
    assert compute_rows(connection, shop, as_of) == compute_rows(connection, shop.before(as_of), as_of)


def test_leaking_block_breaks_the_point_in_time_rule(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    column = FeatureColumn(name="leaked_count", dtype="BIGINT", meaning="All lines, ever.", imputation="ordinary")

    def leaking(settings: FeatureSettings) -> FeatureBlock:
        sql = (
            "SELECT k.number AS customer_id, count(*) AS leaked_count FROM order_lines AS l "
            "JOIN known_customers AS k ON k.customer_id = l.customer_id GROUP BY k.number"
        )
        return FeatureBlock(name="leaking", columns=(column,), select=lambda snapshot: sql)

    monkeypatch.setattr(registry, "BLOCKS", (*registry.BLOCKS, leaking))
    shop = random_shop(0)
    assert compute_rows(connection, shop) != compute_rows(connection, shop.before(AS_OF))


@pytest.mark.parametrize("seed", SEEDS)
def test_row_order_changes_nothing(connection: Connection, seed: int) -> None:
    shop = random_shop(seed)
    assert compute_rows(connection, shop.shuffled(seed)) == compute_rows(connection, shop)


@pytest.mark.parametrize("threads", [2, 5])
def test_thread_count_changes_nothing(connection: Connection, tmp_path: Path, threads: int) -> None:
    shop = random_shop(1, n_customers=60, n_lines=3000)
    with Engine(EngineSettings(threads=threads), tmp_path).connect() as other:
        registry.prepare_connection(other)
        assert compute_rows(other, shop) == compute_rows(connection, shop)


def test_customers_in_two_parts_give_what_the_whole_gives(connection: Connection) -> None:
    shop = random_shop(2)
    parts = [
        Shop(tuple(row for row in shop.lines if (row[0] or "") < "c05"), shop.products, shop.customers, shop.events),
        Shop(tuple(row for row in shop.lines if (row[0] or "") >= "c05"), shop.products, shop.customers, shop.events),
    ]
    joined = compute_rows(connection, parts[0]) | compute_rows(connection, parts[1])
    assert joined == compute_rows(connection, shop)


@pytest.mark.parametrize("seed", SEEDS)
def test_department_shares_add_up_to_one(connection: Connection, seed: int) -> None:
    for row in compute_rows(connection, random_shop(seed)).values():
        shares = [value for name, value in row.items() if name.startswith("department_share_")]
        assert shares == [None] * 3 or sum(shares) == pytest.approx(1, abs=1e-12)


def test_empty_lookback_gives_no_rows(connection: Connection) -> None:
    assert compute_rows(connection, Shop(())) == {}
    assert compute_rows(connection, LEAP_SHOP, instant("2023-06-01")) == {}
