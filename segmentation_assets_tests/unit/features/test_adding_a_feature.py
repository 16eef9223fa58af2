"""The block that docs/adding-a-feature.md adds, taken from the page."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.config.loading import load_settings
from segmentation_assets.features import declaration, registry
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.features.registry import features_table
from segmentation_assets.features.relations import FeatureRelations, shared_relations
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.graph.lineage import column_lineage
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.oracle import BLOCKS, expected_rows
from segmentation_assets_tests.unit.features.shop import (
    ALL_COLUMNS,
    ALL_INPUTS,
    ALL_TABLES,
    AS_OF,
    LOOKBACK_START,
    SETTINGS,
    Shop,
    compute_rows,
    line,
    random_shop,
)

BLOCK = "segmentation_assets/features/blocks/bulk.py"
ORACLE = "segmentation_assets_tests/unit/features/oracle/bulk.py"
NAMES = ("bulk_line_count", "bulk_line_share")


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "adding-a-feature.md").read_text(encoding="utf-8")


def module(page: str, path: str) -> ModuleType:
    """Run the file that the page shows below its path."""
    found = re.search(rf"^`{re.escape(path)}`\n\n```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert found, path
    made = ModuleType(Path(path).stem)
    exec(compile(found[1], path, "exec"), made.__dict__)
    return made


@pytest.fixture
def block(page: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[FeatureSettings], FeatureBlock]:
    """The block of the page, registered."""
    made: Callable[[FeatureSettings], FeatureBlock] = module(page, BLOCK).block
    monkeypatch.setattr(registry, "BLOCKS", (*registry.BLOCKS, made))
    return made


@pytest.mark.usefixtures("block")
def test_the_features_of_the_page_are_computed(connection: Connection) -> None:
    shop = Shop(
        (
            line("ann", "o1", "2025-05-10", "sale", "7.00", 3),
            line("ann", "o1", "2025-05-10", "sale", "7.00", 2),
            line("ann", "o2", "2025-06-01", "sale", "7.00", 9),
            line("bob", "r1", "2025-05-10", "return", "-7.00", -4),
        )
    )
    rows = compute_rows(connection, shop)
    assert {customer: tuple(row[name] for name in NAMES) for customer, row in rows.items()} == {
        "ann": (1, 0.5),
        "bob": (0, None),
    }


@pytest.mark.usefixtures("block")
def test_the_features_of_the_page_equal_its_second_implementation(
    page: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BLOCKS, "bulk", module(page, ORACLE).expected)
    shop = random_shop(1)
    found, wanted = compute_rows(connection, shop), expected_rows(shop, AS_OF)
    assert [[row[name] for name in NAMES] for row in found.values()] == [
        [wanted[customer][name] for name in NAMES] for customer in found
    ]
    assert {row["bulk_line_share"] for row in found.values()} - {None, 0.0, 1.0}


@pytest.mark.usefixtures("block")
def test_the_features_of_the_page_are_declared_and_have_a_lineage(tmp_path: Path) -> None:
    assert features_table(SETTINGS, ALL_INPUTS).column_names[-2:] == NAMES
    settings = load_settings(profile="demo", overrides={"data_dir": str(tmp_path)}).settings
    platform = Platform(settings)
    lineage = column_lineage(platform, platform.graph.node("silver/customer_features"))
    assert ("silver/order_lines", "quantity") in lineage["bulk_line_share"]


def test_every_field_of_a_declaration_is_explained(page: str) -> None:
    words = set(re.findall(r"`(\w+)`", page))
    fields = {*FeatureColumn.__dataclass_fields__, *FeatureBlock.__dataclass_fields__}
    assert fields - words == set()
    assert set(declaration.FillRule.__dataclass_fields__) - words == {"reason", "description"}


def test_every_relation_that_a_block_may_read_is_named(page: str) -> None:
    relations = FeatureRelations("lines", "history", *ALL_TABLES, ALL_COLUMNS)
    shared = shared_relations(Snapshot(SETTINGS, AS_OF, LOOKBACK_START), relations)
    assert set(shared) - set(re.findall(r"`(\w+)`", page)) == set()
