"""The three ways in which segmentations are often reported although there are none: noise, a map, raw RFM."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from segmentation_assets.api import compare
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import EngineSettings, Settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine, parquet_scan, read_frame
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

MONTH = "2025-07-01"
FEW_TRIALS = {"clustering.evaluation.resamples": 6, "clustering.evaluation.reference_draws": 20}
HABITS = (
    "average_unit_price_amount",
    "units_per_line",
    "weekend_order_share",
    "morning_order_share",
    "winter_order_share",
    "main_department_share",
)
DAYS = pd.date_range("2024-07-01", "2025-07-25")


def lines_of_independent_habits(customers: int, orders: int) -> pd.DataFrame:
    """Draw order lines of customers whose six habits have nothing to do with each other and form no groups."""
    rng = np.random.default_rng(0)
    kinds = {
        (weekend, winter): DAYS[((DAYS.day_of_week >= 5) == weekend) & (DAYS.month.isin([12, 1, 2]) == winter)]
        for weekend in (True, False)
        for winter in (True, False)
    }
    rows = []
    for customer in range(customers):
        weekend, winter, morning, price, pieces, favourite = rng.uniform(0.1, 0.9, 6)
        for order in range(orders):
            days = kinds[bool(rng.uniform() < weekend), bool(rng.uniform() < winter)]
            hour = 9 if rng.uniform() < morning else 15
            rows.append(
                (
                    f"o{customer}-{order}",
                    days[rng.integers(len(days))] + pd.Timedelta(hours=hour),
                    f"c{customer}",
                    f"p{int(rng.uniform() < favourite)}",
                    1 + rng.poisson(9 * pieces),
                    round(2 + 8 * price, 2),
                )
            )
    return pd.DataFrame(rows, columns=["order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price"])


def board_of(platform: Platform, month: str) -> pd.DataFrame:
    with platform.engine.connect() as connection:
        board = read_frame(connection, platform.store.table_paths("clusters/leaderboard", month))
    return board.set_index("candidate")


def test_where_customers_form_no_groups_the_rfm_map_stays_in_force_and_says_why(tmp_path: Path, run) -> None:
    lines = lines_of_independent_habits(customers=400, orders=40)
    folder = tmp_path / "delivered"
    folder.mkdir()
    lines.to_csv(folder / "orders.csv", index=False)
    (folder / "products.csv").write_text("product_id,department\np0,Shoes\np1,Hats\n", encoding="utf-8")
    settings = load_settings(
        profile="default",
        overrides={
            "data_dir": str(tmp_path / "data"),
            "calendar.first_snapshot": MONTH[:7],
            "calendar.last_month": MONTH[:7],
            "source.kind": "files",
            "source.folder": str(folder),
            "source.order_lines": {
                "files": ["orders.csv"],
                "date_format": "%Y-%m-%d %H:%M:%S",
                "columns": {name: name for name in lines.columns},
            },
            "source.products": {
                "files": ["products.csv"],
                "columns": {"product_id": "product_id", "department": "department"},
            },
            "features.set": "advanced",
            "matrix.features": list(HABITS),
            "clustering.algorithms.autoencoder.seeds": 1,
            "clustering.algorithms.gaussian_mixture.n_init": 1,
            **FEW_TRIALS,
        },
    ).settings
    run(settings)
    platform = Platform(settings)

    board = board_of(platform, MONTH)
    fitted = board[~board["is_baseline"]]
    assert len(fitted) == len(ALGORITHMS)
    assert not fitted["passed_gates"].any()
    assert fitted["rank"].isna().all()
    assert "separate groups" not in set(fitted["structure"].dropna())
    with platform.engine.connect() as connection:
        champion = read_frame(connection, platform.store.table_paths("gold/champion", MONTH))
        segments = read_frame(connection, platform.store.table_paths("gold/customer_segments", MONTH))
    assert set(champion["algorithm"]) == {"rfm_map"}
    assert set(segments["state"]) == {"assigned"}
    told = (settings.data_dir / "reports" / MONTH[:7] / "business_report.md").read_text(encoding="utf-8")
    assert "No usable clustering; the RFM map is in force." in told
    assert all(f"{name}: " in told or f"{name} " in told for name in ("kmeans", "ward"))
    page = (settings.data_dir / "reports" / MONTH[:7] / "dashboard.html").read_text(encoding="utf-8")
    assert "No usable clustering" in page


def test_a_map_with_a_habitual_radius_is_refused_and_the_report_says_why(shop: Shop, run) -> None:
    settings = shop.settings(
        clustering__algorithms__dbscan__enabled=True,
        clustering__algorithms__dbscan__space="tsne",
        clustering__algorithms__dbscan__eps=0.5,
        clustering__algorithms__dbscan__min_samples=5,
    )
    run(settings, keys={"clusters/dbscan", "clusters/leaderboard", "reports/clusterings"}, month=MONTHS[0])
    row = board_of(Platform(settings), MONTHS[0]).loc["dbscan"]
    assert row["coverage"] < 0.1
    assert not row["passed_gates"]
    assert f"coverage {row['coverage']:.1%} (below the 80.0%)" in row["reason"]
    folder = shop.data_dir / "reports" / MONTHS[0][:7] / "clusterings"
    assert row["reason"] in (folder / "dbscan.md").read_text(encoding="utf-8")
    assert row["reason"] in json.loads((folder / "dbscan.json").read_text(encoding="utf-8"))["decision"]["reason"]


@pytest.fixture(scope="module")
def raw_rfm(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Recency, frequency and money of Online Retail as published: 4,338 customers, index customer_id."""
    path = shared_data / "online-retail" / "online_retail.parquet"
    with Engine(EngineSettings(), tmp_path_factory.mktemp("spill")).connect() as connection:
        lines = connection.sql(f"SELECT DISTINCT * FROM {parquet_scan([path])}").df()
    sold = lines[
        lines["CustomerID"].notna()
        & ~lines["InvoiceNo"].str.startswith("C")
        & (lines["Quantity"] > 0)
        & (lines["UnitPrice"] > 0)
    ]
    spent = sold.assign(
        amount=sold["Quantity"] * sold["UnitPrice"], customer_id=sold["CustomerID"].astype("int64").astype("str")
    )
    now = spent["InvoiceDate"].max() + pd.Timedelta(days=1)
    return spent.groupby("customer_id").agg(
        recency_days=("InvoiceDate", lambda at: (now - at.max()).days),
        order_count=("InvoiceNo", "nunique"),
        net_revenue_amount=("amount", "sum"),
    )


