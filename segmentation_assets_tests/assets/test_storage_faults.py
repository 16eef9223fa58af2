"""Full disks and damaged inputs are told as what they are, and leave the previous results in place."""

import errno

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.assets import gold
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import rewrite


def test_full_disk_is_told_and_leaves_the_previous_result(shop, run, monkeypatch):
    store = Platform(shop.settings()).store
    before = store.manifest("gold/rfm_segments", MONTHS[0])

    def fill(step):
        raise OSError(errno.ENOSPC, "No space left on device", str(step.stage))

    monkeypatch.setattr(gold, "rfm_segments", fill)
    with pytest.raises(
        DataError, match=r"gold/rfm_segments cannot read or write .*No space left[^\n]*\nHint: check the"
    ):
        run(shop.settings(), keys={"gold/rfm_segments"}, force=True)
    assert store.manifest("gold/rfm_segments", MONTHS[0]) == before
    assert store.is_intact(before)


def test_damaged_input_is_named_with_what_to_do(shop, run):
    (path,) = Platform(shop.settings()).store.table_paths("silver/customer_features", MONTHS[0])
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(
        DataError, match=r"silver/customer_features of 2025-06-01 cannot be read: tables/.* is missing or damaged\n"
    ):
        run(shop.settings(), keys={"gold/rfm_segments"}, month=MONTHS[0], force=True)


def test_order_lines_that_were_altered_behind_our_back_are_not_computed_with(shop, run):
    """The file can be read, so only its hash tells; nothing may rest on it."""
    store = Platform(shop.settings()).store
    before = store.manifest("silver/customer_features", MONTHS[0])
    (path,) = store.slice_paths("silver/order_lines", MONTHS[0])
    rewrite(path, "SELECT * REPLACE (quantity + 1 AS quantity) FROM t")
    with pytest.raises(DataError, match=r"silver/order_lines of 2025-06-01 cannot be read: tables/silver/order_lines/"):
        run(shop.settings(), keys={"silver/customer_features"}, month=MONTHS[0], force=True)
    assert store.manifest("silver/customer_features", MONTHS[0]) == before
    run(shop.settings())
    assert store.is_intact(store.manifest("silver/order_lines"))
    assert store.manifest("silver/customer_features", MONTHS[0]) == before


def test_month_whose_predecessor_is_out_of_date_fails_and_names_it(shop, run):
    from segmentation_assets.errors import PredecessorError
    from segmentation_assets.graph.staleness import check_predecessors

    platform = Platform(shop.settings(clustering__algorithms__kmeans__k_max=5))
    with pytest.raises(PredecessorError, match=r"builds on 2025-06, which is not up to date: clusters/kmeans: its set"):
        check_predecessors(platform, platform.graph.node("gold/champion"), MONTHS[2])
    check_predecessors(platform, platform.graph.node("silver/customer_history"), MONTHS[2])


def test_asking_for_one_month_makes_the_earlier_ones_it_builds_on(shop, run):
    computed = run(shop.settings(clustering__algorithms__kmeans__k_max=5), month=MONTHS[1])
    assert {partition for key, partition in computed if key == "clusters/kmeans"} == set(MONTHS[:2])
