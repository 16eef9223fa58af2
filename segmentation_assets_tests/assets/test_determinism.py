"""The same delivery gives the same bytes, whatever the number of engine threads and wherever the data folder lies."""

from __future__ import annotations

import pytest

from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.runner import run_scope
from segmentation_assets_tests.assets.conftest import MONTHS, Shop, deliver_small_shop
from segmentation_assets_tests.assets.stored import bytes_of


def hashes(platform: Platform) -> dict[tuple[str, str], str]:
    return {
        (node.key, partition): platform.store.manifest(node.key, partition).content_hash
        for node in platform.graph.nodes
        for partition in platform.store.partitions(node.key)
        if node.key != "serving/warehouse"
    }


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> tuple[Platform, Platform]:
    """Two months of the same shop, made with one thread and with four, order lines in three buckets of customers."""
    made = []
    for threads in (1, 4):
        shop = Shop(tmp_path_factory.mktemp(f"with_{threads}_threads"))
        deliver_small_shop(shop)
        settings = shop.settings(
            engine__threads=threads, engine__customer_buckets=3, calendar__last_month=MONTHS[1][:7]
        )
        platform = Platform(settings)
        run_scope(platform, Scope(frozenset(platform.graph.by_key)), lambda *_: None)
        made.append(platform)
    return made[0], made[1]


def test_contents_are_equal(twice):
    first, second = twice
    assert hashes(first) == hashes(second)
    assert len(hashes(first)) > 30


@pytest.mark.parametrize(("part", "at_least"), [("tables/", 60), ("exports/", 6), ("reports/", 4)])
def test_files_are_equal_byte_for_byte(twice, part, at_least):
    first, second = (bytes_of(platform.data_dir, part) for platform in twice)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert len(first) >= at_least


def test_models_are_equal_in_content(twice):
    first, second = (bytes_of(platform.data_dir, "models/") for platform in twice)
    described = [name for name in first if name.endswith("metadata.json")]
    assert first.keys() == second.keys()
    assert len(described) >= 2
    assert [name for name in described if first[name] != second[name]] == []


def test_buckets_of_customers_change_no_feature(twice, finished_shop):
    buckets, _ = twice
    single = Platform(finished_shop.settings())
    for key in ("silver/customer_features", "gold/customer_segments", "gold/segment_profiles"):
        for month in MONTHS[:2]:
            assert buckets.store.manifest(key, month).content_hash == single.store.manifest(key, month).content_hash