def test_two_clusters_of_raw_rfm_look_best_and_must_not_win(raw_rfm: pd.DataFrame) -> None:
    scaled = StandardScaler().fit_transform(raw_rfm)
    trap = KMeans(n_clusters=2, n_init=10, random_state=0).fit_predict(scaled)
    assert sorted(np.bincount(trap).tolist()) == [26, 4312]
    assert silhouette_score(scaled, trap) == pytest.approx(0.896, abs=0.001)

    matrix = pd.DataFrame(scaled, index=raw_rfm.index, columns=raw_rfm.columns)
    two = settings_with(k_max=2)
    caught = compare(matrix, raw_rfm.reset_index(), ["kmeans"], settings=two).set_index("candidate").loc["kmeans"]
    assert pd.isna(caught["rank"])
    assert caught["exceptional_count"] == 26
    assert caught["exceptional_revenue_share"] > 0.1
    assert "number of segments 1 (below the 2)" in caught["reason"]
    assert "1 of 2 clusters are smaller than 2.00% or 30 customers and no segments" in caught["reason"]

    several = settings_with(k_max=6)
    board = compare(matrix, raw_rfm.reset_index(), ["kmeans", "ward", "hybrid"], settings=several)
    ranked = board[board["rank"].notna()]
    assert len(ranked)
    assert (ranked["n_clusters"] >= 2).all()
    assert (ranked["smallest_segment_share"] >= 0.02).all()
    assert (ranked["silhouette"] < 0.85).all(), "the trap has 0.896"


def settings_with(k_max: int) -> Settings:
    return load_settings(
        profile="default",
        overrides={"clustering.algorithms.kmeans.k_min": 2, "clustering.algorithms.kmeans.k_max": k_max, **FEW_TRIALS},
    ).settings
