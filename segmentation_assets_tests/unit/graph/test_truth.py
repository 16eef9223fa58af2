"""The truth of the built-in shop is no input of anything: a walk along the lineage of assets, files and columns."""

import pytest

from segmentation_assets.graph.inputs import delivered_files
from segmentation_assets.graph.lineage import column_lineage
from segmentation_assets.storage.manifest import StoredFile
from segmentation_assets.synthetic.delivery import TRUTH_COLUMNS, synthetic_source

SHOP = "source/synthetic_retail"
DELIVERED = ("customers-2025-06", "products-2025-06", "order_lines-2025-06", "engagement_events-2025-06")
TRUE = ("true_customers", "true_faults", "true_states-2025-06")


@pytest.fixture
def delivered(platform, pretend):
    """The platform with the files of the shop, those of the truth among them."""
    paths = [
        *(f"synthetic/delivery/{name}.parquet" for name in DELIVERED),
        *(f"synthetic/ground_truth/{name}.parquet" for name in TRUE),
    ]
    for path in paths:
        (platform.data_dir / path).parent.mkdir(parents=True, exist_ok=True)
        (platform.data_dir / path).write_text(path)
    pretend(platform, SHOP, files=tuple(StoredFile(path, 1, "") for path in paths))
    return platform


def ancestors(platform, key):
    """Keys of all assets that an asset is made from, itself included."""
    found, waiting = set(), {key}
    while waiting:
        found |= waiting
        waiting = {item.key for name in waiting for item in platform.graph.node(name).inputs} - found
    return found


def test_every_asset_reaches_the_shop_through_the_list_of_delivered_files_only(platform):
    made_from_shop = [node.key for node in platform.graph.nodes if SHOP in ancestors(platform, node.key)]
    readers = {node.key for node in platform.graph.nodes for item in node.inputs if item.key == SHOP}
    assert readers == {"source/delivery"}
    assert {"silver/customer_features", "clusters/kmeans", "gold/champion"} <= set(made_from_shop)
    for key in set(made_from_shop) - {SHOP}:
        assert "source/delivery" in ancestors(platform, key)


def test_the_list_of_delivered_files_holds_all_but_the_truth(delivered):
    names = {file.file_name for file in delivered_files(delivered)}
    assert names == {f"{name}.parquet" for name in DELIVERED}


def test_truth_put_into_the_delivery_folder_by_mistake_matches_no_pattern(delivered, pretend):
    path = "synthetic/delivery/true_customers.parquet"
    (delivered.data_dir / path).write_text("truth")
    before = delivered.store.manifest(SHOP, "all").files
    pretend(delivered, SHOP, files=(*before, StoredFile(path, 1, "")))
    assert "true_customers.parquet" not in {file.file_name for file in delivered_files(delivered)}


def test_no_delivered_table_maps_a_column_of_the_truth():
    source = synthetic_source()
    tables = (source.order_lines, source.customers, source.products, source.engagement_events)
    mapped = {name for table in tables for pair in table.columns.items() for name in pair}
    assert {"archetype", "outlier", "true_state", "fault"} <= TRUTH_COLUMNS
    assert mapped & TRUTH_COLUMNS == set()


def test_no_column_of_any_asset_is_made_from_a_column_of_the_truth(platform):
    sources = {
        column
        for node in platform.graph.nodes
        for pairs in column_lineage(platform, node).values()
        for _, column in pairs
    }
    assert len(sources) > 50
    assert sources & TRUTH_COLUMNS == set()
