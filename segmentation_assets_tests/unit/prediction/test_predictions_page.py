"""What docs/predictions.md shows: settings, defaults and columns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.prediction import PLAUSIBLE_AUC, PLAUSIBLE_AUC_OF_BUILT_IN_SHOP, PredictionSettings
from segmentation_assets.prediction.lifetime_model import HORIZONS
from segmentation_assets.prediction.tuning_clusters import MOST_CUSTOMERS
from segmentation_assets.tables.prediction import CUSTOMER_SCORES
from segmentation_assets_tests.unit.clustering.test_clustering_page import blocks


@pytest.fixture
def page(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "predictions.md").read_text(encoding="utf-8")


def test_settings_are_read(page: str, tmp_path: Path) -> None:
    path = tmp_path / "segmentation.yaml"
    shown = blocks(page, "yaml")
    assert len(shown) == 2
    by_cost = shown[1].replace("    threshold: {rule: precision", "    # {").replace("# threshold:", "threshold:")
    for text in (*shown, by_cost):
        path.write_text(text, encoding="utf-8")
        settings = load_settings(config=path).settings
    assert settings.prediction.churn.threshold.rule == "cost"


def test_defaults_are_as_told(page: str) -> None:
    settings = PredictionSettings()
    told = {
        "`prediction.training_snapshots`, ": settings.training_snapshots,
        "`churn.eligible_days` (": settings.churn.eligible_days,
        "`churn.max_features`, ": settings.churn.max_features,
        "`prediction.max_plausible_auc` (": PLAUSIBLE_AUC,
        "0.85; ": PLAUSIBLE_AUC_OF_BUILT_IN_SHOP,
        "horizon_days: ": settings.horizon_days,
        "refit_every_months: ": settings.refit_every_months,
        "min_precision: ": settings.churn.threshold.min_precision,
        "`monthly_discount_rate` (": f"{settings.lifetime_value.monthly_discount_rate * 100:.0f} %",
        "`lifetime_value.model` (`": settings.lifetime_value.model,
        "customers of the model matrix, at most ": f"{MOST_CUSTOMERS:,}",
        "will spend, in ": f"{settings.lifetime_value.level * 100:.0f} of 100",
    }
    for words, value in told.items():
        assert f"{words}{value}" in page


def test_columns_of_the_scores_exist(page: str) -> None:
    table = page.split("for 3, 6 and 12 months:")[1]
    stems = re.findall(r"`([a-z_]+)_…`", table)
    assert len(stems) == 6
    for stem in stems:
        for suffix in HORIZONS:
            assert f"{stem}_{suffix}" in CUSTOMER_SCORES.column_names
