"""Files that vanish or get shorter are told of in checks, metadata and summary, until they are back or withdrawn."""

from __future__ import annotations

import shutil

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets_tests.assets.conftest import MONTHS, Shop
from segmentation_assets_tests.assets.stored import rewrite

RAW = {"source/delivery", "raw/order_lines", "raw/customers", "raw/products", "raw/engagement_events", "raw/quarantine"}


def loss_of(shop: Shop):
    """The outcome of the check, and what the metadata of the order lines have."""
    store = Platform(shop.settings()).store
    (check,) = (check for check in store.manifest("raw/quarantine").checks if check.name == "nothing_lost")
    assert not check.is_blocking
    return check, store.manifest("raw/order_lines").metadata["lost_rows"]


def test_file_that_is_gone_is_told_until_it_is_back(shop, run, segmentation, write_settings, monkeypatch):
    gone, other = shop.lines(MONTHS[1]), shop.lines(MONTHS[2])
    rows = Platform(shop.settings()).store.manifest("raw/order_lines").metadata["delivered_files"][gone.name]["rows"]
    shutil.move(gone, shop.root / gone.name)
    monkeypatch.chdir(shop.root)
    write_settings(shop.settings())

    ended = segmentation("run")

    check, lost = loss_of(shop)
    assert not check.passed
    assert (
        f"{gone.name} ({rows:,} rows before, none now; of those in raw/order_lines, {rows:,} are" in check.description
    )
    assert (lost[gone.name]["rows_before"], lost[gone.name]["lost_rows"]) == (rows, rows)
    assert check.description in ended.out + ended.err

    rewrite(other, "SELECT * REPLACE (product_id || ' ' AS product_id) FROM t")
    run(shop.settings(), keys=RAW)
    assert loss_of(shop)[1] == lost, "another delivery does not end it"

    shutil.move(shop.root / gone.name, gone)
    run(shop.settings(), keys=RAW)
    assert loss_of(shop)[0].passed


def test_file_that_is_shorter_is_told_unless_it_is_withdrawn(shop, run):
    shorter = shop.lines(MONTHS[1])
    rewrite(shorter, "SELECT * FROM t ORDER BY order_id OFFSET 7")

    run(shop.settings(), keys=RAW)

    check, lost = loss_of(shop)
    assert not check.passed
    assert lost[shorter.name]["rows_before"] - lost[shorter.name]["rows_now"] == 7
    assert lost[shorter.name]["lost_rows"] == 7
    assert "raw/customers" not in check.description

    withdrawn = shop.settings(source__withdrawn=[shorter.name])
    assert run(withdrawn, keys=RAW) == {("raw/quarantine", "all")}, "no file is read again"
    assert loss_of(shop)[0].passed
    run(shop.settings(source__withdrawn=["other.csv"]), keys=RAW)
    check, kept = loss_of(shop)
    assert kept == lost, "what was withdrawn is known again once it is no longer"
    assert check.description.endswith("Of source.withdrawn, other.csv fits no file that lost rows.")


def test_correction_that_vanishes_is_told_as_the_earlier_version_holds_again(shop, run):
    lines = shop.lines(MONTHS[1])
    correction = lines.with_name("order_lines-2025-07-corrected.parquet")
    shutil.copy(lines, correction)
    rewrite(correction, "SELECT * REPLACE (quantity + 1 AS quantity) FROM t WHERE hash(order_id) % 9 = 0")
    run(shop.settings(), keys=RAW)
    corrected = Platform(shop.settings()).store.manifest("raw/order_lines").metadata["delivered_files"][correction.name]
    assert loss_of(shop)[0].passed

    shutil.move(correction, shop.root / correction.name)
    run(shop.settings(), keys=RAW)

    check, lost = loss_of(shop)
    assert f"{corrected['rows']:,} have an earlier version again" in check.description
    assert lost[correction.name]["reverted_rows"] == corrected["rows"]
    assert lost[correction.name]["lost_rows"] == 0
    shutil.move(shop.root / correction.name, correction)
    run(shop.settings(), keys=RAW)
    assert loss_of(shop)[0].passed


def test_nothing_is_told_of_an_original_of_which_a_copy_stays(shop, run):
    lines = shop.lines(MONTHS[1])
    copy = lines.with_name("order_lines-2025-07-again.parquet")
    shutil.copy(lines, copy)
    rewrite(copy, "SELECT * FROM t", codec="gzip")
    run(shop.settings(), keys=RAW)
    lines.unlink()
    run(shop.settings(), keys=RAW)
    assert loss_of(shop)[0].passed


def test_nothing_is_told_of_a_file_with_another_name_or_whose_rows_are_elsewhere(shop, run):
    moved, split = shop.lines(MONTHS[0]), shop.lines(MONTHS[1])
    moved.rename(moved.with_name("order_lines-2025-06-renamed.parquet"))
    half = split.with_name("order_lines-2025-07-half.parquet")
    shutil.copy(split, half)
    rewrite(half, "SELECT * FROM t WHERE hash(order_id) % 2 = 0")
    rewrite(split, "SELECT * FROM t WHERE hash(order_id) % 2 = 1")

    run(shop.settings(), keys=RAW)

    assert loss_of(shop)[0].passed


def test_nothing_is_told_of_the_built_in_shop_whose_settings_changed(tmp_path, run):
    keys = {"source/synthetic_retail", "source/delivery", "source/decisions", "raw/order_lines"}
    shop = {
        "data_dir": str(tmp_path),
        "synthetic.customers": 50,
        "synthetic.first_month": "2024-12",
        "synthetic.months": 9,
    }
    for changes in ({}, {"synthetic.seed": 7, "synthetic.customers": 20}):
        settings = load_settings(profile="demo", overrides={**shop, **changes}).settings
        assert ("raw/order_lines", "all") in run(settings, keys=keys)
    metadata = Platform(settings).store.manifest("raw/order_lines").metadata
    assert len(metadata["delivered_files"]) == 9
    assert metadata["lost_rows"] == {}
