"""After a delivery, Dagster's own statuses of the months it leaves as they are."""

import asyncio

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.build import build_defs
from segmentation_assets.orchestration.instance import open_instance
from segmentation_assets.orchestration.provenance import confirm_kept
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import rewrite

LINES = "silver/order_lines"

SHARED = ("silver/snapshot_input", "monitoring/data_quality")
"""Monthly assets that read a part of what all months share."""


def change_newest(shop):
    rewrite(shop.lines(MONTHS[-1]), "SELECT * REPLACE (quantity + 3 AS quantity) FROM t")


@pytest.fixture
def instance(shop):
    with open_instance(shop.data_dir) as opened:
        yield opened


@pytest.fixture
def changed(shop, run, instance):
    """The shop after a change in the newest month."""
    change_newest(shop)
    computed = run(shop.settings())
    assert {month for key, month in computed if key == "silver/snapshot_input"} == {MONTHS[-1]}
    return shop


def stale(shop, instance):
    """Assets and months that Dagster does not call fresh."""
    graph = build_defs(shop.settings()).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    return {
        (key.to_user_string(), month)
        for key in graph.materializable_asset_keys
        for month in (MONTHS if graph.get(key).is_partitioned else (None,))
        if resolver.get_status(key, month).value != "FRESH"
    }


def materializations(instance, key, month):
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(key.split("/")), asset_partitions=[month])
    return [record.asset_materialization for record in instance.fetch_materializations(wanted, limit=9).records]


def test_months_that_a_delivery_leaves_as_they_are_stay_fresh(changed, instance):
    assert stale(changed, instance) == set()
    for key in SHARED:
        confirmed, made = materializations(instance, key, MONTHS[0])
        assert confirmed.metadata["kept"].value is True
        assert confirmed.tags["dagster/data_version"] == made.tags["dagster/data_version"]
    assert len(materializations(instance, "gold/customer_segments", MONTHS[0])) == 1


def test_nothing_is_reported_twice(changed, instance):
    assert confirm_kept(Platform(changed.settings()), instance) == 0


def report_made_from_other_lines(instance, month, **own):
    """Have Dagster believe that a month's input was made from other order lines."""
    known = materializations(instance, SHARED[0], month)[0]
    tags = {**known.tags, "dagster/input_data_version/silver/order_lines": "other", **own}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(known.asset_key, partition=month, metadata=known.metadata, tags=tags)
    )


def test_month_that_is_out_of_date_is_not_called_fresh(changed, instance):
    report_made_from_other_lines(instance, MONTHS[0])
    platform = Platform(changed.settings(calendar__lookback_months=3))
    assert confirm_kept(platform, instance) == 0
    assert (SHARED[0], MONTHS[0]) in stale(changed, instance)


def test_newest_month_that_is_out_of_date_is_not_called_fresh(shop, run, instance):
    """Only the delivery is taken in: the newest month waits to be made, and must not pass for made."""
    change_newest(shop)
    graph = Platform(shop.settings()).graph
    run(shop.settings(), keys={node.key for node in graph.nodes if node.layer in ("source", "raw")} | {LINES})
    assert {(key, MONTHS[-1]) for key in SHARED} <= stale(shop, instance)
    assert len(materializations(instance, SHARED[0], MONTHS[-1])) == 1


def test_result_that_dagster_does_not_know_is_not_reported_as_kept(changed, instance):
    report_made_from_other_lines(instance, MONTHS[0], **{"dagster/data_version": "another result"})
    assert confirm_kept(Platform(changed.settings()), instance) == 0


@pytest.mark.parametrize("key", SHARED)
def test_newest_month_and_its_checks_stay_the_ones_shown_first(changed, instance, key):
    asset_key = dg.AssetKey(key.split("/"))
    assert instance.get_latest_materialization_event(asset_key).asset_materialization.partition == MONTHS[-1]
    check_key = dg.AssetCheckKey(asset_key, "contract")
    context = LoadingContextForTest(instance)

    async def is_shown() -> bool:
        record = await AssetCheckExecutionRecord.gen(context, check_key)
        return await record.targets_latest_materialization(context)

    assert asyncio.run(is_shown())
