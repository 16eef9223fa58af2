"""The pipeline from features to the dashboard, with every way of imputing, encoding, transforming and reducing."""

from __future__ import annotations

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.graph.lineage import column_lineage
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.columns import MOST_SOURCES_LINKED, lineage_metadata
from segmentation_assets.storage.engine import Engine, read_frame
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

JUNE, JULY = MONTHS[:2]
NUMBERS = ["recency_days", "order_count", "net_revenue_amount", "return_rate", "age_years", "days_since_event"]
CATEGORIES = ["main_department", "gender"]

WAYS = {
    "basic, nearest neighbours, share of variance": {
        "features.set": "basic",
        "imputation.method": "knn",
        "imputation.donors": 100,
        "matrix.pca": 0.9,
    },
    "regressions, one-hot, winsorised, power, quantiles": {
        "imputation.method": "iterative",
        "imputation.rounds": 1,
        "matrix.features": [*NUMBERS, *CATEGORIES],
        "matrix.max_categories": 2,
        "matrix.outliers": "winsorise",
        "matrix.skew": "yeo_johnson",
        "matrix.scaling": "quantile",
    },
    "nearest neighbours, ordinal, components": {
        "imputation.method": "knn",
        "matrix.features": [*NUMBERS, *CATEGORIES],
        "matrix.encoding": "ordinal",
        "matrix.scaling": "robust",
        "matrix.pca": 3,
    },
}


OPEN_GATES = {
    "leaderboard.min_stability": 0,
    "leaderboard.min_segment_share": 0,
    "leaderboard.min_segment_customers": 1,
}
"""Of few customers some partitions pass the gates on one processor and not on another."""


def read(platform: Platform, key: str, month: str):
    with Engine(EngineSettings(), platform.settings.data_dir / "spill").connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_month_is_made_and_the_next_one_assigned(shop: Shop, run, way):
    settings = shop.settings(**{"calendar.last_month": JULY[:7], **OPEN_GATES, **way})
    platform = Platform(settings)
    keys = {key for key in platform.graph.by_key if key.startswith(("silver/", "clusters/", "gold/", "monitoring/"))}
    computed = run(settings, keys=frozenset({*keys, "reports/dashboard", "exports/customer_segments"}))

    assert ("silver/model_matrix", JUNE) in computed
    folder = platform.store.table_paths("silver/model_matrix", JUNE)[0].parent
    preparation = Preparation.from_json((folder / "preparation.json").read_text(encoding="utf-8"))
    assert read(platform, "silver/model_matrix", JUNE).columns.tolist() == ["customer_id", *preparation.column_names]
    champion = read(platform, "gold/champion", JULY).iloc[0]
    assert (champion["algorithm"], champion["trained_month"]) == ("kmeans", JUNE[:7])
    segments = read(platform, "gold/customer_segments", JULY)
    assert segments.loc[segments["state"] == "assigned", "segment_key"].notna().all()
    adjusted = {
        key: bool(platform.store.manifest(key, JULY).metadata["adjustments"])
        for key in ("silver/model_matrix", "gold/customer_segments")
    }
    is_winsorised = "matrix.outliers" in way
    assert adjusted == {"silver/model_matrix": is_winsorised, "gold/customer_segments": is_winsorised}
    tracking = platform.store.manifest("silver/imputed_features", JULY).metadata["tracking"]
    reasons = {row["reason"] for row in tracking}
    assert f"missing_filled_by_{way['imputation.method']}" in reasons
    assert (settings.data_dir / "reports" / JULY[:7] / "dashboard.html").is_file()


def test_lineage_of_categories_names_the_columns_that_are_stored(shop: Shop):
    platform = Platform(shop.settings(matrix__features=["recency_days", "gender"]))
    node = platform.graph.node("silver/model_matrix")
    found = lineage_metadata(platform, node, ["recency_days", "gender_is_female", "gender_is_male"])
    deps = found["dagster/column_lineage"].deps_by_column
    assert set(deps) == {"customer_id", "recency_days", "gender_is_female", "gender_is_male"}
    assert [dep.column_name for dep in deps["gender_is_male"]] == ["gender"]


def test_column_made_from_all_features_has_no_links(shop: Shop):
    platform = Platform(shop.settings())
    node = platform.graph.node("gold/segment_profiles")
    sources = {column: len(found) for column, found in column_lineage(platform, node).items()}
    deps = lineage_metadata(platform, node)["dagster/column_lineage"].deps_by_column
    assert max(sources.values()) > MOST_SOURCES_LINKED
    assert set(deps) == {column for column, count in sources.items() if count <= MOST_SOURCES_LINKED}
