"""What several tests of segments start from."""

import pandas as pd
import pytest

from segmentation_assets.clustering.confidence import ConfidenceCurve
from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features.declaration import FillRule, ImputationReason
from segmentation_assets.features.fills import Fill
from segmentation_assets.features.imputation import Imputation
from segmentation_assets.features.preparation import Preparation
from segmentation_assets.features.transformation import MatrixColumn
from segmentation_assets.segments.champion_model import ChampionModel, Segment
from segmentation_assets.storage.contract import check_contract
from segmentation_assets.storage.engine import Engine, write_frame


@pytest.fixture
def stored(tmp_path):
    """Return a function that writes a frame, asserts that it keeps its declaration and reads it back."""

    def write(frame, table):
        path = tmp_path / "table.parquet"
        with Engine(EngineSettings(), tmp_path).connect() as connection:
            write_frame(connection, frame, table, path)
            result = check_contract(connection, [path], table)
            assert result.passed, result.sentence(table.key)
            return connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall()

    return write


@pytest.fixture
def preparation():
    """Return a preparation of order_count (core) and gap_days (filled by 4), without scaling."""
    core = Fill("order_count", "core", FillRule(reason=ImputationReason.MISSING_CORE, description="set aside"))
    mean = FillRule(reason=ImputationReason.ORDINARY_MEAN, description="mean of the known values", value=4.0)
    gap = Fill("gap_days", "ordinary", mean)
    return Preparation(
        imputation=Imputation((core, gap)),
        encodings=(),
        columns=(MatrixColumn("order_count", "order_count"), MatrixColumn("gap_days", "gap_days")),
        components=None,
        dropped=(),
        fitted_count=6,
        set_aside_count=0,
    )


@pytest.fixture
def model(preparation):
    """Return a model with the centres (20, 2), (10, 4) and (0, 6), keys S001, S002 and S003."""
    points = pd.DataFrame({"order_count": [20.0, 20, 10, 10, 0, 0], "gap_days": [1.0, 3, 3, 5, 5, 7]})
    estimator = KMeansClusterer(n_clusters=3, random_state=1).fit(points)
    estimator.reorder_clusters((-estimator.cluster_centers_[:, 0]).argsort())
    segments = (Segment("S001", 0), Segment("S002", 1), Segment("S003", 2))
    curve = ConfidenceCurve((0.0, 1.0), (0.5, 1.0), 0.3)
    return ChampionModel("kmeans", segments, preparation=preparation, estimator=estimator, confidence=curve)


@pytest.fixture
def champion():
    """Return the champion's table of that model."""
    return pd.DataFrame(
        {
            "segment_key": ["S001", "S002", "S003"],
            "segment_name": ["Best", "Middle", "Rest"],
            "cluster": [0, 1, 2],
            "algorithm": "kmeans",
            "model_hash": "0" * 32,
            "trained_month": "2025-05",
            "first_month": "2025-05",
            "keys_issued": 3,
            "decision": "promoted",
            "decision_reason": "first",
            "kind": ["champions", "loyal", "lost"],
        }
    )
