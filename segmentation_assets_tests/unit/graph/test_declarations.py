"""Every asset of the graph is declared in full."""

import re

from segmentation_assets.graph.declarations import declared_checks, declared_table


def test_every_asset_says_what_it_is(platform):
    for node in platform.graph.nodes:
        assert re.fullmatch(
            r"(source|raw|silver|clusters|gold|models|monitoring|exports|reports|serving)/[a-z_]+", node.key
        )
        assert 1 <= node.description.count(". ") + 1 <= 5, node.key
        assert node.description.endswith("."), node.key


def test_every_table_declares_its_columns_and_its_key(platform):
    for node in platform.graph.nodes:
        table = declared_table(platform, node)
        assert set(table.primary_key) <= set(table.column_names), node.key
        assert all(column.meaning for column in table.columns), node.key


def test_every_table_has_a_contract_and_every_layer_a_reconciliation(platform):
    by_key = {node.key: tuple(check.name for check in declared_checks(node)) for node in platform.graph.nodes}
    tables = {node.key for node in platform.graph.nodes if node.storage != "files"}
    assert {key for key, names in by_key.items() if "contract" in names} == tables
    layers = {key.split("/")[0] for key, names in by_key.items() if "reconciliation" in names}
    assert {"raw", "silver", "gold"} <= layers
