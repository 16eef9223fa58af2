"""The page about the order lines, from a finished shop."""

from __future__ import annotations

from segmentation_assets.graph.platform import Platform
from segmentation_assets_tests.assets.conftest import MONTHS

NEWEST = MONTHS[-1]


def test_the_page_of_a_young_shop_says_what_cannot_be_compared(shop):
    text = (shop.data_dir / "reports" / NEWEST[:7] / "eda.html").read_text(encoding="utf-8")
    assert "twelve months are compared" in text
    manifest = Platform(shop.settings()).store.manifest("reports/eda", NEWEST)
    assert "November's orders to a mean month's" in manifest.metadata["not_known"]
    assert "Returned lines per sold line" not in manifest.metadata["not_known"]


def test_a_new_title_renders_the_page_again_and_the_segments_not(shop, run):
    computed = run(shop.settings(reports__dashboard__title="Elsewhere"))
    assert ("reports/eda", NEWEST) in computed
    assert not {key for key, _ in computed if key.startswith(("silver/", "gold/"))}
