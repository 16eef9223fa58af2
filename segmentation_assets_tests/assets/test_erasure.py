"""A decision erases a customer: months are made without it, and it stays away when it is delivered again."""

from __future__ import annotations

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS

KEPT = ("raw/order_lines", "silver/order_lines", "silver/customer_history", "silver/customer_features",
        "gold/rfm_segments", "gold/customer_segments")  # fmt: skip
CHAIN = {"source/decisions", "raw/customers", "raw/products", "raw/engagement_events", "raw/quarantine",
         "silver/snapshot_input", "gold/champion", *KEPT}  # fmt: skip


def customers(shop, key: str) -> set[str | None]:
    platform = Platform(shop.settings())
    paths = []
    for partition in platform.store.partitions(key):
        manifest = platform.store.manifest(key, partition)
        slices = [path for name in manifest.slices for path in platform.store.slice_paths(key, name)]
        paths += slices or platform.store.paths(manifest)
    paths = [path for path in paths if "quarantine" not in path.parts]
    with platform.engine.connect() as connection:
        return {row[0] for row in connection.execute(f"SELECT customer_id FROM {parquet_scan(paths)}").fetchall()}


def test_every_month_is_made_without_the_customer_and_products_are_not_read_again(settings_file, segmentation, run):
    shop = settings_file
    someone = sorted(customers(shop, "gold/customer_segments"))[0]
    before = {key: customers(shop, key) for key in KEPT}

    told = segmentation("erase", someone, "--reason", "asked us")
    computed = run(shop.settings(), keys=CHAIN)

    assert (told.code, "every month that is not closed is made without it" in told.out) == (0, True)
    assert someone not in (shop.data_dir / "decisions.csv").read_text(encoding="utf-8")
    for key in KEPT:
        assert someone in before[key]
        assert customers(shop, key) == before[key] - {someone}
    assert ("raw/order_lines", "all") in computed
    assert not [key for key, _ in computed if key == "raw/products"]
    assert {month for key, month in computed if key == "gold/customer_segments"} <= set(MONTHS)
    platform = Platform(shop.settings())
    assert platform.store.manifest("raw/order_lines").metadata["quarantine_counts"]["erased"] >= 1
    assert run(shop.settings(), keys=CHAIN) == set()
    again = segmentation("erase", someone)
    assert (again.code, f"customer '{someone}' is not among the" in again.err) == (1, True)

    (shop.data_dir / "decisions.csv").unlink()
    run(shop.settings(), keys=CHAIN)
    assert {key: customers(shop, key) for key in KEPT} == before


def test_a_customer_of_several_ids_is_erased_under_all_of_them(shop, write_settings, segmentation, run, monkeypatch,
                                                              tmp_path):  # fmt: skip
    first, second, third = sorted(customers(shop, "silver/customer_history"))[:3]
    file = shop.root / "crosswalk.csv"
    file.write_text(f"delivered_id,customer_id,valid_from\n{second},{first},\n{third},other,2025-07-01\n")
    settings = shop.settings(population__crosswalk=str(file))
    run(settings, keys=CHAIN | {"source/crosswalk"})
    monkeypatch.chdir(tmp_path)
    write_settings(settings)

    assert segmentation("erase", first).code == 0
    run(settings, keys=CHAIN | {"source/crosswalk"})

    assert not customers(shop, "raw/order_lines") & {first, second}
    shared = segmentation("erase", third)
    assert (shared.code, f"'{third}' stands for other too, by row 2" in shared.err) == (1, True)
