"""Churn on the real Online Retail file: learned as of 2011-06-01, judged as of 2011-09-01, 90 days each."""

from __future__ import annotations

import pandas as pd
import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.plan import Scope
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.runner import run_scope
from segmentation_assets.storage.engine import read_frame

NOVEMBER = "2011-11-01"


@pytest.fixture(scope="module")
def scores(tmp_path_factory, repository, shared_data) -> pd.DataFrame:
    """Rows of models/churn; one year of lines leaves no date for validation, so folds choose and calibrate."""
    platform = Platform(
        load_settings(
            config=repository / "examples" / "online_retail.yaml",
            environment={
                "SEGMENTATION_DATA_DIR": str(tmp_path_factory.mktemp("churn") / "data"),
                "SEGMENTATION__SOURCE__FOLDER": str(shared_data / "online-retail"),
            },
            overrides={
                "calendar.first_snapshot": NOVEMBER[:7],
                "calendar.last_month": NOVEMBER[:7],
                "prediction.validation": "folds",
                "prediction.training_snapshots": 1,
            },
        ).settings
    )
    run_scope(platform, Scope(frozenset(platform.graph.ancestors("models/churn"))), lambda *_: None)
    checks = {check.name: check for check in platform.store.manifest("models/churn", NOVEMBER).checks}
    assert checks["model_usable"].passed, checks["model_usable"].description
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths("models/churn", NOVEMBER))


def test_the_area_under_the_curve_is_what_one_year_of_history_makes_plausible(scores):
    days = scores.drop_duplicates(["split", "cutoff_date"]).set_index("split")["cutoff_date"]
    assert days.map("{:%Y-%m-%d}".format).to_dict() == {"test": "2011-09-01", "validation": "2011-06-01"}
    areas = scores[(scores["split"] == "test") & (scores["measure"] == "auc")].set_index("candidate")
    chosen = areas[areas["is_chosen"]].iloc[0]
    assert 0.70 <= chosen["value"] <= 0.78
    assert 0.02 < chosen["upper"] - chosen["lower"] < 0.05
    assert chosen["lower"] > areas.loc["recency_alone", "upper"]
    assert areas.loc["bg_nbd", "value"] == pytest.approx(0.736, abs=0.01)
    assert areas.loc["recency_alone", "value"] == pytest.approx(0.683, abs=0.01)
    assert areas["customer_count"].unique().tolist() == [3314]
    rates = scores[(scores["split"] == "test") & (scores["measure"] == "base_rate")]["value"]
    assert (rates * 3314).round().unique().tolist() == [1455]
