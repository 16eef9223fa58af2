"""Shops that no clustering can be fitted on: the RFM map is in force, or one error says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import EngineSettings, Settings
from segmentation_assets.errors import DataError
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.runner import run_scope
from segmentation_assets.storage.engine import Engine, read_frame

JULY = "2025-07-01"
COLUMNS = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")
RETURN = -1


def settings_of(root: Path, lines: list[tuple[str, str, str, int]], **overrides: object) -> Settings:
    """Deliver lines of (order, day, customer, pieces) and map them."""
    folder = root / "delivered"
    folder.mkdir()
    rows = [",".join(COLUMNS)]
    rows += [f"{order},{day},{customer},p1,{pieces},2.50" for order, day, customer, pieces in lines]
    (folder / "orders.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "products.csv").write_text("product_id,department\np1,Shoes\np2,Hats\n", encoding="utf-8")
    given = {
        "data_dir": str(root / "data"),
        "calendar.first_snapshot": "2025-06",
        "calendar.last_month": "2025-07",
        "source.kind": "files",
        "source.folder": str(folder),
        "source.order_lines": {
            "files": ["orders.csv"],
            "date_format": "%Y-%m-%d",
            "columns": {name: name for name in COLUMNS},
        },
        "source.products": {
            "files": ["products.csv"],
            "columns": {"product_id": "product_id", "department": "department"},
        },
        "clustering.refit_every_months": 1,
        "clustering.evaluation.resamples": 4,
        "clustering.evaluation.reference_draws": 2,
        **overrides,
    }
    return load_settings(profile="default", overrides=given).settings


def equal_customers(count: int) -> list[tuple[str, str, str, int]]:
    """Return lines of customers who all ordered the same on the same days of two months."""
    days = ("2025-06-10", "2025-06-29", "2025-07-30")
    return [(f"o{number}-{day}", day, f"c{number}", 2) for number in range(count) for day in days]


def run_all(settings: Settings) -> Platform:
    platform = Platform(settings)
    run_scope(platform, Scope(frozenset(platform.graph.by_key)), lambda *_: None)
    return platform


def table(platform: Platform, key: str, partition: str = JULY):
    with Engine(EngineSettings(), platform.settings.data_dir / "spill").connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, partition))


@pytest.mark.parametrize("count", [1, 40])
def test_customers_who_do_not_differ_get_the_rfm_map(tmp_path, count):
    platform = run_all(settings_of(tmp_path, equal_customers(count)))

    assert table(platform, "silver/model_matrix").columns.tolist() == ["customer_id"]
    found = table(platform, "clusters/kmeans")
    assert found["cluster"].tolist() == [-1] * count
    assert found["centre_distance"].isna().all()
    folder = platform.store.table_paths("clusters/kmeans", JULY)[0].parent
    assert json.loads((folder / "model.json").read_text(encoding="utf-8")) is None
    board = table(platform, "clusters/leaderboard").set_index("candidate")
    assert board.loc["kmeans", "reason"].startswith("Nothing could be fitted: ")
    assert not board.loc["kmeans", "passed_gates"]
    assert set(table(platform, "gold/champion")["algorithm"]) == {"rfm_map"}
    assert table(platform, "gold/customer_segments")["state"].tolist() == ["assigned"] * count
    assert list((platform.settings.data_dir / "reports").rglob("*.html"))


def test_a_shop_of_returns_only_is_refused_with_one_error(tmp_path):
    lines = [(order, day, customer, RETURN) for order, day, customer, _ in equal_customers(3)]
    settings = settings_of(tmp_path, lines, **{"source.cancellations.rule": "negative_quantity"})
    with pytest.raises(DataError, match=r"none of 3 known customers has a sale from .* until before 2025-07-01"):
        run_all(settings)


def test_a_shop_without_known_customers_is_refused_with_one_error(tmp_path):
    lines = [(order, day, "", pieces) for order, day, _, pieces in equal_customers(3)]
    with pytest.raises(DataError, match="until before 2025-07-01 has a known customer"):
        run_all(settings_of(tmp_path, lines))


def test_a_department_that_no_product_has_is_refused_before_features_are_made(tmp_path):
    settings = settings_of(tmp_path, equal_customers(2), **{"features.departments": ["Shoe"]})
    with pytest.raises(DataError, match=r"lists 'Shoe', which no .*\nHint: did you mean 'Shoes'\? the products"):
        run_all(settings)
