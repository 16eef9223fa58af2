"""All features against a second implementation, on random customers and on edge cases."""

from datetime import datetime

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock
from segmentation_assets.features.registry import feature_blocks
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features import oracle
from segmentation_assets_tests.unit.features.crowd import ADVANCED, EDGES, crowded_shop, repetitive_shop
from segmentation_assets_tests.unit.features.oracle.case import make_cases
from segmentation_assets_tests.unit.features.shop import (
    ALL_INPUTS,
    AS_OF,
    LOOKBACK_START,
    Shop,
    compute_rows,
    instant,
    line,
)

REGISTERED = [block for block in feature_blocks(ADVANCED, ALL_INPUTS) if block.name != "interactions"]


@pytest.mark.parametrize("block", REGISTERED, ids=lambda block: block.name)
def test_every_feature_has_a_second_implementation(block: FeatureBlock) -> None:
    (case,) = make_cases(Shop((line("a", "o", "2025-01-01", "sale", "1"),)), AS_OF, LOOKBACK_START, ADVANCED)
    assert set(oracle.BLOCKS[block.name](case)) == {column.name for column in block.columns}


@pytest.mark.parametrize(
    ("seed", "as_of", "recency"),
    [
        (0, AS_OF, "calendar_days"),
        (1, instant("2025-05-31 12:50"), "elapsed_days"),
        (2, instant("2025-02-28"), "elapsed_days"),
        (3, instant("2024-03-01"), "calendar_days"),
        (4, instant("2024-02-29"), "calendar_days"),
    ],
)
def test_features_equal_a_second_implementation(
    connection: Connection, seed: int, as_of: datetime, recency: str
) -> None:
    """Counts, days, text and money to the bit, doubles within 1e-9."""
    shop = crowded_shop(seed, n_customers=30)
    if as_of.time() != datetime.min.time():
        shop = shop.before(instant("2025-05-31"))
    settings = ADVANCED.model_copy(update={"recency": recency})
    assert require_equal_features(connection, shop, as_of, settings) > 15


@pytest.mark.parametrize("seed", range(2))
def test_features_of_equal_purchases_and_returns_equal_a_second_implementation(
    connection: Connection, seed: int
) -> None:
    assert require_equal_features(connection, repetitive_shop(seed), AS_OF, ADVANCED) == 4


def require_equal_features(connection: Connection, shop: Shop, as_of: datetime, settings: FeatureSettings) -> int:
    """Compare all features with the second implementation; the number of customers."""
    found, expected = compute_rows(connection, shop, as_of, settings), oracle.expected_rows(shop, as_of, settings)
    assert found.keys() == expected.keys()
    for customer, row in expected.items():
        for name, value in row.items():
            wanted = pytest.approx(value, abs=1e-9, rel=1e-9) if isinstance(value, float) else value
            assert found[customer][name] == wanted, (customer, name)
    return len(found)


def test_second_implementation_meets_every_edge_case(connection: Connection) -> None:
    without_a_row = {None, "too early", "too late"}
    assert set(oracle.expected_rows(Shop(EDGES), AS_OF)) == {row[0] for row in EDGES} - without_a_row
